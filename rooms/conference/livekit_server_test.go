package conference

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	liveKitKey    = "APIq7xZ2v"
	liveKitSecret = "m3Tr4pQxW8sLk0ZyB6nVd1HcJf5GuEaR" // gitleaks:allow
)

// liveKitServer speaks the room service in Twirp's JSON form, as a server of
// LiveKit's does, and looks at tokens by code of its own.
type liveKitServer struct {
	URL string // ws://…
	now func() time.Time

	mu      sync.Mutex
	rooms   map[string][]string // identities by room
	revoked map[string]int64    // by identity, tokens from before then
	asked   []string            // method and body
}

func newLiveKitServer(t testing.TB) *liveKitServer {
	t.Helper()
	s := &liveKitServer{now: clock, rooms: map[string][]string{}, revoked: map[string]int64{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = "ws" + strings.TrimPrefix(server.URL, "http")
	return s
}

// liveKitSeen is what a token says.
type liveKitSeen struct {
	Iss, Sub, Name string
	Exp, Nbf       int64
	Video          map[string]any
}

// verify reads a token as LiveKit's verifier does.
func (s *liveKitServer) verify(token string) (c liveKitSeen, ok bool) {
	part := strings.Split(token, ".")
	if len(part) != 3 {
		return c, false
	}
	mac := hmac.New(sha256.New, []byte(liveKitSecret))
	mac.Write([]byte(part[0] + "." + part[1]))
	signature, err := base64.RawURLEncoding.DecodeString(part[2])
	if err != nil || !hmac.Equal(signature, mac.Sum(nil)) {
		return c, false
	}
	var header struct{ Alg, Typ string }
	for i, into := range []any{&header, &c} {
		text, err := base64.RawURLEncoding.DecodeString(part[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return c, false
		}
	}
	now := s.now().Unix()
	return c, header.Alg == "HS256" && c.Iss == liveKitKey && c.Exp > now && c.Exp <= now+120 && c.Nbf <= now
}

func (s *liveKitServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method, ok := strings.CutPrefix(r.URL.Path, "/twirp/livekit.RoomService/")
	if !ok || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		refuse(w, http.StatusNotFound, "bad_route")
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	claims, ok := s.verify(token)
	if !ok {
		http.Error(w, "invalid token: "+token, http.StatusUnauthorized) // as it really does
		return
	}
	var ask struct {
		Name, Room, Identity string
		Names                []string
		RevokeTokenTs        int64 `json:"revoke_token_ts"`
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		refuse(w, http.StatusBadRequest, "malformed")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, method+" "+ask.Name+ask.Room+" "+ask.Identity)
	need := map[string]string{"CreateRoom": "roomCreate", "DeleteRoom": "roomCreate", "ListRooms": "roomList"}[method]
	if need == "" {
		need = "roomAdmin"
	}
	if claims.Video[need] != true || need == "roomAdmin" && claims.Video["room"] != ask.Room || claims.Video["roomJoin"] == true {
		refuse(w, http.StatusUnauthorized, "unauthenticated")
		return
	}
	s.answer(w, method, ask.Name+ask.Room, ask.Identity, ask.RevokeTokenTs)
}

// answer does what was asked; it holds the lock.
func (s *liveKitServer) answer(w http.ResponseWriter, method, room, identity string, revoke int64) {
	people, there := s.rooms[room]
	reply := any(map[string]any{})
	switch method {
	case "CreateRoom":
		s.rooms[room] = people
		reply = map[string]any{"sid": "RM_1", "name": room, "empty_timeout": 300}
	case "DeleteRoom":
		if !there {
			refuse(w, http.StatusNotFound, "not_found")
			return
		}
		delete(s.rooms, room)
	case "RemoveParticipant":
		s.revoked[identity] = revoke
		i := slices.Index(people, identity)
		if i < 0 {
			refuse(w, http.StatusNotFound, "not_found")
			return
		}
		s.rooms[room] = slices.Delete(people, i, i+1)
	case "ListParticipants":
		list := []map[string]any{}
		for _, p := range people {
			name, state, _ := strings.Cut(p, " ")
			if state == "" {
				state = "ACTIVE"
			}
			list = append(list, map[string]any{"sid": "PA_1", "identity": name, "state": state, "tracks": []any{}})
		}
		reply = map[string]any{"participants": list}
	case "ListRooms":
		reply = map[string]any{"rooms": []any{}}
	default:
		refuse(w, http.StatusNotFound, "bad_route")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply)
}

// enter lets somebody in by a token, as a server does that makes no rooms by itself.
func (s *liveKitServer) enter(token string) (liveKitSeen, bool) {
	c, ok := s.verify(token)
	s.mu.Lock()
	defer s.mu.Unlock()
	room, _ := c.Video["room"].(string)
	people, there := s.rooms[room]
	if !ok || !there || c.Video["roomJoin"] != true || c.Nbf < s.revoked[c.Sub] {
		return c, false
	}
	s.rooms[room] = append(slices.DeleteFunc(people, func(p string) bool { return p == c.Sub }), c.Sub)
	return c, true
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "msg": "…"})
}
