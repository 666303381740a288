package data_test

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// offered is an invitation that was used, and a code for its admission.
func (s *stage) offered() (tokens.Invitation, tokens.Move) {
	s.Helper()
	inv := s.mint(1)
	a, err := s.claim(inv, "first")
	if err != nil {
		s.Fatal(err)
	}
	m := tokens.Move{Code: "c " + inv.ID.Show(""), Admission: a.ID, Invitation: inv.ID, Room: inv.Room.ID, Browser: a.Browser, ExpiresAt: s.Clock.Millis() + tokens.MoveLife.Milliseconds()}
	if err := s.Invitations.Store.OfferMove(s.Context(), m); err != nil {
		s.Fatal(err)
	}
	// Moves are no limit here, so that the code alone decides.
	if _, err := s.Raw(s.T).ExecContext(s.Context(), "UPDATE invitations SET more_moves = 1000 WHERE id = $1", int64(inv.ID)); err != nil {
		s.Fatal(err)
	}
	return inv, m
}

func TestOfManyDevicesWithOneCodeExactlyOneGoesOn(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		for _, n := range []int{2, 50} {
			inv, m := s.offered()
			won := datatest.Winners(t, n, tokens.ErrMoveCode, func(i int) error {
				device := fmt.Sprint("device ", i)
				_, err := b.Invitations.Store.TakeMove(t.Context(), m.Code, device, "n "+device, b.Clock.Millis(),
					audit.Event{At: b.Clock.Millis(), Kind: audit.InvitationMovedDevice, Invitation: int64(inv.ID)})
				return err
			})
			after, err := b.Invitations.Store.ByID(t.Context(), inv.ID)
			if err != nil || won != 1 || after.Moves != 1 || after.Uses != 1 {
				t.Errorf("%d of %d devices went on: %d moves, %d uses, %v", won, n, after.Moves, after.Uses, err)
			}
		}
	})
}

// The control: a taking that reads, decides, and then writes lets several go on.
func TestTheRaceSeesAMoveThatReadsThenWrites(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		_, m := s.offered()
		raw := b.Raw(t)
		raw.SetMaxOpenConns(8)
		const n = 20
		allHaveRead := datatest.Together(n)
		won := datatest.Winners(t, n, tokens.ErrMoveCode, func(i int) error { return moveBlindly(raw, m, fmt.Sprint("device ", i), allHaveRead) })
		if won < 2 {
			t.Errorf("%d of %d: the race does not see more than one", won, n)
		}
	})
}

func moveBlindly(raw *sql.DB, m tokens.Move, device string, meanwhile func()) error {
	var used int64
	err := raw.QueryRow("SELECT used_at FROM moves WHERE code = $1", m.Code).Scan(&used)
	meanwhile()
	switch {
	case err != nil:
		return err
	case used != 0:
		return tokens.ErrMoveCode
	}
	if _, err = raw.Exec("UPDATE moves SET used_at = 1 WHERE code = $1", m.Code); err == nil {
		_, err = raw.Exec("UPDATE admissions SET browser = $2 WHERE id = $1", int64(m.Admission), device)
	}
	return err
}

// TestADeviceThatIsLeftTakesNoSecondUseMeanwhile: it finds its admission, or
// nothing, whichever of claim and move comes first; also by a link that shares
// its uses with another.
func TestADeviceThatIsLeftTakesNoSecondUseMeanwhile(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		for round := range 40 {
			inv := s.mint(9)
			if round%2 == 1 {
				var err error
				if inv, err = s.Invitations.Reissue(t.Context(), s.by, inv, true, false); err != nil {
					t.Fatal(err)
				}
			}
			a, err := s.claim(inv, "old")
			if err != nil {
				t.Fatal(err)
			}
			m := tokens.Move{Code: "c " + inv.ID.Show(""), Admission: a.ID, Invitation: inv.ID, Room: inv.Room.ID, Browser: a.Browser, ExpiresAt: b.Clock.Millis() + 1}
			if err := b.Invitations.Store.OfferMove(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			var both sync.WaitGroup
			for range 4 {
				both.Go(func() {
					if got, err := s.claim(inv, "old"); err == nil && got.ID != a.ID || err != nil && !errors.Is(err, tokens.ErrNotClaimed) {
						t.Errorf("round %d: the device that is left gets %v, %v", round, got.ID, err)
					}
				})
			}
			both.Go(func() {
				ev := audit.Event{At: b.Clock.Millis(), Kind: audit.InvitationMovedDevice, Invitation: int64(inv.ID)}
				if _, err := b.Invitations.Store.TakeMove(t.Context(), m.Code, "new", "n new", b.Clock.Millis(), ev); err != nil {
					t.Errorf("round %d: the move: %v", round, err)
				}
			})
			both.Wait()
			if _, err := s.claim(inv, "old"); !errors.Is(err, tokens.ErrNotClaimed) {
				t.Errorf("round %d: after the move: %v", round, err)
			}
			if after, err := b.Invitations.Store.ByID(t.Context(), inv.ID); err != nil || after.Uses != 1 {
				t.Errorf("round %d: %d uses, %v", round, after.Uses, err)
			}
		}
	})
}
