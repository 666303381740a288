package rooms_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"admitone/rooms"
)

// happening is a room's events by their ids, and who is there: what a database tells of it.
type happening struct {
	mu     sync.Mutex
	ids    []rooms.ID
	people int64
	asked  int
}

func (h *happening) Beat(_ context.Context, _, base, next rooms.ID, _ int64) (b rooms.Beat, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	for _, id := range h.ids {
		if id > base {
			b.Events++
		}
		if id > next {
			b.Recent++
		}
	}
	b.People, b.Since = h.people, h.people*7
	return b, nil
}

func (h *happening) add(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids = append(h.ids, rooms.ID(at.UnixMilli()<<20+int64(len(h.ids))))
}

// noticed tells how many notices come within a second.
func noticed(notices <-chan struct{}) (n int) {
	for end := time.After(time.Second); ; {
		select {
		case <-notices:
			n++
		case <-end:
			return n
		}
	}
}

func TestWatcherTellsOfEveryChangeOnceWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &happening{}
		w := &rooms.Watcher{Pulse: h, Now: time.Now, PerRoom: 9, Most: 9}
		one, leave, err := w.Watch(1)
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		two, leaveTwo, _ := w.Watch(1)
		defer leaveTwo()
		if n := noticed(one); n != 0 {
			t.Errorf("%d notices of nothing", n)
		}
		for what, change := range map[string]func(){
			"an event":                               func() { h.add(time.Now()) },
			"many at once":                           func() { h.add(time.Now()); h.add(time.Now()); h.add(time.Now()) },
			"one that commits fifteen seconds late":  func() { h.add(time.Now().Add(-15 * time.Second)) },
			"one of a machine whose clock is ahead":  func() { h.add(time.Now().Add(2 * time.Second)) },
			"one of a machine whose clock is behind": func() { h.add(time.Now().Add(-2 * time.Second)) },
			"somebody coming":                        func() { h.mu.Lock(); h.people++; h.mu.Unlock() },
		} {
			change()
			if n := noticed(one); n != 1 {
				t.Errorf("%s: %d notices, want 1", what, n)
			}
			if n := noticed(two); n != 1 {
				t.Errorf("%s: %d notices to the other, want 1", what, n)
			}
		}
		for range 60 { // while ids leave the overlap, nothing happens
			if n := noticed(one); n != 0 {
				t.Fatalf("%d notices of nothing, later", n)
			}
		}
	})
}

func TestWatcherStopsWithItsLastListenerAndIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // fails where a goroutine is left
		h := &happening{}
		w := &rooms.Watcher{Pulse: h, Now: time.Now, PerRoom: 2, Most: 3}
		watch := func(room rooms.ID, want error) func() {
			t.Helper()
			_, leave, err := w.Watch(room)
			if !errors.Is(err, want) {
				t.Errorf("room %d: %v, want %v", room, err, want)
			}
			return leave
		}
		a, b := watch(1, nil), watch(1, nil)
		watch(1, rooms.ErrUnavailable)
		c := watch(2, nil)
		watch(3, rooms.ErrUnavailable)
		a()
		watch(3, nil)()
		b()
		c()
		synctest.Wait()
		asked := h.asked
		time.Sleep(time.Minute)
		if h.asked != asked {
			t.Error("nobody listens, and it still asks")
		}
		watch(1, nil)() // and it begins anew
	})
}
