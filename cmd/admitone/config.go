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

func (c *config) readAddr() error {
	_, port, err := net.SplitHostPort(c.Addr)
	if err != nil || port == "" {
		return errors.New("must be host:port, such as 127.0.0.1:8080 or :8080")
	}
	return nil
}

func (c *config) readBase() error {
	if c.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(strings.TrimSuffix(c.BaseURL, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("must be an origin such as https://meet.example, without a path")
	}
	c.base = u.Scheme + "://" + strings.ToLower(u.Host)
	return nil
}

func (c *config) readDatabase() error {
	lite := strings.HasPrefix(c.DatabaseURL, "sqlite:")
	switch {
	case lite && len(c.DatabaseURL) == len("sqlite:"):
		return errors.New("names no file; write sqlite:PATH")
	case lite:
		return nil
	case strings.HasPrefix(c.DatabaseURL, "postgres://"), strings.HasPrefix(c.DatabaseURL, "postgresql://"):
		if c.root == nil {
			return errors.New("PostgreSQL needs JWT_KEY, the same on every instance")
		}
		return nil
	}
	return errors.New("must be sqlite:PATH or postgres://…")
}

// file is the SQLite file's path, empty for PostgreSQL.
func (c *config) file() string {
	path, lite := strings.CutPrefix(c.DatabaseURL, "sqlite:")
	if !lite {
		return ""
	}
	return path
}

func (c *config) readProxies() error {
	for _, text := range strings.FieldsFunc(c.TrustedProxies, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !strings.Contains(text, "/") {
			if strings.Contains(text, ":") {
				text += "/128"
			} else {
				text += "/32"
			}
		}
		_, n, err := net.ParseCIDR(text)
		if err != nil {
			return errors.New("must be addresses or networks such as 10.0.0.0/8, separated by commas")
		}
		c.trusted = append(c.trusted, n)
	}
	return nil
}

// readOrigins takes origins as browsers spell them: of every page there is none.
func (c *config) readOrigins() error {
	for _, text := range strings.FieldsFunc(c.CORSOrigins, func(r rune) bool { return r == ',' || r == ' ' }) {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Contains(text, "*") ||
			text != u.Scheme+"://"+strings.ToLower(u.Host) || u.Port() == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
			return errors.New("must be origins such as https://app.example, separated by commas: scheme and host in lower case, a port only where it is unusual, no path, and none that stands for all")
		}
		c.origins = append(c.origins, text)
	}
	return nil
}

func (c *config) readTLS() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("TLS_CERT and TLS_KEY belong together")
	}
	return nil
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

// local is the origin of a server without BASE_URL that listens on addr.
func (c *config) local(addr string) string {
	scheme, usual := "http", "80"
	if c.TLSCert != "" {
		scheme, usual = "https", "443"
	}
	if _, port, _ := net.SplitHostPort(addr); port != usual {
		return scheme + "://localhost:" + port
	}
	return scheme + "://localhost"
}

// origin is BASE_URL as it is in force, and whether that is the default.
func (c *config) origin() string {
	_, port, _ := net.SplitHostPort(c.Addr)
	switch {
	case c.base != "":
		return c.base
	case port == "0":
		return strings.TrimSuffix(c.local(c.Addr), ":0") + " with the port that is free (default)"
	}
	return c.local(c.Addr) + " (default)"
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

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
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
