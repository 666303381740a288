package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/tokens"
)

// events counts what of that kind is in the invitation's history.
func events(t *testing.T, b *bench, inv tokens.Invitation, kind string) int {
	t.Helper()
	return strings.Count(b.program(t, inv.Room.Owner).get(v1+"/invitations/"+shown(inv.ID)+"/events?limit=500").wants(http.StatusOK).body, `"kind":"`+kind+`"`)
}

// TestLookingNeverConsumes is F18: scanners, previews and prefetchers may look
// as often as they like, a thousand times here.
func TestLookingNeverConsumes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{Name: "Ada"})
	links := []string{b.short(inv), strings.ToUpper(b.short(inv)), b.long(t, inv)}
	t.Run("scanners", func(t *testing.T) {
		for n := range 8 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				scanner := b.from(t, fmt.Sprintf("127.0.2.%d", n+1))
				for i := range 125 {
					scanner.look(i, links[i%len(links)])
				}
			})
		}
	})
	after := b.invitation(t, inv.ID)
	if after.Uses != 0 || after.State(b.Clock.Millis()) != tokens.Pending {
		t.Errorf("after a thousand looks: %d uses, %s", after.Uses, after.State(b.Clock.Millis()))
	}
	if n := events(t, b, inv, "invitation.redeemed"); n != 0 {
		t.Errorf("%d admissions", n)
	}
	if n := events(t, b, inv, "invitation.opened"); n != 1 {
		t.Errorf("the history notes %d openings within an hour, want 1", n)
	}
	b.browser(t).press(t, b.short(inv)).wants(http.StatusSeeOther) // still good
}

// look looks in one of the ways there are.
func (v *visitor) look(i int, link string) {
	v.t.Helper()
	switch i % 9 {
	case 0:
		v.do(http.MethodHead, link, "").wants(http.StatusOK)
	case 1:
		v.do(http.MethodOptions, link, "").wants(http.StatusNoContent)
	case 2:
		v.get(link, header("Sec-Purpose", "prefetch;prerender")).wants(http.StatusOK)
	case 3:
		v.get(link, header("Purpose", "prefetch")).wants(http.StatusOK)
	case 4:
		v.get(link, header("X-Moz", "prefetch")).wants(http.StatusOK)
	case 5:
		v.get(link, header("Sec-Fetch-Site", "cross-site")).wants(http.StatusOK)
	default:
		v.get(link).wants(http.StatusOK)
	}
}

// press opens the link and presses its button.
func (v *visitor) press(t *testing.T, path string, pairs ...string) answer {
	t.Helper()
	form := v.get(path).wants(http.StatusOK).form(path)
	return v.post(path, with(form, pairs...))
}

func TestOpenedIsNotedOnceAnHour(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{ExpiresIn: 5 * time.Hour})
	for _, tt := range []struct {
		name  string
		after time.Duration
		look  func() answer
		want  int
	}{
		{"HEAD is no opening", 0, func() answer { return b.nobody(t).do("HEAD", b.short(inv), "") }, 0},
		{"nor is a prefetch", 0, func() answer { return b.nobody(t).get(b.short(inv), header("Sec-Purpose", "prefetch")) }, 0},
		{"the first look", 0, func() answer { return b.nobody(t).get(b.short(inv)) }, 1},
		{"by the other link at once", 0, func() answer { return b.nobody(t).get(b.long(t, inv)) }, 1},
		{"a minute before the hour", 59 * time.Minute, func() answer { return b.nobody(t).get(b.short(inv)) }, 1},
		{"after the hour", time.Minute, func() answer { return b.nobody(t).get(b.short(inv)) }, 2},
		{"and at once again", 0, func() answer { return b.nobody(t).get(b.short(inv)) }, 2},
	} {
		b.Clock.Add(tt.after)
		tt.look().wants(http.StatusOK)
		if n := events(t, b, inv, "invitation.opened"); n != tt.want {
			t.Errorf("%s: %d openings, want %d", tt.name, n, tt.want)
		}
	}
}

func TestALinkPageShowsWhatAGuestNeeds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "alice", "standup")
	inv := b.mint(t, room, tokens.Draft{Name: "Ada \u202eecaf <b>"})
	for _, path := range []string{b.short(inv), b.long(t, inv), strings.ToUpper(b.short(inv)), "/I/" + b.Invitations.Links.Code(inv.ID)} {
		page := b.browser(t).get(path).wants(http.StatusOK).says("Room standup", "Alice Liddell", "Ada \u202eecaf &lt;b&gt;", "2030-01-15T13:00:00Z", "<bdi>").saysNot("<b>\"", "//cdn", "http://")
		if page.form(path).Get("nonce") == "" {
			t.Errorf("%s: a form without a nonce", path)
		}
	}
}

// TestATokenOfOneRoomAtAnother is F16 on the page.
func TestATokenOfOneRoomAtAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
	b.room(t, "bob", "other")
	elsewhere := strings.Replace(b.long(t, inv), "/join/standup", "/join/other", 1)
	guest := b.browser(t)
	guest.get(elsewhere).wants(http.StatusForbidden).says("another room")
	nonce := guest.get(b.long(t, inv)).wants(http.StatusOK).form(b.long(t, inv))
	guest.post(elsewhere, nonce).wants(http.StatusForbidden).says("another room")
	guest.get("/join/nowhere" + strings.TrimPrefix(b.long(t, inv), "/join/standup")).wants(http.StatusForbidden)
	for _, bad := range []string{"/join/standup", "/join/standup?token=", "/join/standup?token=" + b.Invitations.Links.Code(inv.ID), b.long(t, inv) + "A", strings.Replace(b.long(t, inv), ".", "..", 1)} {
		guest.get(bad).wants(http.StatusNotFound)
	}
	if b.invitation(t, inv.ID).Uses != 0 {
		t.Error("a use was taken")
	}
}

// What chats glue to a link's end, or cut off it, does not send the guest astray.
func TestSpoiltLinksAreToldFromBrokenServers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.room(t, "bob", "party"), tokens.Draft{Name: "Ada"})
	guest := b.browser(t)
	for _, link := range []string{b.short(inv), b.long(t, inv)} {
		for _, glued := range []string{".", "),", "%3E", "…", "。"} {
			guest.get(link + glued).wants(http.StatusOK).says("Ada")
		}
		guest.get(link + "x").wants(http.StatusNotFound)
	}
	for _, cut := range []string{"/i/", "/join/", b.short(inv) + "/", "/join/party/", "/i/" + strings.Repeat("0", 26)} {
		guest.get(cut).wants(http.StatusNotFound).says("invalid_link").saysNot("not_found")
	}
}
