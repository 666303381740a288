package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"admitone/rooms"
)

// TestScriptsAreRefusedInMiroTalksMember: each refusal is a problem as elsewhere,
// which says what is wrong also in the member that their scripts print.
func TestScriptsAreRefusedInMiroTalksMember(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "alice", "alices")
	b.room(t, "bob", "over", func(d *rooms.Draft) { d.EndsAt = b.Clock.Millis() + 1000 })
	shut := b.room(t, "bob", "shut")
	if _, err := b.Rooms.SetClosed(t.Context(), b.caller(t, "bob"), shut, true); err != nil {
		t.Fatal(err)
	}
	b.Clock.Add(2e9)
	r := b.script(t)
	before := b.rooms(t)
	joins := func(more string) string { return `{"token": ` + account("bob", more) + `}` }
	for _, tt := range []struct {
		name, path, body string
		status           int
		code, field      string
	}{
		{"a wrong password", "/join", `{"token": {"username": "bob", "password": "a-boat-called-bab"}}`, 401, "invalid_credentials", ""},
		{"an unknown name", "/join", `{"token": {"username": "mallory", "password": "a-boat-called-bab"}}`, 401, "invalid_credentials", ""},
		{"a wrong password for a token", "/token", `{"username": "bob", "password": "x"}`, 401, "invalid_credentials", ""},
		{"no credentials", "/join", `{"token": {}}`, 422, "invalid_request", "username"},
		{"no password", "/join", `{"token": {"username": "bob"}}`, 422, "invalid_request", "password"},
		{"no credentials for a token", "/token", ``, 422, "invalid_request", "username"},
		{"MiroTalk's word for somebody", "/token", `{"username": 7, "password": "x"}`, 422, "invalid_request", "username"},
		{"a token that is text", "/join", `{"token": "x"}`, 422, "invalid_request", "token"},
		{"digits for a duration", "/join", joins(`, "expire": "3600"`), 422, "invalid_request", "expire"},
		{"digits for a token's duration", "/token", account("bob", `, "expire": "3600"`), 422, "invalid_request", "expire"},
		{"a word for a duration", "/join", joins(`, "expire": "soon"`), 422, "invalid_request", "expire"},
		{"no time at all", "/join", joins(`, "expire": 0`), 422, "invalid_request", "expire"},
		{"more than a year", "/join", joins(`, "expire": "400d"`), 422, "invalid_request", "expire"},
		{"half a presenter", "/join", joins(`, "presenter": "maybe"`), 422, "invalid_request", "presenter"},
		{"a list of presenters", "/join", joins(`, "presenter": [true]`), 422, "invalid_request", "presenter"},
		{"loud audio", "/join", `{"audio": "loud"}`, 422, "invalid_request", "audio"},
		{"a script for a picture", "/join", `{"avatar": "javascript:alert(1)"}`, 422, "invalid_request", "avatar"},
		{"a number for a picture", "/join", `{"avatar": 7}`, 422, "invalid_request", "avatar"},
		{"a duration in minutes", "/join", `{"duration": "90m"}`, 422, "invalid_request", "duration"},
		{"a long name", "/join", `{"name": "` + strings.Repeat("x", 201) + `"}`, 422, "invalid_request", "name"},
		{"a number for the room", "/join", `{"room": 7}`, 422, "invalid_request", "room"},
		{"a long room", "/join", `{"room": "` + strings.Repeat("x", 201) + `"}`, 422, "invalid_request", "room"},
		{"NUL in the room", "/join", `{"room": "a\u0000"}`, 422, "invalid_request", "room"},
		{"an array", "/join", `[]`, 422, "invalid_request", ""},
		{"null", "/join", `null`, 422, "invalid_request", ""},
		{"half an object", "/join", `{"room": "x"`, 400, "invalid_request", ""},
		{"two objects", "/join", `{"room": "x"}{}`, 400, "invalid_request", ""},
		{"broken text", "/join", "{\"room\": \"\xff\"}", 400, "invalid_request", ""},
		{"deep JSON", "/token", strings.Repeat("[", 20000), 400, "invalid_request", ""},
		{"somebody else's room", "/join", `{"room": "alices", "token": ` + account("bob", "") + `}`, 409, "conflict", ""},
		{"the key alone in a host's room", "/join", `{"room": "shut"}`, 409, "conflict", ""},
		{"a room that carol may not have", "/join", `{"room": "alices", "token": ` + account("carol", "") + `}`, 422, "invalid_request", "slug"},
		{"a room that nobody has and carol may not make", "/join", `{"room": "nowhere", "token": ` + account("carol", "") + `}`, 422, "invalid_request", "slug"},
		{"a closed room", "/join", `{"room": "shut", "token": ` + account("bob", "") + `}`, 410, "room_closed", ""},
		{"a room that is over", "/join", `{"room": "over", "token": ` + account("bob", "") + `}`, 422, "invalid_request", "expire"},
		{"more than a megabyte", "/join", `{"room": "` + strings.Repeat("x", 1<<20) + `"}`, 413, "content_too_large", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := r.as(t, b.script(t).v).post(v1+tt.path, tt.body)
			if tt.field == "" {
				a.refuses(tt.status, tt.code)
			} else {
				a.refuses(tt.status, tt.code, tt.field)
			}
			if p := a.object(); p["error"] != p["detail"] || p["error"] == "" || strings.Contains(a.body, passwords["bob"]) {
				t.Errorf("scripts are told %v", p["error"])
			}
		})
	}
	r.do(http.MethodPost, v1+"/join", `room=x`, header("Content-Type", "application/x-www-form-urlencoded")).refuses(http.StatusUnsupportedMediaType, "unsupported_media_type")
	if after := b.rooms(t); after != before {
		t.Errorf("refused calls made rooms:\n%s\n%s", before, after)
	}
}

// rooms is what an admin's programs see of all rooms.
func (b *bench) rooms(t *testing.T) string {
	t.Helper()
	return b.program(t, "alice").get(v1 + "/rooms?limit=500").wants(http.StatusOK).body
}

// TestOnlyTheKeyOpensTheseCalls: every other header is MiroTalk's refusal, and
// a guess where it holds something.
func TestOnlyTheKeyOpensTheseCalls(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := newValidator(t)
	wrong := []string{"", "Bearer", "Bearer ", keySecret[1:], keySecret + "x", strings.ToLower(keySecret), "Basic " + keySecret,
		"Bearer " + b.token(t, "alice"), b.token(t, "alice")}
	before := b.rooms(t)
	for i, header := range wrong {
		for j, path := range []string{"/meeting", "/join", "/token"} {
			who := b.from(t, fmt.Sprintf("127.0.%d.%d", 20+i, j+1))
			if header != "" {
				who.head.Set("Authorization", header)
			}
			a := who.do(http.MethodPost, v1+path, "").wants(http.StatusForbidden)
			v.check(t, a.Request, a.sent, a.Response, []byte(a.body))
			if strings.TrimSpace(a.body) != `{"error":"Unauthorized!"}` {
				t.Errorf("%q at %s → %s", header, path, a.body)
			}
		}
	}
	if b.rooms(t) != before {
		t.Error("without the key a room was made")
	}
	for _, header := range []string{keySecret, "Bearer " + keySecret, "bearer " + keySecret} {
		who := b.nobody(t)
		who.head.Set("Authorization", header)
		who.do(http.MethodPost, v1+"/meeting", "").wants(http.StatusOK)
	}
}

func TestWrongKeysAreSlowedAndTheRightOneIsNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	who := b.from(t, "127.0.9.1")
	for range 20 {
		who.do(http.MethodPost, v1+"/meeting", "").wants(http.StatusForbidden) // without a key there is no guess
	}
	guess := func() answer { return who.do(http.MethodPost, v1+"/join", "", header("Authorization", keySecret+"x")) }
	for range 10 {
		guess().wants(http.StatusForbidden)
	}
	a := guess().refuses(http.StatusTooManyRequests, "too_many_requests")
	newValidator(t).check(t, a.Request, a.sent, a.Response, []byte(a.body))
	if a.Header.Get("Retry-After") != "10" || a.object()["error"] == nil {
		t.Errorf("Retry-After %q: %s", a.Header.Get("Retry-After"), a.body)
	}
	who.do(http.MethodPost, v1+"/meeting", "", header("Authorization", keySecret)).wants(http.StatusOK)
	b.Clock.Add(10e9)
	guess().wants(http.StatusForbidden)
}

// TestPasswordsOfScriptsShareTheLimitsOfSigningIn: whoever has the key guesses no
// faster than at the sign-in, and takes no tries from the host.
func TestPasswordsOfScriptsShareTheLimitsOfSigningIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	owner := b.from(t, "127.0.9.9")
	owner.head.Set("Authorization", keySecret)
	owner.do(http.MethodPost, v1+"/token", account("bob", ""), header("Content-Type", "application/json")).wants(http.StatusOK)
	r := b.script(t)
	for i := range 10 {
		r.post(v1+[]string{"/join", "/token"}[i%2], []string{`{"token": {"username": "bob", "password": "wrong"}}`, `{"username": "BOB", "password": "wrong"}`}[i%2]).
			refuses(http.StatusUnauthorized, "invalid_credentials")
	}
	a := r.post(v1+"/join", `{"token": `+account("bob", "")+`}`).refuses(http.StatusTooManyRequests, "too_many_requests")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.nobody(t).do(http.MethodPost, v1+"/users/token", account("bob", ""), header("Content-Type", "application/json")).wants(http.StatusTooManyRequests)
	owner.do(http.MethodPost, v1+"/token", account("bob", ""), header("Content-Type", "application/json")).wants(http.StatusOK)
}
