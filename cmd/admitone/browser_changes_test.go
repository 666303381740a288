package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// waitFor waits until a script says true.
func (b *browserTab) waitFor(what, script string) {
	b.t.Helper()
	b.do("wait for "+what, chromedp.Poll[chromedp.Void](script, chromedp.WithPollingInterval(100*time.Millisecond))) // a covered tab draws no frames
}

// showing is a script that tells whether an element's text contains this one.
func showing(sel, text string) string {
	return fmt.Sprintf(`(document.querySelector(%s)?.innerText ?? "").includes(%s)`, quote(sel), quote(text))
}

// The list of rooms counts by itself what programs, other hosts and guests do.
func TestBrowserRoomsListChangesByItself(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	room := s.createRoom(t, "Stand-up")
	host := newBrowser(t, browserOptions{Server: s.URL})
	host.signIn()
	host.Open("/")
	host.Fill("#room-name", "half typed")
	card := "#room-" + room
	inv := s.mint(t, room, nil)
	host.waitFor("the new invitation", showing(card, "1 open invitation"))
	s.mint(t, room, nil)
	host.waitFor("one more", showing(card, "2 open invitations"))
	enter(t, s, room, inv, "Ada")
	host.waitFor("the guest", showing(card, "1 used"))

	late := &guestBrowser{s: s}
	_, nonce := late.Look(t, inv.Short)
	late.Press(t, inv.Short+"/request", nonce)
	host.waitFor("the request", showing(card, "1 asks for a new link"))
	s.call(t, http.StatusNoContent, http.MethodDelete, "/rooms/"+room, nil)
	host.waitFor("the closing", showing(card, "closed"))
	other := s.createRoom(t, "Another")
	host.WaitVisible("#room-" + other)
	if got := host.Value("#room-name"); got != "half typed" || !host.Focused("#room-name") {
		t.Errorf("what was being typed is %q now", got)
	}
}

// A request for a new link comes to the room's page by itself, and goes from it
// when it is answered elsewhere; what the host is doing meanwhile stays.
func TestBrowserRequestsComeAndGo(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	room := s.createRoom(t, "Stand-up")
	inv := s.mint(t, room, members{"name": "Grace Hopper"})
	enter(t, s, room, inv, "Grace Hopper")
	host := newBrowser(t, browserOptions{Server: s.URL})
	host.signIn()
	other := newBrowser(t, browserOptions{Server: s.URL})
	other.signIn()
	host.Open("/rooms/" + room)
	host.Click("#mint details.more summary")
	host.Fill("#mint-name", "half typed")
	host.Fill("#mint-pin", "12")
	host.Click("#mint .choices label:nth-child(3)")
	host.Fill("#invitation-q", "gra")

	late := &guestBrowser{s: s}
	_, nonce := late.Look(t, inv.Short)
	late.visit(t, http.MethodPost, inv.Short+"/request", url.Values{"nonce": {nonce}, "name": {"Bo"}})
	host.waitFor("the request", showing("#requests", "Bo"))
	host.waitFor("the news of it", showing("#announce", "Bo asks for a new link"))
	other.Open("/rooms/" + room)
	other.Follow("form[action$='/dismiss'] button")
	host.WaitGone("#requests li")

	left := host.Value("#mint-name") + " " + host.Value("#mint-pin") + " " + host.Value("#invitation-q")
	chosen, err := eval[string](host, `document.querySelector("#mint [name=expires]:checked").value`)
	if left != "half typed 12 gra" || chosen != "1d" || err != nil || !host.Focused("#invitation-q") || host.Count("#mint details.more[open]") != 1 {
		t.Errorf("what was being typed is %q and %q now", left, chosen)
	}
}

// Whoever comes and goes is told to who cannot see it, in whole sentences and
// never twice; and the keyboard stays where it was.
func TestBrowserTellsWhoComesAndGoes(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	room := s.createRoom(t, "Stand-up")
	host := newBrowser(t, browserOptions{Server: s.URL})
	host.signIn()
	grace := enter(t, s, room, s.mint(t, room, nil), "Grace")
	host.Open("/rooms/" + room)
	if got := host.Text("#announce"); got != "" || host.Attribute("#announce", "role") != "status" {
		t.Errorf("before anything happens it tells %q", got)
	}
	host.tabTo("#people-here li:first-child form button")
	ada := enter(t, s, room, s.mint(t, room, nil), "Ada")
	host.waitFor("the news", showing("#announce", "Ada came in"))
	if got := host.Text("#announce"); got != "Ada came in" {
		t.Errorf("it tells %q", got)
	}
	if !host.Focused("#people-here li:first-child form button") {
		t.Error("the keyboard is elsewhere now")
	}
	_ = ada.resp.Body.Close()
	host.waitFor("the news", showing("#announce", "Ada left"))
	host.waitFor("silence", `document.querySelector("#announce").innerText === ""`)
	_ = grace.resp.Body.Close()
	host.waitFor("the news", showing("#announce", "Grace left"))
}

// A tab in the background counts in its title and marks its icon, until it is looked at.
func TestBrowserTabInTheBackground(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	room := s.createRoom(t, "Stand-up")
	host := newBrowser(t, browserOptions{Server: s.URL})
	host.signIn()
	back := host.beside()
	back.Open("/rooms/" + room)
	back.waitFor("being looked at", `!document.hidden`)
	front := host.beside()
	front.Open("/docs")
	back.waitFor("being covered", `document.hidden`)
	enter(t, s, room, s.mint(t, room, nil), "Ada")
	const icon = `document.querySelector("link[rel=icon]").href`
	back.waitFor("the title", `document.title.startsWith("(1) Stand-up")`)
	if got, err := eval[bool](back, icon+`.includes("present")`); !got || err != nil {
		t.Errorf("the icon is not marked: %v", err)
	}
	back.toFront()
	back.waitFor("the plain icon", `!document.hidden && !`+icon+`.includes("present")`)
}

// More live pages than a browser has connections to one server over HTTP/1.1,
// and still each can be used, by hosts and by guests.
func TestBrowserManyTabs(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	room := s.createRoom(t, "Stand-up")
	host, guest := newBrowser(t, browserOptions{Server: s.URL}), newBrowser(t, browserOptions{Server: s.URL})
	host.signIn()
	guest.Open(s.mint(t, room, nil).Short)
	guest.Follow(pressMain)
	for who, at := range map[*browserTab]string{host: "/rooms/" + room, guest: "/join/" + room + "/admitted"} {
		tabs := []*browserTab{who}
		for range 9 {
			tabs = append(tabs, who.beside())
		}
		for i, tab := range tabs {
			began := time.Now()
			tab.Open(at)
			tab.waitFor("the page", `document.readyState === "complete"`)
			t.Logf("tab %d of %s after %s", i+1, at, time.Since(began))
		}
		last := tabs[len(tabs)-1]
		enter(t, s, room, s.mint(t, room, nil), "Ada at "+at)
		last.waitFor("the news in the tab that is looked at", showing("#people", "Ada at "+at))
		for _, tab := range tabs {
			tab.toFront()
			tab.waitFor("the news", showing("#people", "Ada at "+at))
		}
		tabs[3].Open(at)
	}
}

// toFront makes the tab the one that is looked at.
func (b *browserTab) toFront() {
	b.t.Helper()
	b.do("bring to the front", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, cdpage.BringToFront, cdp.Empty{})
		return err
	}))
}

// Where event streams do not come through, because something on the way refuses
// or withholds them, pages ask again and again instead, and a guest who asks is
// in the room.
func TestBrowserWithoutStreams(t *testing.T) {
	t.Parallel()
	for name, instead := range map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"withheld": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, ladies)
			room := s.createRoom(t, "Stand-up")
			server, err := url.Parse(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			through := httputil.NewSingleHostReverseProxy(server)
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
					instead(w, r)
					return
				}
				through.ServeHTTP(w, r)
			}))
			t.Cleanup(proxy.Close)
			host, guest := openBrowser(t, browserOptions{Server: proxy.URL}), openBrowser(t, browserOptions{Server: proxy.URL})
			host.signIn()
			host.Open("/rooms/" + room)
			guest.Open("/i/" + s.mint(t, room, members{"name": "Grace"}).Code())
			guest.Follow(pressMain)
			host.waitFor("the guest who asks", showing("#people", "Grace"))
			enter(t, s, room, s.mint(t, room, nil), "Ada")
			guest.waitFor("the other guest", showing("#people", "Ada"))
			for _, b := range []*browserTab{host, guest} {
				found, _ := b.found()
				for _, problem := range found {
					if !strings.Contains(problem, "502") {
						t.Errorf("in the browser: %s", problem)
					}
				}
			}
		})
	}
}

// The page of who is in says by itself that another device took its place.
func TestBrowserOldDeviceIsToldWithinASecond(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	w := &world{server: s}
	room := s.createRoom(t, "Stand-up")
	old := openBrowser(t, browserOptions{Server: s.URL})
	old.Open(s.mint(t, room, members{"name": "Ada"}).Short)
	old.Follow(pressMain)
	old.Follow("form[action$='/move'] button")
	code := old.Text(".move-code")
	tab := old.beside() // the same device's other tab, which shows the page of who is in
	tab.Open("/join/" + room + "/admitted")
	tab.WaitVisible("#people-here li")
	w.press(t, &guestBrowser{s: s}, "/m/"+strings.ReplaceAll(code, "-", ""))
	tab.toldOff(t)
	if tab.Status() != http.StatusGone || !strings.Contains(tab.Text("h1"), "another device") {
		t.Errorf("the old device is told %d %s", tab.Status(), tab.Text("main"))
	}
}
