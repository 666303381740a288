package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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
	if len(args) != 1 || args[0] != "list" && args[0] != "reset" {
		p.flags("hosts", "list|reset").Usage()
		return errUsage
	}
	return p.with(ctx, func(h *house) error {
		if args[0] == "list" {
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
		if err != nil {
			return err
		}
		return p.printf("Sign in as  host\nPassword    %s\n\nThe former password and everything signed in with it no longer work.\n", password)
	})
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

// config shows each setting: its value, or for a secret only that it is set.
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
		case value == "":
			value = "(not set)"
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
	scheme, host := "http", "127.0.0.1"
	if c.TLSCert != "" {
		scheme = "https"
	}
	if at := strings.TrimSuffix(c.Addr, port(c.Addr)); at != "" && at != "0.0.0.0" && at != "[::]" {
		host = at
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+host+port(c.Addr)+"/readyz", nil)
	if err != nil {
		return err
	}
	// The certificate is for the public name, which need not lead to this machine.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // it asks its own machine whether it is ready, no more
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return errors.New("the server does not answer")
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: %s", resp.Status)
	}
	return p.printf("ready\n")
}

func (p *program) openapi(_ context.Context, args []string) error {
	if _, err := p.parse(p.flags("openapi", ""), args, 0); err != nil {
		return err
	}
	return p.printf("%s", api.Document())
}
