package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// answer is what the server said to a request.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get is a member of the answer's JSON, by the names that lead to it, as text;
// "" where there is none, or null.
func (a answer) Get(path ...string) string {
	var at any
	if json.Unmarshal(a.Body, &at) != nil {
		return ""
	}
	for _, name := range path {
		object, _ := at.(map[string]any)
		at = object[name]
	}
	if at == nil {
		return ""
	}
	return fmt.Sprint(at)
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Body) }

// send sends any request as it is. Its error is one of the connection.
func (s *server) send(r *http.Request) (answer, error) {
	resp, err := s.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, body}, err
}

// try calls the API with a bearer's token, "" for none, and a body that is sent
// as JSON, nil for none. Its error is one of the connection.
func (s *server) try(bearer, method, path string, body any) (answer, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, s.URL+"/api/v1"+path, content)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	return s.send(r)
}

// call is try as the host; it must be answered with that status.
func (s *server) call(t testing.TB, want int, method, path string, body any) answer {
	t.Helper()
	a, err := s.try(s.token(t), method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, s.Log())
	}
	if a.Status != want {
		t.Fatalf("%s %s: got %v, want %d", method, path, a, want)
	}
	return a
}

// token is the host's token for the API; it is good for an hour, over restarts.
func (s *server) token(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bearer == "" {
		a, err := s.try("", http.MethodPost, "/users/token", members{"username": hostName, "password": hostPassword})
		if s.bearer = a.Get("access_token"); s.bearer == "" {
			t.Fatalf("sign in: %v %v", a, err)
		}
	}
	return s.bearer
}

// members are those of a JSON object.
type members map[string]any

// createRoom makes a room and returns its slug.
func (s *server) createRoom(t testing.TB, name string) string {
	t.Helper()
	return s.call(t, http.StatusCreated, http.MethodPost, "/rooms", members{"name": name}).Get("slug")
}

// minted is an invitation as minting answered it.
type minted struct {
	ID    string
	Token string // the JWT
	URL   string // the link with the JWT
	Short string // the short link
}

// Code is the short link's code.
func (m minted) Code() string { return m.Short[strings.LastIndexByte(m.Short, '/')+1:] }

// mint makes an invitation for a guest; more says more than that, nil for no more.
func (s *server) mint(t testing.TB, room string, more members) minted {
	t.Helper()
	body := members{"role": "guest"}
	for name, value := range more {
		body[name] = value
	}
	a := s.call(t, http.StatusCreated, http.MethodPost, "/rooms/"+room+"/invitations", body)
	return minted{a.Get("id"), a.Get("token"), a.Get("url"), a.Get("short_url")}
}

// redeem redeems a token, code or link over the API, whatever comes of it.
func (s *server) redeem(t testing.TB, token, nonce string) answer {
	t.Helper()
	a, err := s.try(s.token(t), http.MethodPost, "/invitations/redeem", members{"token": token, "nonce": nonce})
	if err != nil {
		t.Fatalf("redeem: %v\n%s", err, s.Log())
	}
	return a
}
