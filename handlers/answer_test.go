package handlers_test

import (
	"net/http"
	"testing"
	"time"

	"admitone/rooms"
	"admitone/tokens"
)

// asked is the address of the only open request for a new link into the room.
func (b *bench) asked(t *testing.T, room rooms.Room) string {
	t.Helper()
	list, err := b.Invitations.Store.OpenRequests(t.Context(), room.ID, 9)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	return "/requests/" + list[0].ID.Show(rooms.RequestPrefix)
}

func TestANewLinkIsForWhoAskedAndEndsAsChosen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{ExpiresIn: time.Minute})
	b.Clock.Add(2 * time.Minute)
	guest, bob := b.browser(t), b.signedIn(t, "bob")
	guest.ask(b.short(inv), http.StatusGone, "name", "Bo")
	at := b.asked(t, room)
	page := bob.get("/rooms/standup").wants(http.StatusOK).says("The new link is good for").saysNot("keep_old")
	if form := page.form(at + "/answer"); form.Has("keep_old") {
		t.Errorf("an old link that is over can be kept: %v", form)
	}
	bob.post(at+"/answer", fields("expires", "soon")).wants(http.StatusUnprocessableEntity)
	to := bob.post(at+"/answer", fields("expires", "4h")).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(to).wants(http.StatusOK).says("New link for Bo. Send it to them.")
	next := b.invitation(t, b.invitation(t, inv.ID).SupersededBy)
	if life := next.ExpiresAt - b.Clock.Millis(); next.Name != "Bo" || life < (4*time.Hour).Milliseconds() || life > (4*time.Hour+time.Second).Milliseconds() {
		t.Errorf("the new link is for %q and lives %d ms", next.Name, life)
	}
	// The notice is about this request and this invitation alone.
	bob.get("/invitations/" + shown(inv.ID) + to[len("/invitations/"+shown(next.ID)):]).wants(http.StatusOK).saysNot("New link for")
}

func TestAnOldLinkThatStillWorksCanBeKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room, other := b.room(t, "bob", "standup"), b.room(t, "bob", "other")
	inv := b.mint(t, room, tokens.Draft{Name: "Ada"})
	code, err := b.Invitations.Links.URL(inv)
	if err != nil {
		t.Fatal(err)
	}
	wrong := "/join/" + other.Slug + code[len(b.base+"/join/"+room.Slug):]
	b.browser(t).ask(wrong, http.StatusForbidden)
	bob, at := b.signedIn(t, "bob"), b.asked(t, room)
	bob.get("/rooms/standup").wants(http.StatusOK).says(`name="keep_old"`)
	to := bob.post(at+"/answer", fields("keep_old", "true")).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(to).wants(http.StatusOK).says("The new link is ready. Send it to whoever asked.")
	b.browser(t).get(b.short(inv)).wants(http.StatusOK) // the old one
	if next := b.invitation(t, inv.ID); next.SupersededBy != 0 {
		t.Error("the old link was replaced")
	}
	bob.get("/invitations/" + shown(inv.ID)).says("keeps working")
}

func TestARequestThatWasDismissedIsNoFaultOfOurs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	_, path := b.refused(t, room)
	b.browser(t).ask(path, http.StatusConflict)
	bob, at := b.signedIn(t, "bob"), b.asked(t, room)
	bob.post(at+"/dismiss", nil).wants(http.StatusSeeOther)
	bob.post(at+"/answer", nil).wants(http.StatusConflict).says("That has changed meanwhile")
}

func TestWhoAsksIsInvitedBesideWhoIsInside(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{Name: "Anna", Email: "anna@example.com", Wishes: "audio=false"})
	anna, stranger, bob := b.browser(t), b.browser(t), b.signedIn(t, "bob")
	anna.press(t, b.short(inv)).wants(http.StatusSeeOther)
	stranger.ask(b.short(inv), http.StatusConflict, "name", "Bo")
	at := b.asked(t, room)
	bob.get("/rooms/standup").wants(http.StatusOK).says("Invite Bo too", "Replace Anna’s link: whoever is in by it is out").saysNot("Make a new link", "keep_old")
	b.Clock.Add(time.Second)
	to := bob.post(at+"/invite", nil).wants(http.StatusSeeOther).Header.Get("Location")
	page := bob.get(to).wants(http.StatusOK).says("New link for Bo. Send it to them.")
	list, err := b.Invitations.Store.List(t.Context(), tokens.Query{Room: room.ID, Limit: 9, Now: b.Clock.Millis()})
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	next := list[0]
	if next.Name != "Bo" || next.Email != "" || next.Role != tokens.Guest || next.MaxUses != 1 || next.ExpiresAt != inv.ExpiresAt || next.Wishes != inv.Wishes || next.Counter != next.ID {
		t.Errorf("the new one is %+v", next)
	}
	page.says(b.short(next))
	if again := bob.post(at+"/invite", nil).wants(http.StatusSeeOther).Header.Get("Location"); again != to {
		t.Errorf("a second press led to %s, not %s", again, to)
	}
	if got := b.invitation(t, inv.ID); got.SupersededBy != 0 || got.RevokedAt != 0 {
		t.Errorf("hers is %+v", got)
	}
	anna.get("/join/standup/admitted").wants(http.StatusOK)
	stranger.get(b.short(inv)).wants(http.StatusConflict).says(wasAnswered).saysNot(b.short(next))
	stranger.press(t, b.short(next)).wants(http.StatusSeeOther)
	bob.get("/invitations/"+shown(inv.ID)).says("Asked for a new link", "For somebody else; this link stays as it is.")
	bob.get("/rooms/standup").saysNot("Asking for a new link")
}

// TestAnswersSayWhoIsOut: by the newest of the links, which the one asked about need not be.
func TestAnswersSayWhoIsOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	old := b.mint(t, room, tokens.Draft{ExpiresIn: time.Minute})
	next, err := b.Invitations.Reissue(t.Context(), b.caller(t, "bob"), old, false, true)
	if err != nil {
		t.Fatal(err)
	}
	bob, stranger := b.signedIn(t, "bob"), b.browser(t)
	stranger.ask(b.short(old), http.StatusGone)
	at := b.asked(t, room)
	bob.get("/rooms/standup").says("Make a new link").saysNot(at + "/invite")
	b.browser(t).press(t, b.short(next)).wants(http.StatusSeeOther)
	bob.get("/rooms/standup").says("Invite them too", "Replace the link: whoever is in by it is out", "The new link is good for").saysNot("Make a new link")
	bob.post(at+"/invite", fields("expires", "soon")).wants(http.StatusUnprocessableEntity)
	b.Clock.Add(2 * time.Minute)
	bob.post(at+"/invite", fields("expires", "4h")).wants(http.StatusSeeOther)
	list, err := b.Invitations.Store.List(t.Context(), tokens.Query{Room: room.ID, Limit: 9, Now: b.Clock.Millis()})
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	if life := list[0].ExpiresAt - b.Clock.Millis(); life < (4*time.Hour).Milliseconds() || life > (4*time.Hour+time.Second).Milliseconds() {
		t.Errorf("the new link lives %d ms", life)
	}
	if got := b.invitation(t, next.ID); got.SupersededBy != 0 {
		t.Error("the link of who is inside was replaced")
	}
}

func TestNobodyIsInvitedBesideForARequestThatIsOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	_, path := b.refused(t, room)
	b.browser(t).ask(path, http.StatusConflict)
	bob, at := b.signedIn(t, "bob"), b.asked(t, room)
	b.signedIn(t, "carol").post(at+"/invite", nil).wants(http.StatusNotFound)
	bob.post("/rooms/standup/close", nil).wants(http.StatusSeeOther)
	bob.post(at+"/invite", nil).wants(http.StatusGone)
	bob.post("/rooms/standup/reopen", nil).wants(http.StatusSeeOther)
	bob.post(at+"/dismiss", nil).wants(http.StatusSeeOther)
	bob.post(at+"/invite", nil).wants(http.StatusConflict)
}
