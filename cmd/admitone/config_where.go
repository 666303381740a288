package main

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

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

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
