package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"admitone/rooms/outbox"
)

// Server is the mail server that takes our mails. It keeps one connection for
// as long as there is something to send; one courier uses it at a time.
type Server struct {
	Pace time.Duration // between two mails

	client   *gomail.Client
	password string
	open     *smtp.Client
	used     time.Time
}

const (
	// timeout is for each word of the conversation but the last, whose answer the
	// server may take its time for.
	timeout     = 20 * time.Second
	lastTimeout = 90 * time.Second
	// stale is after how long an open connection is tried before it is used.
	stale = 5 * time.Second
	// usualRate is how many mails go out in a second where nothing is said.
	usualRate = 10
)

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
	s := &Server{Pace: time.Second / usualRate}
	options := []gomail.Option{gomail.WithTimeout(timeout), gomail.WithHELO(hello)}
	port := 587
	switch {
	case u.Scheme == "smtps":
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
		s.password, _ = u.User.Password()
		if u.User.Username() == "" || s.password == "" {
			return nil, errors.New("user and password belong together")
		}
		options = append(options, gomail.WithUsername(u.User.Username()), gomail.WithPassword(s.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	if s.client, err = gomail.NewClient(u.Hostname(), append(options, gomail.WithPort(port))...); err != nil {
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

// Addr is where the server is, without the password.
func (s *Server) Addr() string { return s.client.ServerAddr() }

// Check opens a connection and closes it: nil where we may send.
func (s *Server) Check(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	_ = c.Quit() // which closes it
	return nil
}

// dial opens a connection; what fails is outbox.Away.
func (s *Server) dial(ctx context.Context) (*smtp.Client, error) {
	c, err := s.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return nil, outbox.Away{Why: s.without(said("the mail server cannot be reached, or does not let us in", err))}
	}
	return c, nil
}

// without is a text without the password.
func (s *Server) without(text string) string {
	if s.password == "" {
		return text
	}
	return strings.ReplaceAll(text, s.password, "…")
}

func said(what string, err error) string { return what + ": " + err.Error() }

// connected is the open connection, or a new one.
func (s *Server) connected(ctx context.Context) (*smtp.Client, error) {
	if s.open != nil && time.Since(s.used) > stale {
		if s.open.UpdateDeadline(timeout) != nil || s.open.Noop() != nil {
			s.drop()
		}
	}
	if s.open == nil {
		c, err := s.dial(ctx)
		if err != nil {
			return nil, err
		}
		s.open = c
	}
	s.used = time.Now()
	return s.open, s.open.UpdateDeadline(timeout)
}

// drop closes the connection without a word, so that nothing that was begun is
// taken for whole.
func (s *Server) drop() {
	if s.open != nil {
		_ = s.open.Close()
		s.open = nil
	}
}

// Rest closes the connection in good manners.
func (s *Server) Rest() {
	if s.open != nil && s.open.UpdateDeadline(time.Second) == nil {
		_ = s.open.Quit()
	}
	s.drop()
}

// Send hands a message over, from and to addresses in angle brackets. Right
// before the dot that makes it the server's it calls hand. An error after that is
// an outbox.Answer, or doubtful.
func (s *Server) Send(ctx context.Context, from, to string, message []byte, hand func() error) error {
	c, err := s.connected(ctx)
	if err != nil {
		s.drop()
		return err
	}
	err = s.converse(c, from, to, message, hand)
	s.used = time.Now()
	var answer *textproto.Error
	if errors.As(err, &answer) && answer.Code != 421 {
		if c.UpdateDeadline(timeout) != nil || c.Reset() != nil {
			s.drop()
		}
	} else if err != nil {
		s.drop()
	}
	return s.verdict(err)
}

// senderRefused is that the server will not have mails from us at all.
type senderRefused struct{ error }

func (e senderRefused) Unwrap() error { return e.error }

// notTaken is a conversation that ended before the dot.
type notTaken struct{ error }

func (e notTaken) Unwrap() error { return e.error }

func (s *Server) converse(c *smtp.Client, from, to string, message []byte, hand func() error) error {
	if err := c.Mail(from); err != nil {
		return notTaken{senderRefused{err}}
	}
	if err := c.Rcpt(to); err != nil {
		return notTaken{err}
	}
	w, err := c.Data()
	if err != nil {
		return notTaken{err}
	}
	if _, err := w.Write(message); err != nil {
		return notTaken{err}
	}
	if err := c.Text.W.Flush(); err != nil {
		return notTaken{err}
	}
	if err := hand(); err != nil {
		return err // the connection is dropped, and with it the message that lacks its dot
	}
	if err := listening(c); err != nil {
		return notTaken{err}
	}
	if err := c.UpdateDeadline(lastTimeout); err != nil {
		return err
	}
	return w.Close()
}

// listening tells whether the server is still there and waits for more.
func listening(c *smtp.Client) error {
	if err := c.UpdateDeadline(time.Millisecond); err != nil {
		return err
	}
	_, err := c.Text.R.Peek(1)
	var wire net.Error
	switch {
	case err == nil:
		return errors.New("the mail server interrupted us")
	case errors.As(err, &wire) && wire.Timeout():
		return nil
	}
	return err
}

// verdict is the error as the outbox understands it.
func (s *Server) verdict(err error) error {
	var answer *textproto.Error
	var sender senderRefused
	var early notTaken
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		a := outbox.Answer{State: outbox.Waiting, Why: s.without(fmt.Sprintf("%d %s", answer.Code, answer.Msg))}
		if errors.As(err, &sender) {
			a.Why = "MAIL_FROM: " + a.Why // for the operator to put right
		} else if answer.Code/100 == 5 {
			a.State = outbox.Refused
		}
		return a
	case errors.As(err, &early):
		return outbox.Answer{State: outbox.Waiting, Why: said("the connection to the mail server broke", early.error)}
	}
	return err
}
