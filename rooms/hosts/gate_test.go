package hosts_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms/hosts"
)

// gate is a gate to Ada and Bo, whose hashes cost next to nothing.
func gate(t *testing.T) (*hosts.Gate, *datatest.Bench) {
	t.Helper()
	b := bench(t)
	return hosts.NewGate(directory(t, b, host("ada", quick(t, secret)), host("bo", quick(t, secret))), b.Hosts, b.Clock.Now), b
}

func wait(err error) time.Duration {
	var many hosts.TooMany
	if errors.As(err, &many) {
		return many.Wait
	}
	return 0
}

// guesses tries wrong passwords and returns how many of them were looked at.
func guesses(t *testing.T, g *hosts.Gate, tries int, name, address, device string) (looked int) {
	t.Helper()
	for n := range tries {
		_, err := g.SignIn(t.Context(), name, fmt.Sprintf("wrong guess %d", n), "", hosts.From{Address: address, Device: device})
		switch {
		case errors.Is(err, hosts.ErrCredentials):
			looked++
		case wait(err) <= 0:
			t.Fatalf("guess %d: %v", n, err)
		}
	}
	return looked
}

func good(t *testing.T, g *hosts.Gate, name, address, device string) hosts.Host {
	t.Helper()
	h, err := g.SignIn(t.Context(), name, secret, "", hosts.From{Address: address, Device: device})
	if err != nil {
		t.Errorf("%s from %s: %v", name, address, err)
	}
	return h
}

func TestTenGuessesAreFreeThenOneWaits(t *testing.T) {
	t.Parallel()
	g, b := gate(t)
	if got := guesses(t, g, 30, "ada", "192.0.2.1", ""); got != 10 {
		t.Fatalf("%d guesses were looked at, want 10", got)
	}
	_, err := g.SignIn(t.Context(), "ada", secret, "", hosts.From{Address: "192.0.2.1"})
	waits := wait(err)
	if waits < time.Second || waits > 2*time.Minute {
		t.Fatalf("the right password after that: %v", err)
	}
	b.Clock.Add(waits)
	good(t, g, "ada", "192.0.2.1", "")
}

func TestSuccessNeverCounts(t *testing.T) {
	t.Parallel()
	g, _ := gate(t)
	for n := range 15 {
		good(t, g, "ada", fmt.Sprintf("192.0.2.%d", n), "")
		good(t, g, "bo", "198.51.100.1", "")
	}
	if got := guesses(t, g, 20, "ada", "203.0.113.1", ""); got != 10 {
		t.Errorf("%d guesses were looked at after that, want 10", got)
	}
}

func TestStrangersDoNotLockTheOwnerOut(t *testing.T) {
	t.Parallel()
	g, b := gate(t)
	mark := g.Device(good(t, g, "ada", "192.0.2.1", ""))
	strangers := func() (looked int) {
		for n := range 40 {
			looked += guesses(t, g, 1, "ada", fmt.Sprintf("203.0.113.%d", n), "")
		}
		return looked
	}
	if got := strangers(); got != 10 {
		t.Errorf("strangers made %d guesses, want 10", got)
	}
	if _, err := g.SignIn(t.Context(), "ada", secret, "", hosts.From{Address: "198.51.100.7"}); wait(err) == 0 {
		t.Errorf("a stranger with the right password after that: %v; the test shows nothing", err)
	}
	good(t, g, "ada", "192.0.2.1", "")
	good(t, g, "Ada", "192.0.2.1", "")
	good(t, g, "ada", "198.51.100.8", mark)
	good(t, g, "bo", "198.51.100.9", "")
	for range 6 { // a day of it
		b.Clock.Add(4 * time.Hour)
		strangers()
		good(t, g, "ada", "192.0.2.1", "")
	}
	// Whoever sits behind the owner's own address can use that one up, but not the device.
	guesses(t, g, 12, "ada", "192.0.2.1", "")
	good(t, g, "ada", "192.0.2.1", mark)
	guesses(t, g, 12, "ada", "192.0.2.1", mark)
	good(t, g, "ada", "198.51.100.8", "") // known by now
}

func TestAMarkIsOfOneHostAndOnePassword(t *testing.T) {
	t.Parallel()
	g, b := gate(t)
	ada := good(t, g, "ada", "192.0.2.1", "")
	for n := range 20 {
		guesses(t, g, 1, "bo", fmt.Sprintf("203.0.113.%d", n), "")
		guesses(t, g, 1, "ada", fmt.Sprintf("203.0.113.%d", n), "")
	}
	later := hosts.NewGate(directory(t, b, host("ada", quick(t, secret+"x"))), b.Hosts, b.Clock.Now)
	if later.Device(ada) != g.Device(ada) {
		t.Error("a mark does not survive a restart")
	}
	guesses(t, later, 10, "ada", "203.0.113.1", "")
	for name, row := range map[string]struct {
		gate         *hosts.Gate
		name, device string
	}{
		"another host's":          {g, "bo", g.Device(ada)},
		"none at all":             {g, "ada", "mark"},
		"of an earlier password":  {later, "ada", g.Device(ada)},
		"with something after it": {g, "ada", g.Device(ada) + "0"},
	} {
		if _, err := row.gate.SignIn(t.Context(), row.name, secret, "", hosts.From{Address: "203.0.113.200", Device: row.device}); wait(err) == 0 {
			t.Errorf("%s: %v, want to be told to wait", name, err)
		}
	}
}

func TestAThousandAddressesMakeAtMostAHundredGuessesAnHour(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ada", "nobody"} {
		g, b := gate(t)
		looked := 0
		for range 4 {
			for n := range 1000 {
				looked += guesses(t, g, 1, name, fmt.Sprintf("10.0.%d.%d", n/250, n%250), "")
				if n%100 == 0 {
					b.Clock.Add(90 * time.Second)
				}
			}
		}
		if looked > 100 || looked < 40 {
			t.Errorf("%d guesses at %.10s were looked at in an hour", looked, name)
		}
	}
}

func TestOneAddressDoesNotTryManyAccountsFreely(t *testing.T) {
	t.Parallel()
	g, _ := gate(t)
	looked := 0
	for n := range 100 {
		looked += guesses(t, g, 1, fmt.Sprintf("host-%d", n), "203.0.113.1", "")
	}
	if looked != 10 {
		t.Errorf("%d guesses, want 10", looked)
	}
	good(t, g, "ada", "203.0.113.2", "")
}

func TestGuessesAtOnceAreCountedToo(t *testing.T) {
	t.Parallel()
	g, _ := gate(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	looked := 0
	for n := range 100 {
		all.Go(func() {
			_, err := g.SignIn(t.Context(), "ada", "wrong guess", "", hosts.From{Address: fmt.Sprintf("203.0.113.%d", n)})
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, hosts.ErrCredentials) {
				looked++
			}
		})
	}
	all.Wait()
	if looked < 10 || looked > 13 { // ten, and what three others were busy with when the tenth failed
		t.Errorf("%d guesses were looked at", looked)
	}
}

func TestWhatTheDatabaseKeepsOfAnAddressIsNoAddress(t *testing.T) {
	t.Parallel()
	g, b := gate(t)
	good(t, g, "Ada", "192.0.2.77", "")
	var name, address string
	if err := b.Raw(t).QueryRowContext(t.Context(), "SELECT host, address FROM known_addresses").Scan(&name, &address); err != nil {
		t.Fatal(err)
	}
	if name != "ada" || strings.Contains(address, "192") || len(address) != 32 {
		t.Errorf("kept %q at %q", name, address)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	clock := datatest.NewClock()
	b := hosts.Buckets{Burst: 3, Every: 10 * time.Second, Now: clock.Now}
	left := func(key string, want int) {
		t.Helper()
		for n := range want {
			if err := b.Allowed(key); err != nil {
				t.Fatalf("try %d of %d: %v", n+1, want, err)
			}
			b.Failed(key)
		}
		if err := b.Allowed(key); wait(err) == 0 {
			t.Errorf("more than %d tries", want)
		}
	}
	left("a", 3)
	if got := wait(b.Allowed("a")); got != 10*time.Second {
		t.Errorf("told to wait %s", got)
	}
	clock.Add(9 * time.Second)
	left("a", 0)
	if got := wait(b.Allowed("a")); got != time.Second {
		t.Errorf("told to wait %s", got)
	}
	clock.Add(time.Second)
	left("a", 1)
	left("b", 3)
	clock.Add(time.Hour)
	left("a", 3) // never more than the burst
	b.Failed("a")
	b.Failed("a") // under way at once: these are waited for too
	if got := wait(b.Allowed("a")); got != 30*time.Second {
		t.Errorf("told to wait %s", got)
	}
	clock.Add(-time.Hour)
	if got := wait(b.Allowed("a")); got != 30*time.Second {
		t.Errorf("after the clock went back, told to wait %s", got)
	}
	clock.Add(30 * time.Second)
	left("a", 1)
}

func TestBucketsRememberTheLatestKeysAndNoMore(t *testing.T) {
	t.Parallel()
	clock := datatest.NewClock()
	b := hosts.Buckets{Burst: 1, Every: time.Hour, Now: clock.Now}
	const many = 65536
	b.Failed("first")
	b.Failed("used again")
	for n := range many - 1 {
		b.Failed(fmt.Sprint(n))
		if n%1000 == 0 {
			_ = b.Allowed("used again")
		}
	}
	if b.Allowed("used again") == nil || b.Allowed(fmt.Sprint(many-2)) == nil {
		t.Error("a key in use was forgotten")
	}
	if err := b.Allowed("first"); err != nil {
		t.Errorf("the key that was used least lately is still there: %v", err)
	}
}
