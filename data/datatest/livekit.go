package datatest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// LiveKit is a server on this machine that keeps who is in its rooms as one of
// LiveKit's does, and can be made to fail. It believes every token.
type LiveKit struct {
	URL string // http://…, also of its page

	mu     sync.Mutex
	rooms  map[string][]string // identities by room
	back   map[string]int64    // by room and identity: until when, in Unix seconds, the tokens begin that were taken back
	down   bool
	asked  int
	failed int
	hold   sync.Mutex // whoever holds it keeps all questions waiting
}

// NewLiveKit starts one that ends with the test.
func NewLiveKit(t testing.TB) *LiveKit {
	t.Helper()
	s := &LiveKit{rooms: map[string][]string{}, back: map[string]int64{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Backend is its entry in BACKENDS, under that name.
func (s *LiveKit) Backend(name string) string {
	return fmt.Sprintf(`{"name":%q,"kind":"livekit","url":"ws%s","key":"APIkey","secret":"k7Q2vT9xL4mZp4Wd8sRn1cB6yHj3FgAe","join_url":"%s/page?at={url}&t={token}"}`, //nolint:lll // gitleaks:allow
		name, strings.TrimPrefix(s.URL, "http"), s.URL)
}

// Down makes it answer nothing but errors, or well again.
func (s *LiveKit) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Hold keeps whoever asks it something waiting until release is called.
func (s *LiveKit) Hold() (release func()) {
	s.hold.Lock()
	return s.hold.Unlock
}

// Count is how often it was asked something, and how often it failed at that.
func (s *LiveKit) Count() (asked, failed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, s.failed
}

// Enter lets in whoever holds the join link, unless its token was taken back. The
// room is made where there is none.
func (s *LiveKit) Enter(t testing.TB, link string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	part := strings.Split(u.Query().Get("t"), ".")
	var c struct {
		Sub   string
		NBF   int64
		Video struct{ Room string }
	}
	if len(part) != 3 {
		t.Fatalf("no token in %s", u.Path)
	}
	text, err := base64.RawURLEncoding.DecodeString(part[1])
	if err != nil || json.Unmarshal(text, &c) != nil {
		t.Fatalf("the token is none: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.NBF < s.back[c.Video.Room+" "+c.Sub] {
		return
	}
	s.rooms[c.Video.Room] = append(slices.DeleteFunc(s.rooms[c.Video.Room], func(p string) bool { return p == c.Sub }), c.Sub)
}

// Inside are the identities of those who are in any room.
func (s *LiveKit) Inside() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, people := range s.rooms {
		all = append(all, people...)
	}
	return all
}

// Rooms is how many there are.
func (s *LiveKit) Rooms() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rooms)
}

// ServeHTTP is its room service, in Twirp's JSON form, and the page that joins.
func (s *LiveKit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method, ok := strings.CutPrefix(r.URL.Path, "/twirp/livekit.RoomService/")
	if !ok {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Conference</title><link rel="icon" href="data:,"><h1>Conference</h1>`))
		return
	}
	var ask struct {
		Name, Room, Identity string
		Revoke               int64 `json:"revoke_token_ts"`
	}
	s.hold.Lock()
	defer s.hold.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.down || json.NewDecoder(r.Body).Decode(&ask) != nil {
		s.failed++
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.answer(method, ask.Name+ask.Room, ask.Identity, ask.Revoke))
}

// answer does what was asked; it holds the lock.
func (s *LiveKit) answer(method, room, identity string, revoke int64) any {
	switch method {
	case "CreateRoom":
		s.rooms[room] = append([]string{}, s.rooms[room]...)
		return map[string]any{"name": room}
	case "DeleteRoom":
		delete(s.rooms, room)
	case "RemoveParticipant":
		if people, ok := s.rooms[room]; ok {
			s.rooms[room] = slices.DeleteFunc(people, func(p string) bool { return p == identity })
			s.back[room+" "+identity] = revoke
		}
	case "ListParticipants":
		list := []map[string]any{}
		for _, p := range s.rooms[room] {
			list = append(list, map[string]any{"identity": p, "state": "ACTIVE"})
		}
		return map[string]any{"participants": list}
	}
	return map[string]any{}
}
