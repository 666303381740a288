package handlers_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

func (b *bench) host(t *testing.T, name string) hosts.Host {
	t.Helper()
	h, err := b.app.Directory.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// key is a script with an API key of that host's.
func (b *bench) key(t *testing.T, name string, scopes ...oauth.Scope) *visitor {
	t.Helper()
	_, text, err := b.app.Apps.MakeKey(t.Context(), b.host(t, name), "a script of "+name, scopes)
	if err != nil {
		t.Fatal(err)
	}
	v := b.nobody(t)
	v.head.Set("Authorization", "Bearer "+text)
	return v
}

// scoped are the calls of the document that need a scope.
func scoped(t *testing.T, call func(method, path string, needs []oauth.Scope)) {
	t.Helper()
	asked := 0
	for path, item := range newValidator(t).doc.Paths.Map() {
		for method, op := range item.Operations() {
			if needs := required(op); len(needs) > 0 {
				asked++
				call(method, path, needs)
			}
		}
	}
	if asked < 19 {
		t.Errorf("only %d calls", asked)
	}
}

func required(op *openapi3.Operation) (needs []oauth.Scope) {
	list, _ := op.Extensions["x-required-scopes"].([]any)
	for _, s := range list {
		needs = append(needs, oauth.Scope(s.(string)))
	}
	return needs
}

func lacksScope(t *testing.T, a answer, need oauth.Scope) {
	t.Helper()
	a.refuses(http.StatusForbidden, "insufficient_scope")
	if got, want := a.Header.Get("WWW-Authenticate"), bearerError("https://meet.example", "insufficient_scope", "The credentials are good, and do not reach this call.")+`, scope="`+string(need)+`"`; got != want {
		t.Errorf("%s %s: WWW-Authenticate is %s, want %s", a.Request.Method, a.Request.URL.Path, got, want)
	}
}

// send calls the address of the document, with this room and invitation in it.
func (v *visitor) send(method, path string, room rooms.Room, inv tokens.Invitation) answer {
	v.t.Helper()
	body := ""
	if method == http.MethodPost || method == http.MethodPatch {
		body = "{}"
	}
	return v.do(method, strings.NewReplacer("{room}", room.Slug, "{id}", shown(inv.ID)).Replace(path), body, header("Content-Type", "application/json"))
}

// Each call takes the scopes that the document says and no others, from an API
// key that has one alone.
func TestEveryCallTakesTheScopeTheDocumentSays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "bobs")
	// With a date, without which there is nothing for a calendar.
	b.program(t, "bob").do(http.MethodPatch, v1+"/rooms/bobs", fmt.Sprintf(`{"starts_at": %q}`, b.Clock.Now().Add(-time.Hour).Format(time.RFC3339)), header("Content-Type", "application/json")).wants(http.StatusOK)
	inv := b.mint(t, room, tokens.Draft{})
	keys := map[oauth.Scope]*visitor{}
	for _, s := range oauth.All() {
		if s != oauth.Offline { // of no use to a key
			keys[s] = b.key(t, "bob", s)
		}
	}
	scoped(t, func(method, path string, needs []oauth.Scope) {
		if len(needs) != 1 {
			t.Fatalf("%s %s needs %v: this test knows one", method, path, needs)
		}
		for s, key := range keys {
			a := key.send(method, path, room, inv)
			if s != needs[0] {
				lacksScope(t, a, needs[0])
			} else if a.StatusCode == http.StatusForbidden || a.StatusCode == http.StatusUnauthorized || a.StatusCode == http.StatusNotFound {
				t.Errorf("%s %s with %s → %d", method, path, s, a.StatusCode)
			}
		}
	})
}

func TestAnAppThatActsForNobodyReachesNoCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "bobs")
	inv := b.mint(t, room, tokens.Draft{})
	app, _, err := b.app.Apps.Register(t.Context(), nil, oauth.Draft{Name: "Nobody's", Scopes: "rooms:read rooms:write invitations:read invitations:write redeem"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.app.Apps.ForItself(t.Context(), app, "")
	if err != nil {
		t.Fatal(err)
	}
	v := b.nobody(t)
	v.head.Set("Authorization", "Bearer "+got.Access)
	scoped(t, func(method, path string, needs []oauth.Scope) {
		lacksScope(t, v.send(method, path, room, inv), needs[0])
	})
}

func TestAKeyReachesNoOtherHostsThings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "bobs")
	inv := b.mint(t, room, tokens.Draft{})
	before := b.state(t, room)
	carols := b.key(t, "carol", everyScope()...)
	scoped(t, func(method, path string, _ []oauth.Scope) {
		if !strings.Contains(path, "{") {
			return
		}
		if a := carols.send(method, path, room, inv); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s → %d", method, path, a.StatusCode)
		}
	})
	carols.get(v1 + "/rooms").wants(http.StatusOK).saysNot("bobs")
	carols.do("POST", v1+"/invitations/inspect", `{"token":"`+b.Invitations.Links.Code(inv.ID)+`"}`, header("Content-Type", "application/json")).refuses(http.StatusUnprocessableEntity, "invalid_link")
	if after := b.state(t, room); after != before {
		t.Errorf("something changed: %s\n%s", before, after)
	}
}

// everyScope is every scope that a key can have.
func everyScope() oauth.Scopes {
	return slices.DeleteFunc(oauth.All(), func(s oauth.Scope) bool { return s == oauth.Offline })
}

func TestHostLinksNeedAScopeOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "bobs")
	chair, guest := b.mint(t, room, tokens.Draft{Role: tokens.Host}), b.mint(t, room, tokens.Draft{})
	at := v1 + "/invitations/" + shown(chair.ID)
	json := header("Content-Type", "application/json")
	link := b.Invitations.Links.Code(chair.ID)

	without := b.key(t, "bob", oauth.InvitationsRead, oauth.InvitationsWrite)
	lacksScope(t, without.do("POST", v1+"/rooms/bobs/invitations", `{"role":"host"}`, json), oauth.InvitationsHost)
	for _, path := range []string{"/qr.png", "/qr.svg"} {
		lacksScope(t, without.get(at+path), oauth.InvitationsHost)
	}
	lacksScope(t, without.do("POST", at+"/reissue", `{}`, json), oauth.InvitationsHost)
	lacksScope(t, without.do("PATCH", at, `{"name":"x"}`, json), oauth.InvitationsHost)
	for _, path := range []string{at, v1 + "/rooms/bobs/invitations"} {
		without.get(path).wants(http.StatusOK).saysNot(link)
	}
	without.get(v1 + "/rooms/bobs/invitations").says(b.Invitations.Links.Code(guest.ID))
	// Who only reads sees no link at all.
	b.key(t, "bob", oauth.InvitationsRead).get(v1+"/rooms/bobs/invitations").wants(http.StatusOK).saysNot(link, b.Invitations.Links.Code(guest.ID))

	with := b.key(t, "bob", oauth.InvitationsRead, oauth.InvitationsWrite, oauth.InvitationsHost)
	with.do("POST", v1+"/rooms/bobs/invitations", `{"role":"host"}`, json).wants(http.StatusCreated).says("/i/")
	with.get(at).wants(http.StatusOK).says(link)
	with.get(at + "/qr.png").wants(http.StatusOK)
}

// Pages are for people who signed in.
func TestAKeyOpensNoPageOfTheDashboard(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "bobs")
	inv := b.mint(t, room, tokens.Draft{})
	key := b.key(t, "bob", everyScope()...)
	before := b.state(t, room)
	asked := 0
	for _, r := range b.routes(t, room.Slug, inv) {
		if !strings.HasPrefix(r.pattern, "/account") && !r.owned() || r.api() || r.pattern == "/problems/:code" {
			continue
		}
		asked++
		a := key.do(r.method, r.path, "", header("Content-Type", "application/x-www-form-urlencoded"))
		if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/signin") {
			t.Errorf("%s → %d", r.name(), a.StatusCode)
		}
	}
	if asked < 35 || b.state(t, room) != before {
		t.Errorf("%d routes, and something changed", asked)
	}
}

// A key ends with its host and with the password under which it was made.
func TestAKeyEndsWithItsHostsPassword(t *testing.T) {
	t.Parallel()
	d := datatest.SQLite(t)
	b := serve(t, d)
	heads := map[string]string{}
	for name := range passwords {
		key := b.key(t, name, oauth.RoomsRead)
		key.get(v1 + "/rooms").wants(http.StatusOK)
		heads[name] = key.head.Get("Authorization")
	}
	again := serve(t, d, func(b *bench) { // alice as before, bob with another password, carol no more
		users := strings.Replace(hostUsers, passwords["bob"], "another-boat-for-bob", 1)
		b.app.Directory = b.directory(t, users[:strings.LastIndex(users, ",\n\t{\"username\": \"carol\"")]+"]")
	})
	again.nobody(t).get(v1+"/rooms", header("Authorization", heads["alice"])).wants(http.StatusOK)
	for _, name := range []string{"bob", "carol"} {
		a := again.nobody(t).get(v1+"/rooms", header("Authorization", heads[name])).refuses(http.StatusUnauthorized, "invalid_credentials")
		if got := a.Header.Get("WWW-Authenticate"); got != again.invalidToken("The access token is not good, or was withdrawn.") {
			t.Errorf("%s: %s", name, got)
		}
	}
	again.nobody(t).get(v1+"/rooms", header("Authorization", heads["alice"]+"x")).refuses(http.StatusUnauthorized, "invalid_credentials")
}

// TestFormsOfferNoScopeThatOpensNothing: no call asks for webhooks, which the
// protocol's metadata names all the same.
func TestFormsOfferNoScopeThatOpensNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	to := bob.post("/account/apps", fields("name", "Gate", "redirect_uri", "https://gate.example/back", "redirect_uris", "https://gate.example/back", "scope", "rooms:read"))
	apps := bob.get("/account/apps").wants(http.StatusOK).links("/account/apps/")
	if len(apps) == 0 {
		t.Fatalf("no app: %d %s", to.StatusCode, to.body)
	}
	for _, at := range []string{"/account/keys", "/account/apps", apps[0]} {
		bob.get(at).wants(http.StatusOK).says(`value="rooms:read"`).saysNot(`value="webhooks"`)
	}
	b.nobody(t).get("/.well-known/oauth-authorization-server").says(`"webhooks"`)
}
