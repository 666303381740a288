package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/tokens"
)

// TestAnInvitationIsGivenToSomebodyElse: another name and address on its page,
// then a new link.
func TestAnInvitationIsGivenToSomebodyElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.app.Post.On = false
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{Name: "Ada", Email: "ada@example.com"})
	at := "/invitations/" + shown(inv.ID)
	bob := b.signedIn(t, "bob")
	form := bob.get(at).wants(http.StatusOK).form(at)
	if form.Get("name") != "Ada" || form.Get("email") != "ada@example.com" {
		t.Errorf("the form shows %v", form)
	}
	to := bob.post(at, with(form, "name", "Bo", "email", "bo@example.com")).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(to).wants(http.StatusOK).says("Bo", "Saved.", "Changed", "Name, Mail address")
	if got := b.invitation(t, inv.ID); got.Name != "Bo" || got.Email != "bo@example.com" {
		t.Errorf("it is for %q at %q", got.Name, got.Email)
	}
	to = bob.post(at+"/reissue", nil).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(to).wants(http.StatusOK).says("Bo")
	b.browser(t).get(b.short(inv)).wants(http.StatusGone)
	bob.get(at).wants(http.StatusOK).saysNot(`id="rename-name"`)
	bob.post(at, form).wants(http.StatusSeeOther)
	if got := b.invitation(t, inv.ID); got.Name != "Bo" {
		t.Errorf("a link that was replaced is for %q now", got.Name)
	}
}

func TestARefusedNameIsShownAsTyped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{Name: "Ada", Email: "ada@example.com"})
	at := "/invitations/" + shown(inv.ID)
	bob := b.signedIn(t, "bob")
	if form := bob.get(at).wants(http.StatusOK).form(at); form.Has("email") {
		t.Error("the address is asked for twice")
	}
	page := bob.post(at, fields("name", strings.Repeat("x", 201))).wants(http.StatusUnprocessableEntity).says("is too long")
	if got := page.form(at).Get("name"); len(got) != 201 {
		t.Errorf("the form shows %q", got)
	}
	bob.post(at, fields("name", "Ada", "email", "nowhere")).wants(http.StatusUnprocessableEntity).says("is not a mail address", `value="nowhere"`)
	bob.post(at, fields("name", "Bo")).wants(http.StatusSeeOther)
	if got := b.invitation(t, inv.ID); got.Name != "Bo" || got.Email != "ada@example.com" {
		t.Errorf("it is for %q at %q", got.Name, got.Email)
	}
	b.signedIn(t, "carol").post(at, fields("name", "Eve")).wants(http.StatusNotFound)
}

func TestRowsTellPeopleOfOneNameApart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	for _, email := range []string{"gm@north.example", "gm@south.example", ""} {
		b.mint(t, room, tokens.Draft{Name: "Günther Müller", Email: email})
	}
	page := b.signedIn(t, "bob").get("/rooms/standup").wants(http.StatusOK).says("<bdi>gm@north.example</bdi>", "<bdi>gm@south.example</bdi>", `placeholder="Name or mail address"`)
	if got := strings.Count(page.body, "<bdi>gm@"); got != 2 {
		t.Errorf("%d rows show an address", got)
	}
}
