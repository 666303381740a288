package hosts

import (
	"context"
	"sync"
	"time"
)

// GuessStore keeps how many wrong guesses were made, for all instances.
type GuessStore interface {
	// Guessed returns until when the guesses under that key weigh, in Unix
	// milliseconds; 0 for none.
	Guessed(ctx context.Context, key string) (int64, error)
	// Guess adds a wrong guess, of that weight in milliseconds, to those that weigh
	// at that moment; all together never weigh more than most.
	Guess(ctx context.Context, key string, at, weight, most int64) error
}

// share is what guessers of one kind may try at each account: burst at once, and
// then one every so often. What was wrong is kept in the database, for other
// instances and the next start, and here too, where it is at hand and also counts
// when nothing can be written. Of an account it keeps one number, until when its
// wrong guesses weigh (the generic cell rate algorithm, ITU-T I.371), so that what
// it remembers is as bounded as accounts are.
type share struct {
	kind  string
	burst int64
	every int64 // milliseconds
	lane  lane
	store GuessStore
	now   func() time.Time

	mu      sync.Mutex
	until   map[string]int64 // Unix milliseconds
	looking map[string]int64 // tries under way
	done    chan struct{}    // closed when one of them is over
}

func newShare(kind string, burst int64, every time.Duration, atOnce int, store GuessStore, now func() time.Time) *share {
	return &share{kind: kind, burst: burst, every: every.Milliseconds(), lane: newLane(atOnce), store: store, now: now,
		until: map[string]int64{}, looking: map[string]int64{}, done: make(chan struct{})}
}

// allowed is TooMany where this instance knows that the account's tries are used
// up; it costs the database nothing.
func (s *share) allowed(account string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := s.until[account]
	if s.believed(until) != until {
		return nil // begin is to bring the row back too
	}
	return s.wait(until, 0)
}

// believed is until when guesses weigh. No guess makes that later than most: then
// a clock ran ahead, and as much weighs as this account may try at once.
func (s *share) believed(until int64) int64 {
	now := s.now().UnixMilli()
	if until > now+s.most() {
		return now + s.burst*s.every
	}
	return until
}

// wait is nil where there is a try left besides those under way, else TooMany.
func (s *share) wait(until, looking int64) error {
	weight := until - s.now().UnixMilli()
	weight = max(0, weight) + looking*s.every
	if over := weight - (s.burst-1)*s.every; over > 0 {
		return TooMany{max(time.Second, time.Duration(over)*time.Millisecond)}
	}
	return nil
}

// most is what guesses weigh at most: those at several instances at once may be
// more than there are, and are waited for too.
func (s *share) most() int64 { return 2 * s.burst * s.every }

// begin takes a try, and gives it back when done without having been wrong. While
// the last ones are under way it waits for what becomes of them.
func (s *share) begin(ctx context.Context, account string) (done func(wrong bool), err error) {
	key := s.kind + " " + account
	for {
		until, err := s.store.Guessed(ctx, key)
		if err != nil {
			return nil, err
		}
		if s.believed(until) != until {
			// A guess of no weight, at a clock that is right, brings the row back to it.
			_ = s.store.Guess(context.WithoutCancel(ctx), key, s.now().UnixMilli(), 0, s.burst*s.every)
		}
		s.mu.Lock()
		if here, there := s.until[account]; there {
			s.until[account] = s.believed(here)
		}
		until = max(s.believed(until), s.until[account])
		if s.wait(until, s.looking[account]) == nil {
			s.looking[account]++
			s.mu.Unlock()
			return func(wrong bool) { s.end(ctx, account, key, wrong) }, nil
		}
		none, over := s.wait(until, 0), s.done
		s.mu.Unlock()
		if none != nil {
			return nil, none
		}
		select {
		case <-over:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// end counts a try that was wrong before it lets others in its place.
func (s *share) end(ctx context.Context, account, key string, wrong bool) {
	now := s.now().UnixMilli()
	if wrong {
		// Where that fails, this instance knows it at least. Nobody escapes it by leaving.
		_ = s.store.Guess(context.WithoutCancel(ctx), key, now, s.every, s.most())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if wrong {
		s.until[account] = min(max(s.until[account], now)+s.every, now+s.most())
	}
	if s.looking[account]--; s.looking[account] == 0 {
		delete(s.looking, account)
	}
	close(s.done)
	s.done = make(chan struct{})
}
