package data_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens/keys"
)

// unanswered is a keys.Store that cannot answer while down is set.
type unanswered struct {
	keys.Store
	down atomic.Bool
}

func (s *unanswered) Keys(ctx context.Context) ([]keys.Sealed, error) {
	if s.down.Load() {
		return nil, fmt.Errorf("%w: the cable is out", rooms.ErrUnavailable)
	}
	return s.Store.Keys(ctx)
}

// TestWhatTheRingCannotLookUpIsNotRefused: what another instance made with a key
// that is not known here may be genuine, and nobody can tell before the database
// answers again; what was made long ago needs no asking.
func TestWhatTheRingCannotLookUpIsNotRefused(t *testing.T) {
	t.Parallel()
	for _, later := range []time.Duration{time.Minute, 2 * keys.Lead} {
		t.Run(later.String(), func(t *testing.T) {
			t.Parallel()
			b := datatest.SQLite(t)
			store := &unanswered{Store: data.NewKeys(b.DB, b.IDs)}
			ring := openRing(t, store, b)
			old := signed(t, ring, keys.Invite, "x+jwt")
			b.Clock.Add(later)
			addKey(t, b, keys.Invite, "new")
			addKey(t, b, keys.Link, "newer")
			elsewhere := openRing(t, data.NewKeys(b.DB, b.IDs), b)
			token, id, made := signed(t, elsewhere, keys.Invite, "x+jwt"), []byte("12345678"), b.Clock.Millis()
			mac := elsewhere.CodeMAC(made, id)
			b.Clock.Add(time.Millisecond)
			store.down.Store(true)
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			for round := range 3 { // the first asks, the second comes within the second, the third after it
				for _, ctx := range []context.Context{cancelled, t.Context()} {
					if err := ring.CheckCode(ctx, made, id, mac); !errors.Is(err, rooms.ErrUnavailable) {
						t.Errorf("round %d: a code of another instance: %v", round, err)
					}
				}
				if err := verified(ring, keys.Invite, "x+jwt", token); !errors.Is(err, rooms.ErrUnavailable) {
					t.Errorf("round %d: a token of another instance: %v", round, err)
				}
				if err := verified(ring, keys.Invite, "x+jwt", old); err != nil {
					t.Errorf("round %d: a token with a known key: %v", round, err)
				}
				if err := ring.CheckCode(t.Context(), 1, id, []byte("12345678")); !errors.Is(err, keys.ErrNotOurs) {
					t.Errorf("round %d: a forged code of long ago: %v", round, err)
				}
				b.Clock.Add(time.Duration(round) * time.Second)
			}
			store.down.Store(false)
			b.Clock.Add(time.Second)
			if err := ring.CheckCode(t.Context(), made, id, mac); err != nil {
				t.Errorf("the code, after the database came back: %v", err)
			}
			if err := verified(ring, keys.Invite, "x+jwt", token); err != nil {
				t.Errorf("the token, after the database came back: %v", err)
			}
			if err := verified(ring, keys.Invite, "x+jwt", token[:len(token)-4]+"AAAA"); !errors.Is(err, keys.ErrNotOurs) {
				t.Errorf("a forged token: %v", err)
			}
		})
	}
}

// hanging is a keys.Store that lets callers wait in vain.
type hanging struct {
	keys.Store
	clock *datatest.Clock
	asked atomic.Int32
}

func (s *hanging) Keys(ctx context.Context) ([]keys.Sealed, error) {
	if s.asked.Add(1) == 1 {
		return s.Store.Keys(ctx) // at its start
	}
	s.clock.Add(2 * time.Second)
	return nil, rooms.ErrUnavailable
}

// TestNobodyWaitsAgainForAStoreThatHangs: who asked meanwhile is told what that
// has come to, and the public keys are those that are known.
func TestNobodyWaitsAgainForAStoreThatHangs(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	store := &hanging{Store: data.NewKeys(b.DB, b.IDs), clock: b.Clock}
	ring := openRing(t, store, b)
	b.Clock.Add(time.Minute)
	for range 5 {
		if public := ring.Public(nil); len(public) != 0 {
			t.Fatalf("published %v", public)
		}
	}
	if n := store.asked.Load(); n != 2 {
		t.Errorf("the store was asked %d times, want once more than at the start", n-1)
	}
}
