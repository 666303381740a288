package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/caarlos0/env/v11"

	"admitone/rooms"
	"admitone/rooms/conference"
	"admitone/rooms/hosts"
	"admitone/tokens/keys"
	outgoing "admitone/tokens/mail"
)

// settings are the environment's, as text: what a setting means is read
// afterwards, so that no parser's message can print a value.
type settings struct {
	HostUsers      string `env:"HOST_USERS"       secret:"yes"`
	HostUserAuth   string `env:"HOST_USER_AUTH"   envDefault:"true"`
	JWTKey         string `env:"JWT_KEY"          secret:"yes"`
	JWTKeyPrevious string `env:"JWT_KEY_PREVIOUS" secret:"yes"`
	JWTExp         string `env:"JWT_EXP"          envDefault:"1h"`
	JWTAlg         string `env:"JWT_ALG"          envDefault:"HS256"`
	Addr           string `env:"ADDR"             envDefault:"127.0.0.1:8080"`
	BaseURL        string `env:"BASE_URL"`
	DatabaseURL    string `env:"DATABASE_URL"     envDefault:"sqlite:data/admitone.db" secret:"url"`
	Backends       string `env:"BACKENDS"         secret:"yes"`
	MetricsToken   string `env:"METRICS_TOKEN"    secret:"yes"`
	APIKeySecret   string `env:"API_KEY_SECRET"   secret:"yes"`
	TrustedProxies string `env:"TRUSTED_PROXIES"`
	CORSOrigins    string `env:"CORS_ORIGINS"`
	Retention      string `env:"RETENTION"        envDefault:"90d"`
	SMTPURL        string `env:"SMTP_URL"         secret:"url"`
	MailFrom       string `env:"MAIL_FROM"`
	TLSCert        string `env:"TLS_CERT"`
	TLSKey         string `env:"TLS_KEY"          path:"yes"`
	LogLevel       string `env:"LOG_LEVEL"        envDefault:"info"`
	LogFormat      string `env:"LOG_FORMAT"`

	// Settings that this version does not know what to do with yet. Passing
	// over one in silence would leave an operator believing in it.
	TLSAuto string `env:"TLS_AUTO"       later:"yes"`
}

// config is the settings understood.
type config struct {
	settings
	given    map[string]bool // which of them are not defaults
	hosts    []hosts.Host
	open     bool // no sign-in
	root     *keys.Root
	previous *keys.Root
	lifetime time.Duration
	base     string // empty: derived from the address listened on
	backends *conference.Backends
	trusted  []*net.IPNet
	origins  []string         // CORS_ORIGINS
	keep     time.Duration    // RETENTION, 0 for ever
	smtp     *outgoing.Server // nil where no mail is sent
	from     mail.Address
	level    slog.Level
}

// badSetting is a bad setting: its name and what is wrong, never its value.
type badSetting struct {
	name string
	err  error
}

func (p badSetting) Error() string {
	return p.name + ": " + strings.Join(strings.Fields(p.err.Error()), " ") // on one line, also where a driver tells more
}
func (p badSetting) Unwrap() error { return p.err }

// load reads and checks every setting. The first bad one is the error.
func load(getenv func(string) string) (*config, error) {
	c := config{given: map[string]bool{}}
	given := map[string]string{}
	for _, f := range fields() {
		value, err := read(getenv, f.name)
		if err != nil {
			return nil, badSetting{f.name + "_FILE", err}
		}
		if value == "" {
			continue
		}
		if f.later {
			return nil, badSetting{f.name, errors.New("this version cannot do this yet; remove the setting")}
		}
		given[f.name], c.given[f.name] = value, true
	}
	if err := env.ParseWithOptions(&c.settings, env.Options{Environment: given}); err != nil {
		return nil, err // only texts are read: this cannot fail for a value
	}
	for _, check := range []struct {
		name string
		read func() error
	}{
		{"HOST_USERS", func() (err error) { c.hosts, err = hosts.Parse(c.HostUsers); return err }},
		{"JWT_KEY", func() (err error) { c.root, err = root(c.JWTKey); return err }},
		{"JWT_KEY_PREVIOUS", func() (err error) { c.previous, err = root(c.JWTKeyPrevious); return err }},
		{"JWT_EXP", c.readLifetime},
		{"JWT_ALG", func() error { return oneOf(c.JWTAlg, keys.Algs()...) }},
		{"ADDR", c.readAddr},
		{"BASE_URL", c.readBase},
		{"DATABASE_URL", c.readDatabase},
		{"BACKENDS", func() (err error) { c.backends, err = conference.Parse(c.Backends); return err }},
		{"API_KEY_SECRET", c.readAPIKey},
		{"TRUSTED_PROXIES", c.readProxies},
		{"CORS_ORIGINS", c.readOrigins},
		{"SMTP_URL", c.readMail},
		{"MAIL_FROM", c.readFrom},
		{"RETENTION", c.readRetention},
		{"TLS_CERT", c.readTLS},
		{"LOG_LEVEL", c.readLevel},
		{"LOG_FORMAT", func() error { return oneOf(c.LogFormat, "", "text", "json") }},
		{"HOST_USER_AUTH", c.readAuth},
	} {
		if err := check.read(); err != nil {
			return nil, badSetting{check.name, err}
		}
	}
	return &c, nil
}

type setting struct {
	name   string
	secret string // "yes", or "url" for one whose password alone is
	later  bool
	index  int
}

func fields() (out []setting) {
	t := reflect.TypeFor[settings]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		out = append(out, setting{tag.Get("env"), tag.Get("secret"), tag.Get("later") != "", i})
	}
	return out
}

// read is a setting's value, or the content of the file that NAME_FILE names.
func read(getenv func(string) string, name string) (string, error) {
	value, file := getenv(name), getenv(name+"_FILE")
	if file == "" || name+"_FILE" == "TLS_KEY_FILE" {
		return value, nil
	}
	if value != "" {
		return "", fmt.Errorf("%s is set as well; choose one", name)
	}
	b, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return "", errors.New("the file cannot be read")
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func root(secret string) (*keys.Root, error) {
	if secret == "" {
		return nil, nil //nolint:nilnil // not set, which may be right
	}
	r, err := keys.NewRoot(secret)
	return &r, err
}

func oneOf(value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("must be one of %s", strings.Trim(strings.Join(allowed, ", "), ", "))
}

func (c *config) readLifetime() (err error) {
	c.lifetime, err = rooms.ParseDuration(c.JWTExp)
	return err
}

func (c *config) readRetention() (err error) {
	if c.Retention == "off" {
		return nil
	}
	if c.keep, err = rooms.ParseDuration(c.Retention); err != nil {
		err = fmt.Errorf("%w, or off, to keep names for ever", err)
	}
	return err
}

// readAPIKey asks of the key what is asked of JWT_KEY, and that a header can carry it.
func (c *config) readAPIKey() error {
	if _, err := root(c.APIKeySecret); err != nil {
		return err
	}
	admin := func(h hosts.Host) bool { return h.Admin }
	switch {
	case c.APIKeySecret == "":
	case strings.ContainsFunc(c.APIKeySecret, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("must be printable ASCII without spaces, for a header carries it")
	case c.APIKeySecret == c.JWTKey:
		return errors.New("must be another secret than JWT_KEY, for scripts send it about")
	case len(c.hosts) > 1 && !slices.ContainsFunc(c.hosts, admin):
		return errors.New("needs a host with \"admin\":true in HOST_USERS, for whom rooms are made")
	}
	return nil
}

func (c *config) readLevel() error {
	if c.level.UnmarshalText([]byte(c.LogLevel)) != nil { // whose error quotes the value
		return errors.New("must be one of debug, info, warn, error")
	}
	return nil
}

// readAuth allows a server without sign-in only where nobody else can reach it.
func (c *config) readAuth() error {
	if err := oneOf(c.HostUserAuth, "true", "false"); err != nil {
		return err
	}
	if c.open = c.HostUserAuth == "false"; !c.open {
		return nil
	}
	host, _, _ := net.SplitHostPort(c.Addr)
	local := loopback(host)
	if c.base != "" {
		u, _ := url.Parse(c.base)
		local = local && loopback(u.Hostname())
	}
	if !local || len(c.trusted) > 0 {
		return errors.New("only where nobody else can reach the server may the sign-in be dropped: ADDR and BASE_URL must be loopback, and TRUSTED_PROXIES empty")
	}
	return nil
}

// rootKey is JWT_KEY, or the key kept beside the SQLite file, made with it the
// first time.
func (c *config) rootKey() (keys.Root, error) {
	if c.root != nil {
		return *c.root, nil
	}
	path := c.keyFile()
	b, err := os.ReadFile(path) //nolint:gosec // beside the database that the operator names
	switch {
	case err == nil:
		r, err := keys.NewRoot(strings.TrimSpace(string(b)))
		if err != nil {
			return r, badSetting{path, err}
		}
		return r, nil
	case !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR): // a folder that is a file is told below
		return keys.Root{}, badSetting{"JWT_KEY", fmt.Errorf("the key file cannot be read: %w", err)}
	}
	if info, err := os.Stat(c.file()); err == nil && info.IsDir() {
		return keys.Root{}, badSetting{"DATABASE_URL", errors.New("names a folder, not a file")}
	} else if err == nil && info.Size() > 0 {
		return keys.Root{}, badSetting{"JWT_KEY", fmt.Errorf("the key file %s is gone, and the database cannot be read without it: put it back, or set JWT_KEY", path)}
	}
	secret := keys.NewSecret()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return keys.Root{}, badSetting{"DATABASE_URL", fmt.Errorf("cannot make the data folder: %w", err)}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // as above
	if err != nil {
		return keys.Root{}, badSetting{"DATABASE_URL", fmt.Errorf("cannot write the key file: %w", err)}
	}
	_, err = f.WriteString(secret + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return keys.Root{}, badSetting{"DATABASE_URL", fmt.Errorf("cannot write the key file: %w", err)}
	}
	return keys.NewRoot(secret)
}

func (c *config) keyFile() string { return c.file() + ".key" }
