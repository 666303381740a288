package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// looks are the ways in which every journey must work.
func looks(t *testing.T, journey func(t *testing.T, look browserOptions, name string)) {
	for _, width := range []int64{360, 1280} {
		for _, dark := range []bool{false, true} {
			name := fmt.Sprintf("%d-%s", width, map[bool]string{true: "dark", false: "light"}[dark])
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				journey(t, browserOptions{Width: width, Height: 800, Dark: dark, Mobile: width < 600, Timezone: "Europe/Berlin"}, name)
			})
		}
	}
}

// seen keeps a picture and holds the page against WCAG 2.2 AA.
func (b *browserTab) seen(name string) { b.seenBy(name, allRules) }

// seenBy is seen, with those rules of axe-core.
func (b *browserTab) seenBy(name, rules string) {
	b.t.Helper()
	b.Screenshot(name)
	b.axe(rules)
	if wide, err := eval[bool](b, `document.documentElement.scrollWidth > document.documentElement.clientWidth`); err != nil || wide {
		b.t.Errorf("%s: the page is wider than its window (%v)", name, err)
	}
}

// signIn signs the server's host in with this browser.
func (b *browserTab) signIn() {
	b.t.Helper()
	b.Open("/signin")
	b.Fill("#username", hostName)
	b.Fill("#password", hostPassword)
	b.Follow("main form button[type=submit]")
}

const ladies = `HOST_USERS=[{"username":"` + hostName + `","password":"` + hostPassword + `","display_name":"Ada Lovelace","admin":true}]`

// The main job, as a host and a guest meet it: two presses after signing in to a
// first QR code; one press to be in; coming back; a second person refused;
// revoking and undoing.
func TestBrowserHostAndGuest(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		host, guest, other := newBrowser(t, look), newBrowser(t, look), newBrowser(t, look)

		host.Open("/")
		host.seen(name + "-signin")
		host.Fill("#username", hostName)
		host.Fill("#password", "not the password")
		host.Follow("main form button[type=submit]")
		if host.Status() != 401 || !strings.Contains(host.Text("main"), "do not belong together") {
			t.Fatalf("a wrong password: %d %s", host.Status(), host.Text("main"))
		}
		host.seen(name + "-signin-wrong")
		host.signIn()
		host.seen(name + "-rooms-empty")

		host.Follow("main form button[type=submit]") // the first press: Create room
		host.seen(name + "-room-empty")
		host.Click("#mint button[type=submit]") // the second: Create invitation
		host.WaitVisible("figure.qr img")
		link := host.Value("#minted-link")
		if !strings.HasPrefix(link, s.URL+"/i/") {
			t.Fatalf("the link is %q", link)
		}
		if drawn, err := eval[bool](host, `(async () => { const i = document.querySelector("figure.qr img"); await i.decode(); return i.naturalWidth > 0 })()`); err != nil || !drawn {
			t.Fatalf("the QR code is not drawn: %v", err)
		}
		host.waitFocused("#mint h2")
		host.Fill("#mint-name", "Grace Hopper")
		host.Click("#mint button[type=submit]")
		host.WaitVisible("#invitation-rows li:nth-child(2)")
		host.seen(name + "-minted")
		if name == "1280-light" {
			host.Screenshot("readme-room")
		}

		guest.Open(link)
		if guest.Status() != 200 || !strings.Contains(guest.Text("main"), "Ada Lovelace invites you") {
			t.Fatalf("the guest's page: %d %s", guest.Status(), guest.Text("main"))
		}
		if zone := guest.Text("main"); !strings.Contains(zone, "CET") && !strings.Contains(zone, "CEST") && !strings.Contains(zone, "GMT+") {
			t.Errorf("the time is not in the guest's zone: %s", zone)
		}
		guest.seen(name + "-guest")
		if name == "360-light" {
			guest.Screenshot("readme-guest")
		}
		other.Open(link) // looking uses nothing up
		guest.Fill("#guest-name", "Edsger")
		guest.Follow("main form button[type=submit]")
		if at, _, _ := strings.Cut(guest.URL(), "?"); !strings.HasSuffix(at, "/admitted") || guest.Text("h1") != "You’re in" {
			t.Fatalf("after the press: %s %s", guest.URL(), guest.Text("main"))
		}
		guest.seen(name + "-admitted")
		guest.Open(link)
		if !strings.Contains(guest.Text("main"), "Welcome back") {
			t.Fatalf("coming back: %s", guest.Text("main"))
		}
		guest.Follow("main form button[type=submit]")
		if guest.Text("h1") != "You’re in" {
			t.Fatalf("entering again: %s", guest.Text("main"))
		}

		other.Follow("main form button[type=submit]")
		if other.Status() != 409 || !strings.Contains(other.Text("main"), "has been used") {
			t.Fatalf("a second person: %d %s", other.Status(), other.Text("main"))
		}
		other.seen(name + "-used")

		host.Open("/rooms/ada-lovelaces-room")
		if got := host.Text("#invitation-rows"); !strings.Contains(got, "redeemed") || !strings.Contains(got, "Grace Hopper") {
			t.Fatalf("the room's invitations: %s", got)
		}
		host.Click("#invitation-rows li:nth-child(2) form[action$=revoke] button")
		host.WaitVisible("#invitation-rows li:nth-child(2) form[action$=restore] button")
		guest.Open("/join/ada-lovelaces-room/admitted")
		if guest.Status() != 410 {
			t.Fatalf("after revoking, coming back answers %d: %s", guest.Status(), guest.Text("main"))
		}
		guest.seen(name + "-revoked")
		host.waitFocused("#invitation-rows li:nth-child(2) form[action$=restore] button")
		host.Press(kb.Enter)
		host.WaitVisible("#invitation-rows li:nth-child(2) form[action$=revoke] button")
		guest.Open("/join/ada-lovelaces-room/admitted")
		if guest.Status() != 200 {
			t.Fatalf("after undoing, coming back answers %d", guest.Status())
		}

		host.Follow("#invitation-rows li:nth-child(2) a.name")
		if got := host.Text("main"); !strings.Contains(got, "Came in") || !strings.Contains(got, "Edsger") || !strings.Contains(got, "Restored") {
			t.Fatalf("the history: %s", got)
		}
		host.seen(name + "-invitation")
		host.Follow("form[action$=reissue] button")
		if got := host.Text("main"); !strings.Contains(got, "new link") {
			t.Fatalf("reissued: %s", got)
		}
		other.Open(link)
		if other.Status() != 410 || !strings.Contains(other.Text("main"), "newer link") {
			t.Fatalf("the old link: %d %s", other.Status(), other.Text("main"))
		}
		host.Open("/rooms/ada-lovelaces-room/edit")
		host.seen(name + "-edit")
		host.Open("/docs")
		host.seen(name + "-docs")
		host.Open("/problems/used")
		host.seen(name + "-problem")
		host.Open("/no/such/page")
		host.seen(name + "-404")
		other.Open("/i/nonsense")
		other.seen(name + "-unknown")
	})
}

// Everything a host does most can be done without a mouse.
func TestBrowserKeyboardOnly(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	b := newBrowser(t, browserOptions{Server: s.URL})
	b.Open("/")
	if !b.Focused("#username") {
		b.tabTo("#username")
	}
	b.Press(hostName)
	b.tabTo("#password")
	b.Press(hostPassword)
	b.Loads(func() { b.Press(kb.Enter) })
	b.tabTo("main form button[type=submit]")
	b.Loads(func() { b.Press(kb.Enter) })
	b.tabTo("#mint-name")
	b.Press("Alan")
	b.Press(kb.Enter)
	b.WaitVisible("#minted-link")
	b.tabTo("form[action$=revoke] button")
	b.Press(kb.Enter)
	b.WaitVisible("form[action$=restore] button")
	b.waitFocused("form[action$=restore] button")
	b.Press(kb.Enter)
	b.WaitVisible("form[action$=revoke] button")
}

// waitFocused waits until the element has the focus, which htmx gives it a
// moment after it put it there.
func (b *browserTab) waitFocused(sel string) {
	b.t.Helper()
	b.do("wait for the focus on "+sel, chromedp.Poll[chromedp.Void](`document.activeElement === document.querySelector(`+quote(sel)+`)`))
}

// tabTo presses Tab until the element has the focus, which the page must show.
func (b *browserTab) tabTo(sel string) {
	b.t.Helper()
	for range 60 {
		if b.Focused(sel) {
			return
		}
		b.Press(kb.Tab)
	}
	b.t.Fatalf("no number of Tabs leads to %s", sel)
}

// Without JavaScript the same journey goes through whole pages.
func TestBrowserWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	look := browserOptions{Server: s.URL, NoScript: true, Width: 360}
	host, guest := newBrowser(t, look), newBrowser(t, look)
	host.signIn()
	host.Follow("main form button[type=submit]")
	host.Follow("#mint button[type=submit]")
	if got := host.Text("main"); !strings.Contains(got, "UTC") {
		t.Errorf("without JavaScript times are in UTC and say so: %s", got)
	}
	link := host.Attribute("input[value*='/i/']", "value")
	guest.Open(link)
	guest.Follow("main form button[type=submit]")
	if guest.Text("h1") != "You’re in" {
		t.Fatalf("after the press: %s", guest.Text("main"))
	}
	host.Follow("form[action$=revoke] button")
	guest.Open(link)
	if guest.Status() != 410 {
		t.Fatalf("after revoking: %d", guest.Status())
	}
	host.Follow("form[action$=restore] button")
	guest.Open(link)
	if guest.Status() != 200 || !strings.Contains(guest.Text("main"), "Welcome back") {
		t.Fatalf("after undoing: %d %s", guest.Status(), guest.Text("main"))
	}
}
