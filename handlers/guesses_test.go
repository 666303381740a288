package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/tokens"
)

// TestWrongGuessesLockNoGuestOut: a stranger behind the same address has used up
// all guesses, and everybody with a link or a code of ours goes on as before.
func TestWrongGuessesLockNoGuestOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv, used := b.mint(t, room, tokens.Draft{}), b.mint(t, room, tokens.Draft{})
	b.browser(t).press(t, b.short(used)).wants(http.StatusSeeOther)
	old, _ := b.admitted(t, room, tokens.Draft{})
	code, wrong := old.offer("standup"), "/i/"+strings.Repeat("0", 26)
	for range 12 {
		b.nobody(t).guess()
	}
	locked := func() {
		t.Helper()
		b.nobody(t).get(wrong).wants(http.StatusTooManyRequests)
		b.nobody(t).get("/m/AAAAAAAA").wants(http.StatusTooManyRequests)
	}
	locked()
	guest := b.browser(t)
	guest.get(b.long(t, inv)).wants(http.StatusOK)
	guest.press(t, b.short(inv)).wants(http.StatusSeeOther)
	late := b.browser(t)
	refused := late.get(b.short(used)).wants(http.StatusConflict)
	late.post(b.short(used)+"/request", refused.form(b.short(used)+"/request")).wants(http.StatusSeeOther)
	late.post(wrong, refused.form(b.short(used)+"/request")).wants(http.StatusTooManyRequests)
	late.post(wrong+"/request", refused.form(b.short(used)+"/request")).wants(http.StatusTooManyRequests)
	b.browser(t).arrive(code).wants(http.StatusSeeOther)
	locked()
	redeem(validating(b.program(t, "bob")), b.base+b.short(used), "turnstile-000042").wants(http.StatusConflict)
}

// TestACodeThatWasOursIsNoGuess: it was used, or its two minutes are over.
func TestACodeThatWasOursIsNoGuess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old, _ := b.admitted(t, b.room(t, "bob", "standup"), tokens.Draft{})
	code := old.offer("standup")
	b.Clock.Add(tokens.MoveLife)
	v := b.from(t, "127.0.6.2")
	for range 20 {
		v.get("/m/" + code).wants(http.StatusNotFound)
	}
	if v.guess() {
		t.Error("codes that were ours counted as guesses")
	}
}

// TestProgramsGuessesCountForTheProgram: programs share addresses.
func TestProgramsGuessesCountForTheProgram(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, carol := validating(b.program(t, "bob")), validating(b.program(t, "carol"))
	forged := b.base + "/i/" + strings.Repeat("0", 26)
	for range 10 {
		redeem(bob, forged, "turnstile-000042").wants(http.StatusUnprocessableEntity)
	}
	redeem(bob, forged, "turnstile-000042").wants(http.StatusTooManyRequests)
	elsewhere := b.from(t, "127.0.6.3")
	elsewhere.head = bob.v.head
	redeem(bob.as(t, elsewhere), forged, "turnstile-000042").wants(http.StatusTooManyRequests)
	redeem(carol, forged, "turnstile-000042").wants(http.StatusUnprocessableEntity)
	if b.nobody(t).guess() {
		t.Error("a program's guesses counted for its address")
	}
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
	redeem(bob, b.base+b.short(inv), "turnstile-000042").wants(http.StatusOK)
}
