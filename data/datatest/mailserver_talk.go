package datatest

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/url"
	"strings"
	"time"
)

// Manners are how a MailServer lets somebody in.
type Manners struct {
	Certificate *tls.Certificate // nil where it speaks in the clear alone
	Implicit    bool             // TLS from the first byte, as at port 465; else STARTTLS
	Auth        string           // the ways to sign in that it offers, as "PLAIN LOGIN"
	User        *url.Userinfo    // who alone may sign in, and must; nil: whoever comes may send
	// InTheClear offers to sign in before TLS too, as somebody would who wants to listen.
	InTheClear bool
	// Behind is sent in the clear right behind the reply to STARTTLS.
	Behind string
}

// url is the SMTP_URL of such a server at addr.
func (m Manners) url(addr string) string {
	u := url.URL{Scheme: "smtp", User: m.User, Host: addr}
	if m.Implicit {
		u.Scheme = "smtps"
	}
	return u.String()
}

// talk is one conversation of a MailServer.
type talk struct {
	*MailServer
	net.Conn
	read   *bufio.Reader
	secret bool // under TLS
	in     bool // signed in
	m      Mail
}

// gone is the reply after which nothing more can be said.
const gone = ""

func (s *MailServer) serve(c net.Conn) {
	t := &talk{MailServer: s, Conn: c}
	if s.manners.Implicit && !t.encrypt() {
		return
	}
	t.read = bufio.NewReader(t.Conn)
	reply := "220 mail.example ready"
	for reply != gone && reply != Cut && t.say(reply) {
		line, ok := t.line()
		if !ok {
			return
		}
		word, rest, _ := strings.Cut(line, " ")
		reply = t.reply(strings.ToUpper(word), rest)
	}
}

func (t *talk) say(reply string) bool {
	_, err := t.Write([]byte(reply + "\r\n"))
	return err == nil
}

func (t *talk) line() (string, bool) {
	line, err := t.read.ReadString('\n')
	if !t.secret {
		t.mu.Lock()
		t.heard.WriteString(line)
		t.mu.Unlock()
	}
	return strings.TrimRight(line, "\r\n"), err == nil
}

func (t *talk) reply(word, rest string) string {
	const well = "250 2.0.0 well"
	switch {
	case word == "EHLO":
		return t.abilities()
	case word == "STARTTLS" && t.manners.Certificate != nil:
		if reply := t.ask(word, Mail{}, ""); reply != "" {
			return reply
		}
		if !t.say("220 2.0.0 go on"+t.manners.Behind) || !t.encrypt() {
			return gone
		}
		t.read, t.in, t.m = bufio.NewReader(t.Conn), false, Mail{}
		return t.afterwards()
	case word == "AUTH":
		return t.signIn(rest)
	case word == "QUIT":
		t.say("221 bye")
		return gone
	case t.manners.User != nil && !t.in && word != "NOOP" && word != "RSET":
		return "530 5.7.0 sign in first"
	case word == "MAIL":
		t.m = Mail{From: inBrackets(rest)}
		return t.ask(word, t.m, well)
	case word == "RCPT":
		t.m.To = inBrackets(rest)
		t.mu.Lock()
		t.tried[t.m.To]++
		t.mu.Unlock()
		return t.ask(word, t.m, well)
	case word == "DATA":
		return t.data()
	}
	return well
}

// encrypt goes on under TLS, if the other side trusts us.
func (t *talk) encrypt() bool {
	c := tls.Server(t.Conn, &tls.Config{Certificates: []tls.Certificate{*t.manners.Certificate}, MinVersion: tls.VersionTLS12})
	t.Conn, t.secret = c, true
	return c.Handshake() == nil
}

// afterwards is the reply to the first word under TLS: STARTTLS has none.
func (t *talk) afterwards() string {
	line, ok := t.line()
	if !ok {
		return gone
	}
	word, rest, _ := strings.Cut(line, " ")
	return t.reply(strings.ToUpper(word), rest)
}

func (t *talk) abilities() string {
	all := []string{"mail.example", "8BITMIME", "SMTPUTF8"}
	if t.manners.Certificate != nil && !t.secret {
		all = append(all, "STARTTLS")
	}
	if t.manners.Auth != "" && (t.secret || t.manners.Certificate == nil || t.manners.InTheClear) {
		all = append(all, "AUTH "+t.manners.Auth)
	}
	return "250-" + strings.Join(all, "\r\n250-") + "\r\n250 ENHANCEDSTATUSCODES"
}

// signIn is AUTH PLAIN (RFC 4616) and LOGIN.
func (t *talk) signIn(rest string) string {
	how, given, _ := strings.Cut(rest, " ")
	var user, password string
	switch how {
	case "PLAIN":
		_, pair, _ := strings.Cut(decoded64(given), "\x00")
		user, password, _ = strings.Cut(pair, "\x00")
	case "LOGIN":
		for _, one := range []struct {
			asked string
			into  *string
		}{{"Username:", &user}, {"Password:", &password}} {
			line, ok := "", t.say("334 "+base64.StdEncoding.EncodeToString([]byte(one.asked)))
			if ok {
				line, ok = t.line()
			}
			if !ok {
				return gone
			}
			given, *one.into = line, decoded64(line)
		}
	default:
		return "504 5.5.4 what"
	}
	reply := "535 5.7.8 user or password is wrong"
	if who := t.manners.User; who != nil && *who == *url.UserPassword(user, password) {
		reply = "235 2.7.0 come in"
	}
	reply = t.ask("AUTH", Mail{From: given}, reply)
	t.in = strings.HasPrefix(reply, "235")
	return reply
}

func decoded64(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}

func (t *talk) data() string {
	reply := t.ask("DATA", t.m, "354 go on")
	if reply[0] != '3' {
		return reply
	}
	t.say(reply)
	var err error
	if t.m.Text, err = text(t.read); err != nil {
		return gone
	}
	t.m.At, t.m.Secret = time.Now(), t.secret
	reply = t.ask(".", t.m, "250 2.0.0 taken")
	if strings.HasPrefix(reply, "250") {
		t.mu.Lock()
		t.taken = append(t.taken, t.m)
		t.changed.Broadcast()
		t.mu.Unlock()
	}
	return reply
}

// ask is the server's reply at that stage.
func (s *MailServer) ask(stage string, m Mail, usual string) string {
	if s.Answer != nil {
		if reply := s.Answer(stage, m); reply != "" {
			return reply
		}
	}
	return usual
}

func inBrackets(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

// text reads up to the dot that ends it.
func text(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return b.String(), nil
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}
