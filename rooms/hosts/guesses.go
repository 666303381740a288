package hosts

import (
	"container/list"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
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

// Source is whose address that is, for counting: IPv6 gives everybody a network
// of 2⁶⁴ addresses, so that is one.
func Source(address string) string { return network(address, 64) }

// Site is whose networks those of a Source are, for counting what is bounded for all
// together: a site of IPv6 has 2¹⁶ of them.
func Site(address string) string { return network(address, 48) }

func network(address string, bits int) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, bits).Masked().String()
}
