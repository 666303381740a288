package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

// guestCookie is the browser's cookie in this bench.
func (v *visitor) guestCookie() *http.Cookie {
	u, _ := url.Parse(v.b.base)
	for _, k := range v.client.Jar.Cookies(u) {
		if strings.HasSuffix(k.Name, "guest") {
			return k
		}
	}
	return nil
}

// TestOnlyAPressOnOurPageRedeems has a row for each press that did not happen
// on our page; all are refused before the link is looked at, so that a wrong
// link is told the same.
func TestOnlyAPressOnOurPageRedeems(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv, other := b.mint(t, room, tokens.Draft{}), b.mint(t, room, tokens.Draft{})
	path := b.short(inv)
	me, friend := b.browser(t), b.browser(t)
	good := me.get(path).wants(http.StatusOK).form(path).Get("nonce")
	friends := friend.get(path).wants(http.StatusOK).form(path).Get("nonce")
	others := me.get(b.short(other)).wants(http.StatusOK).form(b.short(other)).Get("nonce")
	if good == friends || good == others {
		t.Fatal("nonces are not bound to browser and invitation")
	}
	stranger := b.nobody(t)
	before := b.state(t, room)
	for _, tt := range []struct {
		name, code, nonce string
		who               *visitor
		change            []func(*http.Request)
		links             bool // decidable without the link
	}{
		{"no cookie", "no_cookie", good, stranger, nil, true},
		{"no cookie, from our page", "no_cookie", good, stranger, []func(*http.Request){header("Sec-Fetch-Site", "same-origin")}, true},
		{"a cookie of no browser", "no_cookie", good, stranger, []func(*http.Request){header("Cookie", "__Host-guest=x")}, true},
		{"a cookie under the http name", "no_cookie", good, stranger, []func(*http.Request){header("Cookie", "guest="+me.guestCookie().Value)}, true},
		{"no nonce", "no_nonce", "", me, nil, true},
		{"the nonce of another browser", "no_nonce", friends, me, nil, false},
		{"the nonce of another invitation", "no_nonce", others, me, nil, false},
		{"a nonce that is garbage", "no_nonce", "garbage\x00\xff", me, nil, false},
		{"a cut nonce", "no_nonce", good[:len(good)-1], me, nil, false},
		{"another site", "cross_site", good, me, []func(*http.Request){header("Sec-Fetch-Site", "cross-site")}, true},
		{"a sibling of our site", "cross_site", good, me, []func(*http.Request){header("Sec-Fetch-Site", "same-site")}, true},
		{"another site of an old browser", "cross_site", good, me, []func(*http.Request){without("Sec-Fetch-Site"), header("Origin", "https://evil.example")}, true},
		{"another site that hides its origin", "cross_site", good, me, []func(*http.Request){header("Sec-Fetch-Site", "cross-site"), header("Origin", "null")}, true},
		{"a prefetch", "cross_site", good, me, []func(*http.Request){header("Sec-Purpose", "prefetch")}, true},
		{"a prerender", "cross_site", good, me, []func(*http.Request){header("Sec-Purpose", "prefetch;prerender")}, true},
		{"an old prefetch", "cross_site", good, me, []func(*http.Request){header("X-Moz", "prefetch")}, true},
		{"origin null without a good nonce", "no_nonce", friends, me, []func(*http.Request){without("Sec-Fetch-Site"), header("Origin", "null")}, false},
		{"origin null without a cookie", "no_cookie", good, stranger, []func(*http.Request){header("Origin", "null")}, true},
	} {
		says := map[string]string{"no_nonce": "Your browser forgot this page", "no_cookie": "This browser keeps no cookies", "cross_site": "Please press the button here"}[tt.code]
		tt.who.post(path, fields("nonce", tt.nonce), tt.change...).wants(http.StatusForbidden).says(says)
		if tt.links {
			for _, wrong := range []string{"/i/" + strings.Repeat("0", 26), "/i/x", "/join/standup?token=a.b.c", "/join/nowhere"} {
				tt.who.post(wrong, fields("nonce", tt.nonce), tt.change...).wants(http.StatusForbidden).says(says)
			}
		}
		if got := b.invitation(t, inv.ID).Uses; got != 0 {
			t.Fatalf("%s: a use was taken", tt.name)
		}
	}
	if after := b.state(t, room); after != before {
		t.Errorf("a refused press changed something:\n%s\n%s", before, after)
	}
	// The control: the same nonce and browser, from our page.
	me.post(path, fields("nonce", good)).wants(http.StatusSeeOther)
}

// TestABrowserWithoutFetchMetadata: over plain http a page that sends no
// referrer makes its form say "Origin: null".
func TestABrowserWithoutFetchMetadata(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][]func(*http.Request){
		"origin null": {without("Sec-Fetch-Site"), header("Origin", "null")},
		"our origin":  {without("Sec-Fetch-Site"), header("Origin", "http://meet.example")},
		"no origin":   {without("Sec-Fetch-Site")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, plain)
			inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
			guest := b.browser(t)
			form := guest.get(b.short(inv)).wants(http.StatusOK).form(b.short(inv))
			guest.post(b.short(inv), form, change...).wants(http.StatusSeeOther)
			if b.invitation(t, inv.ID).Uses != 1 {
				t.Error("no use was taken")
			}
		})
	}
}

// TestOneLinkOneGuest is the guest's whole way: in, again, back, and nobody else.
func TestOneLinkOneGuest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{Name: "Ada"})
	guest, second := b.browser(t), b.browser(t)
	late := second.get(b.long(t, inv)).wants(http.StatusOK).form(b.long(t, inv))

	form := guest.get(b.short(inv)).wants(http.StatusOK).form(b.short(inv))
	if form.Get("name") != "Ada" {
		t.Errorf("the form offers the name %q", form.Get("name"))
	}
	first := guest.post(b.short(inv), with(form, "name", "Ada L. 👩🏽‍🚀")).wants(http.StatusSeeOther)
	if first.Header.Get("Location") != "/join/standup/admitted" {
		t.Errorf("led to %s", first.Header.Get("Location"))
	}
	guest.get(first.Header.Get("Location")).wants(http.StatusOK).says("Ada L. 👩🏽‍🚀", "Room standup")

	guest.post(b.short(inv), form).wants(http.StatusSeeOther)                                          // a double click
	guest.press(t, b.long(t, inv)).wants(http.StatusSeeOther)                                          // the other link
	guest.press(t, strings.ToUpper(b.short(inv))).wants(http.StatusSeeOther)                           // the scanned code
	guest.get(b.short(inv)).wants(http.StatusOK).says("Room standup")                                  // a reload of the link
	guest.do("POST", "/join/standup/admitted", "").wants(http.StatusSeeOther)                          // "Enter" in the lobby
	guest.get("/join/standup/admitted").wants(http.StatusOK).says("Ada L. 👩🏽‍🚀").saysNot(b.short(inv)) // and coming back
	if got := b.invitation(t, inv.ID); got.Uses != 1 {
		t.Errorf("%d uses", got.Uses)
	}
	if n := events(t, b, inv, "invitation.redeemed"); n != 1 {
		t.Errorf("%d redemptions in the history", n)
	}

	second.post(b.long(t, inv), late).wants(http.StatusConflict).says("This link has been used", "2030-01-15T12:00:00Z")
	second.get(b.short(inv)).wants(http.StatusConflict)
	second.get("/join/standup/admitted").wants(http.StatusNotFound)
	second.do("POST", "/join/standup/admitted", "").wants(http.StatusNotFound)

	if _, err := b.Invitations.Revoke(t.Context(), b.caller(t, "bob"), inv, ""); err != nil {
		t.Fatal(err)
	}
	for _, a := range []answer{guest.get("/join/standup/admitted"), guest.get(b.short(inv)), guest.post(b.short(inv), form), guest.do("POST", "/join/standup/admitted", "")} {
		a.wants(http.StatusGone).says("This invitation was withdrawn")
	}
}

func TestTheNameAGuestTypes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	for _, tt := range []struct {
		name, typed, shown string
		status             int
	}{
		{"emoji", "👩🏽‍🚀 Zoë 李雷", "👩🏽‍🚀 Zoë 李雷", 303},
		{"bidi is kept", "a\u202eb\u2066c", "a\u202eb\u2066c", 303},
		{"control characters become spaces", "a\r\nb\tc\x1bd", "a  b c d", 303},
		{"markup is text", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", 303},
		{"NUL is refused", "a\x00b", "", 422},
		{"broken UTF-8 is refused", "a\xffb", "", 422},
		{"too long is refused", strings.Repeat("x", 201), "", 422},
	} {
		inv := b.mint(t, room, tokens.Draft{})
		guest := b.browser(t)
		guest.press(t, b.short(inv), "name", tt.typed).wants(tt.status)
		if got := b.invitation(t, inv.ID).Uses; (got == 1) != (tt.status == http.StatusSeeOther) {
			t.Errorf("%s: %d uses", tt.name, got)
		}
		if tt.status == http.StatusSeeOther {
			guest.get("/join/standup/admitted").wants(http.StatusOK).says(tt.shown)
		}
	}
}

// TestEnterLeadsIntoTheConference: the address of the back end is made afresh
// at the press, and allowed on that one page.
func TestEnterLeadsIntoTheConference(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup", func(d *rooms.Draft) { d.Backend = "conf" })
	guest, host := b.browser(t), b.browser(t)
	inv, hosts := b.mint(t, room, tokens.Draft{Name: "A&d=a"}), b.mint(t, room, tokens.Draft{Role: tokens.Host, Name: "Bob"})
	if csp := guest.get(b.short(inv)).Header.Get("Content-Security-Policy"); strings.Contains(csp, "conf.example") {
		t.Errorf("the link's page allows the back end: %s", csp)
	}
	guest.press(t, b.short(inv)).wants(http.StatusSeeOther)
	page := guest.get("/join/standup/admitted").wants(http.StatusOK).saysNot("conf.example")
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://conf.example;") || strings.Count(csp, "https://") != 1 {
		t.Errorf("the policy is %s", csp)
	}
	enter := guest.post("/join/standup/admitted", page.form("/join/standup/admitted")).wants(http.StatusSeeOther)
	if to := enter.Header.Get("Location"); !strings.HasPrefix(to, "https://conf.example/standup?n=A%26d%3Da&r=guest&a=adm_") {
		t.Errorf("led to %s", to)
	}
	guest.do("POST", "/join/standup/admitted", "", header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
	guest.do("POST", "/join/standup/admitted", "", header("Sec-Purpose", "prefetch")).wants(http.StatusForbidden)

	as := host.press(t, b.short(hosts)).wants(http.StatusSeeOther).Header.Get("Location")
	if to := host.do("POST", as, "").wants(http.StatusSeeOther).Header.Get("Location"); !strings.Contains(to, "r=host") {
		t.Errorf("a host was led to %s", to)
	}
	if to := guest.do("POST", "/join/standup/admitted?as=host", "").wants(http.StatusSeeOther).Header.Get("Location"); !strings.Contains(to, "r=guest") {
		t.Errorf("a guest who asks to be host was led to %s", to)
	}
}
