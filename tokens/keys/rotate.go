package keys

import (
	"context"
	"slices"
	"time"

	"admitone/rooms/audit"
)

// KeyState tells what a key is good for at one moment.
type KeyState string

// The states of a key.
const (
	Next    KeyState = "next"    // it will make new things
	Current KeyState = "current" // it makes new things
	Former  KeyState = "former"  // it still verifies
)

// Listed is a key as operators see it: all but the secret.
type Listed struct {
	ID    string
	Use   Use
	Alg   string
	From  int64 // Unix milliseconds
	State KeyState
}

// List returns every key of the ring as the store has it now, by use, the
// newest first.
func (r *Ring) List(ctx context.Context) ([]Listed, error) {
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	now := r.now().UnixMilli()
	var out []Listed
	for _, use := range uses() {
		state := Next
		for _, k := range slices.Backward(*r.keys.Load()) {
			if k.Use != use {
				continue
			}
			if state == Current {
				state = Former
			}
			if state == Next && k.From <= now {
				state = Current
			}
			out = append(out, Listed{k.ID, k.Use, k.Alg, k.From, state})
		}
	}
	return out, nil
}

// Rotate adds a new key of every use, which begins after Lead; from then on it
// makes what is new. What the keys before made goes on being good. It returns
// the moment at which the new ones begin, and false where others were on their
// way already.
func (r *Ring) Rotate(ctx context.Context, by audit.Actor) (begins int64, done bool, err error) {
	now := r.now()
	begins = now.Add(Lead).UnixMilli()
	var fresh []Sealed
	for _, use := range uses() {
		k, err := r.make(use, begins)
		if err != nil {
			return 0, false, err
		}
		fresh = append(fresh, k)
	}
	done, err = r.store.Add(ctx, fresh, now.UnixMilli(), audit.Event{At: now.UnixMilli(), Actor: by, Kind: audit.KeysRotated})
	if err != nil || !done {
		return 0, false, err
	}
	return begins, true, r.read(ctx)
}

// follow adds keys of the algorithm wished where the newest is of another. They
// begin at once: whoever meets an unknown one reads the ring again, and public
// keys are asked for by their id.
func (r *Ring) follow(ctx context.Context) error {
	now := r.now().UnixMilli()
	var fresh []Sealed
	for _, use := range uses() {
		newest, ok := r.at(use, r.known.Load())
		if use == Link || ok && newest.Alg == r.alg {
			continue
		}
		begin := []int64{now}
		if newest.From > now {
			begin = append(begin, newest.From+1) // on its way already, and to be passed over
		}
		for _, from := range begin {
			k, err := r.make(use, from)
			if err != nil {
				return err
			}
			fresh = append(fresh, k)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	ev := audit.Event{At: now, Actor: audit.Actor{Kind: audit.System, Name: "start"}, Kind: audit.KeysRotated, Detail: r.alg}
	if _, err := r.store.Add(ctx, fresh, r.known.Load(), ev); err != nil {
		return err
	}
	return r.read(ctx)
}

// Public returns the public halves of the keys that sign for others to verify
// (RFC 7517): those to come, the current, and each former one while a token it
// signed may live, as the store had them a second ago at most. life is how long
// tokens of a use do; uses that are not in it are left out.
func (r *Ring) Public(life map[Use]time.Duration) []JWK {
	now := r.now().UnixMilli()
	_, _ = r.readAgain(context.Background(), r.keys.Load()) // without an answer, what is known is published
	all := *r.keys.Load()
	out := []JWK{}
	for i, k := range all {
		public := k.jwk()
		if life[k.Use] == 0 || public == nil {
			continue
		}
		next := slices.IndexFunc(all[i+1:], func(o key) bool { return o.Use == k.Use })
		if next >= 0 && all[i+1+next].From+life[k.Use].Milliseconds() <= now {
			continue
		}
		out = append(out, *public)
	}
	return out
}
