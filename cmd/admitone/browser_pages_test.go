package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A host who is new here walks through the pages around the main job, in the
// reader's language: each says where one is, what is wrong, and what to do.
func TestBrowserPagesAroundTheMainJob(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		for _, language := range []string{"en", "zh-CN"} {
			look.Language = language
			aroundTheMainJob(t, look, name+"-"+language)
		}
	})
}

func aroundTheMainJob(t *testing.T, look browserOptions, name string) {
	s := startServer(t, ladies)
	look.Server = s.URL
	english := look.Language == "en"
	says := func(b *browserTab, english_, chinese string) {
		t.Helper()
		want := map[bool]string{true: english_, false: chinese}[english]
		if got := b.Text("main"); !strings.Contains(got, want) {
			t.Errorf("%s does not say %q:\n%s", name, want, got)
		}
	}
	room := s.createRoom(t, "Stand-up")
	s.call(t, http.StatusOK, "PATCH", "/rooms/"+room, members{"capacity": 10, "name": "Weekly stand-up"})
	host, guest, other := newBrowser(t, look), newBrowser(t, look), newBrowser(t, look)
	inv := s.mint(t, room, nil)
	guest.Open(inv.Short)
	guest.Fill("#guest-name", "Grace")
	guest.Follow("main form button[type=submit]")
	guest.seen(name + "-admitted")
	guest.Follow("form[action$='/move'] button")
	other.Open(inv.Short)
	other.Fill("#ask-name", "Bo")
	other.Follow("form[action*='/request'] button")

	host.signIn()
	host.seen(name + "-rooms")
	host.Open("/docs")
	if host.Count("a[href='/account']") == 0 {
		t.Error("the API's page has no way back")
	}
	host.seen(name + "-docs")
	host.Open("/rooms/nowhere")
	host.seen(name + "-nowhere")
	host.Open("/rooms/" + room)
	host.WaitVisible("#people-here li") // also while the guest's page shows a code
	says(host, "1 of 10 guests", "访客 1/10")
	says(host, "Grace", "Grace")
	host.seen(name + "-room")
	guest.Open("/m") // its link is about to be worthless
	host.Fill("select[name=expires]", "4h")
	host.Follow("form[action$='/answer'] button:last-child")
	says(host, "New link for Bo. Send it to them.", "给 Bo 的新链接已生成，请发给对方。")
	says(host, "Does this link work now?", "这个链接现在能用吗？")
	host.seen(name + "-answered")
	host.Open(inv.Short)
	host.seen(name + "-refused-host")
	host.Follow("main a[href='/invitations/" + inv.ID + "']")
	host.seen(name + "-invitation")
	host.Open("/rooms/" + room + "/history")
	says(host, "Grace (guest)", "Grace (访客)")
	says(host, "Name, Guests let in at most", "名称、最多入场访客数")
	host.seen(name + "-history")
	host.Open("/account")
	host.seen(name + "-account")
	host.Open("/rooms/" + room + "/sheet?id=" + url.QueryEscape(s.mint(t, room, members{"name": "Cy"}).ID))
	host.WaitVisible("[data-print]")
	host.seen(name + "-sheet")
	host.Open("/rooms/" + room + "/sheet")
	host.seen(name + "-sheet-empty")
	host.Open("/rooms/" + room + "/edit")
	host.Fill("#room-name", " ")
	host.Fill("#room-capacity", "100001")
	host.Follow("main form button[type=submit]")
	if host.Count("#room-name-wrong, #room-capacity-wrong") != 2 {
		t.Errorf("not both fields are named: %s", host.Text("main"))
	}
	host.seen(name + "-edit-wrong")
}
