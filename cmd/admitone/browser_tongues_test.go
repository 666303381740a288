package main

import (
	"net/http"
	"strings"
	"testing"
)

// A page that runs from right to left, as in Arabic or Hebrew, fits on a phone
// as well: nothing sticks out at either side, and all can be used.
func TestBrowserPagesRunFromRightToLeft(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	room := s.createRoom(t, "פגישה שבועית")
	inv, used := s.mint(t, room, members{"name": "נועה", "pin": "1234"}), s.mint(t, room, nil)
	(&guestBrowser{s: s}).pressOn(t, used.Short)
	b := newBrowser(t, browserOptions{Server: s.URL, Width: 360, Height: 740, Mobile: true})
	turn := func(name string) {
		t.Helper()
		if _, err := eval[int](b, `(document.documentElement.dir = "rtl", 1)`); err != nil {
			t.Fatal(err)
		}
		const out = `[...document.querySelectorAll("main *, footer *")].filter((e) => {
			const r = e.getBoundingClientRect();
			return r.width > 1 && e.checkVisibility() && (r.left < -1 || r.right > innerWidth + 1);
		}).map((e) => e.outerHTML.slice(0, 90)).join("\n")`
		if got, err := eval[string](b, out); got != "" || err != nil {
			t.Errorf("%s: out of the window at a side: %s, %v", name, got, err)
		}
		b.seen("rtl-" + name)
	}
	b.Open(inv.Short)
	b.Click("main details summary")
	b.WaitVisible("main details .qr img")
	turn("join")
	b.Fill("#guest-pin", "1234")
	b.Follow("main form button[type=submit]")
	turn("admitted")
	b.Open(used.Short)
	turn("used")
	b.Open("/m")
	turn("move-entry")
}

// pressOn opens the link and presses its button.
func (g *guestBrowser) pressOn(t *testing.T, link string) {
	t.Helper()
	_, nonce := g.Look(t, link)
	if a := g.Press(t, link, nonce); a.Status != http.StatusSeeOther {
		t.Fatalf("the press answers %d", a.Status)
	}
}

// Where cookies are blocked the press says so, uses nothing up, and leads to
// another browser, in which the link works.
func TestBrowserWithoutCookiesSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	inv := s.mint(t, s.createRoom(t, "Standup"), nil)
	b := openCookieless(t, browserOptions{Server: s.URL, Width: 360, Height: 740, Mobile: true})
	t.Cleanup(b.check)
	for range 2 { // opening the page again does not help
		b.Open(inv.Short)
		b.Follow("main form button[type=submit]")
		if b.Status() != http.StatusForbidden || !strings.Contains(b.Text("main"), "allow cookies for this site") {
			t.Fatalf("answers %d: %s", b.Status(), b.Text("main"))
		}
	}
	b.WaitVisible("main .qr img")
	b.seen("guest-cookieless")
	link := b.Value("#elsewhere-link")
	if got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID, nil).Get("uses"); got != "0" {
		t.Fatalf("%s uses", got)
	}
	other := newBrowser(t, browserOptions{Server: s.URL})
	other.Open(link)
	other.Follow("main form button[type=submit]")
	if got := other.Text("h1"); got != "You’re in" {
		t.Errorf("in the other browser: %s", got)
	}
}

// The main pages lie still while they load, also where the script comes late.
func TestBrowserPagesLieStill(t *testing.T) {
	t.Parallel()
	control := site(t, map[string]string{
		"/jumps":   `<script src="/late.js"></script><p>It is pushed down.</p>`,
		"/late.js": `addEventListener("load", () => setTimeout(() => document.querySelector("h1").before(Object.assign(document.createElement("img"), {height: 300})), 100))`,
	})
	j := newBrowser(t, browserOptions{Server: control})
	if got, _ := j.shifts("/jumps"); got < 0.02 {
		t.Errorf("a page that jumps is said to shift by %v", got)
	}
	w := newWorld(t)
	for name, options := range map[string]browserOptions{"phone": {Width: 360, Height: 740, Mobile: true}, "desk": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Server, options.Timezone = w.URL, "Europe/Berlin"
			b := newBrowser(t, options)
			for _, p := range []met{
				{name: "join", path: w.inv["pending"].Short}, {name: "not-yet", path: w.inv["early"].Short}, {name: "used", path: w.inv["used"].Short},
				{name: "admitted", cookie: w.known.cookie, path: "/join/lobby/admitted"}, {name: "conference", cookie: w.known.cookie, path: "/join/conf/admitted"},
				{name: "signin", path: "/signin"}, {name: "rooms", cookie: w.host, path: "/"}, {name: "room", cookie: w.host, path: "/rooms/many"},
				{name: "lobby", cookie: w.host, path: "/rooms/lobby"}, {name: "invitation", cookie: w.host, path: "/invitations/" + w.inv["used"].ID},
				{name: "account", cookie: w.host, path: "/account"}, {name: "history", cookie: w.host, path: "/rooms/lobby/history"},
			} {
				b.arrive(met{name: p.name, cookie: p.cookie, path: "/healthz"})
				if got, parts := b.shifts(p.path); got >= 0.02 {
					t.Errorf("%s shifts by %.3f: %q", p.name, got, parts)
				}
			}
		})
	}
}
