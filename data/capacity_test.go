package data_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// limited is a stage whose room takes so many guests.
func limited(t *testing.T, b *datatest.Bench, capacity int, d rooms.Draft) *stage {
	t.Helper()
	s := newStage(t, b)
	d.Name, d.Capacity = "Small", capacity
	room, err := b.Rooms.Create(t.Context(), s.by, d)
	if err != nil {
		t.Fatal(err)
	}
	s.room = room
	return s
}

// enter redeems a new invitation of that role and says what came of it.
func (s *stage) enter(role tokens.Role) (tokens.Admitted, error) {
	s.Helper()
	inv, err := s.Invitations.Mint(s.Context(), s.by, s.room, tokens.Draft{Role: role}, true)
	if err != nil {
		s.Fatal(err)
	}
	return s.Invitations.Redeem(context.Background(), tokens.Redemption{Link: s.Invitations.Links.Short(inv), Nonce: "0123456789abcdef", Actor: audit.Actor{Kind: audit.Host, Name: "ada"}})
}

func TestARoomTakesExactlyItsCapacityAtOnce(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		const places, guests = 7, 100
		s := limited(t, b, places, rooms.Draft{})
		links := make([]string, guests)
		for i := range links {
			links[i] = s.Invitations.Links.Short(s.mint(1))
		}
		in := datatest.Winners(t, guests, tokens.ErrRoomFull, func(i int) error {
			_, err := s.Invitations.Redeem(context.Background(), tokens.Redemption{Link: links[i], Nonce: fmt.Sprint("nonce ", i), Actor: s.by.Actor})
			return err
		})
		if in != places {
			t.Errorf("%d in, of %d for %d places", in, guests, places)
		}
		var uses, admissions int
		if err := b.DB.Row(t.Context(), "SELECT COALESCE(SUM(uses), 0) FROM invitations WHERE room_id = $1", int64(s.room.ID)).Scan(&uses); err != nil {
			t.Fatal(err)
		}
		if err := b.DB.Row(t.Context(), "SELECT COUNT(*) FROM admissions WHERE room_id = $1", int64(s.room.ID)).Scan(&admissions); err != nil {
			t.Fatal(err)
		}
		if uses != places || admissions != places {
			t.Errorf("%d uses and %d admissions were taken for %d places", uses, admissions, places)
		}
	})
}

// The control: counting first and entering later lets too many in.
func TestTheCapacityRaceSeesACountThatIsNotLocked(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		const places, guests = 3, 20
		s := limited(t, b, places, rooms.Draft{})
		invs := make([]tokens.Invitation, guests)
		for i := range invs {
			invs[i] = s.mint(1)
		}
		raw := b.Raw(t)
		raw.SetMaxOpenConns(8)
		allHaveCounted := datatest.Together(guests)
		in := datatest.Winners(t, guests, tokens.ErrRoomFull, func(i int) error {
			var inside int
			err := raw.QueryRow("SELECT COUNT(*) FROM admissions WHERE room_id = $1", int64(s.room.ID)).Scan(&inside)
			allHaveCounted()
			if err != nil || inside >= places || enterBlindly(raw, b.IDs.Next(b.Clock.Millis()), invs[i], fmt.Sprint(i)) != nil {
				return tokens.ErrRoomFull
			}
			return nil
		})
		if in <= places {
			t.Errorf("only %d came in past a count for %d places: this race shows nothing", in, places)
		}
	})
}

func enterBlindly(raw *sql.DB, id rooms.ID, inv tokens.Invitation, nonce string) error {
	_, err := raw.Exec(`INSERT INTO admissions (id, invitation_id, nonce, room_id, role, name, browser, created_at, ended_at) VALUES ($1, $2, $3, $4, 'guest', '', '', 1, 0)`,
		int64(id), int64(inv.ID), nonce, int64(inv.Room.ID))
	return err
}

func TestAPlaceIsFreeAgainWhenItsAdmissionEnds(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := limited(t, b, 1, rooms.Draft{})
		first, err := s.enter(tokens.Guest)
		if err != nil {
			t.Fatal(err)
		}
		full := func(when string, want bool) {
			t.Helper()
			if _, err := s.enter(tokens.Guest); errors.Is(err, tokens.ErrRoomFull) != want || err != nil && !want {
				t.Errorf("%s: %v", when, err)
			}
		}
		full("while the first is in", true)
		if _, err := s.enter(tokens.Host); err != nil {
			t.Errorf("hosts do not count: %v", err)
		}
		if _, err := s.Invitations.Revoke(t.Context(), s.by, first.Invitation, ""); err != nil {
			t.Fatal(err)
		}
		full("after revoking the first", false)
		full("the place is taken again", true)
		b.Clock.Add(tokens.Stay)
		full("after every stay is over", false)
		more := 3
		if s.room, err = b.Rooms.Change(t.Context(), s.by, s.room, rooms.Change{Capacity: &more}); err != nil {
			t.Fatal(err)
		}
		full("with two places more", false)
		full("with one place more", false)
		full("full again", true)
	})
}

func TestInARoomWithAnEndAPlaceIsTakenUntilThen(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	s := limited(t, b, 1, rooms.Draft{EndsAt: b.Clock.Millis() + (30 * time.Hour).Milliseconds()})
	if _, err := s.enter(tokens.Guest); err != nil {
		t.Fatal(err)
	}
	b.Clock.Add(tokens.Stay + time.Hour)
	if _, err := s.enter(tokens.Guest); !errors.Is(err, tokens.ErrRoomFull) {
		t.Errorf("13 hours later, before the room's end: %v", err)
	}
}
