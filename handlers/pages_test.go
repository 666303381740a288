package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

// Each wrong field of a form is named, not the first alone; also where one can
// not be read at all.
func TestEveryWrongFieldIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "bob", "standup")
	bob := b.signedIn(t, "bob")
	for _, at := range []string{"/rooms", "/rooms/standup"} {
		wrong := fields("name", " ", "starts_at", "2030-02-01T10:00", "ends_at", "2030-02-01T09:00", "timezone", "UTC", "capacity", "0")
		bob.post(at, wrong).wants(http.StatusUnprocessableEntity).says("room-name-wrong", "room-ends-wrong", "room-capacity-wrong")
		bob.post(at, with(wrong, "starts_at", "soon")).wants(http.StatusUnprocessableEntity).says("room-name-wrong", "room-starts-wrong", "room-capacity-wrong")
	}
	bob.post("/rooms", fields("name", "", "slug", "Not one")).wants(http.StatusUnprocessableEntity).says("room-name-wrong", "room-slug-wrong")
	mint := fields("role", "guest", "name", strings.Repeat("x", 201), "expires", "custom", "expires_at", "2020-01-01T10:00", "timezone", "UTC", "max_uses", "1", "pin", "1")
	bob.post("/rooms/standup/invitations", mint).wants(http.StatusUnprocessableEntity).says("mint-name-wrong", "mint-expires-at-wrong", "mint-pin-wrong")
	bob.post("/rooms/standup/invitations", with(mint, "max_uses", "x")).wants(http.StatusUnprocessableEntity).says("mint-name-wrong", "mint-uses-wrong", "mint-pin-wrong")
}

func TestEveryWrongMemberIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "bob", "standup")
	bob := b.program(t, "bob")
	for _, row := range []struct {
		path, body string
		fields     []string
	}{
		{"/api/v1/rooms", `{"name":"","timezone":"x","locale":"?"}`, []string{"name", "timezone", "locale"}},
		{"/api/v1/rooms", `{"name":"","starts_at":"soon","capacity":0}`, []string{"name", "starts_at", "capacity"}},
		{"/api/v1/rooms/standup/invitations", `{"role":"guest","email":"x","max_uses":0,"expires_in":"soon"}`, []string{"email", "max_uses", "expires_in"}},
		{"/api/v1/rooms/standup/invitations", `{"role":"boss","pin":"1","expires_at":"2020-01-01T00:00:00Z"}`, []string{"role", "pin", "expires_at"}},
	} {
		a := bob.do("POST", row.path, row.body, header("Content-Type", "application/json")).wants(http.StatusUnprocessableEntity)
		for _, field := range row.fields {
			a.says(`"field":"` + field + `"`)
		}
		if n := strings.Count(a.body, `"field"`); n != len(row.fields) {
			t.Errorf("%s: %d fields are named, want %v:\n%s", row.body, n, row.fields, a.body)
		}
	}
}

func TestTheRoomsPageSaysHowManyPlacesAreTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	bob := b.signedIn(t, "bob")
	bob.get("/rooms/standup").wants(http.StatusOK).saysNot("room-guests")
	bob.post("/rooms/standup", fields("name", room.Name, "capacity", "10")).wants(http.StatusSeeOther)
	inv := b.mint(t, room, tokens.Draft{MaxUses: 3})
	for _, name := range []string{"Ada", "Bo", ""} {
		b.browser(t).press(t, b.short(inv), "name", name).wants(http.StatusSeeOther)
	}
	// Nobody is named on the invitation: the last who said a name is.
	bob.get("/rooms/standup").wants(http.StatusOK).says("3 of 10 guests", "<bdi>Bo</bdi></a>").saysNot("Unnamed guest</bdi></a>")
}

func TestAHostOfTheRoomIsLedFromARefusalToTheInvitation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv, path := b.refused(t, room)
	at := `href="/invitations/` + shown(inv.ID) + `"`
	b.signedIn(t, "bob").get(path).wants(http.StatusConflict).says(at, "See the invitation").saysNot("Ask for a new link")
	b.signedIn(t, "carol").get(path).wants(http.StatusConflict).saysNot("/invitations/", shown(inv.ID))
	b.browser(t).get(path).wants(http.StatusConflict).saysNot("/invitations/", shown(inv.ID))
}

func TestAHostKeepsTheWayBackOnPagesOfNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	for _, path := range []string{"/docs", "/problems/used", "/nowhere", "/rooms/nowhere"} {
		bob.get(path).says(`href="/account"`, ">bob<")
		b.nobody(t).get(path).saysNot(`href="/account"`)
	}
	bob.get("/account").wants(http.StatusOK).says("from <span class=\"mono\">127.0.")
}

func TestWhoOpensTheLobbyIsThereAtOnceAndWhileGettingACode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, _, _ := lobby(t, b, "Ada")
	page := ada.get(admitted).wants(http.StatusOK).says("<bdi>Ada</bdi>", "(you)").saysNot("Nobody is here.", "data-move")
	code := ada.post("/join/standup/move", page.form("/join/standup/move")).wants(http.StatusOK)
	code.says(`data-stream="`+live+`"`, `data-page="`+admitted+`"`, `data-move="/join/standup/move/state"`)
}

func TestAPageWithoutALobbyAsksWhetherAnotherDeviceWentOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup", func(d *rooms.Draft) { d.Backend = "conf" })
	guest, inv := b.admitted(t, room, tokens.Draft{})
	guest.get(admitted).wants(http.StatusOK).says(`data-move="/join/standup/move/state"`, `data-back="`+admitted+`"`).saysNot("data-stream")
	b.program(t, "bob").post("/api/v1/invitations/"+shown(inv.ID)+"/revoke", nil).wants(http.StatusOK)
	guest.get("/join/standup/move/state").wants(http.StatusOK).says("over")
}

func TestNoGuestIsToldThatTheHostIsHost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	by := rooms.Caller{Owner: "host", Admin: true}
	room, err := b.Rooms.Create(t.Context(), by, rooms.Draft{Name: "Standup"})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := b.Invitations.Mint(t.Context(), by, room, tokens.Draft{Role: tokens.Guest}, true)
	if err != nil {
		t.Fatal(err)
	}
	b.browser(t).get(b.short(inv)).wants(http.StatusOK).says("You are invited to").saysNot("host invites")
	b.browser(t).press(t, b.short(inv)).wants(http.StatusSeeOther)
	b.browser(t).get(b.short(inv)).wants(http.StatusConflict).saysNot("Your host is")
}

func TestTheLanguageOfARefusedPressIsChosenOnAPageThatIsThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	_, path := b.refused(t, room)
	guest := b.browser(t)
	form := guest.get(path).wants(http.StatusConflict).form(path + "/request")
	wrong := guest.post(path+"/request", with(form, "name", strings.Repeat("x", 201))).wants(http.StatusUnprocessableEntity)
	wrong.says(`href="` + path + `?lang=zh-CN"`)
	guest.get(path + "?lang=zh-CN").wants(http.StatusSeeOther)
}
