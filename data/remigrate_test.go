package data_test

import (
	"testing"
	"time"

	"admitone/data"
	"admitone/data/datatest"
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
