package data_test

import (
	"reflect"
	"testing"
	"time"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// Who came by a link before there was a column for it, came: as if every link had
// been replaced since.
func TestAMigrationKnowsWhoCameBeforeIt(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		want := map[tokens.Invitation]int64{}
		var came int64
		again := func(inv tokens.Invitation, both bool) tokens.Invitation {
			t.Helper()
			next, err := s.Invitations.Reissue(t.Context(), s.by, inv, both, true)
			if err != nil {
				t.Fatal(err)
			}
			want[next] = came
			return next
		}
		in := func(inv tokens.Invitation) {
			t.Helper()
			b.Clock.Add(time.Second)
			if _, err := s.letIn(inv, "n"); err != nil {
				t.Fatal(err)
			}
		}
		nobody := s.mint(1)
		want[nobody] = 0
		again(again(nobody, false), false)
		first := s.mint(3)
		want[first] = 0
		second := again(first, false)
		in(second)
		came = b.Clock.Millis()
		third := again(second, false)
		in(third)
		again(again(third, false), false)
		came = 0
		shared := s.mint(3)
		other := again(shared, true)
		in(shared)
		came = b.Clock.Millis()
		again(other, false)

		if err := data.Remigrate(t.Context(), b.Raw(t), b.DB.Kind() == "sqlite", 15); err != nil {
			t.Fatal(err)
		}
		for inv, came := range want {
			got, err := s.Invitations.Store.ByID(t.Context(), inv.ID)
			if err != nil || got.CameBefore != came {
				t.Errorf("%d came at %d, want %d, %v", inv.ID, got.CameBefore, came, err)
			}
		}
	})
}

// A list that was minted when each of its invitations had a line of its own in the
// history has since one line, and each invitation its own as before.
func TestAMigrationKeepsTheHistoryOfLists(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		alone := s.mint(1)
		rows := make([]tokens.GuestRow, 3)
		for i := range rows {
			rows[i].Draft = tokens.Draft{Role: tokens.Guest, MaxUses: 1}
		}
		var ids []rooms.ID
		for range 2 {
			b.Clock.Add(time.Second)
			_, made, err := s.Invitations.MintList(t.Context(), s.by, s.room, rows, tokens.Terms{Atomic: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range made {
				ids = append(ids, m.Invitation.ID)
			}
		}
		told := func() (all [][]audit.Event) {
			past, err := s.Rooms.Store.Events(t.Context(), s.room.ID, 0, 99)
			all = append(all, past)
			for _, id := range append(ids, alone.ID) {
				if err == nil {
					past, err = s.Invitations.Store.Events(t.Context(), id, 0, 99)
					all = append(all, past)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range all {
				for i := range one {
					one[i].ID = 0
				}
			}
			return all
		}
		before := told()
		if len(before[0]) != 4 || len(before[1]) != 1 {
			t.Fatalf("the history is %v", before)
		}
		if err := data.Remigrate(t.Context(), b.Raw(t), b.DB.Kind() == "sqlite", 21); err != nil {
			t.Fatal(err)
		}
		if after := told(); !reflect.DeepEqual(after, before) {
			t.Errorf("the history was\n%v\nand is\n%v", before, after)
		}
	})
}
