package main

import (
	"net/http"
	"strings"
	"testing"
)

// A host's own side of it: told of a new device, told whose link was opened,
// revoking a selection and undoing it, the room's story, the sheet to print.
func TestBrowserAccountAndHistory(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		host, other := newBrowser(t, look), newBrowser(t, look)
		host.signIn()
		other.signIn()
		room := s.createRoom(t, "Story")
		inv := s.mint(t, room, members{"name": "Grace Hopper"})
		s.mint(t, room, members{"name": "Ada"})

		host.Open("/")
		if !strings.Contains(host.Text("main"), "Signed in on a new device") {
			t.Fatalf("not told of the new device: %s", host.Text("main"))
		}
		host.seen(name + "-new-device")
		host.Follow(`main form[action$="/known"] button`)
		if strings.Contains(host.Text("main"), "Signed in on a new device") {
			t.Error("told again after dismissing it")
		}

		host.Open(inv.Short)
		if !strings.Contains(host.Text("main"), "Pressing the button would use") {
			t.Fatalf("the host is not told: %s", host.Text("main"))
		}
		host.seen(name + "-host-at-the-door")
		host.Follow(`main a[href^="/invitations/"]`)
		host.seen(name + "-why-not")
		guest := newBrowser(t, look)
		guest.Open(inv.Short)
		guest.Follow("main form button[type=submit]")
		if guest.Text("h1") != "You’re in" {
			t.Fatalf("the guest is not in: %s", guest.Text("main"))
		}
		host.Open("/invitations/" + inv.ID)
		if !strings.Contains(host.Text("main"), "All its uses are taken") {
			t.Errorf("why is not told: %s", host.Text("main"))
		}
		host.seen(name + "-why")

		host.Open("/rooms/" + room)
		if _, err := eval[int](host, `document.querySelectorAll(".choose").forEach((c) => c.click()), 1`); err != nil {
			t.Fatal(err)
		}
		host.seen(name + "-chosen")
		host.Follow(`#selection button[formmethod=get]`)
		host.seen(name + "-print")
		host.Open("/rooms/" + room)
		if _, err := eval[int](host, `document.querySelectorAll(".choose").forEach((c) => c.click()), 1`); err != nil {
			t.Fatal(err)
		}
		host.Follow(`#selection button:not([formmethod])`)
		if !strings.Contains(host.Text("main"), "2 invitations were revoked") {
			t.Fatalf("after revoking: %s", host.Text("main"))
		}
		host.seen(name + "-revoked-all")
		host.Follow(`main form[action*="/restore?at="] button`)
		if !strings.Contains(host.Text("main"), "2 invitations were restored") {
			t.Fatalf("after the undo: %s", host.Text("main"))
		}

		host.Open("/rooms/" + room + "/history")
		if text := host.Text("main"); !strings.Contains(text, "made the room") || !strings.Contains(text, "came in") {
			t.Errorf("the story: %s", text)
		}
		host.seen(name + "-history")
		host.Open("/account")
		host.seen(name + "-account")
		host.Follow(`main form[action="/account/sessions/end"] button`)
		other.Open("/account")
		if !strings.HasSuffix(strings.Split(other.URL(), "?")[0], "/signin") || other.Status() != http.StatusOK {
			t.Errorf("the other browser is still in: %s", other.URL())
		}
	})
}
