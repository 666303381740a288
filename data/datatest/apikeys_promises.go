package datatest

import (
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

func apiKeysPromises() []promise {
	draft := func(t *trial, host string) oauth.APIKey {
		id := t.id()
		return oauth.APIKey{ID: id, Name: "Gate " + id.Show(""), Host: host, Credential: "v1", Scopes: oauth.Scopes{oauth.RoomsRead, oauth.Redeem},
			Hash: "key " + id.Show(""), CreatedAt: t.now}
	}
	add := func(t *trial, host string) oauth.APIKey {
		t.Helper()
		k := draft(t, host)
		t.must(t.apps().AddKey(t.ctx, k, "", t.event(audit.KeyMade, 0, 0)))
		return k
	}
	get := func(t *trial, hash string) oauth.APIKey {
		t.Helper()
		k, err := t.apps().Key(t.ctx, hash)
		t.must(err)
		return k
	}
	return []promise{
		{"Key returns what AddKey added, with its event, or rooms.ErrNotFound", func(t *trial) {
			k, ev := draft(t, "ada"), t.event(audit.KeyMade, 0, 0)
			t.noted("AddKey", func() { t.must(t.apps().AddKey(t.ctx, k, "", ev)) }, ev)
			same(t, "key", get(t, k.Hash), k)
			_, err := t.apps().Key(t.ctx, "no hash")
			t.fails(err, rooms.ErrNotFound)
		}},
		{"KeyByID returns it too, also one that has ended, or rooms.ErrNotFound", func(t *trial) {
			k := add(t, "ada")
			t.must(t.apps().EndKey(t.ctx, "ada", k.ID, t.now+5, t.event(audit.KeyRemoved, 0, 0)))
			got, err := t.apps().KeyByID(t.ctx, k.ID)
			t.must(err)
			k.EndedAt = t.now + 5
			same(t, "key", got, k)
			_, err = t.apps().KeyByID(t.ctx, t.id())
			t.fails(err, rooms.ErrNotFound)
		}},
		{"AddKey: rooms.ErrIDTaken when the id was used", func(t *trial) {
			k := add(t, "ada")
			k.Hash = "another " + k.Hash
			t.unchanged("AddKey", func() { t.fails(t.apps().AddKey(t.ctx, k, "", t.event(audit.KeyMade, 0, 0)), rooms.ErrIDTaken) })
		}},
		{"AddKey grants a wish once, also when it is uttered often at once", func(t *trial) {
			made, wish := make(chan error, 16), "one wish of "+t.id().Show("")
			for range cap(made) {
				k, ev := draft(t, "ada"), t.event(audit.KeyMade, 0, 0)
				go func() { made <- t.apps().AddKey(t.ctx, k, wish, ev) }()
			}
			granted := 0
			for range cap(made) {
				err := <-made
				if err == nil {
					granted++
					continue
				}
				t.fails(err, oauth.ErrKeyMade)
			}
			same(t, "granted", granted, 1)
			k := draft(t, "ada")
			t.unchanged("AddKey again", func() { t.fails(t.apps().AddKey(t.ctx, k, wish, t.event(audit.KeyMade, 0, 0)), oauth.ErrKeyMade) })
			t.must(t.apps().AddKey(t.ctx, k, "another "+wish, t.event(audit.KeyMade, 0, 0)))
		}},
		{"Keys returns a host's that have not ended, the latest first", func(t *trial) {
			one, two, over := add(t, "grace"), add(t, "grace"), add(t, "grace")
			add(t, "bo")
			t.must(t.apps().EndKey(t.ctx, "grace", over.ID, t.now, t.event(audit.KeyRemoved, 0, 0)))
			list, err := t.apps().Keys(t.ctx, "grace")
			t.must(err)
			same(t, "keys", list, []oauth.APIKey{two, one})
		}},
		{"UsedKey notes the latest use", func(t *trial) {
			k := add(t, "ada")
			for _, row := range [][2]int64{{t.now, t.now}, {t.now + 5, t.now + 5}, {t.now + 1, t.now + 5}} {
				t.must(t.apps().UsedKey(t.ctx, k.ID, row[0]))
				same(t, "used at", get(t, k.Hash).UsedAt, row[1])
			}
			t.unchanged("UsedKey of none", func() { t.must(t.apps().UsedKey(t.ctx, t.id(), t.now)) })
		}},
		{"EndKey ends the host's key, with its event; another host's, one that ended and none are rooms.ErrNotFound", func(t *trial) {
			k, ev := add(t, "ada"), t.event(audit.KeyRemoved, 0, 0)
			t.unchanged("EndKey by another", func() {
				t.fails(t.apps().EndKey(t.ctx, "bo", k.ID, t.now, ev), rooms.ErrNotFound)
				t.fails(t.apps().EndKey(t.ctx, "ada", t.id(), t.now, ev), rooms.ErrNotFound)
			})
			t.noted("EndKey", func() { t.must(t.apps().EndKey(t.ctx, "ada", k.ID, t.now+5, ev)) }, ev)
			same(t, "ended at", get(t, k.Hash).EndedAt, t.now+5)
			t.unchanged("EndKey again", func() { t.fails(t.apps().EndKey(t.ctx, "ada", k.ID, t.now+6, ev), rooms.ErrNotFound) })
		}},
		{"changes of keys are undone where their event cannot be stored", func(t *trial) {
			k, fresh, ev := add(t, "ada"), draft(t, "ada"), t.event(audit.KeyMade, 0, 0)
			t.undoneWithoutHistory(map[string]func() error{
				"AddKey": func() error { return t.apps().AddKey(t.ctx, fresh, "", ev) },
				"EndKey": func() error { return t.apps().EndKey(t.ctx, "ada", k.ID, t.now, ev) },
			})
		}},
	}
}
