package tokens

import (
	"context"
	"sync"
)

// slots keep how much is asked of each back end at the same time small, so that
// one that hangs keeps nobody waiting but its own. It is safe for concurrent use.
type slots struct {
	mu  sync.Mutex
	all map[string]chan struct{}
}

// askedAtOnce is how much is asked of one back end at the same time.
const askedAtOnce = 8

// take waits for a turn at the back end and returns what ends it; nil where ctx
// or late ended before.
func (s *slots) take(ctx context.Context, backend string, late <-chan struct{}) (free func()) {
	s.mu.Lock()
	if s.all == nil {
		s.all = map[string]chan struct{}{}
	}
	if s.all[backend] == nil {
		s.all[backend] = make(chan struct{}, askedAtOnce)
	}
	turn := s.all[backend]
	s.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }
	case <-ctx.Done():
	case <-late:
	}
	return nil
}
