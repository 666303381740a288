package datatest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// passkeysPromises are those of hosts.PasskeyStore.
func passkeysPromises() []promise {
	ev := func(t *trial, kind audit.Kind) audit.Event {
		return audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Kind: kind, Detail: "Phone"}
	}
	key := func(t *trial, host string) hosts.Passkey {
		id := t.id()
		return hosts.Passkey{ID: id, Host: host, Name: "Phone", Credential: fmt.Append(nil, "\xff\x00", id), PublicKey: []byte{0xa5, 0, 1}, Flags: 0x1d, Count: 3, CreatedAt: t.now}
	}
	add := func(t *trial, k hosts.Passkey) hosts.Passkey {
		t.Helper()
		t.must(t.Hosts.AddPasskey(t.ctx, k, "made "+k.ID.Show(""), hosts.Kept{}, ev(t, audit.PasskeyAdded)))
		return k
	}
	of := func(t *trial, host string) []hosts.Passkey {
		t.Helper()
		all, err := t.Hosts.Passkeys(t.ctx, host)
		t.must(err)
		return all
	}
	use := func(t *trial, k hosts.Passkey, challenge string, count uint32) error {
		return t.Hosts.UsePasskey(t.ctx, hosts.PasskeyUse{ID: k.ID, Challenge: challenge, Count: count, At: t.now + 1}, ev(t, audit.PasskeyCopied))
	}
	on := func(t *trial, host string) bool {
		t.Helper()
		standing, err := t.Hosts.Standing(t.ctx)
		t.must(err)
		return standing.On[host]
	}
	epoch := func(t *trial, host string) int64 {
		t.Helper()
		all, err := t.Hosts.Epochs(t.ctx)
		t.must(err)
		return all[host]
	}
	return []promise{
		{"Handle stays what it first was, and HandleOf finds whose it is", func(t *trial) {
			for _, fresh := range []string{"\x00first", "second"} {
				got, err := t.Hosts.Handle(t.ctx, "handled", []byte(fresh))
				t.must(err)
				same(t, "handle", string(got), "\x00first")
			}
			host, err := t.Hosts.HandleOf(t.ctx, []byte("\x00first"))
			t.must(err)
			same(t, "whose", host, "handled")
			_, err = t.Hosts.HandleOf(t.ctx, []byte("second"))
			t.fails(err, rooms.ErrNotFound)
			_, err = t.Hosts.HandleOf(t.ctx, nil)
			t.fails(err, rooms.ErrNotFound)
		}},
		{"AddPasskey: it is among the host's own, and the second factor is on", func(t *trial) {
			same(t, "on before", on(t, "lister"), false)
			k := key(t, "lister")
			t.noted("AddPasskey", func() { add(t, k) }, ev(t, audit.PasskeyAdded))
			second := add(t, key(t, "lister"))
			same(t, "the host's", of(t, "lister"), []hosts.Passkey{k, second})
			same(t, "another's", len(of(t, "somebody")), 0)
			same(t, "on", on(t, "lister"), true)
			same(t, "on for another", on(t, "somebody"), false)
		}},
		{"AddPasskey ends the host's sign-ins with the first second factor, and not with others", func(t *trial) {
			before := epoch(t, "ender")
			add(t, key(t, "ender"))
			same(t, "after the first", epoch(t, "ender"), before+1)
			add(t, key(t, "ender"))
			same(t, "after the second", epoch(t, "ender"), before+1)
		}},
		{"AddPasskey refuses a credential that is there and a challenge that was used, and changes nothing", func(t *trial) {
			k := add(t, key(t, "adder"))
			other := key(t, "other")
			other.Credential = k.Credential
			t.unchanged("a known credential", func() {
				t.fails(t.Hosts.AddPasskey(t.ctx, other, "fresh", hosts.Kept{}, ev(t, audit.PasskeyAdded)), hosts.ErrPasskeyKnown)
			})
			t.unchanged("a used challenge", func() {
				t.fails(t.Hosts.AddPasskey(t.ctx, key(t, "other"), "made "+k.ID.Show(""), hosts.Kept{}, ev(t, audit.PasskeyAdded)), hosts.ErrInvalidPasskey)
			})
		}},
		{"UsePasskey keeps the count and when, and refuses the challenge a second time", func(t *trial) {
			k := add(t, key(t, "user"))
			t.noted("UsePasskey", func() { t.must(use(t, k, "c1", 4)) })
			got := of(t, "user")[0]
			same(t, "count", got.Count, 4)
			same(t, "used at", got.UsedAt, t.now+1)
			t.unchanged("again", func() { t.fails(use(t, k, "c1", 5), hosts.ErrInvalidPasskey) })
			t.unchanged("of one that is gone", func() { t.fails(use(t, key(t, "user"), "c2", 9), hosts.ErrInvalidPasskey) })
		}},
		{"UsePasskey refuses a count that did not rise, and notes that alone", func(t *trial) {
			k := add(t, key(t, "copied"))
			for n, count := range []uint32{3, 2, 0} {
				t.noted("a count of before", func() { t.fails(use(t, k, fmt.Sprint("copied ", n), count), hosts.ErrPasskeyCopied) }, ev(t, audit.PasskeyCopied))
			}
			same(t, "the passkey", of(t, "copied"), []hosts.Passkey{k})
		}},
		{"UsePasskey lets those that do not count be used again and again", func(t *trial) {
			k := key(t, "uncounted")
			k.Count = 0
			add(t, k)
			for n := range 3 {
				t.must(use(t, k, fmt.Sprint("uncounted ", n), 0))
			}
		}},
		{"UsePasskey takes one of many at once with one challenge", func(t *trial) {
			k := key(t, "racer")
			k.Count = 0
			add(t, k)
			var all sync.WaitGroup
			var taken atomic.Int32
			for range 16 {
				all.Go(func() {
					err := use(t, k, "raced", 0)
					if err == nil {
						taken.Add(1)
					} else if !errors.Is(err, hosts.ErrInvalidPasskey) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			same(t, "taken", taken.Load(), 1)
		}},
		{"RemovePasskey takes the host's own away, and with the last the second factor is off", func(t *trial) {
			k := add(t, key(t, "remover"))
			t.unchanged("another's", func() {
				t.fails(t.Hosts.RemovePasskey(t.ctx, "other", k.ID, ev(t, audit.PasskeyRemoved)), rooms.ErrNotFound)
			})
			t.noted("RemovePasskey", func() { t.must(t.Hosts.RemovePasskey(t.ctx, "remover", k.ID, ev(t, audit.PasskeyRemoved))) }, ev(t, audit.PasskeyRemoved))
			same(t, "left", len(of(t, "remover")), 0)
			same(t, "on", on(t, "remover"), false)
			t.fails(t.Hosts.RemovePasskey(t.ctx, "remover", k.ID, ev(t, audit.PasskeyRemoved)), rooms.ErrNotFound)
		}},
		{"Disable takes the passkeys away with the sign-ins, and else leaves them", func(t *trial) {
			add(t, key(t, "reset"))
			_, err := t.Hosts.Handle(t.ctx, "reset", []byte("reset's"))
			t.must(err)
			t.unchanged("the host's own", func() {
				t.fails(t.Hosts.Disable(t.ctx, "reset", false, ev(t, audit.FactorDisabled)), rooms.ErrNotFound)
			})
			t.must(t.Hosts.Disable(t.ctx, "reset", true, ev(t, audit.FactorReset)))
			same(t, "left", len(of(t, "reset")), 0)
			_, err = t.Hosts.HandleOf(t.ctx, []byte("reset's"))
			t.fails(err, rooms.ErrNotFound)
		}},
		{"every change of passkeys fails where its event cannot be stored", func(t *trial) {
			k := add(t, key(t, "lost"))
			t.undoneWithoutHistory(map[string]func() error{
				"AddPasskey": func() error {
					return t.Hosts.AddPasskey(t.ctx, key(t, "lost"), "l1", hosts.Kept{}, ev(t, audit.PasskeyAdded))
				},
				"UsePasskey":    func() error { return use(t, k, "l2", 1) },
				"RemovePasskey": func() error { return t.Hosts.RemovePasskey(t.ctx, "lost", k.ID, ev(t, audit.PasskeyRemoved)) },
			})
		}},
	}
}
