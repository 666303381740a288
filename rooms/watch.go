package rooms

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Pulse tells whether anything happened in rooms, as figures that differ when
// it did. Implementations MUST be safe for concurrent use.
type Pulse interface {
	// Beats counts the room's events whose ids lie above base, and of those the
	// ones above next, and sums up who is there now. Where nothing is to be told
	// there is no Beat. Room 0 stands for every room; then what changed who reaches
	// a room counts as room 0's own.
	Beats(ctx context.Context, room, base, next ID, now int64) (map[ID]Beat, error)
	// Rooms returns the rooms of these ids.
	Rooms(ctx context.Context, ids []ID) ([]Room, error)
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
	// Most listeners of all rooms, and of one room by guests, who have three
	// quarters of all together; the rest is the hosts'.
	Most, PerRoom int

	mu     sync.Mutex
	rooms  map[ID]*watched
	total  int
	guests map[string]int // listeners by person, by address, and by room
}

// Party is whose page listens. The zero Party is a host's.
type Party struct {
	Person  string // whoever that is, the same for all of a guest's pages
	Address string // from where
}

// How many listeners one guest may have, and all guests of one address: a
// conference centre has one, and so has somebody who opens ten thousand.
const (
	perPerson  = 8
	perAddress = 1000
)

// ErrCrowded refuses one listener too many; the page asks instead, now and then.
var ErrCrowded = errors.New("too many pages listen already")

// watched is a room with listeners.
type watched struct {
	listeners map[chan struct{}]func(Room) bool // which rooms it is told of, nil for all
	stop      context.CancelFunc
}

// counts are the limits under which a guest's listener falls.
func (w *Watcher) counts(room ID, by Party) map[string]int {
	if by == (Party{}) {
		return nil
	}
	return map[string]int{
		"guests": w.Most * 3 / 4, "room " + room.Show(RoomPrefix): w.PerRoom,
		"person " + by.Person: perPerson, "address " + by.Address: perAddress,
	}
}

const (
	// pace is how often a watched room is looked at.
	pace = 300 * time.Millisecond
	// overlap is how long after it was made an id may still appear: a write may
	// take fifteen seconds, and another machine's clock may lag.
	overlap = 30 * time.Second
)

// Watch gives a notice whenever something changed in the room, many changes at
// once as one, until leave is called, which it MUST be, once. It is
// ErrCrowded where too many listen already.
func (w *Watcher) Watch(room ID, by Party) (notices <-chan struct{}, leave func(), err error) {
	return w.watch(room, by, nil)
}

// WatchReached is Watch of all rooms that the caller reaches, and tells nothing
// of others, except that one was handed over.
func (w *Watcher) WatchReached(by Caller) (notices <-chan struct{}, leave func(), err error) {
	return w.watch(0, Party{}, by.Reaches)
}

func (w *Watcher) watch(room ID, by Party, told func(Room) bool) (notices <-chan struct{}, leave func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.rooms[room]
	limits := w.counts(room, by)
	if w.total >= w.Most {
		return nil, nil, ErrCrowded
	}
	for what, most := range limits {
		if w.guests[what] >= most {
			return nil, nil, ErrCrowded
		}
	}
	if at == nil {
		ctx, stop := context.WithCancel(context.Background())
		at = &watched{map[chan struct{}]func(Room) bool{}, stop}
		if w.rooms == nil {
			w.rooms = map[ID]*watched{}
		}
		w.rooms[room] = at
		go w.look(ctx, room, at)
	}
	own := make(chan struct{}, 1)
	at.listeners[own] = told
	w.total++
	if w.guests == nil {
		w.guests = map[string]int{}
	}
	for what := range limits {
		w.guests[what]++
	}
	return own, func() { w.leave(room, at, own, limits) }, nil
}

func (w *Watcher) leave(room ID, at *watched, own chan struct{}, limits map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(at.listeners, own)
	w.total--
	for what := range limits {
		if w.guests[what]--; w.guests[what] == 0 {
			delete(w.guests, what)
		}
	}
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
	base, was := w.base(), map[ID]Beat(nil)
	for {
		next := w.base()
		is, err := w.Pulse.Beats(ctx, room, base, next, w.Now().UnixMilli())
		if err == nil && was != nil {
			err = w.tell(ctx, at, different(was, is))
		}
		if err == nil {
			base, was = next, is
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Watcher) base() ID { return ID(w.Now().Add(-overlap).UnixMilli() << 20) }

// different are the rooms of which two answers, one after the other, differ.
func different(was, is map[ID]Beat) (ids []ID) {
	for id, b := range is {
		if a := was[id]; b.Events != a.Recent || b.People != a.People || b.Since != a.Since {
			ids = append(ids, id)
		}
	}
	for id, a := range was {
		if _, still := is[id]; !still && (a.Recent != 0 || a.People != 0) {
			ids = append(ids, id)
		}
	}
	return ids
}

// tell gives each listener a notice that is told of one of these rooms.
func (w *Watcher) tell(ctx context.Context, at *watched, ids []ID) error {
	if len(ids) == 0 {
		return nil
	}
	rooms, err := w.Pulse.Rooms(ctx, ids)
	if err != nil {
		return err
	}
	everybody := slices.Contains(ids, 0)
	w.mu.Lock()
	defer w.mu.Unlock()
	for own, told := range at.listeners {
		if told != nil && !everybody && !slices.ContainsFunc(rooms, told) {
			continue
		}
		select {
		case own <- struct{}{}:
		default: // a notice waits already
		}
	}
	return nil
}
