package datatest

import (
	"fmt"
	"sync"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/keys"
)

func keysPromises() []promise {
	sealed := func(id string, use keys.Use, from int64) keys.Sealed {
		return keys.Sealed{ID: id, Use: use, Alg: "HS256", From: from, Until: from + 1, Box: []byte{0, 1, 0xff, byte(from)}}
	}
	of := func(t *trial, uses ...keys.Use) (found []keys.Sealed) {
		t.Helper()
		all, err := t.store().Keys(t.ctx)
		t.must(err)
		for _, k := range all {
			for _, use := range uses {
				if k.Use == use {
					found = append(found, k)
				}
			}
		}
		return found
	}
	return []promise{
		{"Keys returns every key as it was added, oldest first", func(t *trial) {
			late, early := sealed("k-late", "use 1", 20), sealed("k-early", "use 2", 10)
			t.must(t.store().AddFirst(t.ctx, late))
			t.must(t.store().AddFirst(t.ctx, early))
			same(t, "keys", of(t, "use 1", "use 2"), []keys.Sealed{early, late})
		}},
		{"Add adds keys with the event, unless one of a use is to come", func(t *trial) {
			now, soon := t.now, t.at(time.Second)
			one, two, late := sealed("k-now", "use 6", now), sealed("k-soon", "use 7", soon), sealed("k-again", "use 6", soon)
			ev := audit.Event{At: now, Actor: audit.Actor{Kind: audit.System, Name: "cli"}, Kind: audit.KeysRotated}
			add := func(want bool, ks ...keys.Sealed) {
				t.Helper()
				done, err := t.store().Add(t.ctx, ks, now, ev)
				t.must(err)
				same(t, "added", done, want)
			}
			events := len(t.history())
			add(true, one, two)
			same(t, "keys", of(t, "use 6", "use 7"), []keys.Sealed{one, two})
			same(t, "events", len(t.history()), events+1)
			t.unchanged("Add while one is to come", func() { add(false, late, sealed("k-more", "use 7", soon)) })
			add(true, late)
		}},
		{"AddFirst adds no second key of a use", func(t *trial) {
			t.must(t.store().AddFirst(t.ctx, sealed("k-first", "use 3", 1)))
			t.unchanged("AddFirst", func() { t.must(t.store().AddFirst(t.ctx, sealed("k-second", "use 3", 0))) })
		}},
		{"AddFirst by many at once agrees on one key", func(t *trial) {
			for round := range 5 {
				use := keys.Use(fmt.Sprintf("use at once %d", round))
				var all sync.WaitGroup
				for n := range 8 {
					all.Go(func() {
						if err := t.store().AddFirst(t.ctx, sealed(fmt.Sprintf("k-%d-%d", round, n), use, int64(n))); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				same(t, "keys of this use", len(of(t, use)), 1)
			}
		}},
		{"Reseal replaces boxes, all or none", func(t *trial) {
			one, two := sealed("k-one", "use 4", 1), sealed("k-two", "use 5", 2)
			t.must(t.store().AddFirst(t.ctx, one))
			t.must(t.store().AddFirst(t.ctx, two))
			one.Box, two.Box = []byte("new one"), []byte("new two")
			t.unchanged("Reseal with an unknown key", func() {
				t.fails(t.store().Reseal(t.ctx, []keys.Sealed{one, two, sealed("k-none", "use 4", 1)}), rooms.ErrNotFound)
			})
			t.must(t.store().Reseal(t.ctx, []keys.Sealed{one, two}))
			same(t, "keys", of(t, "use 4", "use 5"), []keys.Sealed{one, two})
		}},
	}
}
