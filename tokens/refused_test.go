package tokens_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// refusals is the invitation's history without its minting, revoking and redeeming.
func refusals(t *testing.T, b *datatest.Bench, inv tokens.Invitation) (out []string) {
	t.Helper()
	evs, err := b.Invitations.Store.Events(t.Context(), inv.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range evs {
		if ev.Kind == "invitation.refused" {
			out = append(out, ev.Detail+" "+string(ev.Actor.Kind)+" "+ev.Actor.Name)
		}
	}
	return out
}

// Nobody fills the disk by pressing: the same refusal is one line a minute,
// also of many at once.
func TestARefusalIsOneLineAMinute(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{})
		if _, err := b.Invitations.Redeem(t.Context(), press(b, inv, "first")); err != nil {
			t.Fatal(err)
		}
		again := func() {
			t.Helper()
			var all sync.WaitGroup
			for range 12 {
				all.Go(func() {
					_, err := b.Invitations.Redeem(t.Context(), press(b, inv, "second"))
					wants(t, "the second person", err, tokens.ErrUsed)
				})
			}
			all.Wait()
		}
		again()
		if got := refusals(t, b, inv); len(got) != 1 || !strings.HasPrefix(got[0], "used guest") {
			t.Fatalf("noted %q", got)
		}
		b.Clock.Add(59 * time.Second)
		again()
		if got := refusals(t, b, inv); len(got) != 1 {
			t.Errorf("within the minute: %q", got)
		}
		b.Clock.Add(time.Second)
		again()
		if got := refusals(t, b, inv); len(got) != 2 {
			t.Errorf("after the minute: %q", got)
		}
		if _, err := b.Invitations.Revoke(t.Context(), ada(), inv, ""); err != nil {
			t.Fatal(err)
		}
		_, err := b.Invitations.Redeem(t.Context(), press(b, inv, "second"))
		wants(t, "another reason", err, tokens.ErrRevoked)
		if got := refusals(t, b, inv); len(got) != 3 || !strings.HasPrefix(got[0], "revoked ") {
			t.Errorf("another reason: %q", got)
		}
	})
}

// What is no link of ours has no history to be noted in, and looking notes nothing.
func TestOnlyGenuineLinksAndPressesAreNoted(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{})
	if _, err := b.Invitations.Revoke(t.Context(), ada(), inv, ""); err != nil {
		t.Fatal(err)
	}
	_, _, err := b.Invitations.Show(t.Context(), b.Invitations.Links.Code(inv.ID), "", "someone")
	wants(t, "looking", err, tokens.ErrRevoked)
	forged := press(b, inv, "someone")
	forged.Link = strings.Repeat("0", 26)
	_, err = b.Invitations.Redeem(t.Context(), forged)
	wants(t, "a forged link", err, tokens.ErrInvalidLink)
	foreign := press(b, inv, "someone")
	foreign.Reaches = func(rooms.Room) bool { return false }
	_, err = b.Invitations.Redeem(t.Context(), foreign)
	wants(t, "a caller without rights", err, tokens.ErrInvalidLink)
	if got := refusals(t, b, inv); len(got) != 0 {
		t.Errorf("noted %q", got)
	}
}
