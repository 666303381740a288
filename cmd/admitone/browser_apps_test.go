package main

import (
	"net/http"
	"strings"
	"testing"
)

// What acts for a host: a key is made, shown once, used, seen in a history by
// its name, and removed; an app is made and ended; an admin makes new signing
// keys, and the links go on working.
func TestBrowserAppsAndKeys(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		host := newBrowser(t, look)
		host.signIn()
		room := s.createRoom(t, "Story")

		host.Open("/account")
		host.seen(name + "-account")
		host.Follow(`main a[href="/account/keys"]`)
		host.Fill("#key-name", "Booking script")
		host.seen(name + "-keys-empty")
		host.Follow("main form button.main")
		if host.URL() != "/account/keys" {
			t.Fatalf("it is at %s", host.URL())
		}
		host.waitFocused("#secret-title")
		key := host.Value("#secret")
		host.seen(name + "-key-made")
		host.Click("main [data-copy]")
		host.Open("/account/keys")
		if host.Count("#secret") != 0 || !strings.Contains(host.Text("main"), "Booking script") {
			t.Errorf("after looking again: %s", host.Text("main"))
		}
		made, err := s.try(key, http.MethodPost, "/rooms/"+room+"/invitations", members{"role": "guest", "name": "Grace Hopper"})
		if err != nil || made.Status != http.StatusCreated {
			t.Fatalf("with the key: %v, %v", made, err)
		}
		if refused, err := s.try(key, http.MethodPost, "/rooms/"+room+"/invitations", members{"role": "host"}); err != nil || refused.Status != http.StatusForbidden {
			t.Errorf("a host's link: %v, %v", refused, err)
		}
		host.Open("/rooms/" + room + "/history")
		if !strings.Contains(host.Text("main"), "Booking script (API key) invited Grace Hopper") {
			t.Errorf("the story: %s", host.Text("main"))
		}
		host.seen(name + "-history")
		host.Open("/account/keys")
		host.Follow(`main li a[href^="/account/keys/"]`)
		host.seen(name + "-key")
		host.Follow(`main form[action$="/remove"] button`)
		host.seen(name + "-key-removed")
		if gone, err := s.try(key, http.MethodGet, "/rooms", nil); err != nil || gone.Status != http.StatusUnauthorized {
			t.Errorf("with the removed key: %v, %v", gone, err)
		}

		host.Open("/account/apps")
		host.Click("main details.more summary")
		host.Fill("#app-name", "Booking")
		host.Fill("#app-redirects", "http://elsewhere.example/")
		host.seen(name + "-apps")
		host.Follow("main form button.main")
		host.waitFocused("#app-redirects")
		host.seen(name + "-app-refused")
		host.Fill("#app-redirects", "https://booking.example/back")
		host.Follow("main form button.main")
		host.waitFocused("#secret-title")
		host.seen(name + "-app-made")
		host.Follow(`main form[action$="/secret"] button`)
		host.waitFocused("#secret-title")
		host.Follow(`main form[action$="/remove"] button`)
		host.seen(name + "-app-removed")

		host.Open("/account/signing-keys")
		host.seen(name + "-signing-keys")
		host.Follow(`main form[action$="/rotate"] button`)
		if text := host.Text("main"); !strings.Contains(text, "New keys begin") {
			t.Errorf("after making new ones: %s", text)
		}
		host.seen(name + "-signing-keys-coming")
		host.Open(made.Get("short_url"))
		if !strings.Contains(host.Text("main"), "Story") {
			t.Errorf("the link: %s", host.Text("main"))
		}
	})
}
