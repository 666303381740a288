package data_test

import (
	"testing"
	"time"

	"admitone/data/datatest"
)

func TestHowFarOurClockIsAheadOfPostgreSQLs(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		for _, off := range []time.Duration{0, time.Hour, -3 * time.Second} {
			got, err := b.DB.Ahead(t.Context(), func() time.Time { return time.Now().Add(off) })
			if err != nil {
				t.Fatal(err)
			}
			want := off
			if b.DB.Kind() == "sqlite" {
				want = 0
			}
			if wrong := got - want; wrong.Abs() > time.Second {
				t.Errorf("%v ahead, seen as %v", off, got)
			}
		}
	})
}
