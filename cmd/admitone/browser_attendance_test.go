package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A host reads who came, sees it change while it stands open, and takes a person's
// data out.
func TestBrowserWhoCame(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		room := s.createRoom(t, "Stand-up")
		host := newBrowser(t, look)
		host.signIn()
		ada := s.mint(t, room, members{"name": "Ada Lovelace", "email": "ada@mail.example"})
		s.mint(t, room, members{"name": "Hedy Lamarr"})
		several := s.mint(t, room, members{"max_uses": 3})
		host.Open("/rooms/" + room)
		host.Click("main details.menu summary")
		host.Follow("main details.menu a[href$='/attendance']")
		if got := host.Text("#turnout"); !strings.Contains(got, "3 invited") || !strings.Contains(got, "0 came") {
			t.Errorf("over the list stands %q", got)
		}
		enter(t, s, room, ada, "Ada Lovelace")
		enter(t, s, room, several, "王小明")
		enter(t, s, room, several, `Bo <b>"`)
		host.do("the list to say so", chromedp.Poll[chromedp.Void](`document.querySelector("#turnout").innerText.includes("3 people") && document.querySelector("#guests").innerText.includes("王小明")`))
		host.seen(name + "-who-came")
		host.Follow("nav.tabs a[href$='part=not_yet']")
		if got := host.Text("#guests"); !strings.Contains(got, "Hedy") || strings.Contains(got, "Ada") {
			t.Errorf("those who did not come yet are %q", got)
		}

		host.Open("/account/person")
		host.Fill("#person-address", "ADA@mail.example")
		host.Follow("main form[action='/account/person'] button")
		host.seen(name + "-person")
		host.Fill("#person-confirm", "ada@mail.example")
		host.Follow("form[action$='/delete'] button")
		host.Open("/rooms/" + room + "/attendance")
		if got := host.Text("#guests"); !strings.Contains(got, "Name removed") || strings.Contains(got, "Ada") {
			t.Errorf("after the removal the list says %q", got)
		}
		host.seen(name + "-name-removed")
	})
}
