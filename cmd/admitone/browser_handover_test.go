package main

import (
	"strings"
	"testing"
)

// An admin hands a room to another host, from its edit page.
func TestBrowserHandsARoomOver(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		other := `,{"username":"grace","password":"` + hostPassword + `","display_name":"Grace Hopper"}]`
		s := startServer(t, strings.TrimSuffix(ladies, "]")+other)
		look.Server = s.URL
		host := newBrowser(t, look)
		host.signIn()
		host.Open("/rooms/" + s.createRoom(t, "Handed") + "/edit")
		host.seen(name + "-handover")
		host.Fill("#handover-owner", "grace")
		host.Follow("#handover button")
		if text := host.Text("main"); !strings.Contains(text, "belongs to another host now") || !strings.Contains(text, "grace") {
			t.Errorf("after it: %s", text)
		}
		host.seen(name + "-handed-over")
	})
}
