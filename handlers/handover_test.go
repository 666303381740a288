package handlers_test

import (
	"net/http"
	"testing"

	"admitone/tokens"
)

func TestAnAdminHandsARoomOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{})
	alice, bob, carol := b.signedIn(t, "alice"), b.signedIn(t, "bob"), b.signedIn(t, "carol")
	const owner = "/rooms/standup/owner"
	before := b.state(t, room)

	// Others are not offered it, and learn nothing by trying.
	bob.get("/rooms/standup/edit").wants(http.StatusOK).saysNot(owner, "carol")
	first := bob.post(owner, fields("owner", "carol")).wants(http.StatusForbidden)
	if again := bob.post(owner, fields("owner", "nobody")).wants(http.StatusForbidden); again.anonymous() != first.anonymous() {
		t.Error("a host can find out who else there is")
	}
	carol.post(owner, fields("owner", "carol")).wants(http.StatusNotFound)

	alice.get("/rooms/standup/edit").wants(http.StatusOK).says(`action="`+owner+`"`, `value="carol"`).saysNot(`value="bob"`)
	alice.post(owner, fields("owner", "nobody")).wants(http.StatusUnprocessableEntity).says("Choose a host from the list", `aria-invalid="true"`)
	alice.post(owner, nil).wants(http.StatusUnprocessableEntity)
	alice.post(owner, fields("owner", "bob")).wants(http.StatusSeeOther) // whose it is
	alice.do("POST", owner+"?owner=carol", "", header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
	if after := b.state(t, room); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}

	// Names are found whatever their case, and kept as they are.
	at := alice.post(owner, fields("owner", "CAROL")).wants(http.StatusSeeOther).Header.Get("Location")
	alice.get(at).wants(http.StatusOK).says("belongs to another host now")
	bob.get("/rooms/standup").wants(http.StatusNotFound)
	bob.get("/").wants(http.StatusOK).saysNot("standup")
	carol.get("/").wants(http.StatusOK).says("standup")
	carol.get("/rooms/standup/history").wants(http.StatusOK).says("handed the room over to <bdi>carol</bdi>")
	b.browser(t).press(t, b.short(inv)).wants(http.StatusSeeOther) // links already sent stay good
}

func TestWhoIsAllowedARoomKeepsIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "carol", "shared") // which carol's settings name
	b.signedIn(t, "alice").post("/rooms/shared/owner", fields("owner", "bob")).wants(http.StatusSeeOther)
	for _, host := range []string{"bob", "carol", "alice"} {
		b.signedIn(t, host).get("/rooms/shared").wants(http.StatusOK)
	}
}
