package tokens

import (
	"context"
	"maps"
	"sync"
	"time"

	"admitone/rooms"
	"admitone/rooms/conference"
)

// lately asks something about a room at most every so often, and lets all who
// want to know meanwhile share the answer. It is safe for concurrent use; the
// pace is the machine's time, whatever the clock of the rules says.
type lately[T any] struct {
	mu    sync.Mutex
	rooms map[rooms.ID]*asked[T]
	slots slots
}

type asked[T any] struct {
	done  chan struct{} // closed when the answer is there
	since time.Time
	answered[T]
	before *answered[T] // good until then, nil where there was none
}

type answered[T any] struct {
	answer T
	err    error
}

// manyAsked is how many rooms are remembered at most, beside those about which an
// answer is still to come.
const manyAsked = 1000

// get returns the latest answer; it waits for one no longer than ctx lasts, and
// then takes the one before where there is one.
func (l *lately[T]) get(ctx context.Context, room rooms.Room, every time.Duration, ask func(context.Context) (T, error)) (T, error) {
	a := l.find(room, every, ask)
	select {
	case <-a.done:
		return a.answer, a.err
	case <-ctx.Done():
	}
	if a.before != nil {
		return a.before.answer, a.before.err
	}
	var none T
	return none, ctx.Err()
}

func (l *lately[T]) find(room rooms.Room, every time.Duration, ask func(context.Context) (T, error)) *asked[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.rooms[room.ID]
	if a != nil && !a.over(every) {
		return a
	}
	if l.rooms == nil {
		l.rooms = map[rooms.ID]*asked[T]{}
	}
	if len(l.rooms) >= manyAsked {
		maps.DeleteFunc(l.rooms, func(_ rooms.ID, a *asked[T]) bool { return a.over(0) })
	}
	next := &asked[T]{done: make(chan struct{}), since: time.Now()}
	if a != nil {
		next.before = &answered[T]{a.answer, a.err} // without those before it
	}
	l.rooms[room.ID] = next
	go func() {
		defer close(next.done)
		// For all who share the answer, so that nobody's leaving ends it.
		turn, missed := context.WithTimeout(context.Background(), conference.Timeout)
		defer missed()
		free := l.slots.take(turn, room.Backend, nil)
		if free == nil {
			next.err = turn.Err()
			return
		}
		defer free()
		ctx, cancel := context.WithTimeout(context.Background(), conference.Timeout)
		defer cancel()
		next.answer, next.err = ask(ctx)
	}()
	return next
}

// over tells whether the answer is there and too old.
func (a *asked[T]) over(every time.Duration) bool {
	select {
	case <-a.done:
		return time.Since(a.since) > every
	default:
		return false
	}
}
