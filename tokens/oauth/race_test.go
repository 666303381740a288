package oauth_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

const racers = 16

// race has so many do it at once, on two instances, and returns what those got
// who were given something.
func (h *house) race(do func(s *oauth.Server) (oauth.Tokens, error)) (won []oauth.Tokens) {
	h.Helper()
	here := []*oauth.Server{h.Apps, h.second()}
	here[1].Store = h.Apps.Store
	var mu sync.Mutex
	datatest.Winners(h, racers, oauth.ErrInvalidGrant, func(i int) error {
		got, err := do(here[i%2])
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			won = append(won, got)
		}
		return err
	})
	return won
}

func TestOfSixteenWithOneCodeOneWinsAndAllIsDead(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		c, _ := h.app(nil)
		for range 5 {
			code := h.code(c, h.ada)
			won := h.race(func(s *oauth.Server) (oauth.Tokens, error) {
				return s.Exchange(context.Background(), c, code, back, verifier)
			})
			if len(won) != 1 {
				t.Fatalf("%d won", len(won))
			}
			h.dead(c, won[0].Refresh, won[0].Access)
		}
		h.leftNothing()
	})
}

func TestOfSixteenWithOneRefreshTokenOneWinsAndAllIsDead(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		c, _ := h.app(nil)
		for range 5 {
			first := h.tokens(c, h.ada)
			won := h.race(func(s *oauth.Server) (oauth.Tokens, error) {
				return s.Refresh(context.Background(), c, first.Refresh, "")
			})
			if len(won) != 1 {
				t.Fatalf("%d won", len(won))
			}
			h.dead(c, won[0].Refresh, first.Access, won[0].Access)
		}
		h.leftNothing()
	})
}

// leftNothing shows that no grant, and so no token of one, is alive.
func (h *house) leftNothing() {
	h.Helper()
	if n := h.count("SELECT COUNT(*) FROM oauth_grants WHERE ended_at = 0"); n != 0 {
		h.Errorf("%d grants are alive", n)
	}
}

// A thief with a refresh token of before races the app with the one of now:
// whoever comes first, nothing is left alive.
func TestAReplayRacesTheRotation(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		c, _ := h.app(nil)
		for range 8 {
			old := h.tokens(c, h.ada)
			now := h.refresh(c, old.Refresh, "")
			var all sync.WaitGroup
			var next oauth.Tokens
			var gotIt error
			all.Go(func() { next, gotIt = h.Apps.Refresh(h.ctx, c, now.Refresh, "") })
			all.Go(func() {
				_, err := h.Apps.Refresh(h.ctx, c, old.Refresh, "")
				h.wants("the thief", err, oauth.ErrInvalidGrant)
			})
			all.Wait()
			access := []string{old.Access, now.Access}
			if gotIt == nil {
				access = append(access, next.Access)
			} else {
				h.wants("the app", gotIt, oauth.ErrInvalidGrant)
			}
			h.dead(c, next.Refresh, access...)
		}
		h.leftNothing()
	})
}

// readThenWrite looks whether a code was used, and when all have looked, takes
// it: what the one claim primitive is there to prevent.
type readThenWrite struct {
	oauth.Store
	looked *sync.WaitGroup
}

func (s readThenWrite) Exchange(ctx context.Context, code string, a oauth.Access, r *oauth.Refreshed, ev audit.Event) (bool, error) {
	used, err := s.Used(ctx, oauth.CodeUse, code)
	s.looked.Done()
	s.looked.Wait()
	if err != nil || used {
		return false, err
	}
	return true, s.AddAccess(ctx, a, ev)
}

// The control: the race must see what is wrong with that, or it would see
// nothing in the real one either.
func TestTheRaceSeesAnExchangeThatReadsThenWrites(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		c, _ := h.app(nil)
		code := h.code(c, h.ada)
		var looked sync.WaitGroup
		looked.Add(racers)
		h.Apps.Store = readThenWrite{h.Apps.Store, &looked}
		if won := h.race(func(s *oauth.Server) (oauth.Tokens, error) {
			return s.Exchange(context.Background(), c, code, back, verifier)
		}); len(won) != racers {
			t.Errorf("%d won: the race does not see more than one", len(won))
		}
	})
}

// What the database cannot do for a while must not pass for a second use, which
// would end what the host allowed.
func TestAFaultOfTheDatabaseEndsNothing(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		c, _ := h.app(nil)
		code := h.code(c, h.ada)
		raw := h.Raw(t)
		_, err := raw.ExecContext(h.ctx, "ALTER TABLE once RENAME TO once_lost")
		h.must(err)
		_, err = h.exchange(c, code)
		if err == nil || errors.Is(err, oauth.ErrInvalidGrant) || errors.Is(err, rooms.ErrNotFound) {
			t.Errorf("%v", err)
		}
		_, err = raw.ExecContext(h.ctx, "ALTER TABLE once_lost RENAME TO once")
		h.must(err)
		got, err := h.exchange(c, code)
		h.must(err)
		if !h.alive(got.Access) {
			t.Error("not alive")
		}
	})
}
