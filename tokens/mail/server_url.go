package mail

import (
	"encoding/base64"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// usualRate is how many mails go out in a second where nothing is said.
const usualRate = 10

// ParseServer reads SMTP_URL: smtp://user:password@host:587, which begins in
// the clear and must go on under TLS unless the host is this machine, or
// smtps://…:465. ?rate=20 is how many mails go out in a second at most. hello is
// the name we introduce ourselves by. No error quotes the URL.
func ParseServer(text, hello string) (*Server, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("is no URL; write smtp://user:password@host:587, with what is special in the password percent-encoded")
	}
	if u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return nil, errors.New("must be smtp://user:password@host:587 or smtps://user:password@host:465")
	}
	s := &Server{Pace: time.Second / usualRate, host: u.Hostname(), tls: u.Scheme == "smtps"}
	options := []gomail.Option{gomail.WithTimeout(timeout), gomail.WithHELO(hello)}
	port := 587
	switch {
	case s.tls:
		port = 465
		options = append(options, gomail.WithSSL())
	case here(u.Hostname()):
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			return nil, errors.New("the port is no port")
		}
	}
	if err := s.read(u.Query()); err != nil {
		return nil, err
	}
	if u.User != nil {
		user := u.User.Username()
		password, _ := u.User.Password()
		if user == "" || password == "" {
			return nil, errors.New("user and password belong together")
		}
		wire := base64.StdEncoding
		s.secrets = []string{wire.EncodeToString([]byte("\x00" + user + "\x00" + password)), wire.EncodeToString([]byte(password)), password}
		options = append(options, gomail.WithUsername(user), gomail.WithPassword(password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	s.port, s.options = strconv.Itoa(port), append(options, gomail.WithPort(port))
	if _, err = gomail.NewClient(s.host, s.options...); err != nil {
		return nil, errors.New("cannot be used")
	}
	return s, nil
}

func (s *Server) read(q url.Values) error {
	for name := range q {
		if name != "rate" {
			return errors.New("knows ?rate= and nothing else behind the question mark")
		}
	}
	if !q.Has("rate") {
		return nil
	}
	rate, err := strconv.Atoi(q.Get("rate"))
	if err != nil || rate < 1 || rate > 1000 {
		return errors.New("rate is 1 to 1000 mails a second")
	}
	s.Pace = time.Second / time.Duration(rate)
	return nil
}

// here tells whether the name is this machine's to itself.
func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
