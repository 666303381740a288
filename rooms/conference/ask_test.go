package conference

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// nowhere is an address at which no server is. The port of one that was closed
// may soon be another's.
const nowhere = "http://127.0.0.1:1"

func TestAnAddressIsReadAndRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, secure, want string }{
		{"https://talk.example", "https", "https://talk.example"},
		{"HTTPS://Talk.example:8443/a/b//", "https", "https://Talk.example:8443/a/b"},
		{"https://192.0.2.1/", "https", "https://192.0.2.1"},
		{"https://[2001:db8::1]:8443", "https", "https://[2001:db8::1]:8443"},
		{"http://localhost:3000", "https", "http://localhost:3000"},
		{"http://talk.localhost", "https", "http://talk.localhost"},
		{"http://127.8.8.8:1", "https", "http://127.8.8.8:1"},
		{"http://[::1]/", "https", "http://[::1]"},
		{"http://[::ffff:127.0.0.1]", "https", "http://[::ffff:127.0.0.1]"},
		{"wss://lk.example", "wss", "wss://lk.example"},
		{"ws://localhost:7880", "wss", "ws://localhost:7880"},
	} {
		if u, err := address("url", row.text, row.secure); err != nil || u.String() != row.want {
			t.Errorf("%s: %v, %v", row.text, u, err)
		}
	}
	for _, row := range []struct{ text, says string }{
		{"", "is missing"},
		{"http://talk.tiger", "needs https"},
		{"http://192.168.1.2", "needs https"},
		{"http://localhost.tiger", "needs https"},
		{"http://127.0.0.1.tiger", "needs https"},
		{"wss://tiger", "is an absolute https URL"},
		{"ftp://tiger", "is an absolute https URL"},
		{"//tiger", "is an absolute https URL"},
		{"tiger", "is an absolute https URL"},
		{"https://", "is an absolute https URL"},
		{"https://:443", "is an absolute https URL"},
		{"https://tiger;script-src *", "is an absolute https URL"},
		{"https://tiger,b.example", "is an absolute https URL"},
		{"https://tiger'x", "is an absolute https URL"},
		{"https://*.tiger", "is an absolute https URL"},
		{"https://[fe80::1%25tiger]", "is an absolute https URL"},
		{"https://tiger:port", "is an absolute https URL"},
		{"https://tiger/%zz", "is an absolute https URL"},
		{"https://a:tiger@b.example", "has no user, query or fragment"},
		{"https://tiger@b.example", "has no user, query or fragment"},
		{"https://b.example/?tiger", "has no user, query or fragment"},
		{"https://b.example/?", "has no user, query or fragment"},
		{"https://b.example/#tiger", "has no user, query or fragment"},
		{"https://b.example/#", "has no user, query or fragment"},
	} {
		u, err := address("url", row.text, "https")
		if u != nil || err == nil || !strings.HasPrefix(err.Error(), "url "+row.says) {
			t.Errorf("%q: %v, %v; want %q", row.text, u, err, row.says)
		}
		if err != nil && strings.Contains(err.Error(), "tiger") {
			t.Errorf("%q quotes the setting", err)
		}
	}
}

func TestAskingGoesNowhereElseAndSaysNothing(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method+" "+r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("body"))
	})
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/never", http.StatusFound) })
	mux.HandleFunc("/never", func(http.ResponseWriter, *http.Request) { t.Error("a redirect is followed") })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxAnswer+1)) })
	mux.HandleFunc("/full", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxAnswer)) })
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { <-over })
	mux.HandleFunc("/tiger", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("HTTP/1.1 tiger\r\n\r\n"))
			_ = conn.Close()
		}
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("tiger"))
	})
	s := httptest.NewServer(mux)
	secure := httptest.NewUnstartedServer(mux)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(secure.Close)
	a := newAsker()
	got, err := a.ask(t.Context(), http.MethodPut, s.URL+"/good", http.Header{"Authorization": {"Bearer x"}}, []byte("x"))
	if err != nil || got.Status != http.StatusTeapot || string(got.Body) != "body" || got.Header.Get("X-Method") != "PUT Bearer x" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := a.ask(t.Context(), http.MethodGet, s.URL+"/elsewhere", nil, nil); err != nil || got.Status != http.StatusFound {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := a.ask(t.Context(), http.MethodGet, s.URL+"/full", nil, nil); err != nil || len(got.Body) != maxAnswer {
		t.Errorf("%d bytes, %v", len(got.Body), err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	left, leave := context.WithCancel(t.Context())
	leave()
	for _, row := range []struct {
		ctx           context.Context
		address, says string
	}{
		{t.Context(), s.URL + "/long?token=tiger", "more than 1048576 bytes"},
		{t.Context(), s.URL + "/tiger?token=tiger", "no HTTP as it should be"},
		{t.Context(), s.URL + "/cut?token=tiger", "no HTTP as it should be"},
		{t.Context(), nowhere + "/?token=tiger", "connection refused"},
		{t.Context(), secure.URL + "/?token=tiger", "certificate is not trusted"},
		{t.Context(), strings.Replace(s.URL, "http:", "https:", 1) + "/?token=tiger", "no HTTP as it should be"},
		{t.Context(), "http://tiger\x7f/", "cannot be made"},
		{soon, s.URL + "/slow?token=tiger", "no answer in time"},
		{left, s.URL + "/slow?token=tiger", "given up"},
	} {
		got, err := a.ask(row.ctx, http.MethodGet, row.address, http.Header{"Authorization": {"tiger"}}, nil)
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "tiger") || got.Status != 0 {
			t.Errorf("%s: %+v, %v; want %q", row.address, got, err, row.says)
		}
	}
	if a.client.Timeout != Timeout {
		t.Errorf("it waits %v", a.client.Timeout)
	}
	for status, says := range map[int]string{http.StatusUnauthorized: "our secret or right", http.StatusForbidden: "our secret or right", http.StatusBadGateway: "it answers 502"} {
		if err := (answer{Status: status}).unexpected(); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%d: %v", status, err)
		}
	}
}
