package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"admitone/data/datatest"
	"admitone/rooms/hosts"
)

// A refusal costs the guesser nothing, so it must leave nothing behind: what is
// remembered has an end, and an account's count must not fall out of it.
func TestAskingIsNotRemembered(t *testing.T) {
	t.Parallel()
	b := hosts.Buckets{Burst: 1, Every: time.Hour, Now: datatest.NewClock().Now}
	b.Failed("a")
	for n := range 70_000 {
		if err := b.Allowed(fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	if b.Allowed("a") == nil {
		t.Error("a count was forgotten for keys that only asked")
	}
}

// Names have no case, but no other spellings either: "ſ" is no "s", and "K" is
// no "k" where it is the kelvin sign.
func TestANameHasOneCountHoweverItIsSpelt(t *testing.T) {
	t.Parallel()
	b := bench(t)
	d := directory(t, b, host("kes", quick(t, secret)))
	g := hosts.NewGate(d, b.Hosts, b.Clock.Now)
	for _, name := range []string{"keſ", "\u212aes", "\u212aE\u017f"} {
		if _, err := g.SignIn(t.Context(), name, secret, "", hosts.From{Address: "192.0.2.1"}); !errors.Is(err, hosts.ErrCredentials) {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := d.ByName(t.Context(), name); err == nil {
			t.Errorf("%q is found", name)
		}
	}
	looked := 0
	for n := range 20 {
		looked += guesses(t, g, 1, []string{"kes", "KES", "Kes", "kEs"}[n%4], fmt.Sprintf("203.0.113.%d", n), "")
	}
	if looked != 10 {
		t.Errorf("%d guesses, want 10", looked)
	}
}

func TestANetworkOfIPv6IsOneSource(t *testing.T) {
	t.Parallel()
	g, _ := gate(t)
	looked := 0
	for n := range 30 {
		looked += guesses(t, g, 1, fmt.Sprintf("host-%d", n), fmt.Sprintf("2001:db8:1:2:%x::1", n), "")
	}
	if looked != 10 {
		t.Errorf("%d guesses, want 10", looked)
	}
	for address, want := range map[string]string{
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:3::": "2001:db8:1:3::/64", "fe80::1%eth0": "fe80::/64",
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "": "", "nonsense": "nonsense",
	} {
		if got := hosts.Source(address); got != want {
			t.Errorf("%q is %q, want %q", address, got, want)
		}
	}
	for address, want := range map[string]string{
		"2001:db8:1:2:3:4:5:6": "2001:db8:1::/48", "2001:db8:2::": "2001:db8:2::/48", "192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "nonsense": "nonsense",
	} {
		if got := hosts.Site(address); got != want {
			t.Errorf("%q is of %q, want %q", address, got, want)
		}
	}
}

// Passwords are looked at a few at a time. Strangers who send many wait for each
// other, and the owner for none of them.
func TestTheOwnerDoesNotQueueBehindStrangers(t *testing.T) {
	t.Parallel()
	b := bench(t)
	// A cost that keeps the strangers busy for a while.
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), 10)
	if err != nil {
		t.Fatal(err)
	}
	g := hosts.NewGate(directory(t, b, host("ada", string(hash))), b.Hosts, b.Clock.Now)
	good(t, g, "ada", "192.0.2.1", "")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var all sync.WaitGroup
	var once sync.Once
	turned, gone := make(chan struct{}), make(chan struct{})
	for n := range 100 {
		all.Go(func() {
			_, err := g.SignIn(ctx, fmt.Sprintf("name-%d", n), "wrong guess", "", hosts.From{Address: fmt.Sprintf("203.0.113.%d", n)})
			if wait(err) == time.Second {
				once.Do(func() { close(turned) })
			}
		})
	}
	go func() { all.Wait(); close(gone) }()
	select {
	case <-turned: // four are looked at, and as many wait as may
	case <-gone:
		t.Fatal("nobody was turned away")
	}
	good(t, g, "ada", "192.0.2.1", "")
	select {
	case <-gone:
		t.Error("the owner waited for all strangers")
	default:
	}
	stop()
	<-gone
}
