package tokens_test

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
	"admitone/tokens/keys"
)

// moveLookups is a Store that counts how often a code for another device is looked up.
type moveLookups struct {
	tokens.Store
	n atomic.Int64
}

func (s *moveLookups) Move(ctx context.Context, code string) (tokens.Move, tokens.Admission, error) {
	s.n.Add(1)
	return s.Store.Move(ctx, code)
}

// TestWrongCodesForAnotherDeviceAreRefusedUnasked: all but about one in 256 are
// refused before any query, and genuine ones never are, also when the keys are
// changed while they live.
func TestWrongCodesForAnotherDeviceAreRefusedUnasked(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	store := &moveLookups{Store: b.Invitations.Store}
	b.Invitations.Store = store
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{})
	in := redeem(t, b, press(b, inv, "her laptop"))
	offer := func() string {
		t.Helper()
		code, _, err := b.Invitations.OfferMove(t.Context(), in, "her laptop")
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	good := func(code string) {
		t.Helper()
		for _, typed := range []string{code, strings.ToLower(code), code[:4] + "-" + code[4:], strings.ReplaceAll(code, "0", "o")} {
			if got, here, err := b.Invitations.ShowMove(t.Context(), typed, "her phone"); err != nil || here || got.Admission.ID != in.Admission.ID {
				t.Errorf("%s: %v", typed, err)
			}
		}
	}
	for range 50 {
		good(offer())
	}
	was := store.n.Load()
	for range 2000 {
		var guess [5]byte
		_, _ = rand.Read(guess[:])
		code := base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(guess[:])
		if _, _, err := b.Invitations.ShowMove(t.Context(), code, "a stranger's"); !errors.Is(err, tokens.ErrNoMoveCode) {
			t.Fatalf("a guess: %v", err)
		}
		if _, err := b.Invitations.TakeMove(t.Context(), code, "a stranger's"); !errors.Is(err, tokens.ErrNoMoveCode) {
			t.Fatalf("a guess: %v", err)
		}
	}
	if n := store.n.Load() - was; n > 80 {
		t.Errorf("4,000 guesses were looked up %d times", n)
	}
	if _, done, err := b.Ring.Rotate(t.Context(), audit.Actor{Kind: audit.System}); err != nil || !done {
		t.Fatal(done, err)
	}
	b.Clock.Add(keys.Lead - tokens.MoveLife/2)
	before := offer()
	b.Clock.Add(tokens.MoveLife / 2)
	good(before)
	b.Clock.Add(tokens.MoveLife/2 - 1)
	good(before)
	good(offer())
}
