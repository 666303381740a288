package rooms_test

import (
	"errors"
	"slices"
	"testing"

	"admitone/rooms"
)

func TestApartDoesEachThingOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 1000} {
		times := make([]int, n)
		err := rooms.Apart(n, func(piece, from, to int) error {
			if piece < 0 || piece >= rooms.Pieces() {
				t.Errorf("piece %d", piece)
			}
			for i := from; i < to; i++ {
				times[i]++
			}
			return nil
		})
		if err != nil || slices.ContainsFunc(times, func(n int) bool { return n != 1 }) {
			t.Errorf("of %d: %v, %v", n, times, err)
		}
	}
}

func TestApartTellsWhatFailed(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	if err := rooms.Apart(10, func(_, from, _ int) error {
		if from == 0 {
			return bad
		}
		return nil
	}); !errors.Is(err, bad) {
		t.Errorf("error %v", err)
	}
	defer func() {
		if got := recover(); got != "lost" {
			t.Errorf("panic %v", got)
		}
	}()
	_ = rooms.Apart(10, func(int, int, int) error { panic("lost") })
}
