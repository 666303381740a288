package rooms

import (
	"context"
	"sync"
	"time"
)

// Pulse tells whether anything happened in a room, as figures that differ when
// it did. Implementations MUST be safe for concurrent use.
type Pulse interface {
	// Beat counts the room's events whose ids lie above base, and of those the
	// ones above next, and sums up who is there now. Room 0 stands for all rooms.
	Beat(ctx context.Context, room, base, next ID, now int64) (Beat, error)
}

// Beat is one answer of a Pulse.
type Beat struct {
	Events, Recent int64 // events above base, and above next
	People, Since  int64 // how many are there, and the sum of since when
}

// Watcher tells listeners that something changed in a room: within a second,
// whoever changed it, also another instance or the command line. A room that
// somebody listens to is looked at by one goroutine, which ends with the last
// listener. It is safe for concurrent use.
type Watcher struct {
	Pulse Pulse
	Now   func() time.Time
	// Most listeners of one room, and of all rooms.
	PerRoom, Most int

	mu    sync.Mutex
	rooms map[ID]*watched
	total int
}

// watched is a room with listeners.
type watched struct {
	listeners map[chan struct{}]struct{}
	stop      context.CancelFunc
}

const (
	// pace is how often a watched room is looked at.
	pace = 300 * time.Millisecond
	// overlap is how long after it was made an id may still appear: a write may
	// take fifteen seconds, and another machine's clock may lag.
	overlap = 30 * time.Second
)

// Watch gives a notice whenever something changed in the room (0: in any), many
// changes at once as one, until leave is called, which it MUST be, once. It is
// ErrUnavailable where too many listen already.
func (w *Watcher) Watch(room ID) (notices <-chan struct{}, leave func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.rooms[room]
	if w.total >= w.Most || at != nil && len(at.listeners) >= w.PerRoom {
		return nil, nil, ErrUnavailable
	}
	if at == nil {
		ctx, stop := context.WithCancel(context.Background())
		at = &watched{map[chan struct{}]struct{}{}, stop}
		if w.rooms == nil {
			w.rooms = map[ID]*watched{}
		}
		w.rooms[room] = at
		go w.look(ctx, room, at)
	}
	own := make(chan struct{}, 1)
	at.listeners[own] = struct{}{}
	w.total++
	return own, func() { w.leave(room, at, own) }, nil
}

func (w *Watcher) leave(room ID, at *watched, own chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(at.listeners, own)
	w.total--
	if len(at.listeners) == 0 {
		at.stop()
		delete(w.rooms, room)
	}
}

// look asks for the room's pulse until ctx ends. Each answer counts the events
// above one base twice, for this comparison and for the next, from one snapshot,
// so that an event which commits late is counted by one of them.
func (w *Watcher) look(ctx context.Context, room ID, at *watched) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	base, was, known := w.base(), Beat{}, false
	for {
		next := w.base()
		if b, err := w.Pulse.Beat(ctx, room, base, next, w.Now().UnixMilli()); err == nil {
			if known && (b.Events != was.Recent || b.People != was.People || b.Since != was.Since) {
				w.tell(at)
			}
			base, was, known = next, b, true
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Watcher) base() ID { return ID(w.Now().Add(-overlap).UnixMilli() << 20) }

func (w *Watcher) tell(at *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for own := range at.listeners {
		select {
		case own <- struct{}{}:
		default: // a notice waits already
		}
	}
}
