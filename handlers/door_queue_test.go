package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// A code that the device noted offline may have been used elsewhere by then.
func TestTheDoorShowsConflictsOfWhatWasNotedOffline(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	d := b.door(t, "bob", room)
	inv := b.mint(t, room, tokens.Draft{})
	code := b.Invitations.Links.Code(inv.ID)
	noted := fmt.Sprint(b.Clock.Millis())
	b.Clock.Add(time.Minute)
	got, _ := d.scan(code, "noted", noted)
	got.tells("admitted", "Noted here without a connection").saysNot("is not admitted")
	b.Clock.Add(time.Minute)
	got, _ = d.scan(code, "noted", noted)
	got.tells("used", "Noted here without a connection", "is not admitted")
	for _, none := range []string{"soon", "0", "-1", "9e9"} {
		got, _ = d.scan(code, "noted", none)
		got.tells("used").saysNot("Noted", "is not admitted")
	}
	got, _ = d.scan(code, "noted", fmt.Sprint(b.Clock.Millis()+time.Hour.Milliseconds()))
	ahead := b.Clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	got.tells("used", "Noted here", "is not admitted").saysNot(ahead) // its clock is fast
}

// Whoever was let in on the device's word and is not admitted stays on the page,
// whatever the reason, and the histories tell of it.
func TestTheDoorTellsOfConflictsForGood(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	d := b.door(t, "bob", room)
	noted := fmt.Sprint(b.Clock.Millis())
	b.Clock.Add(time.Minute)
	used := b.mint(t, room, tokens.Draft{Name: "Ada"})
	got, _ := d.scan(b.Invitations.Links.Code(used.ID))
	got.tells("admitted")
	early := b.mint(t, room, tokens.Draft{Name: "Bo", NotBefore: b.Clock.Millis() + 60_000, ExpiresIn: time.Hour})
	pin := b.mint(t, room, tokens.Draft{Name: "Cy", PIN: "4711"})
	for inv, verdict := range map[*tokens.Invitation]string{&used: "used", &early: "not_yet", &pin: "pin_required"} {
		got, _ := d.scan(b.Invitations.Links.Code(inv.ID))
		got.tells(verdict).saysNot("is not admitted", `name="dismiss"`)
		got, form := d.scan(b.Invitations.Links.Code(inv.ID), "noted", noted)
		got.tells(verdict, "is not admitted", `name="dismiss"`)
		d.sends(form).tells(verdict) // asked again, for a lost answer
		told := 0
		events, err := b.Invitations.Store.Events(t.Context(), inv.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range events {
			if ev.Kind == audit.InvitationDoorConflict && ev.Detail == verdict && ev.Actor.Name == "bob" {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%s: the history has it %d times", verdict, told)
		}
		for _, page := range []string{"/invitations/" + inv.ID.Show(rooms.InvitationPrefix), "/rooms/hall/history", d.at} {
			d.get(page).wants(http.StatusOK).says("without a connection, and")
		}
	}
	got, _ = d.scan(b.Invitations.Links.Code(pin.ID), "noted", noted)
	form := got.form(d.at)
	d.sends(with(form, "pin", "1234")).tells("pin_wrong", "is not admitted", `name="dismiss"`)
	d.sends(with(form, "pin", "4711")).tells("admitted", "Noted here").saysNot("is not admitted", "dismiss")
}

// What waits on a device is sent by the host who noted it, and by no other, also
// from a page that was left open.
func TestWhatWaitsOnADeviceIsOneHosts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	inv := b.mint(t, room, tokens.Draft{})
	code := b.Invitations.Links.Code(inv.ID)
	for _, host := range []string{"bob", "alice"} { // alice sees every room
		d := b.door(t, host, room)
		d.get(d.at).wants(http.StatusOK).says(`data-queue="door ` + host + ` · hall"`)
		other := map[string]string{"bob": "alice", "alice": "bob"}[host]
		for _, wrong := range []string{other, "", strings.ToUpper(host)} {
			_, form := d.scan(code, "host", wrong)
			d.sends(form).wants(http.StatusConflict)
			d.sends(with(form, "undo", "true")).wants(http.StatusConflict)
			d.post(d.at, form).wants(http.StatusConflict)
		}
	}
	if got := b.invitation(t, inv.ID); got.Uses != 0 {
		t.Errorf("%d uses", got.Uses)
	}
	b.door(t, "bob", room).get("/rooms/hall/history").wants(http.StatusOK).saysNot("at the door")
}
