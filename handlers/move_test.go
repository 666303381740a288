package handlers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
	"admitone/tokens"
)

var moveCode = regexp.MustCompile(`/m/([0-9A-Z]{8})/qr\.svg`)

// offer presses "Continue on another device" and returns the code.
func (v *visitor) offer(room string) string {
	v.t.Helper()
	at := "/join/" + room + "/move"
	page := v.post(at, v.get("/join/"+room+"/admitted").wants(http.StatusOK).form(at)).wants(http.StatusOK)
	m := moveCode.FindStringSubmatch(page.body)
	if m == nil {
		v.t.Fatalf("no code on the page:\n%s", page.body)
	}
	page.says(m[1][:4] + "-" + m[1][4:])
	return m[1]
}

// arrive opens a code's page and presses its button.
func (v *visitor) arrive(code string) answer {
	v.t.Helper()
	at := "/m/" + code
	return v.post(at, v.get(at).wants(http.StatusOK).form(at))
}

// admitted is a browser that was let in by a link, which comes with it.
func (b *bench) admitted(t *testing.T, room rooms.Room, d tokens.Draft) (*visitor, tokens.Invitation) {
	t.Helper()
	v, inv := b.browser(t), b.mint(t, room, d)
	v.press(t, b.short(inv), "name", "Bo").wants(http.StatusSeeOther)
	return v, inv
}

func TestAGuestContinuesOnAnotherDevice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	old, inv := b.admitted(t, room, tokens.Draft{Name: "Ada"})
	device := b.browser(t)
	code := old.offer("standup")
	old.get("/join/standup/move/state").wants(http.StatusOK).says("here")
	before := b.state(t, room)
	for _, spelt := range []string{code, strings.ToLower(code), code[:4] + "-" + code[4:]} { // looking moves nothing
		device.get("/m/"+spelt).wants(http.StatusOK).says("Continue here", "Bo", room.Name)
		device.get("/M/" + spelt).wants(http.StatusOK)
	}
	device.get("/m/" + code + "/qr.svg").wants(http.StatusOK).says("<svg")
	old.get("/join/standup/move").wants(http.StatusSeeOther)
	if after := b.state(t, room); after != before {
		t.Errorf("looking changed something:\n%s\n%s", before, after)
	}
	if to := device.get("/m?code=+" + strings.ToLower(code)).wants(http.StatusSeeOther).Header.Get("Location"); to != "/m/"+code {
		t.Errorf("typing the code led to %s", to)
	}
	if to := old.get("/m/" + code).wants(http.StatusSeeOther).Header.Get("Location"); to != "/join/standup/admitted" {
		t.Errorf("the old device's own code led to %s", to)
	}
	form := device.get("/m/" + code).form("/m/" + code)
	for range 2 { // and again, as after a lost answer
		if to := device.post("/m/"+code, form).wants(http.StatusSeeOther).Header.Get("Location"); to != "/join/standup/admitted" {
			t.Errorf("moving led to %s", to)
		}
	}
	device.get("/join/standup/admitted").wants(http.StatusOK).says("Bo")
	device.get(b.short(inv)).wants(http.StatusOK).says("Welcome back")
	for _, path := range []string{"/join/standup/admitted", b.short(inv), b.long(t, inv)} {
		old.get(path).wants(http.StatusGone).says("You continued on another device").saysNot("<form")
	}
	old.post("/join/standup/admitted", nil).wants(http.StatusGone)
	old.get("/join/standup/move/state").wants(http.StatusOK).says("moved")
	b.browser(t).get(b.short(inv)).wants(http.StatusConflict).says("has been used")
	if got := b.invitation(t, inv.ID); got.Uses != 1 || got.Moves != 1 {
		t.Errorf("%d uses, %d moves", got.Uses, got.Moves)
	}
	b.signedIn(t, "bob").get("/invitations/"+shown(inv.ID)).wants(http.StatusOK).says("Continued on another device", "1 of 1")
}

func TestADeviceMovesOnceUnlessTheHostAllowsMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	old, inv := b.admitted(t, room, tokens.Draft{Role: tokens.Host})
	device, bob := b.browser(t), b.signedIn(t, "bob")
	code := old.offer("standup")
	spare := b.browser(t).get("/m/" + code).wants(http.StatusOK)
	if to := device.arrive(code).wants(http.StatusSeeOther).Header.Get("Location"); to != "/join/standup/admitted?as=host" {
		t.Errorf("moving led to %s", to)
	}
	spare.wants(http.StatusOK)
	b.browser(t).get("/m/" + code).wants(http.StatusNotFound).says("This code is not good")
	device.get("/join/standup/admitted").wants(http.StatusOK).says("as often as it may").saysNot("/move")
	at := "/invitations/" + shown(inv.ID)
	allow := bob.get(at).wants(http.StatusOK).form(at + "/moves")
	for range 2 {
		bob.post(at+"/moves", allow).wants(http.StatusSeeOther)
	}
	bob.get(at).wants(http.StatusOK).says("1 of 2", "One more device change").saysNot(`action="` + at + `/moves"`)
	old.arrive(device.offer("standup")).wants(http.StatusSeeOther) // and back
	old.get("/join/standup/admitted").wants(http.StatusOK)
	device.get("/join/standup/admitted").wants(http.StatusGone)
}

func TestACodeThatIsNotGood(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	old, inv := b.admitted(t, room, tokens.Draft{MaxUses: 2})
	first := old.offer("standup")
	code := old.offer("standup") // in the first one's place
	device := b.browser(t)
	good := device.get("/m/" + code).wants(http.StatusOK).form("/m/" + code)
	device.get("/m/" + first).wants(http.StatusNotFound)
	device.get("/m?code=nonsense!").wants(http.StatusUnprocessableEntity).says(`value="nonsense!"`, "This code is not good")
	device.get("/m/nonsense!/qr.svg").wants(http.StatusNotFound)
	b.nobody(t).post("/m/"+code, good).wants(http.StatusForbidden)
	device.post("/m/"+code, nil).wants(http.StatusForbidden)
	device.post("/m/"+code, fields("nonce", "x")).wants(http.StatusForbidden)
	device.post("/m/"+code, good, header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
	old.post("/join/standup/move", nil).wants(http.StatusForbidden)
	b.browser(t).post("/join/standup/move", nil).wants(http.StatusNotFound)
	b.Clock.Add(tokens.MoveLife)
	device.post("/m/"+code, good).wants(http.StatusNotFound)
	b.Clock.Add(time.Minute)
	code = old.offer("standup")
	form := device.get("/m/" + code).wants(http.StatusOK).form("/m/" + code)
	b.program(t, "bob").post("/api/v1/invitations/"+shown(inv.ID)+"/revoke", nil).wants(http.StatusOK)
	device.post("/m/"+code, form).wants(http.StatusGone).says("This invitation was withdrawn")
	if got := b.invitation(t, inv.ID); got.Moves != 0 || got.Uses != 1 {
		t.Errorf("%d moves, %d uses", got.Moves, got.Uses)
	}
}

func TestWrongCodesAreGuesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.from(t, "127.0.6.1")
	for range 10 {
		v.get("/m/AAAAAAAA").wants(http.StatusNotFound)
	}
	v.get("/m/AAAAAAAA").wants(http.StatusTooManyRequests)
	v.get("/i/" + strings.Repeat("0", 26)).wants(http.StatusTooManyRequests)
}

// TestTheDeviceThatWasLeftTakesNoSecondUse: also where the link has uses left,
// the same person's second coming is none.
func TestTheDeviceThatWasLeftTakesNoSecondUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old, inv := b.admitted(t, b.room(t, "bob", "standup"), tokens.Draft{MaxUses: 3})
	path := b.short(inv)
	press := old.get(path).wants(http.StatusOK).form(path)
	b.browser(t).arrive(old.offer("standup")).wants(http.StatusSeeOther)
	old.get(path).wants(http.StatusGone)
	old.post(path, press).wants(http.StatusGone)
	b.browser(t).press(t, path).wants(http.StatusSeeOther)
	if got := b.invitation(t, inv.ID); got.Uses != 2 {
		t.Errorf("%d uses, want 2", got.Uses)
	}
}

// TestACodeTellsNoLink: whoever saw a code, dead or alive, gets no way to the
// invitation by it, also not where that was withdrawn.
func TestACodeTellsNoLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	old, inv := b.admitted(t, room, tokens.Draft{MaxUses: 2})
	first, short := old.offer("standup"), strings.TrimPrefix(b.short(inv), "/i/")
	b.browser(t).arrive(first).wants(http.StatusSeeOther)
	other, second := b.admitted(t, room, tokens.Draft{})
	code := other.offer("standup")
	for _, id := range []rooms.ID{inv.ID, second.ID} {
		b.program(t, "bob").post("/api/v1/invitations/"+shown(id)+"/revoke", nil).wants(http.StatusOK)
	}
	b.browser(t).get("/m/"+first).wants(http.StatusNotFound).saysNot("withdrawn", short, "/request")
	b.browser(t).get("/m/"+code).wants(http.StatusGone).says("withdrawn").saysNot("/i/", "/request")
	b.Clock.Add(tokens.MoveLife)
	b.browser(t).get("/m/"+code).wants(http.StatusNotFound).saysNot("withdrawn", "/i/", "/request")
}
