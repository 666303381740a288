package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"admitone/tokens/oauth"
)

var keyText = regexp.MustCompile(`ao_[a-z0-9]{40}`)

// makeKey makes a key on the page and returns its text and the address of its page.
func makeKey(t *testing.T, v *visitor, name string, scopes ...string) (text, page string) {
	t.Helper()
	made := v.post("/account/keys", url.Values{"name": {name}, "scope": scopes}).wants(http.StatusCreated).says("will not be shown again", `data-at="/account/keys"`)
	if text = made.showsOnce(); !keyText.MatchString(text) {
		t.Fatalf("no key is shown:\n%s", made.body)
	}
	return text, made.Header.Get("Location")
}

// Each key is in the answer to the form that made it, also where two are made at
// once, and in no other.
func TestAKeyIsShownOnceAlsoInTwoTabs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	one, at := makeKey(t, bob, "One", "rooms:read")
	two, other := makeKey(t, bob, "Two", "rooms:read")
	if one == two || at == other {
		t.Errorf("%s and %s", at, other)
	}
	for _, path := range []string{"/account/keys", at, other, "/account/keys?did=key-removed"} {
		bob.get(path).wants(http.StatusOK).saysNot(one, two)
		bob.get(path, header("Cookie", "once=key_0000000000001:ao_planted; __Host-once=key_0000000000001:ao_planted")).saysNot("ao_planted")
	}
	for _, text := range []string{one, two} {
		script := b.nobody(t)
		script.head.Set("Authorization", "Bearer "+text)
		script.get(v1 + "/rooms").wants(http.StatusOK)
	}
}

// Without JavaScript the page of a key that was just made is the answer to a form,
// which a reload sends again.
func TestReloadingThePageOfANewKeyMakesNoOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, alice := b.signedIn(t, "bob"), b.signedIn(t, "alice")
	form := with(bob.get("/account/keys").form("/account/keys"), "name", "Bookings")
	text := bob.post("/account/keys", form).wants(http.StatusCreated).showsOnce()
	for range 2 {
		to := bob.post("/account/keys", form).wants(http.StatusSeeOther).Header.Get("Location")
		again := bob.get(to).wants(http.StatusOK).says("was made already", "cannot be shown again").saysNot(text)
		if n := strings.Count(again.body, "<bdi>Bookings</bdi>"); n != 1 {
			t.Errorf("there are %d keys", n)
		}
	}
	// A wrong form grants nothing, another page's is another wish, and so is another host's.
	next := with(bob.get("/account/keys").form("/account/keys"), "name", "")
	bob.post("/account/keys", next).wants(http.StatusUnprocessableEntity)
	bob.post("/account/keys", with(next, "name", "Second")).wants(http.StatusCreated)
	alice.post("/account/keys", form).wants(http.StatusCreated)
}

func TestAHostMakesSeesAndRemovesAPIKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	b.room(t, "bob", "bobs")
	bob.get("/account").wants(http.StatusOK).says(`href="/account/keys"`, `href="/account/apps"`).saysNot("signing-keys")
	text, page := makeKey(t, bob, "Booking <script>", "rooms:read", "invitations:write")
	bob.get("/account/keys").wants(http.StatusOK).saysNot(text, "will not be shown again").says("Booking &lt;script&gt;", "See your rooms", "never used")

	script := b.nobody(t)
	script.head.Set("Authorization", "Bearer "+text)
	inv := script.do("POST", v1+"/rooms/bobs/invitations", `{"role":"guest","name":"Ada"}`, header("Content-Type", "application/json")).wants(http.StatusCreated).object()
	if by := inv["created_by"].(map[string]any); by["name"] != "Booking <script>" || by["kind"] != "client" || !strings.HasPrefix(by["id"].(string), oauth.KeyIDPrefix) {
		t.Errorf("made by %v", by)
	}
	id := inv["id"].(string)
	b.program(t, "bob").get(v1+"/rooms/bobs/events").says(`"kind":"client"`, `"name":"Booking \u003cscript\u003e"`)
	bob.get("/rooms/bobs/history").wants(http.StatusOK).says("<b><bdi>Booking &lt;script&gt;</bdi></b> (API key)")
	bob.get("/invitations/" + id).wants(http.StatusOK).says("<bdi>Booking &lt;script&gt;</bdi> (API key)")
	bob.get(page).wants(http.StatusOK).says("/invitations/"+id, "/rooms/bobs", "Remove <bdi>Booking", "last used").saysNot(text)

	// It is nobody else's, an admin's neither, and no key's or token's at all.
	for _, other := range []*visitor{b.signedIn(t, "carol"), b.signedIn(t, "alice")} {
		other.get(page).wants(http.StatusNotFound)
		other.post(page+"/remove", nil).wants(http.StatusNotFound)
		other.get("/account/keys").wants(http.StatusOK).saysNot("Booking &lt;")
	}
	bob.do("POST", page+"/remove", "", header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
	script.get(v1 + "/rooms/bobs").wants(http.StatusOK)

	if to := bob.post(page+"/remove", nil).wants(http.StatusSeeOther).Header.Get("Location"); to != "/account/keys?did=key-removed" {
		t.Errorf("leads to %s", to)
	}
	script.get(v1+"/rooms/bobs").refuses(http.StatusUnauthorized, "invalid_credentials")
	bob.get(page).wants(http.StatusNotFound)
	bob.post(page+"/remove", nil).wants(http.StatusNotFound)
	bob.get("/account/keys?did=key-removed").wants(http.StatusOK).says("The key was removed").saysNot("Booking &lt;")
	bob.get("/rooms/bobs/history").says("Booking &lt;script&gt;") // its past stays told by name
}

func TestAPIKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	for name, tt := range map[string]struct {
		form url.Values
		says string
	}{
		"no name":          {url.Values{"scope": {"redeem"}}, `id="key-name-wrong"`},
		"a long name":      {url.Values{"name": {strings.Repeat("x", 101)}, "scope": {"redeem"}}, `id="key-name-wrong"`},
		"no scope":         {url.Values{"name": {"x"}}, `id="scopes-wrong"`},
		"an unknown scope": {url.Values{"name": {"x"}, "scope": {"everything"}}, `id="scopes-wrong"`},
		"offline alone":    {url.Values{"name": {"x"}, "scope": {"offline_access"}}, `id="scopes-wrong"`},
	} {
		t.Run(name, func(t *testing.T) {
			bob.post("/account/keys", tt.form).wants(http.StatusUnprocessableEntity).says(tt.says)
		})
	}
	if keys, err := b.app.Apps.Keys(t.Context(), b.host(t, "bob")); err != nil || len(keys) != 0 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// TestKeysPagesWithoutSignIn: where nobody signs in, programs need no key, and
// none is made that would open more once there is a sign-in.
func TestKeysPagesWithoutSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t, plain, func(b *bench) { b.app.Open, b.base = true, "http://localhost" })
	v := b.browser(t)
	for _, path := range []string{"/account/keys", "/account/apps"} {
		v.get(path).wants(http.StatusOK).says("need no key")
		v.post(path, url.Values{"name": {"x"}, "scope": {"redeem"}}).wants(http.StatusNotFound)
	}
	v.get("/account/signing-keys").wants(http.StatusOK).says("HS256")
}

// What a key did is told by pages, and only what its host may still see.
func TestWhatAKeyDidIsToldByPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	text, page := makeKey(t, bob, "Many", "invitations:write", "rooms:write")
	script := b.nobody(t)
	script.head.Set("Authorization", "Bearer "+text)
	json := header("Content-Type", "application/json")
	script.do("POST", v1+"/rooms", `{"name":"First","slug":"first"}`, json).wants(http.StatusCreated)
	room := b.room(t, "bob", "bobs")
	for range 60 {
		script.do("POST", v1+"/rooms/bobs/invitations", `{"role":"guest"}`, json).wants(http.StatusCreated)
	}
	seen, at := 0, page
	for range 5 {
		a := bob.get(at).wants(http.StatusOK)
		seen += strings.Count(a.body, "(API key)")
		next := a.links(page + "?before=")
		if len(next) == 0 {
			break
		}
		at = next[0]
	}
	if seen != 61 {
		t.Errorf("%d of 61 things are told", seen)
	}
	bob.get(page + "?before=nonsense").wants(http.StatusNotFound)
	// The room is another host's by now.
	if _, err := b.Rooms.HandOver(t.Context(), b.caller(t, "alice"), room, "carol"); err != nil {
		t.Fatal(err)
	}
	bob.get(page).wants(http.StatusOK).saysNot("/rooms/bobs")
}
