package tokens_test

import (
	"errors"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

func TestASelectionIsRevokedAndUndoneAsAWhole(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		one := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{Name: "One"})
		two, err := b.Invitations.Mint(t.Context(), ada(), one.Room, tokens.Draft{Role: tokens.Guest, Name: "Two"}, true)
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{})
		was, err := b.Invitations.Revoke(t.Context(), ada(), two, "")
		if err != nil {
			t.Fatal(err)
		}
		b.Clock.Add(time.Second)
		three, err := b.Invitations.Mint(t.Context(), ada(), one.Room, tokens.Draft{Role: tokens.Guest}, true)
		if err != nil {
			t.Fatal(err)
		}
		n, at, err := b.Invitations.RevokeAll(t.Context(), ada(), one.Room, []rooms.ID{one.ID, two.ID, three.ID, elsewhere.ID, 1})
		if err != nil || n != 2 || at != b.Clock.Millis() {
			t.Fatalf("revoked %d at %d, %v", n, at, err)
		}
		revoked := func(inv tokens.Invitation) int64 {
			t.Helper()
			got, err := b.Invitations.Store.ByID(t.Context(), inv.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got.RevokedAt
		}
		if revoked(one) != at || revoked(three) != at || revoked(two) != was.RevokedAt || revoked(elsewhere) != 0 {
			t.Error("revoked something else")
		}
		if n, err := b.Invitations.RestoreAll(t.Context(), ada(), one.Room, at); err != nil || n != 2 {
			t.Errorf("restored %d, %v", n, err)
		}
		if revoked(one) != 0 || revoked(three) != 0 || revoked(two) == 0 {
			t.Error("restored something else")
		}
		_, at, err = b.Invitations.RevokeAll(t.Context(), ada(), one.Room, []rooms.ID{one.ID})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := b.Invitations.RestoreAll(t.Context(), ada(), elsewhere.Room, at); !errors.Is(err, tokens.ErrConflict) {
			t.Errorf("another room's undo: %d, %v", n, err)
		}
		b.Clock.Add(tokens.UndoWindow)
		if n, err := b.Invitations.RestoreAll(t.Context(), ada(), one.Room, at); !errors.Is(err, tokens.ErrConflict) {
			t.Errorf("after the minute: %d, %v", n, err)
		}
	})
}
