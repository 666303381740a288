package main

import (
	"strings"
	"testing"
)

// A host sorts a list by its links, keeps order and filters while searching, and
// sees on the list of rooms who comes and goes.
func TestBrowserSortsAListAndSeesWhoIsWhere(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		sorted(t, s, look, name)
	})
}

func sorted(t *testing.T, s *server, look browserOptions, name string) {
	t.Helper()
	room := s.createRoom(t, "Sorted")
	var ada minted
	for _, guest := range []string{"Bo", "Ada", "Cy"} {
		if m := s.mint(t, room, members{"name": guest}); guest == "Ada" {
			ada = m
		}
	}
	host := newBrowser(t, look)
	host.signIn()
	host.Open("/rooms/" + room + "?state=pending")
	order := func(want string) {
		t.Helper()
		if got := strings.Join(strings.Fields(host.Text("#invitation-rows li:first-child .name")), " "); got != want {
			t.Errorf("%s is first, want %s", got, want)
		}
	}
	order("Cy")
	host.Follow(".sorts a:nth-of-type(3)")
	order("Ada")
	if to := host.URL(); to != "/rooms/"+room+"?sort=name&state=pending" {
		t.Errorf("sorted at %s", to)
	}
	if host.Attribute(".sorts a:nth-of-type(3)", "aria-current") != "true" || host.Attribute(".sorts a:nth-of-type(1)", "aria-current") != "" {
		t.Error("the order in force is not marked")
	}
	host.seen(name + "-sorted")
	host.Fill("#invitation-q", "o")
	until(t, "the search to keep order and filter", func() bool { return host.URL() == "/rooms/"+room+"?state=pending&sort=name&q=o" })
	order("Bo")

	host.Open("/")
	here := func(want string, is bool) {
		t.Helper()
		until(t, want, func() bool {
			return is == strings.Contains(strings.Join(strings.Fields(host.Text("main")), " "), want)
		})
	}
	here("here now", false)
	g := enter(t, s, room, ada, "Ada")
	here("1 here now", true)
	host.seen(name + "-rooms-people")
	_ = g.resp.Body.Close()
	here("here now", false)
}
