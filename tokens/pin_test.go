package tokens_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
)

func TestAPINIsAskedForAndNeverUsesAnythingUp(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{PIN: "sésame7"})
		try := func(pin string) error {
			r := press(b, inv, "browser")
			r.PIN = pin
			_, err := b.Invitations.Redeem(context.Background(), r)
			return err
		}
		wants(t, "no PIN", try(""), tokens.ErrPINRequired)
		for _, wrong := range []string{"sesame7", "sésame", "sésame7x", "SÉSAME7", "\x00", "\xff"} {
			wants(t, "a wrong PIN", try(wrong), tokens.ErrPINWrong)
		}
		if got := count(t, b, inv); got.uses != 0 || got.admissions != 0 || got.redeemed != 0 {
			t.Errorf("wrong PINs left %+v", got)
		}
		wants(t, "the PIN", try("sésame7"), nil)
		wants(t, "coming back without it", try(""), nil)
		if got := count(t, b, inv).uses; got != 1 {
			t.Errorf("%d uses", got)
		}
		again, err := b.Invitations.Reissue(context.Background(), ada(), inv, false, false)
		wants(t, "reissue", err, nil)
		inv = again
		wants(t, "the new link asks for the same PIN", try(""), tokens.ErrPINRequired)
		wants(t, "and takes it", try("sésame7"), nil)
	})
}

// Only the state of the invitation comes before the PIN: who cannot come in
// anyway learns nothing about it.
func TestAPINIsLookedAtAfterTheInvitation(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{PIN: "1234", ExpiresIn: time.Hour})
	r := press(b, inv, "browser")
	b.Clock.Add(2 * time.Hour)
	_, err := b.Invitations.Redeem(context.Background(), r)
	wants(t, "expired", err, tokens.ErrExpired)
}

func TestWrongPINsAreSlowedPerInvitation(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	room := makeRoom(t, b, rooms.Draft{})
	inv, other := mint(t, b, room, tokens.Draft{PIN: "1234"}), mint(t, b, room, tokens.Draft{PIN: "1234"})
	try := func(inv tokens.Invitation, browser, pin string) error {
		r := press(b, inv, browser)
		r.PIN = pin
		_, err := b.Invitations.Redeem(context.Background(), r)
		return err
	}
	for i := range 10 {
		wants(t, "a free guess", try(inv, string(rune('a'+i)), "0000"), tokens.ErrPINWrong)
	}
	var many hosts.TooMany
	if err := try(inv, "somebody else", "1234"); !errors.As(err, &many) || many.Wait <= 0 || many.Wait > time.Minute {
		t.Fatalf("the eleventh guess: %v", err)
	}
	wants(t, "no PIN is no guess", try(inv, "somebody else", ""), tokens.ErrPINRequired)
	wants(t, "another invitation is not slowed", try(other, "x", "1234"), nil)
	b.Clock.Add(many.Wait)
	wants(t, "after waiting", try(inv, "the guest", "1234"), nil)
	// An hour of patience: as many guesses as the rate allows, and no more.
	third := mint(t, b, room, tokens.Draft{PIN: "9999", ExpiresIn: 2 * time.Hour})
	guesses := 0
	for range 60 {
		for errors.Is(try(third, "x", "0000"), tokens.ErrPINWrong) {
			guesses++
		}
		b.Clock.Add(time.Minute)
	}
	if guesses < 80 || guesses > 10+80+1 {
		t.Errorf("%d guesses in an hour", guesses)
	}
}

// Two links that share their uses share their PIN's guesses too.
func TestLinksThatShareTheirUsesShareWrongPINs(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{PIN: "1234"})
	try := func(pin string) error {
		r := press(b, inv, "browser")
		r.PIN = pin
		_, err := b.Invitations.Redeem(context.Background(), r)
		return err
	}
	for range 10 {
		wants(t, "a free guess", try("0000"), tokens.ErrPINWrong)
	}
	again, err := b.Invitations.Reissue(context.Background(), ada(), inv, true, false)
	wants(t, "reissue beside the old link", err, nil)
	inv = again
	var many hosts.TooMany
	if err := try("1234"); !errors.As(err, &many) {
		t.Errorf("the eleventh guess, at the new link: %v", err)
	}
}

func TestAPINIsFourToTwelveCharacters(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	room := makeRoom(t, b, rooms.Draft{})
	for pin, good := range map[string]bool{"123": false, "1234": true, "密码密码": true, "123456789012": true, "1234567890123": false, "12\x0034": false, "    ": false} {
		inv, err := b.Invitations.Mint(context.Background(), ada(), room, tokens.Draft{Role: tokens.Guest, PIN: pin}, false)
		var invalid rooms.Invalid
		if good != (err == nil) || !good && (!errors.As(err, &invalid) || invalid.Field != "pin") {
			t.Errorf("%q: %v", pin, err)
		}
		if err == nil && (inv.PIN == "" || inv.PIN == pin) {
			t.Errorf("%q is kept as %q", pin, inv.PIN)
		}
	}
}
