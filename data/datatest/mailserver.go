package datatest

import (
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
	Secret   bool   // came under TLS
	At       time.Time
}

// MailServer is a mail server on loopback (RFC 5321) that keeps what it takes,
// and misbehaves as asked. It is safe for concurrent use.
type MailServer struct {
	URL string // for SMTP_URL

	// Answer is asked at each stage of a mail, "MAIL", "RCPT", "DATA" and "." after
	// the text, at "STARTTLS", and at "AUTH" with what was given last for From:
	// nothing lets it go its way, Cut closes the connection, and anything else is
	// the reply.
	Answer func(stage string, m Mail) string

	manners     Manners
	mu          sync.Mutex
	taken       []Mail
	heard       strings.Builder
	tried       map[string]int
	connections int
	listener    net.Listener
	open        map[net.Conn]bool
	changed     *sync.Cond
}

// Cut is the answer of a server that is gone.
const Cut = "cut"

// NewMailServer begins to serve until the test ends, in the clear and whomever; answer may be nil.
func NewMailServer(t testing.TB, answer func(stage string, m Mail) string) *MailServer {
	t.Helper()
	return NewMannered(t, Manners{}, answer)
}

// NewMannered is NewMailServer with such manners.
func NewMannered(t testing.TB, manners Manners, answer func(stage string, m Mail) string) *MailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &MailServer{URL: manners.url(l.Addr().String()), Answer: answer, manners: manners, listener: l, tried: map[string]int{}, open: map[net.Conn]bool{}}
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
			serving.Go(func() {
				defer s.left(c)
				s.serve(c)
			})
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

// Open is how many of them there are now.
func (s *MailServer) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Overheard is what was said to it in the clear, the texts of mails aside.
func (s *MailServer) Overheard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard.String()
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

func (s *MailServer) left(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
}
