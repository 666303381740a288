package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/tokens"
)

// TestFragments: to htmx a press answers with the part of the page it changes.
func TestFragments(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	bob, htmx := b.signedIn(t, "bob"), header("HX-Request", "true")

	minted := bob.post("/rooms/standup/invitations", fields("role", "guest", "name", "Ada <3", "expires", "4h", "max_uses", "2", "timezone", "UTC"), htmx).wants(http.StatusOK).
		saysNot("<html", "<body").says("Ready for <bdi>Ada &lt;3</bdi>", b.base+"/i/", "/join/standup?token=", "data-copy")
	list, err := b.Invitations.Store.List(t.Context(), tokens.Query{Room: room.ID, Limit: 9, Now: b.Clock.Millis()})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d invitations, %v", len(list), err)
	}
	inv := list[0]
	minted.says(b.Invitations.Links.Short(inv), "/invitations/"+shown(inv.ID)+"/qr.svg")
	if inv.MaxUses != 2 || inv.ExpiresAt-inv.CreatedAt != 4*3600*1000 {
		t.Errorf("minted %+v", inv)
	}

	wrong := bob.post("/rooms/standup/invitations", fields("role", "guest", "name", "Grace", "expires", "custom", "expires_at", "", "max_uses", "many", "timezone", "Europe/Berlin"), htmx).
		wants(http.StatusUnprocessableEntity).saysNot("<html").says("A number from 1 to 1000", "Say until when the link is good")
	if form := wrong.form("/rooms/standup/invitations"); form.Get("name") != "Grace" || form.Get("expires") != "custom" || form.Get("max_uses") != "many" || form.Get("timezone") != "Europe/Berlin" {
		t.Errorf("the form forgot what was typed: %v", form)
	}

	row := "row-" + shown(inv.ID)
	bob.post("/invitations/"+shown(inv.ID)+"/revoke", nil, htmx).wants(http.StatusOK).saysNot("<html").says(row, "revoked", "/restore")
	bob.post("/invitations/"+shown(inv.ID)+"/restore", nil, htmx).wants(http.StatusOK).saysNot("<html").says(row, "pending", "/revoke")
	bob.post("/invitations/"+shown(inv.ID)+"/revoke", nil, htmx).wants(http.StatusOK)
	b.Clock.Add(61e9)
	bob.post("/invitations/"+shown(inv.ID)+"/restore", nil, htmx).wants(http.StatusOK).says(row, "revoked")
	bob.post("/invitations/"+shown(inv.ID)+"/restore", nil).wants(http.StatusSeeOther)
	if got := b.invitation(t, inv.ID); got.RevokedAt == 0 {
		t.Error("restored after the minute")
	}
}

// TestSignedOutFragmentsLeadToTheSignIn: a fragment of the sign-in page inside
// another page would help nobody.
func TestSignedOutFragmentsLeadToTheSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{})
	before := b.state(t, room)
	nobody := b.browser(t)
	for _, r := range b.routes(t, "standup", inv) {
		if !r.owned() || r.api() {
			continue
		}
		if to := nobody.do(r.method, r.path, "", header("HX-Request", "true")).wants(http.StatusUnauthorized).Header.Get("HX-Redirect"); !strings.HasPrefix(to, "/signin") {
			t.Errorf("%s: HX-Redirect is %q", r.name(), to)
		}
		if to := nobody.do(r.method, r.path, "").wants(http.StatusSeeOther).Header.Get("Location"); !strings.HasPrefix(to, "/signin") {
			t.Errorf("%s: Location is %q", r.name(), to)
		}
	}
	if after := b.state(t, room); after != before {
		t.Errorf("somebody signed out changed something:\n%s\n%s", before, after)
	}
}
