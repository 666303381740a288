package main

import (
	"net/http"
	"strings"
	"testing"
)

// A host asks for a PIN; the guest is let in by it and by nothing else, and
// mistyping uses nothing up. A full room says so, and takes no use either.
func TestBrowserPINAndFullRoom(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		host, guest := newBrowser(t, look), newBrowser(t, look)
		host.signIn()
		host.Click("details.more summary")
		host.Fill("#room-capacity", "0")
		if _, err := eval[int](host, `(document.querySelector("#room-capacity").removeAttribute("min"), 1)`); err != nil {
			t.Fatal(err)
		}
		host.Follow("main form button[type=submit]")
		if host.Status() != http.StatusUnprocessableEntity || host.Value("#room-capacity") != "0" {
			t.Fatalf("no place at all: %d %s", host.Status(), host.Text("main"))
		}
		host.seen(name + "-room-refused")
		host.Fill("#room-capacity", "1")
		host.Follow("main form button[type=submit]")
		host.Click("#mint details.more summary")
		host.Fill("#mint-pin", "12")
		host.Expect("422")
		host.Click("#mint button[type=submit]")
		host.WaitVisible("#mint-pin-wrong")
		host.Fill("#mint-pin", "sesam7")
		host.seen(name + "-mint-pin")
		host.Click("#mint button[type=submit]")
		host.WaitVisible("#minted-link")

		guest.Open(host.Value("#minted-link"))
		guest.Fill("#guest-name", "Edsger")
		guest.Fill("#guest-pin", "nope")
		guest.Follow("main form button[type=submit]")
		if guest.Status() != http.StatusForbidden || !strings.Contains(guest.Text("main"), "That is not the PIN") || guest.Value("#guest-name") != "Edsger" {
			t.Fatalf("a wrong PIN: %d %s", guest.Status(), guest.Text("main"))
		}
		guest.seen(name + "-pin-wrong")
		guest.Fill("#guest-pin", "sesam7")
		guest.Follow("main form button[type=submit]")
		if guest.Text("h1") != "You’re in" {
			t.Fatalf("the PIN: %s", guest.Text("main"))
		}

		second := s.mint(t, "ada-lovelaces-room", nil)
		late := newBrowser(t, look)
		late.Open(second.Short)
		late.Follow("main form button[type=submit]")
		if late.Status() != http.StatusConflict || !strings.Contains(late.Text("main"), "The room is full") {
			t.Fatalf("one too many: %d %s", late.Status(), late.Text("main"))
		}
		late.seen(name + "-full")
		if got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+second.ID, nil).Get("uses"); got != "0" {
			t.Errorf("being refused took %s uses", got)
		}
	})
}
