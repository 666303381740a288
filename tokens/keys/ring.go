package keys

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Use is what a key is for; a key of one use is never looked at for another.
type Use string

// The uses of keys.
const (
	Invite Use = "invite" // signs invitations' tokens
	Link   Use = "link"   // authenticates short codes
	HostIn Use = "host"   // signs hosts' tokens for scripts
)

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
	// AddFirst adds a key if there is none of its use yet, in one transaction,
	// so that two instances starting at once agree on one.
	AddFirst(ctx context.Context, k Sealed) error
	// Reseal replaces the boxes of the given keys, all or none.
	Reseal(ctx context.Context, ks []Sealed) error
}

// Ring signs with the newest key of a use and verifies with any. It is safe
// for concurrent use. A key it does not know makes it read the store again, at
// most once a second, so that what another instance added is soon known here.
type Ring struct {
	root  Root
	store Store
	now   func() time.Time

	keys   atomic.Pointer[[]key]
	mu     sync.Mutex
	readAt time.Time
}

type key struct {
	Sealed
	secret []byte
	method jwt.SigningMethod
}

// Open reads the ring and makes a first key for each use that has none. Keys
// that previous sealed are sealed again under root; a key that neither opens is
// an error that wraps ErrWrongRoot.
func Open(ctx context.Context, store Store, root Root, previous *Root, now func() time.Time) (*Ring, error) {
	for _, use := range []Use{Invite, Link, HostIn} {
		id := strings.ToLower(rand.Text()[:12])
		secret := make([]byte, 32)
		_, _ = rand.Read(secret)
		k := Sealed{ID: id, Use: use, Alg: jwt.SigningMethodHS256.Alg(), From: now().UnixMilli(), Box: root.Seal(label(use, id), secret)}
		if err := store.AddFirst(ctx, k); err != nil {
			return nil, err
		}
	}
	if previous != nil {
		if err := reseal(ctx, store, root, *previous); err != nil {
			return nil, err
		}
	}
	r := &Ring{root: root, store: store, now: now}
	return r, r.read(ctx)
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
		// The method comes from the stored key, never from a token.
		method := jwt.GetSigningMethod(s.Alg)
		if method == nil || method == jwt.SigningMethodNone || len(secret) == 0 {
			return fmt.Errorf("key %s: algorithm %q is not known here", s.ID, s.Alg)
		}
		ring = append(ring, key{s, secret, method})
	}
	r.keys.Store(&ring)
	return nil
}

// readAgain reads the store if that was not done within the last second. It
// tells whether there are other keys than those seen, also where somebody else
// has read them meanwhile.
func (r *Ring) readAgain(ctx context.Context, seen *[]key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys.Load() != seen {
		return true
	}
	now := r.now()
	if now.Sub(r.readAt) < time.Second {
		return false
	}
	r.readAt = now
	return r.read(ctx) == nil
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

// ErrNotOurs is returned for whatever was not made with a key of this ring and
// use, or is not spelt as we spell it. It wraps nothing, and says no more.
var ErrNotOurs = errors.New("not made here")

// MaxToken is the length in bytes over which a token is refused unread.
const MaxToken = 2048

// Sign returns a compact JWS (RFC 7515) of the claims under the use's newest
// key, with exactly the header members alg, kid and typ.
func (r *Ring) Sign(use Use, typ string, claims jwt.Claims) (string, error) {
	k, ok := r.at(use, r.now().UnixMilli())
	if !ok {
		return "", fmt.Errorf("no key for %s", use)
	}
	t := jwt.NewWithClaims(k.method, claims)
	t.Header = map[string]any{"alg": k.Alg, "kid": k.ID, "typ": typ}
	return t.SignedString(k.secret)
}

// Verify fills claims from a token made by Sign with the same use and typ.
// Every other token is ErrNotOurs: another or no algorithm, an unknown kid,
// any further header member (crit, jku, jwk, x5u …), base64 or JSON in another
// spelling, claims without exp, or claims that the options refuse.
func (r *Ring) Verify(ctx context.Context, use Use, typ, token string, claims jwt.Claims, more ...jwt.ParserOption) error {
	// Go's base64 passes over line breaks, also in strict mode: look at the text.
	if len(token) > MaxToken || strings.ContainsAny(token, "\r\n") {
		return ErrNotOurs
	}
	opts := append([]jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithStrictDecoding(), jwt.WithExpirationRequired(),
	}, more...)
	unknown, seen := false, r.keys.Load()
	parsed, err := jwt.NewParser(opts...).ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		k, ok := r.byID(use, id)
		if !ok {
			unknown = true
			return nil, ErrNotOurs
		}
		if t.Method.Alg() != k.Alg || t.Header["typ"] != typ || len(t.Header) != 3 {
			return nil, ErrNotOurs
		}
		return k.secret, nil
	})
	switch {
	case err == nil && !spelt(parsed, token):
		return ErrNotOurs
	case err == nil:
		return nil
	case unknown && r.readAgain(ctx, seen):
		return r.Verify(ctx, use, typ, token, claims, more...)
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return fmt.Errorf("%w: %w", ErrNotOurs, jwt.ErrTokenExpired)
	}
	return ErrNotOurs
}

// spelt tells whether the token is written as Sign writes it. JSON says one thing
// in many ways: members twice, in capitals, unknown ones, white space, escapes.
func spelt(t *jwt.Token, token string) bool {
	text, err := t.SigningString()
	return err == nil && strings.HasPrefix(token, text+".")
}

// CodeMAC authenticates a short code's id: the first 8 bytes of HMAC-SHA256
// under the link key of the id's moment.
func (r *Ring) CodeMAC(millis int64, id []byte) []byte {
	k, ok := r.at(Link, millis)
	if !ok {
		return nil
	}
	return mac8(k.secret, id)
}

// CheckCode tells whether mac is what CodeMAC gives, in constant time.
func (r *Ring) CheckCode(ctx context.Context, millis int64, id, mac []byte) bool {
	seen := r.keys.Load()
	good := func() bool {
		want := r.CodeMAC(millis, id)
		return len(want) != 0 && hmac.Equal(want, mac)
	}
	// A key that another instance added a moment ago may be the one: look again
	// before saying no, but only for what claims to be younger than the ring.
	return good() || r.newer(millis, seen) && r.readAgain(ctx, seen) && good()
}

// newer tells whether a thing of that moment may have a key that is not among those seen.
func (r *Ring) newer(millis int64, seen *[]key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys.Load() != seen || millis >= r.readAt.UnixMilli()
}

func mac8(secret, id []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(id)
	return slices.Clip(h.Sum(nil)[:8])
}
