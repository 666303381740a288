package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
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

	host, port string
	tls        bool // from the first byte
	options    []gomail.Option
	secrets    []string // the password, and what goes over the wire for it
	open       *smtp.Client
	used       time.Time
}

const (
	// timeout is for each word of the conversation but the last, whose answer the
	// server may take its time for.
	timeout     = 20 * time.Second
	lastTimeout = 90 * time.Second
	// stale is after how long an open connection is tried before it is used.
	stale = 5 * time.Second
)

// Addr is where the server is, without the password.
func (s *Server) Addr() string { return net.JoinHostPort(s.host, s.port) }

// Check opens a connection and closes it: nil where we may send.
func (s *Server) Check(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	_ = c.Quit() // which closes it
	return nil
}

// dial opens a connection; what fails is outbox.Away, and leaves none open.
func (s *Server) dial(ctx context.Context) (*smtp.Client, error) {
	var wire net.Conn
	reach := func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		if s.tls {
			c, err = (&tls.Dialer{Config: &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}}).DialContext(ctx, network, addr)
		} else {
			c, err = new(net.Dialer).DialContext(ctx, network, addr)
		}
		wire = c
		return c, err
	}
	client, err := gomail.NewClient(s.host, append(slices.Clone(s.options), gomail.WithDialContextFunc(reach))...)
	if err != nil {
		return nil, err
	}
	c, err := client.DialToSMTPClientWithContext(ctx)
	if err == nil {
		return c, nil
	}
	if wire != nil {
		_ = wire.Close()
	}
	var answer *textproto.Error
	if errors.As(err, &answer) {
		err = errors.New(told(answer))
	}
	return nil, outbox.Away{Why: s.without(said("the mail server cannot be used", err))}
}

// told is what a server answered, in one line.
func told(a *textproto.Error) string {
	return fmt.Sprintf("%d %s", a.Code, strings.ReplaceAll(a.Msg, "\n", " "))
}

// without is a text without the password.
func (s *Server) without(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return text
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

// senderRefused is that the server will not have mails from us, whomever they are for.
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
	case errors.As(err, &answer) && errors.As(err, &sender):
		return outbox.Away{Why: "MAIL_FROM: " + s.without(told(answer))}
	case errors.As(err, &answer):
		a := outbox.Answer{State: outbox.Waiting, Why: s.without(told(answer))}
		if answer.Code/100 == 5 {
			a.State = outbox.Refused
		}
		return a
	case errors.As(err, &early):
		return outbox.Answer{State: outbox.Waiting, Why: said("the connection to the mail server broke", early.error)}
	}
	return err
}
