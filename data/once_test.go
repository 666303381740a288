package data_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"admitone/data/datatest"
)

// firsts is how many of sixteen at once were told that they were the first.
func firsts(t *testing.T, do func() (bool, error)) int {
	t.Helper()
	var n atomic.Int32
	datatest.AtOnce(16, func(int) {
		first, err := do()
		if err != nil {
			t.Error(err)
		}
		if first {
			n.Add(1)
		}
	})
	return int(n.Load())
}

func TestWhatWorksOnceWorksOnce(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		for round := range 20 {
			hash := fmt.Sprint("hash ", round)
			for _, use := range []string{"one use", "another use"} {
				if n := firsts(t, func() (bool, error) { return b.DB.Once(context.Background(), use, hash) }); n != 1 {
					t.Errorf("%s: %d were the first", use, n)
				}
			}
		}
	})
}

// The control: the race must see one that looks and, when all have looked, notes.
func TestTheRaceSeesAUseThatIsReadThenWritten(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		allHaveLooked := datatest.Together(16)
		n := firsts(t, func() (bool, error) {
			var used int
			err := b.DB.Row(context.Background(), "SELECT COUNT(*) FROM once WHERE used_for = $1 AND hash = $2", "use", "hash").Scan(&used)
			allHaveLooked()
			if err == nil && used == 0 {
				_, err = b.DB.Once(context.Background(), "use", "hash")
			}
			return used == 0, err
		})
		if n != 16 {
			t.Errorf("%d were the first: the race does not see more than one", n)
		}
	})
}
