package data_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// stage is a room in a database, with what is needed to race for its invitations.
type stage struct {
	*testing.T
	*datatest.Bench
	by   rooms.Caller
	room rooms.Room
}

func newStage(t *testing.T, b *datatest.Bench) *stage {
	t.Helper()
	by := rooms.Caller{Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Owner: "ada", Admin: true}
	room, err := b.Rooms.Create(t.Context(), by, rooms.Draft{Name: "Stage"})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{T: t, Bench: b, by: by, room: room}
}

func (s *stage) mint(uses int) tokens.Invitation {
	s.Helper()
	inv, err := s.Invitations.Mint(s.Context(), s.by, s.room, tokens.Draft{Role: tokens.Guest, MaxUses: uses}, false)
	if err != nil {
		s.Fatal(err)
	}
	return inv
}

// claim is the Store's own way to take a use, in a browser.
func (s *stage) claim(inv tokens.Invitation, nonce string) (tokens.Admission, error) {
	return s.take(inv, nonce, "b "+nonce)
}

func (s *stage) take(inv tokens.Invitation, nonce, browser string) (tokens.Admission, error) {
	c := tokens.Claim{Counter: inv.Counter, Nonce: nonce, Moves: inv.Moves, Admission: tokens.Admission{ID: s.IDs.Next(s.Clock.Millis()), Invitation: inv.ID,
		Room: inv.Room.ID, Role: inv.Role, Browser: browser, CreatedAt: s.Clock.Millis()}}
	return s.Invitations.Store.Claim(context.Background(), c, audit.Event{At: c.Admission.CreatedAt, Kind: audit.InvitationRedeemed,
		Invitation: int64(inv.ID), Room: int64(inv.Room.ID), Admission: int64(c.Admission.ID)})
}

// tally is how a race ended: as it was told to the racers, and as it is in the database.
type tally struct{ winners, uses, admissions, events int }

// race lets so many racers, each with a nonce of their own, claim one invitation at once.
func (s *stage) race(inv tokens.Invitation, racers int, claim func(nonce string) error) (got tally) {
	s.Helper()
	got.winners = datatest.Winners(s, racers, tokens.ErrNotClaimed, func(i int) error { return claim(fmt.Sprint(i)) })
	for into, query := range map[*int]string{
		&got.uses:       "SELECT uses FROM invitations WHERE id = $1",
		&got.admissions: "SELECT COUNT(*) FROM admissions WHERE invitation_id = $1",
		&got.events:     "SELECT COUNT(*) FROM events WHERE kind = 'invitation.redeemed' AND invitation_id = $1",
	} {
		if err := s.DB.Row(s.Context(), query, int64(inv.ID)).Scan(into); err != nil {
			s.Fatal(err)
		}
	}
	return got
}

const racers = 200

func TestOfManyRacersExactlyMaxUsesWin(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		for _, k := range []int{1, 7, 199} {
			inv := s.mint(k)
			got := s.race(inv, racers, func(nonce string) error { _, err := s.claim(inv, nonce); return err })
			if want := (tally{k, k, k, k}); got != want {
				t.Errorf("for %d uses %+v, want %+v", k, got, want)
			}
		}
	})
}

func TestTwoLinksOfOneCounterRaceForTheSameUses(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		first := s.mint(5)
		second, err := s.Invitations.Reissue(t.Context(), s.by, first, true, false)
		if err != nil {
			t.Fatal(err)
		}
		var n atomic.Int32
		got := s.race(first, racers, func(nonce string) error {
			inv := first
			if n.Add(1)%2 == 0 {
				inv = second
			}
			_, err := s.claim(inv, nonce)
			return err
		})
		if got.winners != 5 || got.uses != 5 {
			t.Errorf("%+v, want 5 winners", got)
		}
	})
}

// The control: a claim that reads, decides, and then writes. The race must see
// what is wrong with it, or it would see nothing in the real one either.
func TestTheRaceSeesAClaimThatReadsThenWrites(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		inv := s.mint(7)
		raw := b.Raw(t)
		raw.SetMaxOpenConns(8)
		allHaveRead := datatest.Together(racers)
		got := s.race(inv, racers, func(nonce string) error {
			var left bool
			err := raw.QueryRow("SELECT uses < max_uses FROM invitations WHERE id = $1", int64(inv.ID)).Scan(&left)
			allHaveRead()
			if err != nil {
				return err
			}
			if !left {
				return tokens.ErrNotClaimed
			}
			return admitBlindly(raw, b.IDs.Next(b.Clock.Millis()), inv, nonce)
		})
		if got.winners <= 7 || got.admissions <= 7 {
			t.Errorf("%+v: the race does not see more than 7 winners", got)
		}
	})
}

func admitBlindly(raw *sql.DB, id rooms.ID, inv tokens.Invitation, nonce string) error {
	_, err := raw.Exec(`INSERT INTO admissions (id, invitation_id, nonce, room_id, role, name, browser, created_at, ended_at)
		VALUES ($1, $2, $3, 0, 'guest', '', '', 0, 0)`, int64(id), int64(inv.ID), nonce)
	if err == nil {
		_, err = raw.Exec("UPDATE invitations SET uses = uses + 1 WHERE id = $1", int64(inv.ID))
	}
	return err
}
