package data_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// undoRace lets a scan and its undoing meet and returns how many uses are taken
// and how many people are in thereafter, by all rounds.
func undoRace(s *stage, undo func(tokens.Redemption) error) (uses, in int) {
	s.Helper()
	for round := range 40 {
		inv := s.mint(1)
		scan := tokens.Redemption{Link: s.Invitations.Links.Short(inv), Nonce: fmt.Sprintf("nonce of round %08d", round), AtDoor: true,
			Actor: audit.Actor{Kind: audit.Host, Name: "ada"}}
		redeem := func() {
			if _, err := s.Invitations.Redeem(s.Context(), scan); err != nil && !errors.Is(err, tokens.ErrRevoked) {
				s.Errorf("round %d: redeem: %v", round, err)
			}
		}
		back := func() {
			if err := undo(scan); err != nil {
				s.Errorf("round %d: undo: %v", round, err)
			}
		}
		var both sync.WaitGroup
		switch round % 4 {
		case 0:
			redeem()
			back()
		case 1:
			back()
			redeem()
		default:
			both.Go(redeem)
			both.Go(back)
			both.Wait()
		}
		after, err := s.Invitations.Store.ByID(s.Context(), inv.ID)
		if err != nil {
			s.Fatal(err)
		}
		uses, in = uses+after.Uses, in+s.within(inv)
	}
	return uses, in
}

// TestAnUndoAndItsBelatedScanLeaveTheCodeUnused: whichever of the two is first.
func TestAnUndoAndItsBelatedScanLeaveTheCodeUnused(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		uses, in := undoRace(s, func(r tokens.Redemption) error {
			_, err := s.Invitations.Undo(t.Context(), r)
			return err
		})
		if uses != 0 || in != 0 {
			t.Errorf("%d uses are taken, %d people in", uses, in)
		}
	})
}

// The control: an undo that stores nothing where nothing is yet.
func TestTheRaceSeesAnUndoThatDoesNotWaitForItsScan(t *testing.T) {
	t.Parallel()
	s := newStage(t, datatest.SQLite(t))
	uses, in := undoRace(s, func(r tokens.Redemption) error {
		inv, err := s.Invitations.Look(t.Context(), s.by, r.Link)
		if err == nil && inv.Uses > 0 {
			_, err = s.Invitations.Undo(t.Context(), r)
		}
		return err
	})
	if uses == 0 || in == 0 {
		t.Errorf("the race does not see it: %d uses, %d people in", uses, in)
	}
}
