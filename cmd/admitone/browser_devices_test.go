package main

import (
	"net/http"
	"strings"
	"testing"
)

// A guest goes on, on another device: by its code, which the old one shows, and
// which then says by itself that it is no longer the one.
func TestBrowserContinuesOnAnotherDevice(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t)
		look.Server = s.URL
		inv := s.mint(t, s.createRoom(t, "Stand-up"), members{"name": "Ada"})
		old, device, host := newBrowser(t, look), newBrowser(t, look), newBrowser(t, look)
		old.Open(inv.Short)
		old.Follow("main form button[type=submit]")
		old.seen(name + "-move-door")
		old.Follow("form[action$='/move'] button")
		old.seen(name + "-move-code")
		if drawn, err := eval[bool](old, `(async () => { const i = document.querySelector(".qr img"); await i.decode(); return i.naturalWidth > 0 })()`); err != nil || !drawn {
			t.Fatalf("the QR code is not drawn: %v", err)
		}
		code := strings.TrimSpace(old.Text(".move-code"))

		device.Open("/m")
		device.seen(name + "-move-entry")
		device.Fill("#move-code", "WRONG-000")
		device.Follow("main form button[type=submit]")
		device.seen(name + "-move-wrong")
		device.Fill("#move-code", strings.ToLower(code))
		device.Follow("main form button[type=submit]")
		if got := device.Text("main"); device.Status() != http.StatusOK || !strings.Contains(got, "Continue here") {
			t.Fatalf("the code %s leads to %d %s", code, device.Status(), got)
		}
		device.seen(name + "-move-here")
		old.Loads(func() { device.Follow("main form button[type=submit]") }) // it leaves by itself
		if device.Text("h1") != "You’re in" {
			t.Fatalf("not in: %s", device.Text("main"))
		}
		if old.Status() != http.StatusGone || !strings.Contains(old.Text("h1"), "another device") {
			t.Fatalf("the old device is told %d %s", old.Status(), old.Text("main"))
		}
		old.seen(name + "-moved")
		device.Open(inv.Short)
		if !strings.Contains(device.Text("main"), "Welcome back") {
			t.Errorf("the link on the new device: %s", device.Text("main"))
		}
		host.signIn()
		host.Open("/invitations/" + inv.ID)
		host.seen(name + "-moved-host")
		host.Follow("form[action$='/moves'] button")
		if !strings.Contains(host.Text("main"), "1 of 2") {
			t.Errorf("after allowing one more: %s", host.Text("main"))
		}
		device.Open("/join/stand-up/admitted")
		if device.Count("form[action$='/move']") != 1 {
			t.Error("the new device may not move on")
		}
	})
}

// A second person asks for a link of their own; the host makes one with a press.
func TestBrowserAsksForANewLink(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t)
		look.Server = s.URL
		inv := s.mint(t, s.createRoom(t, "Stand-up"), members{"name": "Ada"})
		first, second, host := newBrowser(t, look), newBrowser(t, look), newBrowser(t, look)
		first.Open(inv.Short)
		first.Follow("main form button[type=submit]")
		second.Open(inv.URL)
		if second.Status() != http.StatusConflict {
			t.Fatalf("the used link answers %d", second.Status())
		}
		second.seen(name + "-ask")
		second.Fill("#ask-name", "Bo")
		second.Follow("form[action*='/request'] button")
		if got := second.Text("main"); second.Status() != http.StatusConflict || !strings.Contains(got, "has been asked") || second.Count("form") != 0 {
			t.Fatalf("after asking: %d %s", second.Status(), got)
		}
		second.seen(name + "-asked")

		host.signIn()
		host.seen(name + "-rooms-requests")
		host.Follow("a[href*='#requests-title']")
		host.seen(name + "-requests")
		host.Follow("form[action$='/dismiss'] button")
		host.Follow("form[action$='/recall'] button")
		host.Follow("form[action$='/answer'] button")
		host.seen(name + "-answered")
		link := host.Value("#link")
		if !strings.HasPrefix(link, s.URL+"/i/") || link == inv.Short || host.Count("figure.qr img") != 1 {
			t.Fatalf("the new link is %q", link)
		}
		second.Open(inv.URL)
		if got := second.Text("main"); !strings.Contains(got, "has made a new link") || strings.Contains(got, link) {
			t.Fatalf("after the answer: %s", got)
		}
		second.seen(name + "-ask-answered")
		second.Open(link)
		second.Follow("main form button[type=submit]")
		if second.Text("h1") != "You’re in" {
			t.Fatalf("not in: %s", second.Text("main"))
		}
	})
}
