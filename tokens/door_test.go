package tokens_test

import (
	"errors"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// shows is a code shown at the door at which ada stands.
func shows(b *datatest.Bench, inv tokens.Invitation, nonce string) tokens.Redemption {
	r := call(b, inv, "ada", nonce)
	r.Actor, r.AtDoor = audit.Actor{Kind: audit.Host, Name: "ada"}, true
	return r
}

// An undone admission gives its use back: the very link admits again, while the
// scan that was undone stays worthless.
func TestAtTheDoorUndoMakesThePrintedCodeWorkAgain(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{})
		scan := shows(b, inv, nonce)
		redeem := func(r tokens.Redemption, want error) {
			t.Helper()
			if _, err := b.Invitations.Redeem(t.Context(), r); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		redeem(scan, nil)
		redeem(shows(b, inv, "a screenshot's own nonce"), tokens.ErrUsed)
		b.Clock.Add(tokens.DoorUndo - time.Millisecond)
		for range 2 { // again is the same
			after, err := b.Invitations.Undo(t.Context(), scan)
			if err != nil || after.Uses != 0 || after.RedeemedAt != 0 || after.State(b.Clock.Millis()) != tokens.Pending {
				t.Errorf("undone: %+v, %v", after, err)
			}
		}
		redeem(scan, tokens.ErrRevoked)
		redeem(shows(b, inv, "the next scan's nonce"), nil)
		redeem(scan, tokens.ErrRevoked)
		redeem(press(b, inv, browser), tokens.ErrUsed)
		events, err := b.Invitations.Store.Events(t.Context(), inv.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[audit.Kind]int{}
		for _, ev := range events {
			kinds[ev.Kind]++
			if ev.Kind == audit.InvitationRedeemed && ev.Detail != audit.AtDoor || ev.Kind == audit.InvitationReturned && ev.Actor.Name != "ada" {
				t.Errorf("the history has %+v", ev)
			}
		}
		if kinds[audit.InvitationRedeemed] != 2 || kinds[audit.InvitationReturned] != 1 {
			t.Errorf("the history has %v", kinds)
		}
	})
}

func TestAtTheDoorUndoEndsAfterTenSecondsAndIsForWhoeverScanned(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	room := makeRoom(t, b, rooms.Draft{})
	inv := mint(t, b, room, tokens.Draft{})
	scan := shows(b, inv, nonce)
	if _, err := b.Invitations.Redeem(t.Context(), scan); err != nil {
		t.Fatal(err)
	}
	other := scan
	other.Actor.Name = "bo"
	if after, err := b.Invitations.Undo(t.Context(), other); err != nil || after.Uses != 1 {
		t.Errorf("by another host: %d uses, %v", after.Uses, err)
	}
	foreign := scan
	foreign.Reaches = func(rooms.Room) bool { return false }
	if _, err := b.Invitations.Undo(t.Context(), foreign); !errors.Is(err, tokens.ErrInvalidLink) {
		t.Errorf("by a stranger: %v", err)
	}
	b.Clock.Add(tokens.DoorUndo)
	if _, err := b.Invitations.Undo(t.Context(), scan); !errors.Is(err, tokens.ErrConflict) {
		t.Errorf("too late: %v", err)
	}
	if _, err := b.Invitations.Redeem(t.Context(), shows(b, inv, "a screenshot's own nonce")); !errors.Is(err, tokens.ErrUsed) {
		t.Errorf("after that: %v", err)
	}
}

// What was undone before it came admits nobody when it comes, and the code is as
// good as new.
func TestAtTheDoorWhatWasUndoneFirstAdmitsNobody(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{PIN: "4711"})
		scan := shows(b, inv, nonce)
		for range 2 {
			if after, err := b.Invitations.Undo(t.Context(), scan); err != nil || after.Uses != 0 {
				t.Fatalf("undone: %+v, %v", after, err)
			}
		}
		scan.PIN = "4711"
		for range 2 {
			if _, err := b.Invitations.Redeem(t.Context(), scan); !errors.Is(err, tokens.ErrRevoked) {
				t.Errorf("belated: %v", err)
			}
		}
		if after := fetch(t, b, inv); after.Uses != 0 || after.RedeemedAt != 0 {
			t.Errorf("a use was taken: %+v", after)
		}
		next := shows(b, inv, "the next scan's nonce")
		next.PIN = "4711"
		if _, err := b.Invitations.Redeem(t.Context(), next); err != nil {
			t.Errorf("the next scan: %v", err)
		}
	})
}

// At a door nobody is sent into the conference: none waits for its host, none
// counts as inside, and a gate's admission that has a join link is not undone.
func TestAtTheDoorTheConferenceIsNoMatter(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	held := makeRoom(t, b, rooms.Draft{Backend: "held"})
	for _, role := range []tokens.Role{tokens.Guest, tokens.Host} {
		inv := mint(t, b, held, tokens.Draft{Role: role})
		for range 2 {
			out, err := b.Invitations.Redeem(t.Context(), shows(b, inv, nonce))
			if err != nil || out.JoinLink != "" || out.Admission.EnteredAt != 0 {
				t.Errorf("%s: %+v, %v", role, out, err)
			}
		}
	}
	if err := b.Invitations.Held(t.Context(), mint(t, b, held, tokens.Draft{})); !errors.Is(err, tokens.ErrWaiting) {
		t.Errorf("a host at the door let guests into the conference: %v", err)
	}
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{Backend: "conf"}), tokens.Draft{})
	gate := shows(b, inv, nonce)
	gate.AtDoor = false
	if out, err := b.Invitations.Redeem(t.Context(), gate); err != nil || out.JoinLink == "" {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, err := b.Invitations.Undo(t.Context(), gate); !errors.Is(err, tokens.ErrConflict) {
		t.Errorf("undone, with a join link out: %v", err)
	}
}
