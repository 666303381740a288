package datatest

import (
	"bufio"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Mail is what somebody gave a MailServer.
type Mail struct {
	From, To string
	Text     string // with dots as they were meant
	At       time.Time
}

// MailServer is a mail server on loopback (RFC 5321) that keeps what it takes,
// and misbehaves as asked. It is safe for concurrent use.
type MailServer struct {
	URL string // for SMTP_URL

	// Answer is asked at each stage of a mail, "MAIL", "RCPT", "DATA" and "." after
	// the text: nothing takes it, Cut closes the connection, and anything else is
	// the reply.
	Answer func(stage string, m Mail) string

	mu          sync.Mutex
	taken       []Mail
	tried       map[string]int
	connections int
	listener    net.Listener
	open        map[net.Conn]bool
	changed     *sync.Cond
}

// Cut is the answer of a server that is gone.
const Cut = "cut"

// NewMailServer begins to serve until the test ends; answer may be nil.
func NewMailServer(t testing.TB, answer func(stage string, m Mail) string) *MailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &MailServer{URL: "smtp://" + l.Addr().String(), Answer: answer, listener: l, tried: map[string]int{}, open: map[net.Conn]bool{}}
	s.changed = sync.NewCond(&s.mu)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.connections++
			s.open[c] = true
			s.mu.Unlock()
			serving.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		for c := range s.open {
			_ = c.Close()
		}
		s.mu.Unlock()
		serving.Wait()
	})
	return s
}

// Taken are the mails that were taken, in their order.
func (s *MailServer) Taken() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// To are those to that address.
func (s *MailServer) To(address string) (all []Mail) {
	for _, m := range s.Taken() {
		if m.To == address {
			all = append(all, m)
		}
	}
	return all
}

// Tried is how often a mail to that address was begun.
func (s *MailServer) Tried(address string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tried[address]
}

// Connections is how many there were.
func (s *MailServer) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// Wait returns when so many mails were taken in all; it fails the test where none comes for a minute.
func (s *MailServer) Wait(t testing.TB, n int) []Mail {
	t.Helper()
	over := false
	late := time.AfterFunc(time.Minute, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		over = true
		s.changed.Broadcast()
	})
	defer late.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.taken) < n && !over {
		s.changed.Wait()
		late.Reset(time.Minute)
	}
	if len(s.taken) < n {
		t.Fatalf("%d mails came, want %d", len(s.taken), n)
	}
	return slices.Clone(s.taken)
}

func (s *MailServer) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	}()
	r := bufio.NewReader(c)
	say := func(reply string) bool {
		_, err := c.Write([]byte(reply + "\r\n"))
		return err == nil
	}
	say("220 mail.example ready")
	var m Mail
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		word, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		reply := "250 2.0.0 well"
		switch word = strings.ToUpper(word); word {
		case "EHLO":
			reply = "250-mail.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES"
		case "MAIL":
			m = Mail{From: inBrackets(rest)}
			reply = s.ask(word, m, reply)
		case "RCPT":
			m.To = inBrackets(rest)
			s.mu.Lock()
			s.tried[m.To]++
			s.mu.Unlock()
			reply = s.ask(word, m, reply)
		case "DATA":
			if reply = s.ask(word, m, "354 go on"); reply[0] != '3' {
				break
			}
			say(reply)
			if m.Text, err = text(r); err != nil {
				return
			}
			m.At = time.Now()
			reply = s.ask(".", m, "250 2.0.0 taken")
			if strings.HasPrefix(reply, "250") {
				s.mu.Lock()
				s.taken = append(s.taken, m)
				s.changed.Broadcast()
				s.mu.Unlock()
			}
		case "QUIT":
			say("221 bye")
			return
		}
		if reply == Cut || !say(reply) {
			return
		}
	}
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
