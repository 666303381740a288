package hosts_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms/hosts"
)

// siege is everybody who guesses at Ada's account, at several instances over one
// database, while Ada signs in.
type siege struct {
	*secured
	t      *testing.T
	gates  []*hosts.Gate
	looked atomic.Int64
}

func besiege(t *testing.T, b *datatest.Bench, instances int) *siege {
	t.Helper()
	s := &siege{secured: secure(t, b), t: t}
	s.gates = append(s.gates, s.gate)
	for range instances - 1 {
		s.restart(len(s.gates))
	}
	return s
}

// restart replaces an instance by one that remembers nothing.
func (s *siege) restart(n int) {
	fresh := hosts.NewGate(s.gate.Directory, s.bench.Hosts, s.bench.Clock.Now)
	if n == len(s.gates) {
		s.gates = append(s.gates, fresh)
	} else {
		s.gates[n] = fresh
	}
}

// guess tries the nth wrong thing by one of the ways in. Whatever is not refused
// unseen was looked at.
func (s *siege) guess(n int, from hosts.From) {
	s.t.Helper()
	g := s.gates[n%len(s.gates)]
	ada, err := g.Directory.ByName(s.t.Context(), "ada")
	if err != nil {
		s.t.Error(err)
		return
	}
	switch n / len(s.gates) % 4 {
	case 0:
		_, err = g.SignIn(s.t.Context(), "ada", "wrong guess", fmt.Sprintf("%06d", n), from)
	case 1:
		_, err = g.SignIn(s.t.Context(), "Ada", secret, fmt.Sprintf("%06d", n), from)
	case 2:
		err = g.SecondFactor(s.t.Context(), ada, fmt.Sprintf("%04d-%04d-%04d", n, n, n), from)
	case 3:
		err = g.Password(s.t.Context(), ada, "wrong guess", from)
	}
	switch {
	case errors.Is(err, hosts.ErrCredentials), errors.Is(err, hosts.ErrInvalidTwoFactor):
		s.looked.Add(1)
	case wait(err) <= 0:
		s.t.Errorf("guess %d: %v", n, err)
	}
}

// owner signs in by both steps. off is how far the app's clock is ahead: a code works once.
func (s *siege) owner(n int, from hosts.From, off time.Duration) {
	s.t.Helper()
	g := s.gates[n%len(s.gates)]
	h, err := g.SignIn(s.t.Context(), "ada", secret, "", from)
	if !errors.Is(err, hosts.ErrMissingTwoFactor) {
		s.t.Fatalf("the owner's password after %d guesses, %d looked at: %v", n, s.looked.Load(), err)
	}
	p := s.phone
	p.off = off
	if err := g.SecondFactor(s.t.Context(), h, p.code(), from); err != nil {
		s.t.Fatalf("the owner's code after %d guesses, %d looked at: %v", n, s.looked.Load(), err)
	}
}

// TestAnHourOfGuessesFromEverywhere is F23: the guesser knows the password or does
// not, and uses every way in, with all that there may be:
// addresses that nobody knows, addresses that somebody signed in at before, several
// instances of the server and their restarts.
func TestAnHourOfGuessesFromEverywhere(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		instances int
		address   func(n int) string
		least     int64
	}{
		"one address":                        {1, func(int) string { return "203.0.113.1" }, 30},
		"many addresses":                     {1, func(n int) string { return fmt.Sprintf("10.%d.%d.%d", n%7, n/250%250, n%250) }, 40},
		"many and known ones, two instances": {2, func(n int) string { return fmt.Sprintf("10.0.%d.%d", n/8%2, n/16%20) }, 60},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := besiege(t, bench(t), row.instances)
			home := hosts.From{Address: "192.0.2.1"}
			s.owner(0, home, 0)
			for n := range 20 { // places where somebody else was once, as in a café
				if _, err := s.gate.SignIn(t.Context(), "bo", secret, "", hosts.From{Address: fmt.Sprintf("10.0.1.%d", n)}); err != nil {
					t.Fatal(err)
				}
			}
			s.bench.Clock.Add(time.Minute)
			abroad := hosts.From{Address: "198.51.100.250", Device: s.gate.Device(s.host(t, "ada"))}
			const tries = 10_000
			for n := range tries {
				s.guess(n, hosts.From{Address: row.address(n)})
				s.bench.Clock.Add(time.Hour / tries)
				if n%(tries/20) == 0 {
					if row.instances == 1 { // guessers at many known addresses use up what addresses have
						s.owner(n, home, 0)
					}
					s.owner(n, abroad, 30*time.Second)
				}
				if n%(tries/5) == 0 && row.instances > 1 {
					s.restart(1)
				}
			}
			if got := s.looked.Load(); got > 100 || got < row.least {
				t.Errorf("%d guesses were looked at in an hour", got)
			}
		})
	}
}

// TestNoHourHasMoreThanAHundredGuesses: also who has Ada's own device and sits at
// Ada's own address, and hammers on all instances at once after a night of rest.
func TestNoHourHasMoreThanAHundredGuesses(t *testing.T) {
	t.Parallel()
	s := besiege(t, bench(t), 2)
	s.owner(0, hosts.From{Address: "192.0.2.1"}, 0)
	device := s.gate.Device(s.host(t, "ada"))
	for hour := range 3 {
		s.bench.Clock.Add(12 * time.Hour)
		s.looked.Store(0)
		for n := range 60 {
			var all sync.WaitGroup
			for m := range 24 {
				from := []hosts.From{{Address: fmt.Sprintf("203.0.113.%d", n)}, {Address: "192.0.2.1"}, {Address: "192.0.2.1", Device: device}}[m%3]
				all.Go(func() { s.guess(n*24+m, from) })
			}
			all.Wait()
			s.bench.Clock.Add(time.Minute)
		}
		if got := s.looked.Load(); got > 100 || got < 70 {
			t.Errorf("hour %d: %d guesses were looked at", hour, got)
		}
	}
}

// TestTheDeviceHasItsOwn: whoever shares the owner's address uses up what addresses
// have, and not what the device has.
func TestTheDeviceHasItsOwn(t *testing.T) {
	t.Parallel()
	s := besiege(t, bench(t), 2)
	home := hosts.From{Address: "192.0.2.1"}
	s.owner(0, home, 0)
	known := hosts.From{Address: home.Address, Device: s.gate.Device(s.host(t, "ada"))}
	for n := range 500 {
		s.guess(n, home)
		s.guess(n, hosts.From{Address: fmt.Sprintf("203.0.113.%d", n%200)})
	}
	if _, err := s.gate.SignIn(t.Context(), "ada", secret, "", home); wait(err) == 0 {
		t.Errorf("at the address without the device: %v; the test shows nothing", err)
	}
	for range 5 {
		s.bench.Clock.Add(time.Minute)
		s.owner(1, known, 0)
	}
}

// TestAMistypingOwnerGoesOn: what the owner's device has is used up by the owner,
// who is then like somebody at that address, and then like a stranger.
func TestAMistypingOwnerGoesOn(t *testing.T) {
	t.Parallel()
	g, _ := gate(t)
	mark := g.Device(good(t, g, "ada", "192.0.2.1", ""))
	if got := guesses(t, g, 60, "ada", "192.0.2.1", mark); got < 15 || got > 30 {
		t.Errorf("%d of the owner's own tries were looked at", got)
	}
}

// TestExistingNamesAreNotToldFromInventedOnes is F25 by counting: whoever is
// refused, and when, is the same for both, from wherever one asks.
func TestExistingNamesAreNotToldFromInventedOnes(t *testing.T) {
	t.Parallel()
	g, b := gate(t)
	good(t, g, "ada", "192.0.2.1", "") // Ada's own address, behind which the guesser may sit too
	const names = 40
	for n := range names {
		guesses(t, g, 12, fmt.Sprintf("name-%d", n), fmt.Sprintf("10.%d.%d.%d", n/65536, n/256%256, n%256), "")
	}
	told := func(name string) (all string) {
		for n := range 14 {
			all += fmt.Sprint(guesses(t, g, 1, name, fmt.Sprintf("203.0.113.%d", n), ""))
		}
		for range 14 {
			all += fmt.Sprint(guesses(t, g, 1, name, "192.0.2.1", ""))
		}
		b.Clock.Add(10 * time.Minute) // the addresses have tries again
		return all
	}
	same, want := 0, told("ada")
	for n := range 10 {
		if told(fmt.Sprintf("fresh-%d", n)) == want {
			same++
		}
	}
	if same < 8 { // one that was guessed at before may share a count
		t.Errorf("of ten invented names %d answer as Ada's does, %s", same, want)
	}
}

// TestWhatWasUsedBeforeIsNoGuess: two windows, a double click, a request sent
// again. The code was right, so nobody guessed.
func TestWhatWasUsedBeforeIsNoGuess(t *testing.T) {
	t.Parallel()
	s := besiege(t, bench(t), 1)
	from := hosts.From{Address: "203.0.113.9"}
	ada := s.host(t, "ada")
	for _, code := range []string{s.phone.code(), s.recovery[0]} {
		var all sync.WaitGroup
		var in, again atomic.Int32
		for range 30 {
			all.Go(func() {
				switch err := s.gate.SecondFactor(t.Context(), ada, code, from); {
				case err == nil:
					in.Add(1)
				case errors.Is(err, hosts.ErrInvalidTwoFactor):
					again.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 || again.Load() != 29 {
			t.Errorf("%d got in and %d were refused", in.Load(), again.Load())
		}
	}
	s.bench.Clock.Add(time.Minute)
	s.owner(0, from, 0)
}

// TestRightOnesAtOnceDoNotWaitForTriesThatAreNotTaken: one try is left, and many
// windows sign in with the right password at once.
func TestRightOnesAtOnceDoNotWaitForTriesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	g, _ := gate(t)
	for n := range 9 {
		guesses(t, g, 1, "ada", fmt.Sprintf("203.0.113.%d", n), "")
	}
	var all sync.WaitGroup
	for n := range 12 {
		all.Go(func() { good(t, g, "ada", fmt.Sprintf("198.51.100.%d", n), "") })
	}
	all.Wait()
	if got := guesses(t, g, 5, "ada", "203.0.113.77", ""); got != 1 {
		t.Errorf("%d tries were left, want 1", got)
	}
}
