package datatest

import (
	"fmt"
	"slices"
	"sync"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// batchesPromises are those of tokens.BatchStore.
func batchesPromises() []promise {
	return []promise{
		{"InsertBatch stores every invitation with its event and one for the room, and List finds just those", func(t *trial) {
			r := t.room()
			before := t.invitation(r)
			b, invs := t.batch(r, 700)
			after := t.invitation(r)
			did, err := t.Invitations.Store.InsertBatch(t.ctx, b, "wish "+b.ID.Show(""), invs)
			t.must(err)
			same(t, "batch", did, b)
			for _, i := range []int{0, 1, 511, 512, 699} {
				same(t, fmt.Sprint("invitation ", i), t.get(invs[i].ID), invs[i])
				evs, err := t.Invitations.Store.Events(t.ctx, invs[i].ID, 0, 9)
				t.must(err)
				if len(evs) != 1 || evs[0].Kind != audit.InvitationMinted || evs[0].At != t.now || evs[0].Actor != b.CreatedBy || evs[0].Room != int64(r.ID) || evs[0].Detail != "" {
					t.Errorf("history of invitation %d: %+v", i, evs)
				}
			}
			past, err := t.Rooms.Store.Events(t.ctx, r.ID, 0, 9)
			t.must(err)
			i := slices.IndexFunc(past, func(ev audit.Event) bool { return ev.Kind == audit.InvitationsMinted })
			if len(past) != 4 || i < 0 || past[i].Detail != "700" || past[i].Actor != b.CreatedBy || past[i].At != t.now || past[i].Invitation != 0 {
				t.Errorf("history of the room: %+v", past)
			}
			opened := t.event(audit.InvitationOpened, r.ID, invs[1].ID)
			opened.At++
			t.must(t.Invitations.Store.Opened(t.ctx, invs[1].ID, t.now, opened))
			evs, err := t.Invitations.Store.Events(t.ctx, invs[1].ID, 0, 1)
			t.must(err)
			if len(evs) != 1 || evs[0].Kind != audit.InvitationOpened {
				t.Errorf("first page of its history: %+v", evs)
			}
			evs, err = t.Invitations.Store.Events(t.ctx, invs[1].ID, rooms.ID(evs[0].ID), 9)
			t.must(err)
			if len(evs) != 1 || evs[0].Kind != audit.InvitationMinted || evs[0].ID != int64(invs[1].ID) {
				t.Errorf("last page of its history: %+v", evs)
			}
			invs[1] = t.get(invs[1].ID)
			all, err := t.Invitations.Store.List(t.ctx, tokens.Query{Room: r.ID, Batch: b, Sort: tokens.Oldest, Limit: 1000, Now: t.now})
			t.must(err)
			same(t, "list", all, invs)
			everything, err := t.Invitations.Store.List(t.ctx, tokens.Query{Room: r.ID, Limit: 1000, Now: t.now})
			t.must(err)
			if len(everything) != 702 {
				t.Errorf("%d invitations beside %s and %s", len(everything), before.ID.Show(""), after.ID.Show(""))
			}
		}},
		{"InsertBatch grants a wish once, also when it is uttered often at once", func(t *trial) {
			r := t.room()
			var first sync.Map
			var all sync.WaitGroup
			for range 8 {
				b, invs := t.batch(r, 3)
				all.Go(func() {
					did, err := t.Invitations.Store.InsertBatch(t.ctx, b, "one wish of "+r.Slug, invs)
					if err != nil {
						t.Error(err)
					}
					first.Store(did.ID, did)
				})
			}
			all.Wait()
			n := 0
			first.Range(func(_, did any) bool {
				n++
				batches, err := t.Invitations.Store.Batches(t.ctx, r.ID, 9)
				t.must(err)
				same(t, "batches", batches, []tokens.Batch{did.(tokens.Batch)})
				return true
			})
			if n != 1 || t.count("SELECT COUNT(*) FROM invitations WHERE room_id = $1", int64(r.ID)) != 3 {
				t.Errorf("%d batches", n)
			}
		}},
		{"InsertBatch is ErrIDTaken for a taken id, or fails without its history, and nothing has changed", func(t *trial) {
			r := t.room()
			b, invs := t.batch(r, 70)
			t.insert(invs[69])
			t.unchanged("a taken id", func() {
				_, err := t.Invitations.Store.InsertBatch(t.ctx, b, "taken "+r.Slug, invs)
				t.fails(err, rooms.ErrIDTaken)
			})
			t.undoneWithoutHistory(map[string]func() error{"InsertBatch": func() error {
				b, invs := t.batch(r, 9)
				_, err := t.Invitations.Store.InsertBatch(t.ctx, b, "lost "+r.Slug, invs)
				return err
			}})
		}},
		{"Batch is the room's, Granted the wish's, and Batches are its latest", func(t *trial) {
			r, elsewhere := t.room(), t.room()
			var want []tokens.Batch
			for range 3 {
				b, invs := t.batch(r, 2)
				_, err := t.Invitations.Store.InsertBatch(t.ctx, b, "many "+b.ID.Show(""), invs)
				t.must(err)
				want = append([]tokens.Batch{b}, want...)
			}
			got, err := t.Invitations.Store.Batches(t.ctx, r.ID, 2)
			t.must(err)
			same(t, "batches", got, want[:2])
			one, err := t.Invitations.Store.Batch(t.ctx, r.ID, want[2].ID)
			t.must(err)
			same(t, "batch", one, want[2])
			one, err = t.Invitations.Store.Granted(t.ctx, "many "+want[2].ID.Show(""))
			t.must(err)
			same(t, "granted", one, want[2])
			_, err = t.Invitations.Store.Granted(t.ctx, "never uttered")
			t.fails(err, tokens.ErrNotFound)
			_, err = t.Invitations.Store.Batch(t.ctx, elsewhere.ID, want[2].ID)
			t.fails(err, tokens.ErrNotFound)
		}},
		{"Invited are the addresses whose invitations are good, and that had one", func(t *trial) {
			r := t.room()
			to := func(address string, more ...func(*tokens.Invitation)) tokens.Invitation {
				return t.invitation(r, append(more, func(inv *tokens.Invitation) { inv.Name, inv.Email = "Ada", address })...)
			}
			to("Ada@Mail.example")
			t.take(to("used@mail.example"), "nonce")
			to("")
			to("ended@mail.example", func(inv *tokens.Invitation) { inv.ExpiresAt = t.now })
			gone := to("gone@mail.example")
			_, err := t.Invitations.Store.Revoke(t.ctx, gone.ID, t.now, t.event(audit.InvitationRevoked, r.ID, gone.ID))
			t.must(err)
			again := to("again@mail.example")
			_, err = t.Invitations.Store.Revoke(t.ctx, again.ID, t.now, t.event(audit.InvitationRevoked, r.ID, again.ID))
			t.must(err)
			to("again@mail.example")
			t.invitation(t.room(), func(inv *tokens.Invitation) { inv.Email = "elsewhere@mail.example" })
			got, err := t.Invitations.Store.Invited(t.ctx, r.ID, t.now)
			t.must(err)
			same(t, "addresses", got, map[string]bool{"ada@mail.example": true, "used@mail.example": true, "gone@mail.example": false, "again@mail.example": true})
		}},
	}
}

// batch is n invitations to the room with ids in order, and not stored yet.
func (t *trial) batch(r rooms.Room, n int) (tokens.Batch, []tokens.Invitation) {
	id := t.own.Run(t.now, n)
	var invs []tokens.Invitation
	for i := range n {
		invs = append(invs, t.draft(r, func(inv *tokens.Invitation) {
			inv.ID = id + rooms.ID(i)
			inv.Counter, inv.Name, inv.Email = inv.ID, fmt.Sprint("Guest ", i), fmt.Sprintf("g%d@mail.example", i)
			inv.PIN, inv.Wishes, inv.ExternalID, inv.Locale, inv.MaxUses, inv.NotBefore = "hash", "audio=false", "x", "de", 3, t.now-1000
		}))
	}
	return tokens.Batch{ID: id, Last: id + rooms.ID(n) - 1, Room: r.ID, CreatedAt: t.now, CreatedBy: audit.Actor{Kind: audit.Host, Name: "ada"}}, invs
}
