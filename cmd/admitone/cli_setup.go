package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"golang.org/x/term"

	"admitone/handlers/api"
	"admitone/rooms"
	"admitone/rooms/hosts"
)

func (p *program) hosts(ctx context.Context, args []string) error {
	f := p.flags("hosts", "list|reset|reset-two-factor NAME")
	want := 1
	if len(args) > 0 && args[0] == resetTwoFactor {
		want = 2
	}
	rest, err := p.parse(f, args, want)
	if err != nil {
		return err
	}
	if rest[0] != "list" && rest[0] != "reset" && want == 1 {
		return p.misuse(f, fmt.Sprintf("there is no %q", rest[0]))
	}
	return p.with(ctx, func(h *house) error {
		if want == 2 {
			return p.resetTwoFactor(ctx, h, rest[1])
		}
		if rest[0] == "list" {
			all, err := h.directory.All(ctx)
			if errors.Is(err, rooms.ErrNotFound) {
				return errors.New("there is no host yet: start the server once, or set HOST_USERS")
			}
			for _, host := range all {
				what := "host"
				if host.Admin {
					what = "admin"
				}
				_ = p.printf("%-24s %-6s %s\n", host.Username, what, host.DisplayName)
			}
			return err
		}
		if len(h.config.hosts) > 0 {
			return errors.New("HOST_USERS names the hosts: change the password there")
		}
		password, err := hosts.Generate(ctx, h.hostStore, p.now(), true)
		if err == nil {
			_, err = h.directory.Settle(ctx)
		}
		if err != nil {
			return err
		}
		return p.printf("Sign in as  host\nPassword    %s\n\nThe former password and everything signed in with it no longer work.\n", password)
	})
}

const resetTwoFactor = "reset-two-factor"

// resetTwoFactor is for a host who lost phone and recovery codes.
func (p *program) resetTwoFactor(ctx context.Context, h *house, name string) error {
	host, err := h.directory.ByName(ctx, name)
	if errors.Is(err, rooms.ErrNotFound) {
		return fmt.Errorf("no host is called %q", name)
	}
	if err != nil {
		return err
	}
	err = h.factors.Reset(ctx, cli(), name)
	if errors.Is(err, rooms.ErrNotFound) {
		return fmt.Errorf("%s has no second factor", host.Username)
	}
	if err != nil {
		return err
	}
	return p.printf("The second factor of %s is gone: the password alone lets them in. They are signed out everywhere.\n", host.Username)
}

func (p *program) hashPassword(_ context.Context, args []string) error {
	if _, err := p.parse(p.flags("hash-password", "< FILE"), args, 0); err != nil {
		return err
	}
	var password string
	if f, ok := p.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		_, _ = fmt.Fprint(p.stderr, "Password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		_, _ = fmt.Fprintln(p.stderr)
		if err != nil {
			return err
		}
		password = string(b)
	} else {
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if err != nil && line == "" {
			return errors.New("no password on standard input")
		}
		password = strings.TrimRight(line, "\r\n")
	}
	if err := hosts.CheckPassword("", password); err != nil {
		return err
	}
	hash, err := hosts.Hash(password)
	if err != nil {
		return err
	}
	return p.printf("%s\n", hash)
}

// config shows each setting: its value, or for a secret only that it is set;
// and which of them are defaults.
func (p *program) config(_ context.Context, args []string) error {
	if _, err := p.parse(p.flags("config", ""), args, 0); err != nil {
		return err
	}
	c, err := load(p.getenv)
	if err != nil {
		return err
	}
	values := reflect.ValueOf(c.settings)
	for _, s := range fields() {
		value := values.Field(s.index).String()
		switch {
		case s.later:
			continue
		case s.name == "BASE_URL":
			value = c.origin()
		case s.name == "LOG_FORMAT" && value == "":
			value = p.logFormat(c) + " (default; text where stderr is a terminal)"
		case value == "":
			value = "(not set)"
		case !c.given[s.name]:
			value += " (default)"
		case s.secret == "yes":
			value = "(set)"
		case s.secret == "url":
			value = withoutPassword(value)
		}
		if err := p.printf("%-17s %s\n", s.name, value); err != nil {
			return err
		}
	}
	if c.root == nil && c.file() != "" {
		return p.printf("\nJWT_KEY is read from %s, which is made at the first start. Keep it with the database's backups.\n", c.keyFile())
	}
	return nil
}

// withoutPassword is a URL as others may see it; libpq takes passwords in the
// query too.
func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(set)"
	}
	q := u.Query()
	for name := range q {
		if strings.Contains(strings.ToLower(name), "pass") {
			q.Set(name, "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}

func (p *program) healthcheck(ctx context.Context, args []string) error {
	if _, err := p.parse(p.flags("healthcheck", ""), args, 0); err != nil {
		return err
	}
	c, err := load(p.getenv)
	if err != nil {
		return err
	}
	scheme, at := "http", reached(c.Addr)
	if c.TLSCert != "" {
		scheme = "https"
	}
	if strings.HasSuffix(at, ":0") {
		return badSetting{"ADDR", errors.New("the server took a port that was free, and nobody else knows which; name one")}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// By the one name that a server without sign-in lets in, wherever it listens.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost/readyz", nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", at)
		},
		// The certificate is for the public name, which need not lead to this machine.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // it asks its own machine whether it is ready, no more
	}
	asked := scheme + "://" + at + "/readyz"
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("the server does not answer at %s", asked)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: %s answers %s", asked, resp.Status)
	}
	return p.printf("ready: %s\n", asked)
}

// reached is where a server that listens on addr is reached from this machine.
func reached(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func (p *program) openapi(_ context.Context, args []string) error {
	if _, err := p.parse(p.flags("openapi", ""), args, 0); err != nil {
		return err
	}
	return p.printf("%s", api.Document())
}
