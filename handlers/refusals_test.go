package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
	"admitone/tokens"
)

// TestEachRefusalIsTheSameOnPageAndAPI has a row for each refusal of an
// invitation: how it comes about, and how it is told to people and programs.
func TestEachRefusalIsTheSameOnPageAndAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gate := b.program(t, "bob")
	r := validating(gate)
	soon := b.Clock.Millis() + time.Hour.Milliseconds()
	for _, tt := range []struct {
		code      string
		page, api int
		member    string // of the problem, with its value
		path      func(slug string) string
	}{
		{code: "superseded", page: 410, api: 410, path: func(slug string) string {
			inv := b.mint(t, b.room(t, "bob", slug), tokens.Draft{})
			r.post("/api/v1/invitations/"+shown(inv.ID)+"/reissue", "").wants(http.StatusCreated)
			return b.short(inv)
		}},
		{code: "revoked", page: 410, api: 410, path: func(slug string) string {
			inv := b.mint(t, b.room(t, "bob", slug), tokens.Draft{})
			r.post("/api/v1/invitations/"+shown(inv.ID)+"/revoke", "").wants(http.StatusOK)
			return b.short(inv)
		}},
		{code: "room_closed", page: 410, api: 410, path: func(slug string) string {
			inv := b.mint(t, b.room(t, "bob", slug), tokens.Draft{})
			r.do("DELETE", "/api/v1/rooms/"+slug, "").wants(http.StatusNoContent)
			return b.short(inv)
		}},
		{code: "used", page: 409, api: 409, member: `"redeemed_at":"2030-01-15T12:00:00Z"`, path: func(slug string) string {
			inv := b.mint(t, b.room(t, "bob", slug), tokens.Draft{})
			redeem(r, b.short(inv), "another-guests-nonce").wants(http.StatusOK)
			return b.short(inv)
		}},
		{code: "not_yet", page: 403, api: 403, member: `"opens_at":"2030-01-15T13:00:00Z"`, path: func(slug string) string {
			return b.short(b.mint(t, b.room(t, "bob", slug), tokens.Draft{NotBefore: soon}))
		}},
		{code: "not_yet", page: 403, api: 403, member: `"opens_at":"2030-01-15T13:00:00Z"`, path: func(slug string) string {
			room := b.room(t, "bob", slug+"-early", func(d *rooms.Draft) { d.StartsAt = soon })
			return b.short(b.mint(t, room, tokens.Draft{}))
		}},
		{code: "invalid_link", page: 404, api: 422, path: func(string) string { return "/i/" + strings.Repeat("0", 26) }},
		{code: "expired", page: 410, api: 410, path: func(slug string) string {
			inv := b.mint(t, b.room(t, "bob", slug), tokens.Draft{ExpiresIn: time.Minute})
			b.Clock.Add(time.Minute)
			return b.short(inv)
		}},
	} {
		path := tt.path(strings.ReplaceAll(tt.code, "_", "-"))
		got := redeem(r, path, "a-guest-who-is-late")
		if p := got.object(); got.StatusCode != tt.api || p["code"] != tt.code || p["type"] != b.base+"/problems/"+tt.code || p["status"] != float64(tt.api) {
			t.Errorf("%s on the API → %d %s", tt.code, got.StatusCode, got.body)
		}
		got.says(tt.member)
		inspected := r.json("POST", "/api/v1/invitations/inspect", map[string]any{"token": b.base + path})
		if tt.code == "invalid_link" {
			inspected.refuses(http.StatusUnprocessableEntity, tt.code)
		} else {
			inspected.wants(http.StatusOK).says(`"redeemable":false`, `"reason":"`+tt.code+`"`)
		}
		if page := b.browser(t).get(path).wants(tt.page); page.Header.Get("Content-Type") != "text/html; charset=UTF-8" || strings.Contains(page.body, `action="`+path+`"`) {
			t.Errorf("%s on the page: %s, with a form to redeem", tt.code, page.Header.Get("Content-Type"))
		}
		if head := b.browser(t).do(http.MethodHead, path, "").wants(tt.page); head.body != "" {
			t.Errorf("%s: HEAD has a body", tt.code)
		}
	}
}

// redeem offers a link at the API.
func redeem(r *checked, link, nonce string, more ...string) answer {
	r.v.t.Helper()
	body := map[string]any{"token": strings.TrimPrefix(link, "/i/"), "nonce": nonce}
	if strings.HasPrefix(link, "/join/") {
		body["token"] = r.v.b.base + link
	}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	return r.json("POST", "/api/v1/invitations/redeem", body)
}

// TestTheFirstRefusalCounts: where several hold, the contract's order decides.
func TestTheFirstRefusalCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := validating(b.program(t, "bob"))
	room := b.room(t, "bob", "standup")
	b.room(t, "bob", "other")
	inv := b.mint(t, room, tokens.Draft{ExpiresIn: time.Minute, MaxUses: 1})
	link := b.long(t, inv)
	late := func(want int, code string, more ...string) {
		t.Helper()
		if got := redeem(r, link, "somebody-else-entirely", more...); got.StatusCode != want || got.object()["code"] != code {
			t.Errorf("%d %v, want %d %s", got.StatusCode, got.object()["code"], want, code)
		}
	}
	first := redeem(r, link, "the-first-guests-nonce").wants(http.StatusOK)
	late(http.StatusConflict, "used")
	b.Clock.Add(2 * time.Minute)
	late(http.StatusConflict, "used") // and not expired
	if again := redeem(r, link, "the-first-guests-nonce").wants(http.StatusOK); again.object()["admission"].(map[string]any)["id"] != first.object()["admission"].(map[string]any)["id"] {
		t.Error("the same nonce got another admission")
	}
	r.do("DELETE", "/api/v1/rooms/standup", "").wants(http.StatusNoContent)
	late(http.StatusGone, "room_closed")
	r.post("/api/v1/invitations/"+shown(inv.ID)+"/revoke", "").wants(http.StatusOK)
	late(http.StatusGone, "revoked")
	if got := redeem(r, link, "the-first-guests-nonce"); got.StatusCode != http.StatusGone || got.object()["code"] != "revoked" {
		t.Errorf("whom it admitted comes back: %d", got.StatusCode)
	}
	r.post("/api/v1/rooms/standup/reopen", "").wants(http.StatusOK)
	r.post("/api/v1/invitations/"+shown(inv.ID)+"/reissue", "").wants(http.StatusCreated)
	late(http.StatusGone, "superseded") // and not revoked
	late(http.StatusForbidden, "wrong_room", "room", "other")
	if got := redeem(r, link+"x", "the-first-guests-nonce", "room", "other"); got.StatusCode != http.StatusUnprocessableEntity || got.object()["code"] != "invalid_link" {
		t.Errorf("a forged link → %d", got.StatusCode)
	}
}

// TestAStrangerLearnsNothingOfALink is F36: to a host without rights in the
// room, every link is one that we never made.
func TestAStrangerLearnsNothingOfALink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "bobs")
	used, revoked, open := b.mint(t, room, tokens.Draft{}), b.mint(t, room, tokens.Draft{}), b.mint(t, room, tokens.Draft{})
	bob := validating(b.program(t, "bob"))
	redeem(bob, b.short(used), "the-first-guests-nonce").wants(http.StatusOK)
	bob.post("/api/v1/invitations/"+shown(revoked.ID)+"/revoke", "").wants(http.StatusOK)
	b.room(t, "carol", "carols")
	links := map[string]string{
		"forged": b.base + "/i/" + strings.Repeat("0", 26), "a short link": b.base + b.short(open), "a long link": b.base + b.long(t, open),
		"a used one": b.base + b.short(used), "a revoked one": b.base + b.short(revoked), "a bare code": strings.TrimPrefix(b.short(open), "/i/"),
		"a long link at the wrong room": strings.Replace(b.base+b.long(t, open), "/join/bobs", "/join/carols", 1),
		"a long link at no room":        strings.Replace(b.base+b.long(t, open), "/join/bobs", "/elsewhere", 1),
	}
	before := b.state(t, room)
	for _, call := range []string{"inspect", "redeem", "redeem at their own room"} {
		var want string
		for i, name := range []string{"forged", "a short link", "a long link", "a used one", "a revoked one", "a bare code", "a long link at the wrong room", "a long link at no room"} {
			b.Clock.Add(10 * time.Second) // so that the guesses are no guesses too many
			carol := validating(b.program(t, "carol"))
			body := map[string]any{"token": links[name]}
			if call != "inspect" {
				body["nonce"] = "a-strangers-own-nonce"
			}
			if call == "redeem at their own room" {
				body["room"] = "carols"
			}
			got := carol.json("POST", "/api/v1/invitations/"+strings.Fields(call)[0], body)
			if i == 0 {
				want = got.wants(http.StatusUnprocessableEntity).says(`"code":"invalid_link"`).anonymous()
			}
			if got.anonymous() != want {
				t.Errorf("%s of %s → %s\nof a forged one → %s", call, name, got.anonymous(), want)
			}
		}
	}
	if after := b.state(t, room); after != before {
		t.Errorf("a stranger changed something:\n%s\n%s", before, after)
	}
}

func TestTheTypeOfEveryProblemOpensAsAPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := newValidator(t)
	codes := []string{"cross_site", "no_nonce", "internal_error"}
	for _, code := range v.doc.Components.Schemas["Problem"].Value.Properties["code"].Value.Enum {
		codes = append(codes, code.(string))
	}
	for _, code := range codes {
		page := b.nobody(t).get("/problems/" + code).wants(http.StatusOK).says(code)
		if page.Header.Get("Content-Type") != "text/html; charset=UTF-8" {
			t.Errorf("%s: %s", code, page.Header.Get("Content-Type"))
		}
	}
	b.nobody(t).get("/problems/nonsense").wants(http.StatusNotFound)
	if len(codes) < 20 {
		t.Errorf("only %d codes", len(codes))
	}
}
