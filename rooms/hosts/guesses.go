package hosts

import (
	"container/list"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"admitone/rooms"
)

// TooMany is the refusal of somebody who guessed too often.
type TooMany struct{ Wait time.Duration }

func (e TooMany) Error() string {
	return fmt.Sprintf("too many tries; try again in %s", e.Wait.Round(time.Second))
}

// Buckets counts things that may happen a few times at once and then only
// slowly, for many keys: each key has Burst of them, and gets one more every
// Every. Only what failed counts. It remembers the most recent keys and is safe for concurrent use.
type Buckets struct {
	Burst int
	Every time.Duration
	Now   func() time.Time

	mu    sync.Mutex
	byKey map[string]*list.Element
	order list.List // most recently used first
}

type bucket struct {
	key  string
	left float64
	at   time.Time
}

// remembered bounds the memory of Buckets: about 10 MB. Whoever is forgotten
// begins anew, which takes an attacker that many addresses.
const remembered = 65536

// Allowed returns nil while the key has a try left, else TooMany and when it
// will. Asking costs nothing, so no key is remembered for it.
func (b *Buckets) Allowed(key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.byKey[key]; !ok {
		return nil
	}
	if k := b.bucket(key); k.left < 1 {
		return TooMany{max(time.Second, time.Duration((1-k.left)*float64(b.Every)))}
	}
	return nil
}

// Failed counts a wrong guess. Guesses that were under way at once may take
// more than was left; the key then waits for those too.
func (b *Buckets) Failed(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bucket(key).left--
}

// Take counts one, whatever comes of it, if the key has one left; else it is
// TooMany. Among any number at once no more are let through than are left. back
// undoes it.
func (b *Buckets) Take(key string) (back func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucket(key)
	if k.left < 1 {
		return nil, TooMany{max(time.Second, time.Duration((1-k.left)*float64(b.Every)))}
	}
	k.left--
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.bucket(key).left++
	}, nil
}

func (b *Buckets) bucket(key string) *bucket {
	now := b.Now()
	if e, ok := b.byKey[key]; ok {
		b.order.MoveToFront(e)
		k := e.Value.(*bucket) //nolint:forcetypeassert // only buckets are put in
		if since := now.Sub(k.at); since > 0 {
			k.left = min(float64(b.Burst), k.left+since.Seconds()/b.Every.Seconds())
		}
		k.at = now
		return k
	}
	if b.byKey == nil {
		b.byKey = map[string]*list.Element{}
	}
	if b.order.Len() >= remembered {
		last := b.order.Back()
		delete(b.byKey, b.order.Remove(last).(*bucket).key) //nolint:forcetypeassert // as above
	}
	k := &bucket{key, float64(b.Burst), now}
	b.byKey[key] = b.order.PushFront(k)
	return k
}

// Gate lets hosts sign in and slows guessers, without ever locking the owner
// out: who proves an earlier sign-in, by a device's mark or an address, has
// tries of their own that no stranger can use up. Strangers share one bucket an
// account, which bounds what they can try: 10 at once and 80 an hour.
type Gate struct {
	Directory *Directory
	Store     Store
	Now       func() time.Time

	accounts Buckets
	sources  Buckets
	known    Buckets
	// Passwords looked at at once, 19 MiB each: nobody with a sign-in behind them
	// waits for strangers.
	strangers, own lane
}

// NewGate returns a gate to the directory's hosts.
func NewGate(d *Directory, store Store, now func() time.Time) *Gate {
	return &Gate{Directory: d, Store: store, Now: now, strangers: newLane(4), own: newLane(2),
		accounts: Buckets{Burst: 10, Every: 45 * time.Second, Now: now},
		sources:  Buckets{Burst: 10, Every: 10 * time.Second, Now: now},
		known:    Buckets{Burst: 10, Every: 45 * time.Second, Now: now},
	}
}

// From is where somebody tries from.
type From struct {
	Address string
	Device  string // what Device gave at an earlier sign-in, empty for none
}

// SignIn returns the host of that name and password, and of that code where the
// host has a second factor: ErrCredentials, ErrInvalidTwoFactor, or TooMany before
// anything is looked at. Where a code is lacking it is ErrMissingTwoFactor, with
// the host; nobody has signed in then.
func (g *Gate) SignIn(ctx context.Context, username, password, code string, from From) (h Host, err error) {
	err = g.guess(ctx, username, from, func() error {
		if h, err = g.Directory.Check(ctx, username, password); err != nil {
			return err
		}
		return g.second(ctx, h, code)
	})
	if err != nil && !errors.Is(err, ErrMissingTwoFactor) {
		h = Host{}
	}
	return h, g.remembering(ctx, h, from, err)
}

// remembering keeps where a host signed in from whom nothing refuses. Signing in
// must work also where nothing can be written.
func (g *Gate) remembering(ctx context.Context, h Host, from From, refusal error) error {
	if refusal == nil {
		_ = g.Store.RememberAddress(ctx, fold(h.Username), g.address(Source(from.Address)), g.Now().UnixMilli())
	}
	return refusal
}

// guess looks at what somebody offers as that host's. It is TooMany where the
// tries are used up; what look refuses as wrong takes one.
func (g *Gate) guess(ctx context.Context, username string, from From, look func() error) error {
	account, err := g.account(ctx, username)
	if err != nil {
		return err
	}
	address := Source(from.Address)
	tries, lane := []try{{&g.sources, address}, {&g.accounts, account}}, &g.strangers
	switch {
	case from.Device != "" && g.knowsDevice(ctx, account, from.Device):
		tries, lane = []try{{&g.known, "d " + account + " " + from.Device}}, &g.own
	case g.knowsAddress(ctx, account, address):
		tries, lane = []try{{&g.known, "a " + account + " " + address}}, &g.own
	}
	if err := allowed(tries); err != nil {
		return err
	}
	leave, err := lane.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	// Again, for the guesses that failed while this one waited.
	if err := allowed(tries); err != nil {
		return err
	}
	if err = look(); errors.Is(err, ErrCredentials) || errors.Is(err, ErrInvalidTwoFactor) {
		for _, t := range tries {
			t.of.Failed(t.key)
		}
	}
	return err
}

// try is one of the counts that a sign-in is held against.
type try struct {
	of  *Buckets
	key string
}

// allowed returns nil while each count has a try left, else TooMany and when all will.
func allowed(tries []try) error {
	var longest TooMany
	for _, t := range tries {
		var many TooMany
		if errors.As(t.of.Allowed(t.key), &many) && many.Wait > longest.Wait {
			longest = many
		}
	}
	if longest.Wait > 0 {
		return longest
	}
	return nil
}

// nobodies is how many counts all names that no host has share, so that
// inventing names pushes no host's count out of memory.
const nobodies = 1024

// account is whose count a name's guesses go to: the host's of that name, or
// one of the nobodies', which no host can be called.
func (g *Gate) account(ctx context.Context, username string) (string, error) {
	nobody := fmt.Sprintf("nobody %d", binary.BigEndian.Uint16(g.Directory.mac("nobody "+fold(username)))%nobodies)
	h, err := g.Directory.ByName(ctx, username)
	switch {
	case errors.Is(err, rooms.ErrNotFound):
		return nobody, nil
	case err != nil:
		return "", err
	}
	return fold(h.Username), nil
}

// Source is whose address that is, for counting: IPv6 gives everybody a network
// of 2⁶⁴ addresses, so that is one.
func Source(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// Device is the mark that a device gets at its sign-in; it proves nothing but
// that this device once signed in as this host with the present password.
func (g *Gate) Device(h Host) string {
	return fmt.Sprintf("%x", g.Directory.mac("device " + fold(h.Username) + "\x00" + h.Version)[:16])
}

func (g *Gate) knowsDevice(ctx context.Context, account, device string) bool {
	h, err := g.Directory.ByName(ctx, account)
	return err == nil && g.Device(h) == device
}

func (g *Gate) knowsAddress(ctx context.Context, account, address string) bool {
	known, err := g.Store.KnowsAddress(ctx, account, g.address(address))
	return err == nil && known
}

// address is what the database keeps of an address: a MAC, so that it alone
// does not tell where a host has been.
func (g *Gate) address(a string) string {
	return fmt.Sprintf("%x", g.Directory.mac("address " + a)[:16])
}
