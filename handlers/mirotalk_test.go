package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

// keySecret is API_KEY_SECRET of every bench.
const keySecret = "Vb6tQ9wLz2XhR4kN8mPd0sGy5jCe7uFa" // gitleaks:allow

// script is a program written for MiroTalk: it has the key, and nothing else.
func (b *bench) script(t *testing.T) *checked {
	t.Helper()
	v := b.nobody(t)
	v.head.Set("Authorization", keySecret)
	return validating(v)
}

// account is a host's name and password in a script's body, and more members.
func account(name, more string) string {
	return fmt.Sprintf(`{"username": %q, "password": %q%s}`, name, passwords[name], more)
}

// invited is the invitation that an answer of /join or /token holds the link to.
func (b *bench) invited(t *testing.T, a answer, member string) tokens.Invitation {
	t.Helper()
	link, _ := a.wants(http.StatusOK).object()[member].(string)
	if a.Header.Get("Cache-Control") != "no-store" || len(a.object()) != 1 {
		t.Errorf("→ %v, Cache-Control %q", a.body, a.Header.Get("Cache-Control"))
	}
	id, _, err := b.Invitations.Links.Read(t.Context(), link)
	if err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return b.invitation(t, id)
}

// TestAScriptForMiroTalkGetsAOneTimeLink is the body of MiroTalk's own example.
func TestAScriptForMiroTalkGetsAOneTimeLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.script(t).post(v1+"/join", `{"room": "test", "name": "mirotalk", "audio": true, "video": true, "screen": false, "hide": false, "notify": true,
		"token": `+account("bob", `, "presenter": true, "expire": "1h"`)+`}`)
	inv := b.invited(t, a, "join")
	if inv.Room.Slug != "test" || inv.Room.Owner != "bob" || inv.Role != tokens.Host || inv.Name != "mirotalk" || inv.MaxUses != 1 ||
		inv.ExpiresAt != b.Clock.Millis()+3600_000 || inv.CreatedBy.Name != "bob" || inv.Room.Backend != "conf" {
		t.Errorf("%+v", inv)
	}
	if want := "audio=true&chat=false&hide=false&notify=true&screen=false&video=true"; inv.Wishes != want {
		t.Errorf("wishes %q, want %q", inv.Wishes, want)
	}
	link := strings.TrimPrefix(a.object()["join"].(string), b.base)
	if !strings.HasPrefix(link, "/join/test?token=") {
		t.Fatalf("the link is %s", link)
	}
	b.browser(t).press(t, link).wants(http.StatusSeeOther)
	b.browser(t).get(link).wants(http.StatusConflict)
}

func TestJoinUnderstandsWhatScriptsSend(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.room(t, "bob", "standup")
	r := b.script(t)
	allFalse := "audio=false&chat=false&hide=false&notify=false&screen=false&video=false"
	for _, tt := range []struct {
		name, body string
		role       tokens.Role
		owner      string
		by         string
		wishes     string
		minutes    int64
	}{
		{"text for everything, as from a shell", `{"room": "a", "audio": "true", "video": "True", "screen": "0", "hide": "1", "notify": "false", "chat": "true", "token": ` + account("bob", `, "presenter": "true", "expire": "1d"`) + `}`,
			tokens.Host, "bob", "host bob", "audio=true&chat=true&hide=true&notify=false&screen=false&video=true", 24 * 60},
		{"numbers for booleans", `{"room": "b", "audio": 1, "video": 0, "token": ` + account("bob", `, "presenter": 1, "expire": 5400`) + `}`, tokens.Host, "bob", "host bob", strings.Replace(allFalse, "audio=false", "audio=true", 1), 90},
		{"a guest", `{"room": "c", "token": ` + account("bob", `, "presenter": false`) + `}`, tokens.Guest, "bob", "host bob", allFalse, 60},
		{"a guest, said as text", `{"room": "c", "token": ` + account("bob", `, "presenter": "false"`) + `}`, tokens.Guest, "bob", "host bob", allFalse, 60},
		{"nothing about a presenter", `{"room": "c", "token": ` + account("bob", "") + `}`, tokens.Guest, "bob", "host bob", allFalse, 60},
		{"a presenter in the wrong place", `{"room": "c", "presenter": true, "token": ` + account("bob", `, "Presenter": true, "role": "host"`) + `}`, tokens.Guest, "bob", "host bob", allFalse, 60},
		{"members of a later day", `{"room": "d", "roomPassword": "x", "token": ` + account("bob", `, "scope": {"a": [1]}`) + `}`, tokens.Guest, "bob", "host bob", allFalse, 60},
		{"no room", `{"token": ` + account("bob", "") + `}`, tokens.Guest, "bob", "host bob", allFalse, 60},
		{"no token", `{"room": "e"}`, tokens.Guest, "alice", "client API_KEY_SECRET", allFalse, 60},
		{"no token, said so", `{"room": "e", "token": null}`, tokens.Guest, "alice", "client API_KEY_SECRET", allFalse, 60},
		{"nothing", ``, tokens.Guest, "alice", "client API_KEY_SECRET", allFalse, 60},
		{"an empty object", `{}`, tokens.Guest, "alice", "client API_KEY_SECRET", allFalse, 60},
		{"no picture, and no time limit", `{"avatar": false, "duration": ""}`, tokens.Guest, "alice", "client API_KEY_SECRET", allFalse, 60},
		{"a picture and a time limit", `{"avatar": "https://a.example/p.png", "duration": "01:30:00"}`, tokens.Guest, "alice", "client API_KEY_SECRET",
			"audio=false&avatar=https%3A%2F%2Fa.example%2Fp.png&chat=false&duration=01%3A30%3A00&hide=false&notify=false&screen=false&video=false", 60},
		{"a room that is there", `{"room": "standup", "token": ` + account("bob", "") + `}`, tokens.Guest, "bob", "host bob", allFalse, 60},
		{"a room by its id", `{"room": "` + made.ID.Show(rooms.RoomPrefix) + `", "token": ` + account("bob", "") + `}`, tokens.Guest, "bob", "host bob", allFalse, 60},
		{"a room shared with her", `{"room": "carols", "token": ` + account("carol", "") + `}`, tokens.Guest, "carol", "host carol", allFalse, 60},
		{"an admin in anybody's room", `{"room": "standup", "token": ` + account("alice", `, "presenter": true`) + `}`, tokens.Host, "bob", "host alice", allFalse, 60},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv := b.invited(t, r.as(t, b.script(t).v).post(v1+"/join", tt.body), "join")
			by := string(inv.CreatedBy.Kind) + " " + inv.CreatedBy.Name
			if inv.Role != tt.role || inv.Room.Owner != tt.owner || by != tt.by || inv.Wishes != tt.wishes || inv.ExpiresAt-inv.CreatedAt != tt.minutes*60_000 {
				t.Errorf("%s in a room of %s, by %s, for %d min, %s", inv.Role, inv.Room.Owner, by, (inv.ExpiresAt-inv.CreatedAt)/60_000, inv.Wishes)
			}
			if strings.Contains(tt.name, "that is there") != (inv.Room.ID == made.ID) && !strings.Contains(tt.body, "standup") && !strings.Contains(tt.name, "id") {
				t.Errorf("the room is %s", inv.Room.Slug)
			}
		})
	}
}

func TestTokenIsAnInvitationsJWT(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.script(t)
	inv := b.invited(t, r.post(v1+"/token", account("bob", `, "presenter": "true", "expire": "2h", "room": "standup"`)), "token")
	if inv.Role != tokens.Host || inv.Room.Slug != "standup" || inv.Room.Owner != "bob" || inv.ExpiresAt != b.Clock.Millis()+7200_000 || inv.Wishes != "" {
		t.Errorf("%+v", inv)
	}
	one := b.invited(t, r.post(v1+"/token", account("bob", "")), "token")
	other := b.invited(t, r.post(v1+"/token", account("bob", "")), "token")
	if one.Role != tokens.Guest || one.Room.ID == other.Room.ID || one.Room.ID == inv.Room.ID {
		t.Errorf("without a room: %s %s, then %s", one.Role, one.Room.Slug, other.Room.Slug)
	}
	a := r.post(v1+"/token", account("bob", `, "room": "standup"`))
	token := a.wants(http.StatusOK).object()["token"].(string)
	b.browser(t).press(t, "/join/standup?token="+url.QueryEscape(token)).wants(http.StatusSeeOther)
}

func TestMeetingIsARoomThatAdmitsNobodyByItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.script(t)
	seen := map[string]bool{}
	for range 3 {
		at, _ := r.do(http.MethodPost, v1+"/meeting", "").wants(http.StatusOK).object()["meeting"].(string)
		path := strings.TrimPrefix(at, b.base)
		if !strings.HasPrefix(path, "/join/") || seen[path] {
			t.Fatalf("the meeting is at %s", at)
		}
		seen[path] = true
		b.browser(t).get(path).wants(http.StatusNotFound)
		room, err := b.Rooms.Store.BySlug(t.Context(), strings.TrimPrefix(path, "/join/"))
		if err != nil || room.Owner != "alice" || room.Backend != "conf" {
			t.Errorf("%+v, %v", room, err)
		}
		inv := b.invited(t, r.post(v1+"/join", `{"room": "`+room.Slug+`"}`), "join")
		if inv.Room.ID != room.ID || inv.Role != tokens.Guest {
			t.Errorf("%s joins %s", room.Slug, inv.Room.Slug)
		}
	}
	// The type that MiroTalk's own example sends without a body.
	b.nobody(t).do(http.MethodPost, v1+"/meeting", "", header("Authorization", keySecret), header("Content-Type", "application/json")).wants(http.StatusOK)
}

func TestWithoutTheSettingTheCallsAreNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t, func(b *bench) { b.app.APIKeySecret = "" })
	for _, path := range []string{"/meeting", "/join", "/token"} {
		for _, key := range []string{"", keySecret, "Bearer "} {
			a := b.nobody(t).do(http.MethodPost, v1+path, "", header("Authorization", key)).refuses(http.StatusNotFound, "not_found")
			newValidator(t).check(t, a.Request, a.sent, a.Response, []byte(a.body))
		}
	}
}

// TestScriptsWithoutSignIn: with HOST_USER_AUTH=false the one host needs no
// password, and the key is asked for all the same.
func TestScriptsWithoutSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t, func(b *bench) { b.base, b.app.Open = "http://localhost:8080", true })
	local := b.nobody(t)
	local.do(http.MethodPost, v1+"/meeting", "").wants(http.StatusForbidden)
	local.head.Set("Authorization", keySecret)
	local.do(http.MethodPost, v1+"/meeting", "").wants(http.StatusOK)
	inv := b.invited(t, local.do(http.MethodPost, v1+"/join", `{"token": {"username": "username", "password": "password", "presenter": true}}`, header("Content-Type", "application/json")), "join")
	if inv.Role != tokens.Host || inv.CreatedBy.Name != "host" {
		t.Errorf("%s by %s", inv.Role, inv.CreatedBy.Name)
	}
}

func TestScriptsAreCountedAndNeverLogged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.script(t)
	link := r.post(v1+"/join", `{"room": "test", "token": `+account("bob", `, "presenter": true`)+`}`).wants(http.StatusOK).object()["join"].(string)
	r.post(v1+"/token", account("bob", "")).wants(http.StatusOK)
	b.nobody(t).get("/metrics").wants(http.StatusOK).says(`admitone_invitations_minted_total{role="guest"} 1`, `admitone_invitations_minted_total{role="host"} 1`)
	b.server.Close()
	log := b.log.String()
	if !strings.Contains(log, `"route":"/api/v1/join"`) || !strings.Contains(log, `"invitation":"inv_`) {
		t.Errorf("the log does not tell of the call:\n%s", log)
	}
	for _, secret := range []string{keySecret, passwords["bob"], strings.TrimPrefix(link, b.base+"/join/test?token=")} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}

// scripts calls what MiroTalk's scripts call, once for each status that
// openapi.json promises them.
func scripts(t *testing.T, b *bench, r *checked) {
	t.Helper()
	b.room(t, "alice", "hers")
	shut := b.room(t, "bob", "shut-to-scripts")
	if _, err := b.Rooms.SetClosed(t.Context(), b.caller(t, "bob"), shut, true); err != nil {
		t.Fatal(err)
	}
	without := setup(t, func(b *bench) { b.app.APIKeySecret = "" })
	limited := setup(t, func(b *bench) {
		b.app.Directory = b.directory(t, `[{"username": "dora", "password": "doras-own-password", "allowed_rooms": ["doras"]}]`) // gitleaks:allow
	})
	key := r.as(t, b.script(t).v)
	for i, path := range []string{"/meeting", "/join", "/token"} {
		as := func(who *bench) *checked {
			return r.as(t, who.from(t, fmt.Sprintf("127.0.7.%d", i+1)))
		}
		as(b).post(v1+path, "").wants(http.StatusForbidden)
		as(without).post(v1+path, "").wants(http.StatusNotFound)
		wrong := as(b)
		wrong.v.head.Set("Authorization", keySecret+"x")
		for range 10 {
			wrong.post(v1+path, "").wants(http.StatusForbidden)
		}
		wrong.post(v1+path, "").wants(http.StatusTooManyRequests)
		key.post(v1+path, `{"username": "`+strings.Repeat("x", 1<<20)+`"}`).wants(http.StatusRequestEntityTooLarge)
		if path == "/meeting" {
			key.post(v1+path, "").wants(http.StatusOK)
			r.as(t, limited.script(t).v).post(v1+path, "").wants(http.StatusUnprocessableEntity)
			continue
		}
		in := func(room, password string) string {
			who := fmt.Sprintf(`"username": "bob", "password": %q`, password)
			if path == "/join" {
				who = `"token": {` + who + `}`
			}
			return fmt.Sprintf(`{"room": %q, %s}`, room, who)
		}
		key.post(v1+path, in("his", passwords["bob"])).wants(http.StatusOK)
		key.post(v1+path, in("his", "wrong-but-long")).wants(http.StatusUnauthorized)
		key.post(v1+path, in("hers", passwords["bob"])).wants(http.StatusConflict)
		key.post(v1+path, in("shut-to-scripts", passwords["bob"])).wants(http.StatusGone)
		key.post(v1+path, in("a\x00b", passwords["bob"])).wants(http.StatusBadRequest)
		key.post(v1+path, in("his", "")).wants(http.StatusUnprocessableEntity)
		key.do(http.MethodPost, v1+path, "room=x", header("Content-Type", "application/x-www-form-urlencoded")).wants(http.StatusUnsupportedMediaType)
	}
}
