package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// world is a server where everything has happened that a page can tell of.
type world struct {
	*server
	host, helper, newcomer string            // cookies of the admin, of a host with a room of their own, and of one who has none
	known, spent           *guestBrowser     // came in by many links; went on from one device to another as often as one may
	inv                    map[string]minted // by what is special about it
	dismissed              string            // the address of a request that was
	batch, crowd           string            // what was minted together in the lobby, and more than a sheet has room for
	series                 string            // the address of its first room
	key, app, stranger     string            // the addresses of their pages, and an app of nobody here
}

// Names that no page may take for anything but a name. Each name here has a
// letter beyond ASCII, for which the pages isolate it wherever it stands.
var (
	hostile = `<script>alert(1)</script> {{7*7}} "'&amp; ß`
	endless = strings.Repeat("Ŵ", 200)
	hebrew  = "שלום \u202eevil\u202c مرحبا"
	hundred = "Prof. Dr. Maximiliane-Wilhelmine von Habsburg-Lothringen zu Hohenzollern-Sigmaringen, 歐陽 司馬 上官 諸葛 東方"
	family  = "👩🏽‍🚀🏳️‍🌈👨‍👩‍👧‍👦"
)

const goneBackend = `{"name":"gone","kind":"url","template":"https://gone.example/{room}"}`

func newWorld(t *testing.T) *world {
	t.Helper()
	conference := `{"name":"main","kind":"url","template":"https://conf.example/{room}?name={name}&role={role}&id={admission}"}`
	other := `{"username":"%s","password":"` + hostPassword + `"}`
	env := append(mailing(postman(t)), "TRUSTED_PROXIES=127.0.0.0/8,::1/128", "BACKENDS=["+conference+","+heldBackend()+","+goneBackend+"]",
		strings.TrimSuffix(strings.ReplaceAll(ladies, "Ada", "Ąda"), "]")+","+fmt.Sprintf(other, "helper")+","+fmt.Sprintf(other, "newcomer")+"]")
	w := &world{server: startServer(t, env...), inv: map[string]minted{}}
	w.host, w.helper, w.newcomer = w.signedIn(t, hostName), w.signedIn(t, "helper"), w.signedIn(t, "newcomer")
	w.known = &guestBrowser{s: w.server}
	w.furnish(t)
	w.invite(t)
	w.happen(t)
	w.mail(t)
	w.repeat(t)
	w.entrust(t)
	// The server comes back without one of its conferences.
	w.env = append(w.env, "BACKENDS=["+conference+","+heldBackend()+"]")
	w.Restart()
	w.gather(t)
	return w
}

func (w *world) furnish(t *testing.T) {
	t.Helper()
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	room := func(slug, name string, more members) {
		body := members{"slug": slug, "name": name}
		for k, v := range more {
			body[k] = v
		}
		w.call(t, http.StatusCreated, http.MethodPost, "/rooms", body)
	}
	for i := range 48 { // with the others, more than one page
		room(fmt.Sprintf("series-%d", i), fmt.Sprintf("Série %d", i+1), nil)
	}
	room("empty", "Nobodÿ yet", nil)
	room("later", "Rétrospective", members{"starts_at": at(26 * time.Hour), "ends_at": at(27 * time.Hour), "timezone": "Asia/Shanghai"})
	room("over", "Kick‑off", members{"starts_at": at(-3 * time.Hour), "ends_at": at(-2 * time.Hour)})
	room("shut", "Öld project", nil)
	room("conf", "Tøwn hall", members{"backend": "main"})
	room("gone", "Møved out", members{"backend": "gone"})
	room("held", "Wåiting room", members{"backend": "held"})
	room("full", "Öne to one", members{"capacity": 1})
	room(strings.Repeat("w", 63), endless, nil)
	room("odd", hostile, nil)
	room("many", "Lectüre", nil)
	room("undo", "Second thøughts", nil)
	room("lobby", "Stand‑up", nil)
	own := (&guestBrowser{s: w.server, cookie: w.helper}).visit(t, http.MethodPost, "/rooms", url.Values{"name": {"Øffice hours"}, "slug": {"own"}})
	if own.Status != http.StatusSeeOther {
		t.Fatalf("the helper's room: %v", own)
	}
}

func (w *world) invite(t *testing.T) {
	t.Helper()
	early := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for _, i := range []struct {
		is, room string
		more     members
	}{
		{"pending", "lobby", members{"name": "Grâce Hopper"}}, {"used", "lobby", members{"name": "Ëdsger"}}, {"several", "lobby", members{"max_uses": 5}},
		{"brief", "lobby", members{"name": "Låte", "expires_in": "1s"}}, {"early", "lobby", members{"not_before": early, "expires_in": "4h"}},
		{"revoked", "lobby", nil}, {"old", "lobby", nil}, {"pin", "lobby", members{"pin": "sesam7"}}, {"guessed", "lobby", members{"pin": "sesam7"}},
		{"chair", "lobby", members{"role": "host", "name": "Bárbara"}}, {"asked", "lobby", members{"name": "Bø"}}, {"answered", "lobby", members{"name": "Mø"}}, {"dropped", "lobby", nil},
		{"shut", "shut", nil}, {"conf", "conf", members{"name": "Ąda & Co"}}, {"gone", "gone", nil}, {"held", "held", nil}, {"first", "full", nil}, {"late", "full", nil},
		{"moved", "empty", members{"name": "Ąda"}},
		{"hostile", "odd", members{"name": hostile}}, {"hebrew", "odd", members{"name": hebrew}}, {"family", "odd", members{"name": family}},
		{"endless", strings.Repeat("w", 63), members{"name": endless}}, {"hundred", "lobby", members{"name": hundred}},
		{"mailed", "later", members{"name": "Ŷvonne", "email": "yvonne@guests.example"}}, {"bounced", "later", members{"name": "Nïemand", "email": "nobody@guests.example"}},
		{"deferred", "later", members{"name": "Spåt", "email": "later@guests.example"}}, {"doubtful", "later", members{"name": "Wër", "email": "lost@guests.example"}},
	} {
		w.inv[i.is] = w.mint(t, i.room, i.more)
	}
	for range 60 { // a list is one line of the history: these fill its first page
		w.mint(t, "many", nil)
	}
	crowd := make([]members, 1010)
	for i := range crowd {
		crowd[i] = members{"role": "guest", "name": fmt.Sprintf("Stüdent number %d", i+1)}
	}
	w.crowd = w.call(t, http.StatusOK, http.MethodPost, "/rooms/many/invitations/bulk", members{"invitations": crowd}).Get("batch")
}

func (w *world) happen(t *testing.T) {
	t.Helper()
	for _, is := range []string{"used", "answered", "dropped", "first"} {
		w.in(t, is)
	}
	for _, is := range []string{"chair", "conf", "gone", "several", "hostile", "endless", "moved"} {
		w.press(t, w.known, w.inv[is].Short)
	}
	w.spent = &guestBrowser{s: w.server}
	w.press(t, w.spent, "/m/"+w.offer(t, w.known, "empty"))
	w.call(t, http.StatusOK, http.MethodPost, "/invitations/"+w.inv["revoked"].ID+"/revoke", nil)
	w.call(t, http.StatusCreated, http.MethodPost, "/invitations/"+w.inv["old"].ID+"/reissue", members{})
	w.call(t, http.StatusNoContent, http.MethodDelete, "/rooms/shut", nil)
	w.ask(t, w.inv["answered"].Short)
	w.at(w.host).Press(t, w.request(t)+"/answer", "")
	w.ask(t, w.inv["dropped"].Short)
	w.batch = w.call(t, http.StatusOK, "POST", "/rooms/lobby/invitations/bulk",
		members{"invitations": []members{{"role": "guest", "name": "Ŷork", "email": "york@mail.example"}, {"role": "host", "name": "Ħana"}}}).Get("batch")
	w.dismissed = w.request(t)
	w.at(w.host).Press(t, w.dismissed+"/dismiss", "")
	w.ask(t, w.inv["used"].Short)
	for w.call(t, http.StatusOK, http.MethodGet, "/invitations/"+w.inv["brief"].ID, nil).Get("state") != "expired" {
		if t.Context().Err() != nil {
			t.Fatal("the brief invitation does not expire")
		}
	}
}

// gather lets people be in the lobby for as long as the test runs.
func (w *world) gather(t *testing.T) {
	t.Helper()
	for _, name := range []string{"Ąda Byron", hebrew, family, endless, ""} {
		enter(t, w.server, "lobby", w.mint(t, "lobby", members{"name": name}), name)
	}
}

func (w *world) at(cookie string) *guestBrowser { return &guestBrowser{s: w.server, cookie: cookie} }

// in is a guest's browser that came in with the invitation.
func (w *world) in(t testing.TB, is string) *guestBrowser {
	t.Helper()
	g := &guestBrowser{s: w.server}
	w.press(t, g, w.inv[is].Short)
	return g
}

// press opens the link and presses its button.
func (w *world) press(t testing.TB, g *guestBrowser, link string) {
	t.Helper()
	_, nonce := g.Look(t, link)
	if a := g.Press(t, link, nonce); a.Status != http.StatusSeeOther {
		t.Fatalf("the press at %s answers %d", link, a.Status)
	}
}

// ask lets the known browser ask for a new link.
func (w *world) ask(t testing.TB, link string) {
	t.Helper()
	_, nonce := w.known.Look(t, link)
	w.known.Press(t, link+"/request", nonce)
}

// request is the address of the one request that is open in the lobby.
func (w *world) request(t testing.TB) string {
	t.Helper()
	page := w.at(w.host).visit(t, http.MethodGet, "/rooms/lobby", nil)
	return strings.TrimSuffix(string(regexp.MustCompile(`/requests/\w+/answer`).Find(page.Body)), "/answer")
}

var shownCode = regexp.MustCompile(`class="move-code mono"[^>]*>\s*([0-9A-Z-]+)`)

// offer is a fresh code by which another device goes on in g's place.
func (w *world) offer(t testing.TB, g *guestBrowser, room string) string {
	t.Helper()
	_, nonce := g.Look(t, "/join/"+room+"/admitted")
	page := g.Press(t, "/join/"+room+"/move", nonce)
	code := shownCode.FindSubmatch(page.Body)
	if code == nil {
		t.Fatalf("no code is offered: %v", page)
	}
	return string(code[1])
}

// signedIn is the cookie of a host who signed in.
func (s *server) signedIn(t testing.TB, name string) string {
	t.Helper()
	a := (&guestBrowser{s: s}).visit(t, http.MethodPost, "/signin", url.Values{"username": {name}, "password": {hostPassword}})
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if strings.HasSuffix(c.Name, "session") {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("%s is not signed in: %v", name, a)
	return ""
}
