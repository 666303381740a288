package datatest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
	"admitone/tokens/mail"
)

// sendOf is a mail to the invitation under that key, due now.
func (t *trial) sendOf(inv tokens.Invitation, key string) mail.Send {
	return mail.Send{
		Delivery: outbox.Delivery{Key: key, Kind: outbox.Mail, Word: audit.Invited, Room: inv.Room.ID, Invitation: inv.ID, CreatedAt: t.now, DueAt: t.now},
		Event:    t.event(audit.InvitationMailed, inv.Room.ID, inv.ID),
	}
}

func withAddress(inv *tokens.Invitation) { inv.Email = "ada@meet.example" }

// queue queues sends and must queue so many.
func (t *trial) queue(want int, sends ...mail.Send) {
	t.Helper()
	n, err := t.Outbox.Queue(t.ctx, sends)
	t.must(err)
	same(t, "queued", n, want)
}

// takeNext takes the next delivery, which there must be.
func (t *trial) takeNext(worker string) outbox.Delivery {
	t.Helper()
	d, found, err := t.Outbox.Take(t.ctx, outbox.Mail, worker, t.now, t.now+minute)
	t.must(err)
	same(t, "found", found, true)
	return d
}

// settled brings the invitation's waiting mail into that state.
func (t *trial) settled(inv tokens.Invitation, state outbox.State) {
	t.Helper()
	t.exec("UPDATE deliveries SET state = $1, settled_at = $2 WHERE invitation_id = $3 AND state = 'waiting'", string(state), t.now, int64(inv.ID))
}

// clearOutbox leaves nothing of the promises before.
func (t *trial) clearOutbox() { t.exec("DELETE FROM deliveries") }

// outboxPromises are those of outbox.Store.
func outboxPromises() []promise {
	return []promise{
		{"Take leases the earliest that is due, to one of many at once", func(t *trial) {
			t.clearOutbox()
			inv := t.invitation(t.room(), withAddress)
			late, first, then := t.sendOf(inv, "late"), t.sendOf(inv, "first"), t.sendOf(inv, "then")
			late.Delivery.DueAt, first.Delivery.DueAt, then.Delivery.DueAt = t.now+1, t.now-2, t.now-1
			t.queue(3, late, then, first)
			var got [2]atomic.Int32
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for range 3 {
						d, found, err := t.Outbox.Take(t.ctx, outbox.Mail, "w", t.now, t.now+minute)
						if err != nil {
							t.Error(err)
						}
						if found {
							got[map[string]int{"first": 0, "then": 1}[d.Key]].Add(1)
						}
					}
				})
			}
			all.Wait()
			same(t, "taken", [2]int32{got[0].Load(), got[1].Load()}, [2]int32{1, 1})
			same(t, "attempts", t.count("SELECT SUM(attempts) FROM deliveries"), 2)
		}},
		{"of many who take at once each gets one, while there are enough", func(t *trial) {
			t.clearOutbox()
			inv := t.invitation(t.room(), withAddress)
			const many = 12
			for i := range many {
				t.queue(1, t.sendOf(inv, fmt.Sprint("k", i)))
			}
			taken := Winners(t.T, many, outbox.ErrLost, func(int) error {
				_, found, err := t.Outbox.Take(t.ctx, outbox.Mail, "w", t.now, t.now+minute)
				if err == nil && !found {
					err = outbox.ErrLost
				}
				return err
			})
			same(t, "taken", taken, many)
		}},
		{"turns of all instances together are a pace apart, and nobody waits for a clock that was set back", func(t *trial) {
			const pace, many = 10 * time.Second, 4
			var waits [many]time.Duration
			Winners(t.T, many, nil, func(i int) (err error) {
				waits[i], err = t.Outbox.Turn(t.ctx, "turns", pace)
				return err
			})
			slices.Sort(waits[:])
			for i, wait := range waits {
				want := time.Duration(i) * pace
				if t.DB.Kind() == "sqlite" {
					want = 0 // of one instance
				}
				if wait > want || wait < want-pace*9/10 {
					t.Errorf("turn %d is in %s, want %s", i, wait, want)
				}
			}
			t.exec("UPDATE paces SET next_at = next_at + 3600000000")
			wait, err := t.Outbox.Turn(t.ctx, "turns", pace)
			t.must(err)
			same(t, "waits for it", wait > 0, false)
		}},
		{"a lease that is over is taken again, and its worker may no longer hand over or settle", func(t *trial) {
			t.clearOutbox()
			inv := t.invitation(t.room(), withAddress)
			t.queue(1, t.sendOf(inv, "k"))
			old := t.takeNext("one")
			t.now += minute
			same(t, "the same", t.takeNext("two").ID, old.ID)
			t.unchanged("too late", func() {
				t.fails(t.Outbox.Hand(t.ctx, old, t.now, t.now+minute), outbox.ErrLost)
				old.State = outbox.Sent
				t.fails(t.Outbox.Settle(t.ctx, old, audit.Event{}), outbox.ErrLost)
			})
		}},
		{"Hand needs the lease, and what is handed over is not taken again", func(t *trial) {
			t.clearOutbox()
			inv := t.invitation(t.room(), withAddress)
			t.queue(1, t.sendOf(inv, "k"))
			d := t.takeNext("one")
			t.must(t.Outbox.Hand(t.ctx, d, t.now, t.now+minute))
			t.fails(t.Outbox.Hand(t.ctx, d, t.now, t.now+minute), outbox.ErrLost)
			t.now += minute
			_, found, err := t.Outbox.Take(t.ctx, outbox.Mail, "two", t.now, t.now+minute)
			t.must(err)
			same(t, "found", found, false)
			left, err := t.Outbox.Stranded(t.ctx, outbox.Mail, "one", t.now)
			t.must(err)
			same(t, "stranded", len(left), 1)
			same(t, "its id", left[0].ID, d.ID)
		}},
		{"Settle keeps the outcome with its event, or not at all", func(t *trial) {
			t.clearOutbox()
			inv := t.invitation(t.room(), withAddress)
			t.queue(1, t.sendOf(inv, "k"))
			d := t.takeNext("one")
			d.State, d.Reason, d.SettledAt = outbox.Refused, "550 no", t.now
			ev := t.event(audit.MailRefused, inv.Room.ID, inv.ID)
			t.undoneWithoutHistory(map[string]func() error{"Settle": func() error { return t.Outbox.Settle(t.ctx, d, ev) }})
			t.noted("Settle", func() { t.must(t.Outbox.Settle(t.ctx, d, ev)) }, ev)
			n, err := t.Outbox.Pending(t.ctx)
			t.must(err)
			same(t, "pending", n, 0)
		}},
		{"Settle keeps nothing that was said to an invitation that lost its names meanwhile", func(t *trial) {
			t.clearOutbox()
			inv := t.invitation(t.room(), withAddress)
			t.queue(1, t.sendOf(inv, "k"))
			d := t.takeNext("one")
			t.nameless(inv)
			d.State, d.Reason, d.SettledAt = outbox.Refused, "550 no ada here", t.now
			ev := t.event(audit.MailRefused, inv.Room.ID, inv.ID)
			ev.Detail = d.Reason
			bare := ev
			bare.Detail = ""
			t.noted("Settle", func() { t.must(t.Outbox.Settle(t.ctx, d, ev)) }, bare)
			same(t, "where it is", t.Holding(t, "550 no"), nil)
		}},
	}
}

// mailPromises are those of mail.Store, and of the changes that tell people by mail.
func mailPromises() []promise {
	return []promise{
		{"Queue queues a key once, also of many at once, with its event or not at all", func(t *trial) {
			t.clearOutbox()
			inv := t.invitation(t.room(), withAddress)
			s := t.sendOf(inv, "once")
			t.undoneWithoutHistory(map[string]func() error{"Queue": func() error { _, err := t.Outbox.Queue(t.ctx, []mail.Send{s}); return err }})
			t.noted("Queue", func() {
				var all sync.WaitGroup
				var queued atomic.Int32
				for range 10 {
					all.Go(func() {
						n, err := t.Outbox.Queue(t.ctx, []mail.Send{s})
						if err != nil {
							t.Error(err)
						}
						queued.Add(int32(n))
					})
				}
				all.Wait()
				same(t, "queued", queued.Load(), 1)
			}, s.Event)
		}},
		{"QueueUnsent is for those who are good, have an address and got none", func(t *trial) {
			t.clearOutbox()
			r := t.room()
			good, sent := t.invitation(r, withAddress), t.invitation(r, withAddress)
			t.invitation(r)
			host := t.invitation(r, withAddress, func(inv *tokens.Invitation) { inv.Role = tokens.Host })
			t.exec("UPDATE invitations SET revoked_at = 1 WHERE id = $1", int64(t.invitation(r, withAddress).ID))
			t.exec("UPDATE invitations SET expires_at = 1 WHERE id = $1", int64(t.invitation(r, withAddress).ID))
			used := t.invitation(r, withAddress)
			t.take(used, "used")
			t.invitation(r, withAddress, func(inv *tokens.Invitation) { inv.Counter = used.ID })
			t.invitation(t.room(), withAddress)
			t.queue(1, t.sendOf(sent, "before"))
			t.settled(sent, outbox.Refused)
			u := mail.Unsent{Room: r.ID, Now: t.now}
			send := t.sendOf(tokens.Invitation{Room: r}, "")
			n, err := t.Outbox.CountUnsent(t.ctx, mail.Unsent{Room: r.ID, Now: t.now, Hosts: true})
			t.must(err)
			same(t, "with hosts", n, 2)
			queue := func() error { n, err = t.Outbox.QueueUnsent(t.ctx, u, send); return err }
			t.undoneWithoutHistory(map[string]func() error{"QueueUnsent": queue})
			noted := send.Event
			noted.Invitation = int64(good.ID)
			t.noted("QueueUnsent", func() { t.must(queue()) }, noted)
			same(t, "queued", n, 1)
			latest, err := t.Outbox.Latest(t.ctx, audit.Invited, []rooms.ID{good.ID})
			t.must(err)
			same(t, "its key", latest[good.ID].Key, fmt.Sprintf("invited/%d/0", good.ID))
			t.unchanged("QueueUnsent again", func() { t.must(queue()) })
			same(t, "again", n, 0)
			n, err = t.Outbox.QueueUnsent(t.ctx, mail.Unsent{Room: r.ID, Now: t.now, Hosts: true, First: host.ID, Last: host.ID}, send)
			t.must(err)
			same(t, "a range", n, 1)
		}},
		{"Stop takes back the invitations that wait, as if they were never asked for", func(t *trial) {
			t.clearOutbox()
			r := t.room()
			first, inHand, again, moved := t.invitation(r, withAddress), t.invitation(r, withAddress), t.invitation(r, withAddress), t.invitation(r, withAddress)
			other := t.invitation(t.room(), withAddress)
			t.queue(2, t.sendOf(again, "sent"), t.sendOf(moved, "also sent"))
			t.settled(again, outbox.Sent)
			t.settled(moved, outbox.Sent)
			news := t.sendOf(moved, "moved")
			news.Delivery.Word = audit.Moved
			hand := t.sendOf(inHand, "in hand")
			hand.Delivery.DueAt--
			t.queue(5, t.sendOf(first, "first"), hand, t.sendOf(again, "again"), news, t.sendOf(other, "another room's"))
			d := t.takeNext("one")
			ev := t.event(audit.MailsStopped, r.ID, 0)
			stop := func(want int) {
				is, err := t.Outbox.Stoppable(t.ctx, r.ID)
				t.must(err)
				same(t, "stoppable", is, want > 0)
				n, err := t.Outbox.Stop(t.ctx, r.ID, 2, ev)
				t.must(err)
				same(t, "stopped", n, want)
			}
			t.undoneWithoutHistory(map[string]func() error{"Stop": func() error { _, err := t.Outbox.Stop(t.ctx, r.ID, 2, ev); return err }})
			ev.Detail = "3"
			t.noted("Stop", func() { stop(2); stop(1) }, ev)
			t.unchanged("Stop again", func() { stop(0) })
			t.fails(t.Outbox.Hand(t.ctx, d, t.now, t.now+minute), outbox.ErrLost)
			tally, err := t.Outbox.Tally(t.ctx, r.ID)
			t.must(err)
			same(t, "tally", tally, map[outbox.State]int{outbox.Waiting: 1, outbox.Sent: 2})
			n, err := t.Outbox.QueueUnsent(t.ctx, mail.Unsent{Room: r.ID, Now: t.now}, t.sendOf(tokens.Invitation{Room: r}, ""))
			t.must(err)
			same(t, "unsent again", n, 2)
			d = t.takeNext("one")
			t.must(t.Outbox.Hand(t.ctx, d, t.now, t.now+minute))
			handing, err := t.Outbox.Tally(t.ctx, d.Room)
			t.must(err)
			same(t, "being handed over", handing[outbox.Handing], 1)
		}},
		{"mails sent and stopped at once, while guests come, leave nobody who counts as sent to and is not", func(t *trial) {
			t.clearOutbox()
			r := t.room(func(r *rooms.Room) { r.Capacity = 100 })
			invs := make([]tokens.Invitation, 40)
			for i := range invs {
				invs[i] = t.invitation(r, withAddress)
			}
			var all sync.WaitGroup
			for range 3 {
				send, stop := t.sendOf(tokens.Invitation{Room: r}, ""), t.event(audit.MailsStopped, r.ID, 0)
				all.Go(func() {
					for range 10 {
						if _, err := t.Outbox.QueueUnsent(t.ctx, mail.Unsent{Room: r.ID, Now: t.now}, send); err != nil {
							t.Error(err)
						}
					}
				})
				all.Go(func() {
					for range 10 {
						if _, err := t.Outbox.Stop(t.ctx, r.ID, 30, stop); err != nil {
							t.Error(err)
						}
					}
				})
			}
			for _, inv := range invs[:20] {
				c, ev := t.claim(inv, "n")
				c.Limited = true
				all.Go(func() {
					if _, err := t.Invitations.Store.Claim(t.ctx, c, ev); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			same(t, "come", t.count("SELECT COUNT(*) FROM admissions WHERE room_id = $1", int64(r.ID)), 20)
			for n := 1; n > 0; {
				var err error
				n, err = t.Outbox.Stop(t.ctx, r.ID, 30, t.event(audit.MailsStopped, r.ID, 0))
				t.must(err)
			}
			is, err := t.Outbox.Stoppable(t.ctx, r.ID)
			t.must(err)
			same(t, "stoppable", is, false)
			same(t, "counted as sent to", t.count("SELECT COUNT(*) FROM invitations WHERE room_id = $1 AND mailed <> 0", int64(r.ID)), 0)
			n, err := t.Outbox.CountUnsent(t.ctx, mail.Unsent{Room: r.ID, Now: t.now})
			t.must(err)
			same(t, "unsent", n, 20)
		}},
		{"Latest, Told and Tally tell how mails stand", func(t *trial) {
			t.clearOutbox()
			r := t.room()
			one, two, none := t.invitation(r, withAddress), t.invitation(r, withAddress), t.invitation(r)
			t.queue(2, t.sendOf(one, "one"), t.sendOf(two, "two"))
			t.settled(one, outbox.Sent)
			moved := t.sendOf(one, "moved")
			moved.Delivery.Word = audit.Moved
			t.queue(1, moved)
			latest, err := t.Outbox.Latest(t.ctx, "", []rooms.ID{one.ID, two.ID, none.ID})
			t.must(err)
			same(t, "how many", len(latest), 2)
			same(t, "the latest", latest[one.ID].Key, "moved")
			latest, err = t.Outbox.Latest(t.ctx, audit.Invited, []rooms.ID{one.ID})
			t.must(err)
			same(t, "of a word", latest[one.ID].Key, "one")
			told, err := t.Outbox.Told(t.ctx, r.ID)
			t.must(err)
			same(t, "told", told, 1)
			tally, err := t.Outbox.Tally(t.ctx, r.ID)
			t.must(err)
			same(t, "tally", tally, map[outbox.State]int{outbox.Waiting: 2, outbox.Sent: 1})
			for _, state := range []outbox.State{outbox.Doubtful, outbox.Refused} {
				d := t.takeNext("one")
				d.State, d.SettledAt = state, t.now
				t.must(t.Outbox.Settle(t.ctx, d, audit.Event{}))
			}
			tally, err = t.Outbox.Tally(t.ctx, r.ID)
			t.must(err)
			same(t, "tally at the end", tally, map[outbox.State]int{outbox.Doubtful: 1, outbox.Refused: 1})
			same(t, "those that were refused", idsOf(t, tokens.Query{Room: r.ID, Mail: outbox.Refused, Limit: 5}), []rooms.ID{one.ID})
			same(t, "those in doubt that are a host's", idsOf(t, tokens.Query{Room: r.ID, Mail: outbox.Doubtful, Role: tokens.Host, Limit: 5}), nil)
			again := t.sendOf(one, "again")
			t.queue(1, again)
			d := t.takeNext("one")
			d.State, d.SettledAt = outbox.Dropped, t.now
			t.must(t.Outbox.Settle(t.ctx, d, audit.Event{}))
			tally, err = t.Outbox.Tally(t.ctx, r.ID)
			t.must(err)
			same(t, "tally, and one that was not needed", tally, map[outbox.State]int{outbox.Doubtful: 1, outbox.Refused: 1, outbox.Dropped: 1})
		}},
		{"the pages of those whose mail was refused hold each of them once, few or many", func(t *trial) {
			t.clearOutbox()
			for _, n := range []int{5, 300} {
				r := t.room()
				var all []tokens.Invitation
				for i := range n {
					all = append(all, t.draft(r, withAddress, func(inv *tokens.Invitation) { inv.Name = fmt.Sprintf("guest %03d", (i*7)%n) }))
				}
				t.insert(all...)
				queued, err := t.Outbox.QueueUnsent(t.ctx, mail.Unsent{Room: r.ID, Now: t.now}, t.sendOf(tokens.Invitation{Room: r}, ""))
				t.must(err)
				same(t, "queued", queued, n)
				t.exec("UPDATE deliveries SET state = 'refused', settled_at = $1 WHERE room_id = $2", t.now, int64(r.ID))
				sent := all[n/2]
				t.exec("UPDATE deliveries SET state = 'sent' WHERE invitation_id = $1", int64(sent.ID))
				for _, order := range tokens.Sorts() {
					q := tokens.Query{Room: r.ID, Mail: outbox.Refused, Sort: order, Limit: 70, Now: t.now}
					seen := map[rooms.ID]bool{}
					for {
						page, err := t.Invitations.Store.List(t.ctx, q)
						t.must(err)
						for i, inv := range page {
							seen[inv.ID] = true
							if i > 0 && (order == tokens.ByName && page[i-1].Name > inv.Name || order == tokens.Oldest && page[i-1].ID > inv.ID || order == tokens.Newest && page[i-1].ID < inv.ID) {
								t.Errorf("%s: %s after %s", order, inv.Name, page[i-1].Name)
							}
						}
						if len(page) < q.Limit {
							break
						}
						q.After = page[len(page)-1].Position(order)
					}
					same(t, "seen by "+string(order), len(seen), n-1)
					same(t, "sent, by "+string(order), seen[sent.ID], false)
				}
			}
		}},
		{"a change tells those who were invited by mail, in its transaction", func(t *trial) {
			t.clearOutbox()
			r := t.room()
			told, waits, revoked, never := t.invitation(r, withAddress), t.invitation(r, withAddress), t.invitation(r, withAddress), t.invitation(r, withAddress)
			t.queue(3, t.sendOf(told, "a"), t.sendOf(revoked, "c"), t.sendOf(waits, "b"))
			t.settled(told, outbox.Sent)
			t.settled(revoked, outbox.Sent)
			t.exec("UPDATE invitations SET revoked_at = 1 WHERE id = $1", int64(revoked.ID))
			inHand := t.takeNext("one")
			same(t, "in hand", inHand.Key, "b")
			ev := t.event(audit.RoomChanged, r.ID, 0)
			ev.Tell = audit.Tell{Word: audit.Moved, At: t.now}
			change := func() error { return t.Rooms.Store.Update(t.ctx, r, rooms.Shift{}, ev) }
			t.undoneWithoutHistory(map[string]func() error{"Update": change})
			t.must(change())
			same(t, "who is told", t.count("SELECT COUNT(*) FROM deliveries WHERE word = 'moved'"), 1)
			same(t, "whom", t.count("SELECT COUNT(*) FROM deliveries WHERE word = 'moved' AND invitation_id = $1", int64(told.ID)), 1)
			t.fails(t.Outbox.Hand(t.ctx, inHand, t.now, t.now+minute), outbox.ErrLost)
			t.must(change())
			same(t, "once while it waits", t.count("SELECT COUNT(*) FROM deliveries WHERE word = 'moved'"), 1)

			off := t.event(audit.InvitationRevoked, r.ID, told.ID)
			off.Tell = audit.Tell{Word: audit.CalledOff, At: t.now + minute}
			_, err := t.Invitations.Store.Revoke(t.ctx, told.ID, t.now, off)
			t.must(err)
			same(t, "called off, later", t.count("SELECT COUNT(*) FROM deliveries WHERE word = 'called_off' AND due_at = $1", t.now+minute), 1)
			off.Invitation = int64(never.ID)
			_, err = t.Invitations.Store.Revoke(t.ctx, never.ID, t.now, off)
			t.must(err)
			same(t, "nobody else", t.count("SELECT COUNT(*) FROM deliveries WHERE word = 'called_off'"), 1)
		}},
		{"opened again, a room tells those who were told that it is off", func(t *trial) {
			t.clearOutbox()
			r := t.room()
			one, two := t.invitation(r, withAddress), t.invitation(r, withAddress)
			t.queue(2, t.sendOf(one, "a"), t.sendOf(two, "b"))
			t.settled(one, outbox.Sent)
			t.settled(two, outbox.Sent)
			set := func(at int64, word audit.Word) {
				ev := t.event(audit.RoomClosed, r.ID, 0)
				ev.Tell = audit.Tell{Word: word, At: t.now}
				_, err := t.Rooms.Store.SetClosed(t.ctx, r.ID, at, ev)
				t.must(err)
			}
			set(t.now, audit.CalledOff)
			t.settled(one, outbox.Sent)
			t.settled(two, outbox.Dropped)
			set(0, audit.OnAgain)
			same(t, "on again", t.count("SELECT COUNT(*) FROM deliveries WHERE word = 'on_again'"), 1)
			same(t, "to whom it was off", t.count("SELECT COUNT(*) FROM deliveries WHERE word = 'on_again' AND invitation_id = $1", int64(one.ID)), 1)
		}},
	}
}
