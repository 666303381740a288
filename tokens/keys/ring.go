package keys

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/rooms/audit"
)

// Use is what a key is for; a key of one use is never looked at for another.
type Use string

// The uses of keys.
const (
	Invite Use = "invite" // signs invitations' tokens
	Link   Use = "link"   // authenticates short codes
	HostIn Use = "host"   // signs hosts' tokens for scripts
	Access Use = "access" // signs OAuth 2 access tokens
)

// uses are all there are, in the order in which they are shown. A link key only
// authenticates, here, and is a secret of ours whatever signs the tokens.
func uses() []Use { return []Use{Invite, Link, HostIn, Access} }

// Sealed is a key as a Store keeps it: Box holds the secret sealed under the
// root. From and Until bound, in Unix milliseconds, the moments at which it
// makes new things; it goes on verifying after Until, which is 0 while in use.
type Sealed struct {
	ID    string // the JWT's kid
	Use   Use
	Alg   string // JWA name (RFC 7518)
	From  int64
	Until int64
	Box   []byte
}

// Store keeps the ring. Implementations MUST be safe for concurrent use.
type Store interface {
	// Keys returns every key, oldest first.
	Keys(ctx context.Context) ([]Sealed, error)
	// Add adds keys with the event, all or none, unless one of these uses has a key
	// that begins after that moment: then it reports false and stores nothing.
	Add(ctx context.Context, ks []Sealed, after int64, ev audit.Event) (bool, error)
	// AddFirst adds a key if there is none of its use yet, in one transaction,
	// so that two instances starting at once agree on one.
	AddFirst(ctx context.Context, k Sealed) error
	// Reseal replaces the boxes of the given keys, all or none.
	Reseal(ctx context.Context, ks []Sealed) error
}

// Lead is how long before it makes anything a new key is added, so that by then
// every instance and whoever keeps our public keys knows it.
const Lead = 5 * time.Minute

// Ring signs with the newest key of a use and verifies with any. It is safe
// for concurrent use. A key it does not know makes it read the store again, at
// most once a second, so that what another instance added is soon known here.
type Ring struct {
	root  Root
	store Store
	now   func() time.Time
	alg   string

	keys   atomic.Pointer[[]key]
	heads  sync.Map // of tokens, by key and typ
	mu     sync.Mutex
	readAt time.Time    // when somebody last asked for it to be read again
	failed error        // why that could not be
	known  atomic.Int64 // Unix milliseconds up to which no key can begin that is not in keys
}

type key struct {
	Sealed
	method   jwt.SigningMethod
	signs    any // what the method signs with
	verifies any // and verifies with
}

// Settings are what a ring is opened with.
type Settings struct {
	Root     Root
	Previous *Root  // the root of before, or nil
	Alg      string // how new tokens are signed, one of Algs; empty for HS256
	Now      func() time.Time
}

// Open reads the ring and makes a first key for each use that has none, and a
// new one for each that signs by another algorithm than wished. Keys that the
// previous root sealed are sealed again under root; a key that neither opens is
// an error that wraps ErrWrongRoot.
func Open(ctx context.Context, store Store, s Settings) (*Ring, error) {
	r := &Ring{root: s.Root, store: store, now: s.Now, alg: cmp.Or(s.Alg, "HS256")}
	for _, use := range uses() {
		k, err := r.make(use, s.Now().UnixMilli())
		if err != nil {
			return nil, err
		}
		if err := store.AddFirst(ctx, k); err != nil {
			return nil, err
		}
	}
	if s.Previous != nil {
		if err := reseal(ctx, store, s.Root, *s.Previous); err != nil {
			return nil, err
		}
	}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	return r, r.follow(ctx)
}

// make is a new key of that use, of the algorithm wished.
func (r *Ring) make(use Use, from int64) (Sealed, error) {
	id, alg := strings.ToLower(rand.Text()[:12]), r.alg
	if use == Link {
		alg = "HS256"
	}
	secret, err := newSecret(alg)
	if err != nil {
		return Sealed{}, fmt.Errorf("key for %s: %w", use, err)
	}
	return Sealed{ID: id, Use: use, Alg: alg, From: from, Box: r.root.Seal(label(use, id), secret)}, nil
}

func label(use Use, id string) string { return "key " + string(use) + " " + id }

func reseal(ctx context.Context, store Store, root, previous Root) error {
	all, err := store.Keys(ctx)
	if err != nil {
		return err
	}
	var again []Sealed
	for _, k := range all {
		if _, err := root.Open(label(k.Use, k.ID), k.Box); err == nil {
			continue
		}
		secret, err := previous.Open(label(k.Use, k.ID), k.Box)
		if err != nil {
			return fmt.Errorf("key %s: %w and not under JWT_KEY_PREVIOUS either", k.ID, err)
		}
		k.Box = root.Seal(label(k.Use, k.ID), secret)
		again = append(again, k)
	}
	if len(again) == 0 {
		return nil
	}
	return store.Reseal(ctx, again)
}

func (r *Ring) read(ctx context.Context) error {
	began := r.now()
	sealed, err := r.store.Keys(ctx)
	if err != nil {
		return err
	}
	ring := make([]key, 0, len(sealed))
	for _, s := range sealed {
		secret, err := r.root.Open(label(s.Use, s.ID), s.Box)
		if err != nil {
			return fmt.Errorf("key %s: %w", s.ID, err)
		}
		k := key{Sealed: s}
		if err := k.parse(secret); err != nil {
			return fmt.Errorf("key %s (%q): %w", s.ID, s.Alg, err)
		}
		ring = append(ring, k)
	}
	r.keys.Store(&ring)
	r.known.Store(began.Add(Lead).UnixMilli())
	return nil
}

// readAgain reads the store if that was not done within the last second. It
// tells whether there are other keys than those seen, also where somebody else
// has read them meanwhile. The error is the store's, for everybody within that
// second; it is nobody's alone, and so the reading does not end with its caller.
func (r *Ring) readAgain(ctx context.Context, seen *[]key) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys.Load() != seen {
		return true, nil
	}
	now := r.now()
	if now.Sub(r.readAt) < time.Second {
		return false, r.failed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	r.readAt, r.failed = now, r.read(ctx)
	if r.failed != nil {
		r.readAt = r.now() // whoever waited meanwhile does not wait again
	}
	return r.failed == nil, r.failed
}

// fresh reads the ring again where a key that begins by that moment could have
// been added since it was last read. A store that does not answer changes
// nothing: what is asked for next will not be answered either.
func (r *Ring) fresh(millis int64) {
	if min(millis, r.now().UnixMilli()) <= r.known.Load()-time.Minute.Milliseconds() {
		return
	}
	_, _ = r.readAgain(context.Background(), r.keys.Load())
}

// at is the key of that use which makes things at the given moment: the newest
// that had begun by then, or the first of all.
func (r *Ring) at(use Use, millis int64) (found key, ok bool) {
	for _, k := range *r.keys.Load() {
		if k.Use == use && (!ok || k.From <= millis) {
			found, ok = k, true
		}
	}
	return found, ok
}

func (r *Ring) byID(use Use, id string) (key, bool) {
	for _, k := range *r.keys.Load() {
		if k.ID == id && k.Use == use {
			return k, true
		}
	}
	return key{}, false
}
