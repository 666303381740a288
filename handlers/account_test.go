package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/tokens"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)

func (v *visitor) on(userAgent string) *visitor {
	v.head.Set("User-Agent", userAgent)
	return v
}

func TestAHostSeesWhereTheyAreSignedInAndEndsOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	desk, phone := b.browser(t).on(firefox), b.browser(t).on(iphone+strings.Repeat("<script>", 200))
	desk.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	phone.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	b.browser(t).signIn("carol", passwords["carol"]).wants(http.StatusSeeOther)

	account := desk.get("/account").wants(http.StatusOK).says("Firefox on Linux", "this device", "Safari on iPhone").saysNot("Mozilla", "script>&lt;", "carol")
	if strings.Count(account.body, `class="card signin"`) != 2 {
		t.Errorf("not two sign-ins: %s", account.body)
	}
	end := ""
	for _, action := range strings.Split(account.body, `action="`)[1:] {
		if to, _, _ := strings.Cut(action, `"`); strings.HasPrefix(to, "/account/sessions/in_") && strings.HasSuffix(to, "/end") {
			end = to
		}
	}
	// Not another host's, and not without a press on our page.
	b.signedIn(t, "carol").post(end, nil)
	desk.do("POST", end, "", header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
	phone.get("/").wants(http.StatusOK)
	desk.post(end, nil).wants(http.StatusSeeOther)
	phone.get("/").wants(http.StatusSeeOther)
	desk.get("/account").wants(http.StatusOK).saysNot("Safari on iPhone")
}

func TestSigningOutEverywhereEndsSessionsAndTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two, other := b.signedIn(t, "bob"), b.signedIn(t, "bob"), b.signedIn(t, "carol")
	script, carols := b.program(t, "bob"), b.program(t, "carol")
	script.get("/api/v1/rooms").wants(http.StatusOK)
	if to := one.post("/account/sessions/end", nil).wants(http.StatusSeeOther).Header.Get("Location"); to != "/signin" {
		t.Errorf("led to %s", to)
	}
	for _, v := range []*visitor{one, two} {
		v.get("/").wants(http.StatusSeeOther)
	}
	script.get("/api/v1/rooms").wants(http.StatusUnauthorized)
	other.get("/").wants(http.StatusOK)
	carols.get("/api/v1/rooms").wants(http.StatusOK)
	b.signedIn(t, "bob").get("/").wants(http.StatusOK)
	b.program(t, "bob").get("/api/v1/rooms").wants(http.StatusOK)
}

// TestSigningOutEverywhereEndsGoingInWithOnePress: who went into the room as the
// host is out of it, and does not come back in with what that browser holds.
func TestSigningOutEverywhereEndsGoingInWithOnePress(t *testing.T) {
	t.Parallel()
	live := datatest.NewLiveKit(t)
	b := setup(t, liveKit(t, live))
	b.room(t, "bob", "standup", at("live"))
	desk, thief, alice := b.signedIn(t, "bob"), b.signedIn(t, "bob"), b.signedIn(t, "alice")
	const in = "/join/standup/admitted?as=host"
	for _, v := range []*visitor{thief, alice} {
		v.post("/rooms/standup/enter", nil).wants(http.StatusSeeOther)
		live.Enter(t, v.do("POST", in, "").wants(http.StatusSeeOther).Header.Get("Location"))
	}
	desk.post("/account/sessions/end", nil).wants(http.StatusSeeOther)
	thief.get(in).wants(http.StatusGone)
	thief.do("POST", in, "").wants(http.StatusGone)
	alice.get(in).wants(http.StatusOK)
	b.Removals.Wait()
	if left := live.Inside(); len(left) != 1 {
		t.Errorf("inside are %v", left)
	}
	desk.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	desk.post("/rooms/standup/enter", nil).wants(http.StatusSeeOther)
	desk.get(in).wants(http.StatusOK)
}

// TestAFirstSecondFactorSeesOutWhoWentInWithThePasswordAlone, but not the browser in
// which it is set up; a reset sees that one out too.
func TestAFirstSecondFactorSeesOutWhoWentInWithThePasswordAlone(t *testing.T) {
	t.Parallel()
	live := datatest.NewLiveKit(t)
	b := setup(t, liveKit(t, live))
	b.room(t, "bob", "standup", at("live"))
	desk, thief := b.signedIn(t, "bob"), b.signedIn(t, "bob")
	const in = "/join/standup/admitted?as=host"
	for _, v := range []*visitor{desk, thief} {
		v.post("/rooms/standup/enter", nil).wants(http.StatusSeeOther)
		live.Enter(t, v.do("POST", in, "").wants(http.StatusSeeOther).Header.Get("Location"))
	}
	k := newSecurityKey(t, b.base, "meet.example")
	desk.post(keyPage, fields("name", "Phone", "credential", k.make(t, desk.newPasskey("bob")))).wants(http.StatusSeeOther)
	thief.get(in).wants(http.StatusGone)
	desk.get(in).wants(http.StatusOK)
	b.Removals.Wait()
	if left := live.Inside(); len(left) != 1 {
		t.Errorf("inside are %v", left)
	}
	if err := b.app.Factors.Reset(t.Context(), b.caller(t, "alice"), "bob"); err != nil {
		t.Fatal(err)
	}
	desk.get(in).wants(http.StatusGone)
	b.Removals.Wait()
	if left := live.Inside(); len(left) != 0 {
		t.Errorf("after the reset, inside are %v", left)
	}
}

func TestANewDeviceIsNewsToTheOthersUntilDismissed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	desk, thief := b.browser(t).on(firefox), b.browser(t).on(iphone)
	desk.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	const news = "Signed in on a new device"
	desk.get("/").wants(http.StatusOK).saysNot(news)
	thief.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	page := desk.get("/").wants(http.StatusOK).says(news, "Safari on iPhone", "sign out everywhere")
	thief.get("/").wants(http.StatusOK).saysNot(news)
	_, rest, _ := strings.Cut(page.body, `action="/account/sessions/in_`)
	id, _, _ := strings.Cut(rest, "/known")
	known := "/account/sessions/in_" + id + "/known"
	thief.post(known, nil) // which cannot silence the news of itself
	desk.get("/").says(news)
	desk.post(known, nil).wants(http.StatusSeeOther)
	desk.get("/").wants(http.StatusOK).saysNot(news)

	// The same browser again is no news.
	thief.post("/signout", nil).wants(http.StatusSeeOther)
	thief.signIn("bob", passwords["bob"]).wants(http.StatusSeeOther)
	desk.get("/").wants(http.StatusOK).saysNot(news)
}

// TestASignedInHostIsToldWhatPressingWouldDo: and nobody else, by anything.
func TestASignedInHostIsToldWhatPressingWouldDo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
	link, manage := b.short(inv), "/invitations/"+shown(inv.ID)
	const told = "Pressing the button would use"
	bob := b.signedIn(t, "bob")
	bob.get(link).wants(http.StatusOK).says(told, manage)
	b.signedIn(t, "carol").get(link).wants(http.StatusOK).saysNot(told, manage)
	guest := b.browser(t)
	guest.get(link).wants(http.StatusOK).saysNot(told, manage)
	if got := b.invitation(t, inv.ID); got.Uses != 0 {
		t.Error("looking used it up")
	}
	bob.post("/signout", nil).wants(http.StatusSeeOther)
	bob.get(link).wants(http.StatusOK).saysNot(told, manage)
}

func TestARoomsHistoryReadsLikeAStory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{Name: "Ada"})
	one, two := b.browser(t), b.browser(t)
	two.get(b.short(inv)).wants(http.StatusOK)
	one.press(t, b.short(inv)).wants(http.StatusSeeOther)
	nonce := url.Values{"nonce": {tokens.PageNonce(two.guestCookie().Value, inv.ID)}, "name": {"Eve"}}
	for range 3 {
		two.post(b.short(inv), nonce).wants(http.StatusConflict)
	}
	page := bob.get("/rooms/standup/history").wants(http.StatusOK).says("made the room", "invited", "came in", "Eve", "was turned away", "All its uses are taken", "/invitations/"+shown(inv.ID))
	if n := strings.Count(page.body, "was turned away"); n != 1 {
		t.Errorf("%d refusals are told, want one a minute", n)
	}
	bob.get("/invitations/"+shown(inv.ID)).wants(http.StatusOK).says("No, not for somebody new", "All its uses are taken", "Tried in vain")
	b.program(t, "bob").get("/api/v1/rooms/standup/events").wants(http.StatusOK).says(`"invitation.refused"`, `"used"`)
	b.signedIn(t, "carol").get("/rooms/standup/history").wants(http.StatusNotFound)
	for range 60 {
		b.mint(t, room, tokens.Draft{})
	}
	first := bob.get("/rooms/standup/history").wants(http.StatusOK).saysNot("made the room")
	_, next, _ := strings.Cut(first.body, `/history?before=`)
	next, _, _ = strings.Cut(next, `"`)
	bob.get("/rooms/standup/history?before=" + next).wants(http.StatusOK).says("made the room")
}

func TestASelectionIsRevokedUndoneAndPrinted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	room := b.room(t, "bob", "standup")
	one, two := b.mint(t, room, tokens.Draft{Name: "One"}), b.mint(t, room, tokens.Draft{Name: "Two", Role: tokens.Host})
	chosen := url.Values{"id": {shown(one.ID), shown(two.ID)}}
	bob.get("/rooms/standup").wants(http.StatusOK).says(`value="`+shown(one.ID)+`"`, `form="selection"`)

	sheet := bob.get("/rooms/standup/sheet?"+chosen.Encode()).wants(http.StatusOK).says("One", b.short(one), "1 host’s link was left out").saysNot(">Two<", b.Invitations.Links.Code(two.ID))
	sheet.says("hosts=true")
	bob.get("/rooms/standup/sheet?hosts=true&"+chosen.Encode()).wants(http.StatusOK).says(b.short(one), b.short(two))

	b.signedIn(t, "carol").post("/rooms/standup/revoke", chosen).wants(http.StatusNotFound)
	at := bob.post("/rooms/standup/revoke", chosen).wants(http.StatusSeeOther).Header.Get("Location")
	page := bob.get(at).wants(http.StatusOK).says("2 invitations were revoked", "Undo")
	_, undo, _ := strings.Cut(page.body, `action="/rooms/standup/restore`)
	undo, _, _ = strings.Cut(undo, `"`)
	at = bob.post("/rooms/standup/restore"+undo, nil).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(at).wants(http.StatusOK).says("2 invitations were restored")
	if got := b.invitation(t, one.ID); got.RevokedAt != 0 {
		t.Error("not restored")
	}
	at = bob.post("/rooms/standup/revoke", chosen).wants(http.StatusSeeOther).Header.Get("Location")
	b.Clock.Add(61 * time.Second)
	if strings.Contains(bob.get(at).wants(http.StatusOK).body, `action="/rooms/standup/restore`) {
		t.Error("an undo is offered after the minute")
	}
	at = bob.post("/rooms/standup/revoke", nil).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(at).wants(http.StatusOK).says("Choose invitations first")
}
