package data_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// letIn is claim for a person at a door.
func (s *stage) letIn(inv tokens.Invitation, nonce string) (tokens.Admission, error) {
	return s.take(inv, nonce, "")
}

func (s *stage) giveBack(inv tokens.Invitation, a tokens.Admission) error {
	return s.Invitations.Store.GiveBack(context.Background(), a, inv.Counter, s.Clock.Millis()-1,
		audit.Event{At: s.Clock.Millis(), Kind: audit.InvitationReturned, Invitation: int64(inv.ID), Room: int64(inv.Room.ID), Admission: int64(a.ID)})
}

// within counts the admissions that hold, by which uses are judged.
func (s *stage) within(inv tokens.Invitation) (n int) {
	s.Helper()
	err := s.DB.Row(s.Context(), `SELECT COUNT(*) FROM admissions WHERE ended_at = 0 AND invitation_id IN (SELECT id FROM invitations WHERE counter = $1)`,
		int64(inv.Counter)).Scan(&n)
	if err != nil {
		s.Fatal(err)
	}
	return n
}

// TestSeveralDoorsUndoAndAdmitAtOnce: however presses and undoing meet, a code
// counts as many uses as people it let in who were not sent back, and never more
// than it has; one undone twice at once gives back one.
func TestSeveralDoorsUndoAndAdmitAtOnce(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		for round, uses := range []int{1, 3, 1, 3, 1, 3} {
			inv := s.mint(uses)
			links := []tokens.Invitation{inv, inv}
			if round > 2 { // two codes that share their uses
				next, err := s.Invitations.Reissue(t.Context(), s.by, inv, true, false)
				if err != nil {
					t.Fatal(err)
				}
				links[1] = next
			}
			in := make([]tokens.Admission, uses)
			for i := range in {
				var err error
				if in[i], err = s.letIn(links[i%2], fmt.Sprint("first ", i)); err != nil {
					t.Fatal(err)
				}
			}
			var back, won int
			datatest.AtOnce(2, func(side int) {
				if side == 0 {
					back = datatest.Winners(t, 20, tokens.ErrConflict, func(i int) error {
						a, link := in[i%uses], inv
						link.ID = a.Invitation
						return s.giveBack(link, a)
					})
					return
				}
				won = datatest.Winners(t, 20, tokens.ErrNotClaimed, func(i int) error {
					_, err := s.letIn(links[i%2], fmt.Sprint("second ", i))
					return err
				})
			})
			after, err := s.Invitations.Store.ByID(t.Context(), inv.ID)
			if err != nil {
				t.Fatal(err)
			}
			if back != uses || won > uses || after.Uses != won || s.within(inv) != after.Uses {
				t.Errorf("round %d: %d uses of %d given back, %d taken since; counted %d, %d people in", round, back, uses, won, after.Uses, s.within(inv))
			}
		}
	})
}

// The control: an undo that reads, decides, and then writes gives back more than it took.
func TestTheRaceSeesAnUndoThatReadsThenWrites(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		inv := s.mint(9)
		var in tokens.Admission
		for i := range 9 {
			var err error
			if in, err = s.letIn(inv, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		raw := b.Raw(t)
		raw.SetMaxOpenConns(5)
		const n = 5
		allHaveRead := datatest.Together(n)
		datatest.AtOnce(n, func(int) {
			var ended int64
			err := raw.QueryRow("SELECT ended_at FROM admissions WHERE id = $1", int64(in.ID)).Scan(&ended)
			allHaveRead()
			if err == nil && ended == 0 {
				err = returnBlindly(raw, in.ID, inv.ID)
			}
			if err != nil {
				t.Error(err)
			}
		})
		after, err := s.Invitations.Store.ByID(t.Context(), inv.ID)
		if err != nil || after.Uses >= s.within(inv) {
			t.Errorf("the race does not see that %d uses are counted for %d people, %v", after.Uses, s.within(inv), err)
		}
	})
}

// TestAnUndoAndAJoinLinkExcludeEachOther: who was handed a join link is not
// undone, and who was undone gets none.
func TestAnUndoAndAJoinLinkExcludeEachOther(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		for round := range 30 {
			inv := s.mint(1)
			a, err := s.letIn(inv, "n")
			if err != nil {
				t.Fatal(err)
			}
			var undone, handed error
			var both sync.WaitGroup
			both.Go(func() { undone = s.giveBack(inv, a) })
			both.Go(func() {
				handed = s.Invitations.Store.HandOut(context.Background(), a, b.Clock.Millis(), 0, audit.Event{At: b.Clock.Millis(), Kind: audit.ConferenceEntered})
			})
			both.Wait()
			if (undone == nil) == (handed == nil) {
				t.Errorf("round %d: undo %v, join link %v", round, undone, handed)
			}
			for _, err := range []error{undone, handed} {
				if err != nil && !errors.Is(err, tokens.ErrConflict) {
					t.Errorf("round %d: %v", round, err)
				}
			}
		}
	})
}

func returnBlindly(raw *sql.DB, admission, invitation rooms.ID) error {
	_, err := raw.Exec("UPDATE admissions SET ended_at = 1 WHERE id = $1", int64(admission))
	if err == nil {
		_, err = raw.Exec("UPDATE invitations SET uses = uses - 1 WHERE id = $1", int64(invitation))
	}
	return err
}
