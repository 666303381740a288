package data_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/tokens/keys"
)

// readings is a keys.Store that counts how often the ring is read, and makes
// its readers wait while hold is set.
type readings struct {
	keys.Store
	n    atomic.Int64
	hold func()
}

func (s *readings) Keys(ctx context.Context) ([]keys.Sealed, error) {
	s.n.Add(1)
	if s.hold != nil {
		s.hold()
	}
	return s.Store.Keys(ctx)
}

func rootOf(t *testing.T, secret string) keys.Root {
	t.Helper()
	r, err := keys.NewRoot(secret)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func openRing(t *testing.T, store keys.Store, b *datatest.Bench) *keys.Ring {
	t.Helper()
	ring, err := keys.Open(t.Context(), store, keys.Settings{Root: datatest.Root(t), Now: b.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func signed(t *testing.T, ring *keys.Ring, use keys.Use, typ string) string {
	t.Helper()
	token, err := ring.Sign(use, typ, jwt.RegisteredClaims{Subject: "s", ExpiresAt: jwt.NewNumericDate(time.Unix(4e9, 0))})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func verified(ring *keys.Ring, use keys.Use, typ, token string) error {
	return ring.Verify(context.Background(), use, typ, token, &jwt.RegisteredClaims{})
}

// addKey does what another instance's rotation will: it adds a key to the
// database that begins now.
func addKey(t *testing.T, b *datatest.Bench, use keys.Use, id string) {
	t.Helper()
	box := datatest.Root(t).Seal("key "+string(use)+" "+id, []byte("a secret of 32 bytes for "+id+strings.Repeat(".", 7)))
	if _, err := b.Raw(t).ExecContext(t.Context(), `INSERT INTO keys (id, used_for, alg, starts_at, ends_at, box) VALUES ($1, $2, 'HS256', $3, 0, $4)`,
		id, string(use), b.Clock.Millis(), base64.StdEncoding.EncodeToString(box)); err != nil {
		t.Fatal(err)
	}
}

func TestRingsOfInstancesThatStartAtOnceAgree(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		// From nothing, as on the first start.
		if _, err := b.Raw(t).ExecContext(t.Context(), `DELETE FROM keys`); err != nil {
			t.Fatal(err)
		}
		const instances = 8
		rings := make([]*keys.Ring, instances)
		var wg sync.WaitGroup
		for i := range rings {
			wg.Go(func() {
				var err error
				if rings[i], err = keys.Open(context.Background(), data.NewKeys(b.DB, b.IDs), keys.Settings{Root: datatest.Root(t), Now: b.Clock.Now}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		all, err := data.NewKeys(b.DB, b.IDs).Keys(t.Context())
		if err != nil || len(all) != 4 {
			t.Fatalf("%d keys, %v; want one of each use", len(all), err)
		}
		for _, use := range []keys.Use{keys.Invite, keys.HostIn} {
			token := signed(t, rings[0], use, "x+jwt")
			for i, ring := range rings {
				if err := verified(ring, use, "x+jwt", token); err != nil {
					t.Errorf("instance %d refuses the first one's %s token: %v", i, use, err)
				}
			}
		}
		id := []byte("12345678")
		for i, ring := range rings {
			if !bytes.Equal(ring.CodeMAC(1, id), rings[0].CodeMAC(1, id)) {
				t.Errorf("instance %d makes other short codes", i)
			}
		}
	})
}

func TestRingIsSealedUnderTheRoot(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		const second = "9vKxQ2nLw8bRmZ4TtYc6HsJd0PfGe7Ua5oWi3CkNl1XjBqMz" // gitleaks:allow
		const third = "hG5tVw1yZc8RmKq4LsXo7BnEj2UdPf0aTi9ArYuWzQxHlNbM"  // gitleaks:allow
		ctx, store, next, last := t.Context(), data.NewKeys(b.DB, b.IDs), rootOf(t, second), rootOf(t, third)
		first := datatest.Root(t)
		token := signed(t, b.Ring, keys.Invite, "x+jwt")
		code := b.Ring.CodeMAC(1, []byte("12345678"))
		before, err := store.Keys(ctx)
		if err != nil {
			t.Fatal(err)
		}

		opened := func(what string, root keys.Root, previous *keys.Root) {
			t.Helper()
			ring, err := keys.Open(ctx, store, keys.Settings{Root: root, Previous: previous, Now: b.Clock.Now})
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if err := verified(ring, keys.Invite, "x+jwt", token); err != nil || !bytes.Equal(ring.CodeMAC(1, []byte("12345678")), code) {
				t.Errorf("%s: links of before are dead (%v)", what, err)
			}
		}
		refused := func(what string, root keys.Root, previous *keys.Root) {
			t.Helper()
			if _, err := keys.Open(ctx, store, keys.Settings{Root: root, Previous: previous, Now: b.Clock.Now}); !errors.Is(err, keys.ErrWrongRoot) {
				t.Errorf("%s: %v, want ErrWrongRoot", what, err)
			}
		}
		opened("the same root", first, nil)
		refused("another root", next, nil)
		refused("another root and a wrong previous one", next, &last)
		after, err := store.Keys(ctx)
		if err != nil || len(after) != len(before) {
			t.Fatalf("%d keys after refusals, %v; there were %d", len(after), err, len(before))
		}
		for i := range after {
			if !bytes.Equal(after[i].Box, before[i].Box) {
				t.Errorf("a refused start sealed key %s again", after[i].ID)
			}
		}
		opened("another root with the right previous one", next, &first)
		opened("the new root alone", next, nil)
		opened("the new root with the previous one still said", next, &first)
		refused("the old root", first, nil)
		opened("and back", first, &next)
	})
}

func TestForgedTokensAndCodesCauseOneReadingASecond(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	store := &readings{Store: data.NewKeys(b.DB, b.IDs)}
	ring := openRing(t, store, b)
	genuine := signed(t, ring, keys.Invite, "x+jwt")
	enc := base64.RawURLEncoding
	forged := enc.EncodeToString([]byte(`{"alg":"HS256","kid":"nobody","typ":"x+jwt"}`)) + genuine[strings.Index(genuine, "."):]
	storm := func() (reads int64) {
		was := store.n.Load()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 100 {
					var id [8]byte
					binary.BigEndian.PutUint64(id[:], uint64(b.Clock.Millis()+5000)<<20+uint64(i)) // of the future
					if err := verified(ring, keys.Invite, "x+jwt", forged); !errors.Is(err, keys.ErrNotOurs) {
						t.Errorf("forged token: %v", err)
					}
					if ring.CheckCode(context.Background(), b.Clock.Millis()+5000, id[:], []byte("12345678")) == nil {
						t.Error("a forged code passed")
					}
				}
			})
		}
		wg.Wait()
		return store.n.Load() - was
	}
	for round := range 3 {
		if n := storm(); n != 1 {
			t.Errorf("round %d: 1,600 forgeries in a second made the ring be read %d times, want once", round, n)
		}
		b.Clock.Add(999 * time.Millisecond)
		if n := storm(); n != 0 {
			t.Errorf("round %d: read %d times again within the second", round, n)
		}
		b.Clock.Add(time.Millisecond)
	}
	was := store.n.Load()
	b.Clock.Add(time.Hour)
	for range 100 {
		if err := verified(ring, keys.Invite, "x+jwt", genuine); err != nil {
			t.Fatal(err)
		}
		if ring.CheckCode(context.Background(), 1, []byte("12345678"), []byte("12345678")) == nil {
			t.Fatal("a forged code passed")
		}
	}
	if n := store.n.Load() - was; n != 0 {
		t.Errorf("genuine tokens and codes of long ago made the ring be read %d times", n)
	}
}

// What another instance signs with a key it has just added is good here from
// the first request on, also when many such requests come at once.
func TestKeysThatAnotherInstanceAddsAreKnownAtOnce(t *testing.T) {
	t.Parallel()
	for _, use := range []keys.Use{keys.Invite, keys.Link} {
		t.Run(string(use), func(t *testing.T) {
			t.Parallel()
			b := datatest.SQLite(t)
			const crowd = 32
			var arrived sync.WaitGroup
			store := &readings{Store: data.NewKeys(b.DB, b.IDs)}
			ring := openRing(t, store, b)
			b.Clock.Add(time.Minute)
			addKey(t, b, use, "new")
			elsewhere := openRing(t, data.NewKeys(b.DB, b.IDs), b)
			token := signed(t, elsewhere, keys.Invite, "x+jwt")
			id := []byte("12345678")
			mac := elsewhere.CodeMAC(b.Clock.Millis(), id)
			if use == keys.Link && bytes.Equal(mac, ring.CodeMAC(b.Clock.Millis(), id)) {
				t.Fatal("the new key makes no new codes")
			}

			arrived.Add(crowd)
			store.hold = func() { // the first to read waits until all are on their way
				arrived.Wait()
				for range 1000 {
					runtime.Gosched()
				}
			}
			var refused atomic.Int64
			var wg sync.WaitGroup
			for range crowd {
				wg.Go(func() {
					arrived.Done()
					if use == keys.Link && ring.CheckCode(context.Background(), b.Clock.Millis(), id, mac) != nil {
						refused.Add(1)
					}
					if use == keys.Invite && verified(ring, use, "x+jwt", token) != nil {
						refused.Add(1)
					}
				})
			}
			wg.Wait()
			if n := refused.Load(); n != 0 {
				t.Errorf("%d of %d were refused", n, crowd)
			}
		})
	}
}

func TestAKeyOfOneUseIsNoneOfAnother(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	addKey(t, b, "oauth", "later") // a use of another version
	ring := openRing(t, data.NewKeys(b.DB, b.IDs), b)
	uses := []keys.Use{keys.Invite, keys.Link, keys.HostIn, "oauth"}
	for _, made := range uses {
		token := signed(t, ring, made, "x+jwt")
		for _, asked := range append(uses, "", "nothing") {
			err := verified(ring, asked, "x+jwt", token)
			if made == asked && err != nil {
				t.Errorf("%s: its own token is refused: %v", made, err)
			}
			if made != asked && !errors.Is(err, keys.ErrNotOurs) {
				t.Errorf("a token of the use %s, asked as %s: %v", made, asked, err)
			}
		}
		if err := verified(ring, made, "y+jwt", token); !errors.Is(err, keys.ErrNotOurs) {
			t.Errorf("%s: of another typ: %v", made, err)
		}
	}
}

func TestARingWithAKeyItCannotUseIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		alg    string
		secret string
	}{
		{"alg none", "none", "0123456789"}, {"no alg", "", "0123456789"}, {"alg unknown", "HS1024", "0123456789"}, {"empty secret", "HS256", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := datatest.SQLite(t)
			box := datatest.Root(t).Seal("key invite bad", []byte(tt.secret))
			if _, err := b.Raw(t).ExecContext(t.Context(), `INSERT INTO keys (id, used_for, alg, starts_at, ends_at, box) VALUES ('bad', 'invite', $1, 5, 0, $2)`,
				tt.alg, base64.StdEncoding.EncodeToString(box)); err != nil {
				t.Fatal(err)
			}
			if _, err := keys.Open(t.Context(), data.NewKeys(b.DB, b.IDs), keys.Settings{Root: datatest.Root(t), Now: b.Clock.Now}); err == nil {
				t.Error("opened")
			}
		})
	}
}
