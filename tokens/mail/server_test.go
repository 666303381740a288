package mail_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms/outbox"
	post "admitone/tokens/mail"
)

// decoder reads base64 that is broken into lines.
func decoder(r io.Reader) io.Reader { return base64.NewDecoder(base64.StdEncoding, r) }

func TestServerURLs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{ // gitleaks:allow
		"smtp://app:tiger@mail.example":                "mail.example:587", // gitleaks:allow
		"smtp://app:tiger@mail.example:25":             "mail.example:25",  // gitleaks:allow
		"smtps://app:p%40ss%2Fword@mail.example/":      "mail.example:465", // gitleaks:allow
		"smtp://127.0.0.1:2525?rate=20":                "127.0.0.1:2525",
		"smtp://[::1]":                                 "::1:587",
		"mail.example":                                 "",
		"smtp://":                                      "",
		"http://mail.example":                          "",
		"smtp://app@mail.example":                      "",
		"smtp://mail.example/inbox":                    "",
		"smtp://mail.example?rate=0":                   "",
		"smtp://mail.example?rate=1001":                "",
		"smtp://mail.example?secure=no":                "",
		"smtp://mail.example:99999":                    "",
		"smtp://app:ti%ger@mail.example":               "", // gitleaks:allow
		"smtp://app:tiger@mail.example:25:25#fragment": "", // gitleaks:allow
	} {
		s, err := post.ParseServer(text, "meet.example")
		switch {
		case want == "" && err == nil:
			t.Errorf("%s was read", text)
		case want != "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case err != nil && (strings.Contains(err.Error(), "tiger") || strings.Contains(err.Error(), "ti%ger")):
			t.Errorf("%s: the error quotes the password: %v", text, err)
		case err == nil && strings.ReplaceAll(strings.ReplaceAll(s.Addr(), "[", ""), "]", "") != want:
			t.Errorf("%s: is at %s", text, s.Addr())
		}
	}
}

func TestTheServerIsLookedAt(t *testing.T) {
	t.Parallel()
	server := datatest.NewMailServer(t, nil)
	s, err := post.ParseServer(server.URL, "meet.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	// One that offers no sign-in gets no password.
	s, err = post.ParseServer(strings.Replace(server.URL, "://", "://app:tiger@", 1), "meet.example") // gitleaks:allow
	if err != nil {
		t.Fatal(err)
	}
	var away outbox.Away
	if err := s.Check(t.Context()); !errors.As(err, &away) || strings.Contains(err.Error(), "tiger") {
		t.Errorf("without AUTH: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	s, err = post.ParseServer("smtp://"+addr, "meet.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.As(err, &away) {
		t.Errorf("nobody there: %v", err)
	}
}
