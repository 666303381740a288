package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	down   bool // for the next question for rooms

	where     rooms.ID // another room
	elsewhere rooms.Beat
}

func (h *happening) Beats(_ context.Context, _, base, next rooms.ID, _ int64) (map[rooms.ID]rooms.Beat, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	var b rooms.Beat
	for _, id := range h.ids {
		if id > base {
			b.Events++
		}
		if id > next {
			b.Recent++
		}
	}
	b.People, b.Since = h.people, h.people*7
	all := map[rooms.ID]rooms.Beat{}
	if b != (rooms.Beat{}) {
		all[1] = b
	}
	if h.elsewhere != (rooms.Beat{}) {
		all[h.where] = h.elsewhere
	}
	return all, nil
}

// Rooms are ada's one and bo's two.
func (h *happening) Rooms(_ context.Context, ids []rooms.ID) (all []rooms.Room, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		h.down = false
		return nil, rooms.ErrUnavailable
	}
	for _, r := range []rooms.Room{{ID: 1, Owner: "ada", Slug: "one"}, {ID: 2, Owner: "bo", Slug: "two"}} {
		if slices.Contains(ids, r.ID) {
			all = append(all, r)
		}
	}
	return all, nil
}

func (h *happening) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
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
		one, leave, err := w.Watch(1, rooms.Party{})
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		two, leaveTwo, _ := w.Watch(1, rooms.Party{})
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

func TestWhoListensToTheirRoomsHearsNothingOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &happening{}
		w := &rooms.Watcher{Pulse: h, Now: time.Now, PerRoom: 9, Most: 9}
		listen := map[string]<-chan struct{}{}
		for name, by := range map[string]rooms.Caller{
			"ada": {Owner: "ada"}, "bo": {Owner: "bo"}, "an admin": {Owner: "root", Admin: true}, "who may manage two": {Owner: "cy", Slugs: []string{"two"}}, "nobody": {Owner: "di"},
		} {
			notices, leave, err := w.WatchReached(by)
			if err != nil {
				t.Fatal(err)
			}
			defer leave()
			listen[name] = notices
		}
		time.Sleep(time.Second)
		for _, row := range []struct {
			what   string
			change func()
			hear   []string
		}{
			{"an event in ada's room", func() { h.ids = append(h.ids, rooms.ID(time.Now().UnixMilli()<<20)) }, []string{"ada", "an admin"}},
			{"somebody coming to bo's", func() { h.where, h.elsewhere = 2, rooms.Beat{People: 1, Since: 3} }, []string{"bo", "an admin", "who may manage two"}},
			{"somebody going from bo's", func() { h.elsewhere = rooms.Beat{} }, []string{"bo", "an admin", "who may manage two"}},
			{"the same, while the database is away for a moment", func() { h.elsewhere, h.down = rooms.Beat{People: 2, Since: 3}, true }, []string{"bo", "an admin", "who may manage two"}},
			{"all going from bo's", func() { h.elsewhere = rooms.Beat{} }, []string{"bo", "an admin", "who may manage two"}},
			{"a room handed over", func() { h.where, h.elsewhere = 0, rooms.Beat{Events: 1, Recent: 1} }, []string{"ada", "bo", "an admin", "who may manage two", "nobody"}},
		} {
			h.set(row.change)
			time.Sleep(time.Second)
			for name, notices := range listen {
				want := 0
				if slices.Contains(row.hear, name) {
					want = 1
				}
				if n := len(notices); n != want {
					t.Errorf("%s: %s hears %d notices, want %d", row.what, name, n, want)
				}
				for range len(notices) {
					<-notices
				}
			}
		}
	})
}

func TestWatcherStopsWithItsLastListenerAndIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // fails where a goroutine is left
		h := &happening{}
		w := &rooms.Watcher{Pulse: h, Now: time.Now, PerRoom: 2, Most: 4}
		watch := func(room rooms.ID, who string, want error) func() {
			t.Helper()
			by := rooms.Party{}
			if who != "" {
				by = rooms.Party{Person: who, Address: "here"}
			}
			_, leave, err := w.Watch(room, by)
			if !errors.Is(err, want) {
				t.Errorf("room %d, %q: %v, want %v", room, who, err, want)
			}
			return leave
		}
		a, b := watch(1, "ada", nil), watch(1, "bo", nil)
		watch(1, "cy", rooms.ErrCrowded) // the room is full of guests
		c := watch(2, "cy", nil)
		watch(2, "di", rooms.ErrCrowded) // so is the house
		d := watch(1, "", nil)           // and a host still hears
		watch(3, "", rooms.ErrCrowded)
		a()
		watch(1, "ada", nil)()
		b()
		c()
		d()
		synctest.Wait()
		asked := h.asked
		time.Sleep(time.Minute)
		if h.asked != asked {
			t.Error("nobody listens, and it still asks")
		}
		watch(1, "", nil)() // and it begins anew
	})
}

// One link is one person, however often it is opened, and one address is not
// the whole world.
func TestWatcherBoundsAGuestAndAnAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &rooms.Watcher{Pulse: &happening{}, Now: time.Now, PerRoom: 10_000, Most: 10_000}
		var all []func()
		listen := func(person, address string) error {
			_, leave, err := w.Watch(1, rooms.Party{Person: person, Address: address})
			if err == nil {
				all = append(all, leave)
			}
			return err
		}
		for n := range 9 {
			if err := listen("ada", "here"); (err == nil) != (n < 8) {
				t.Errorf("page %d of one guest: %v", n+1, err)
			}
		}
		for n := 8; n < 1001; n++ {
			if err := listen(fmt.Sprint(n), "here"); (err == nil) != (n < 1000) {
				t.Fatalf("listener %d of one address: %v", n+1, err)
			}
		}
		if err := listen("bo", "there"); err != nil {
			t.Errorf("somebody elsewhere: %v", err)
		}
		for _, leave := range all {
			leave()
		}
	})
}
