package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"admitone/tokens"
)

// TestMethods walks all addresses: what GET answers HEAD answers without a
// body, OPTIONS and 405 say what there is, and nothing else is taken.
func TestMethods(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{MaxUses: 9})
	program, browser, nobody := b.program(t, "bob"), b.signedIn(t, "bob"), b.nobody(t)
	methods := map[string][]string{}
	paths := map[string]route{}
	for _, r := range b.routes(t, room.Slug, inv) {
		methods[r.pattern] = append(methods[r.pattern], r.method)
		paths[r.pattern] = r
	}
	for pattern, has := range methods {
		r := paths[pattern]
		if slices.Contains(has, http.MethodGet) {
			r.method = http.MethodGet
			get := ask(r, r.path, program, browser)
			r.method = http.MethodHead
			head := ask(r, r.path, program, browser)
			if head.StatusCode != get.StatusCode || head.body != "" || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") {
				t.Errorf("HEAD %s → %d %s %q, GET → %d %s", r.path, head.StatusCode, head.Header.Get("Content-Type"), head.body, get.StatusCode, get.Header.Get("Content-Type"))
			}
		}
		options := nobody.do(http.MethodOptions, r.path, "").wants(http.StatusNoContent)
		wrong := nobody.do(http.MethodPut, r.path, "").wants(http.StatusMethodNotAllowed)
		for _, a := range []answer{options, wrong} {
			for _, method := range has {
				if !strings.Contains(a.Header.Get("Allow"), method) {
					t.Errorf("%s %s: Allow is %q, without %s", a.Request.Method, r.path, a.Header.Get("Allow"), method)
				}
			}
			if strings.Contains(a.Header.Get("Allow"), "PUT") || len(a.Header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s %s: Allow is %q, cookies %q", a.Request.Method, r.path, a.Header.Get("Allow"), a.Header.Values("Set-Cookie"))
			}
		}
		if strings.HasPrefix(r.pattern, v1+"/apps") {
			wrong.says(`"error":"invalid_request"`) // as Mastodon's clients read it
		} else if r.api() {
			newValidator(t).checkProblem(t, wrong.Response, []byte(wrong.body))
			wrong.refuses(http.StatusMethodNotAllowed, "method_not_allowed")
		} else if kind := wrong.Header.Get("Content-Type"); r.oauth() {
			wrong.says(`"error":"invalid_request"`)
		} else if !strings.Contains(kind, "html") && !strings.Contains(kind, "problem+json") {
			t.Errorf("PUT %s → %s", r.path, kind)
		}
		for _, method := range []string{http.MethodTrace, http.MethodConnect, "PROPFIND", "post", "GETX"} {
			if method == http.MethodConnect {
				continue // net/http's client makes something else of it
			}
			nobody.do(method, r.path, "").wants(http.StatusMethodNotAllowed)
		}
	}
	if got := b.invitation(t, inv.ID); got.Uses != 0 || got.RevokedAt != 0 || got.Room.ClosedAt != 0 {
		t.Errorf("looking changed something: %+v", got)
	}
}

// TestAMethodCannotBeOverridden is F32: the request's own method counts.
func TestAMethodCannotBeOverridden(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{})
	guest, bob := b.browser(t), b.program(t, "bob")
	nonce := guest.get(b.short(inv)).wants(http.StatusOK).form(b.short(inv)).Get("nonce")
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		guest.get(b.short(inv)+"?nonce="+nonce+"&_method=POST", header(name, "POST")).wants(http.StatusOK)
		bob.get(v1+"/rooms/standup", header(name, "DELETE")).wants(http.StatusOK)
		bob.do("POST", v1+"/rooms/standup", "_method=DELETE", header(name, "DELETE"), header("Content-Type", "application/x-www-form-urlencoded")).wants(http.StatusMethodNotAllowed)
	}
	if b.invitation(t, inv.ID).Uses != 0 {
		t.Error("a GET redeemed")
	}
	bob.get(v1 + "/rooms/standup").wants(http.StatusOK).says(`"state":"open"`)
}

func TestUnknownAddresses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := newValidator(t)
	for _, who := range []*visitor{b.nobody(t), b.program(t, "bob")} {
		for _, path := range []string{"/api/", "/api/v1", "/api/v1/", "/api/v1/nowhere", "/api/v2/rooms", "/api/v1/rooms/x/y/z", "/api/v1/rooms/", "/api/v1//rooms"} {
			for _, method := range []string{"GET", "POST", "DELETE"} {
				a := who.do(method, path, "").wants(http.StatusNotFound)
				v.checkProblem(t, a.Response, []byte(a.body))
			}
		}
		for _, path := range []string{"/nowhere", "/apiary", "/join", "/i", "/i/", "/join/x/y", "/static/", "/static/nothing.css", "/signin/x", "/.env", "/problems/"} {
			a := who.get(path)
			if a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("GET %s → %d", path, a.StatusCode)
			}
			if !strings.HasPrefix(path, "/static/") && !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
				t.Errorf("GET %s → %s", path, a.Header.Get("Content-Type"))
			}
		}
	}
}
