package datatest

import (
	"cmp"
	"slices"

	"admitone/data"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

func presencePromises() []promise {
	const second = int64(1000)
	store := func(t *trial) *data.Presence { return data.NewPresence(t.DB, t.IDs) }
	arrive := func(t *trial, a tokens.Admission, at int64) audit.Event {
		ev := t.event(audit.RoomEntered, a.Room, a.Invitation)
		ev.Admission = int64(a.ID)
		t.must(store(t).Enter(t.ctx, a, at, ev))
		return ev
	}
	in := func(t *trial, room rooms.ID, now int64) (ids []rooms.ID) {
		t.Helper()
		list, err := store(t).In(t.ctx, room, now-25*second, now-minute, 9)
		t.must(err)
		for _, p := range list {
			ids = append(ids, p.Admission)
		}
		return ids
	}
	depart := func(t *trial, now int64) {
		t.Helper()
		t.must(store(t).Depart(t.ctx, now-30*second, now-minute, func(p tokens.Present, room rooms.ID) audit.Event {
			ev := t.event(audit.RoomLeft, room, p.Invitation)
			ev.Admission = int64(p.Admission)
			return ev
		}))
	}
	return []promise{
		{"Enter is an arrival once, until a departure is noted; In lists the first to come first", func(t *trial) {
			r := t.room()
			inv := t.invitation(r, func(inv *tokens.Invitation) { inv.MaxUses = 2 })
			a, b := t.take(inv, "a"), t.take(inv, "b")
			ev := t.event(audit.RoomEntered, r.ID, inv.ID)
			ev.Admission = int64(a.ID)
			t.noted("Enter", func() { arrive(t, a, t.now) }, ev)
			arrive(t, b, t.now+1)
			t.noted("Enter again", func() { arrive(t, a, t.now+10*second) })
			same(t, "in", in(t, r.ID, t.now+10*second), []rooms.ID{a.ID, b.ID})
			same(t, "in, of another room", in(t, t.room().ID, t.now), nil)
			same(t, "in, when only one was seen lately", in(t, r.ID, t.now+26*second), []rooms.ID{a.ID})
			t.must(store(t).Leave(t.ctx, a.ID, t.now+11*second))
			same(t, "in, after leaving", in(t, r.ID, t.now+11*second), []rooms.ID{b.ID})
			t.noted("coming back at once", func() { arrive(t, a, t.now+12*second) })
			same(t, "in, after coming back", in(t, r.ID, t.now+12*second), []rooms.ID{a.ID, b.ID})
		}},
		{"Depart notes once who left or was not seen for long, and then they arrive anew", func(t *trial) {
			depart(t, t.now+hour) // those of other promises
			r := t.room()
			a := t.take(t.invitation(r), "a")
			entered := arrive(t, a, t.now)
			left := entered
			left.Kind = audit.RoomLeft
			t.unchanged("Depart too early", func() { depart(t, t.now+29*second) })
			t.noted("Depart", func() { depart(t, t.now+31*second) }, left)
			t.unchanged("Depart again", func() { depart(t, t.now+32*second) })
			t.noted("coming back later", func() { arrive(t, a, t.now+40*second) }, entered)
			list, err := store(t).In(t.ctx, r.ID, t.now, t.now, 9)
			t.must(err)
			same(t, "since", list[0].Since, t.now+40*second)
			t.must(store(t).Leave(t.ctx, a.ID, t.now+41*second))
			t.unchanged("Depart right after leaving", func() { depart(t, t.now+70*second) })
			t.noted("Depart of who left", func() { depart(t, t.now+72*second) }, left)
		}},
		{"Guests counts those who hold a place", func(t *trial) {
			r := t.room()
			inv := t.invitation(r, func(inv *tokens.Invitation) { inv.MaxUses = 3 })
			host := t.invitation(r, func(inv *tokens.Invitation) { inv.Role = tokens.Host })
			is := func(what string, at int64, want int) {
				t.Helper()
				n, err := store(t).Guests(t.ctx, r.ID, at)
				t.must(err)
				same(t, what, n, want)
			}
			is("nobody", t.now, 0)
			a := t.take(inv, "a")
			t.take(inv, "b")
			t.take(host, "c")
			is("two guests and a host", t.now, 2)
			t.exec("UPDATE admissions SET ended_at = $1 WHERE id = $2", t.now, int64(a.ID))
			is("one removed", t.now, 1)
			is("when their stay is over", t.now+tokens.Stay.Milliseconds(), 0)
			_, err := store(t).Guests(t.ctx, 5, t.now)
			t.fails(err, rooms.ErrNotFound)
		}},
		{"In leaves out whom their invitation no longer admits", func(t *trial) {
			r := t.room()
			inv := t.invitation(r)
			arrive(t, t.take(inv, "a"), t.now)
			t.exec("UPDATE invitations SET revoked_at = $1 WHERE id = $2", t.now, int64(inv.ID))
			same(t, "in", in(t, r.ID, t.now), nil)
		}},
		{"End takes the admission once, and Resume gives back what was taken after since, and nothing else", func(t *trial) {
			r := t.room()
			a := t.take(t.invitation(r), "a")
			arrive(t, a, t.now)
			ended, resumed := t.event(audit.AdmissionEnded, r.ID, a.Invitation), t.event(audit.AdmissionResumed, r.ID, a.Invitation)
			t.exec("UPDATE admissions SET entered_at = 7 WHERE id = $1", int64(a.ID)) // since it was looked at
			end := func() {
				left, err := store(t).End(t.ctx, a, t.now, ended)
				t.must(err)
				same(t, "as it was left", [2]int64{left.EnteredAt, left.EndedAt}, [2]int64{7, t.now})
			}
			resume := func(since int64) error { return store(t).Resume(t.ctx, a, since, resumed) }
			t.unchanged("Resume of what has not ended", func() { t.fails(resume(t.now-minute), tokens.ErrConflict) })
			t.noted("End", end, ended)
			t.unchanged("End again", end)
			got, err := store(t).Admission(t.ctx, r.ID, a.ID)
			t.must(err)
			same(t, "ended at", got.EndedAt, t.now)
			_, err = store(t).Admission(t.ctx, t.id(), a.ID)
			t.fails(err, tokens.ErrNotFound)
			list, err := store(t).In(t.ctx, r.ID, t.now-minute, t.now-minute, 9)
			t.must(err)
			same(t, "removed", list[0].RemovedAt, t.now)
			t.unchanged("Resume too late", func() { t.fails(resume(t.now), tokens.ErrConflict) })
			t.noted("Resume", func() { t.must(resume(t.now - minute)) }, resumed)
			same(t, "in", in(t, r.ID, t.now), []rooms.ID{a.ID})
			t.exec("UPDATE admissions SET ended_at = $1 WHERE id = $2", t.now, int64(a.ID))
			t.unchanged("Resume of what something else ended", func() { t.fails(resume(t.now-minute), tokens.ErrConflict) })
		}},
		{"Resume is ErrRoomFull where another took the place", func(t *trial) {
			r := t.room(func(r *rooms.Room) { r.Capacity = 1 })
			a := t.take(t.invitation(r), "a")
			_, err := store(t).End(t.ctx, a, t.now, t.event(audit.AdmissionEnded, r.ID, a.Invitation))
			t.must(err)
			t.take(t.invitation(r), "b")
			t.unchanged("Resume", func() {
				t.fails(store(t).Resume(t.ctx, a, t.now-minute, t.event(audit.AdmissionResumed, r.ID, a.Invitation)), tokens.ErrRoomFull)
			})
		}},
		{"changes of presence commit with their event or not at all", func(t *trial) {
			r := t.room()
			inv := t.invitation(r, func(inv *tokens.Invitation) { inv.MaxUses = 2 })
			a, b := t.take(inv, "a"), t.take(inv, "b")
			arrive(t, b, t.now)
			t.undoneWithoutHistory(map[string]func() error{
				"Enter": func() error { return store(t).Enter(t.ctx, a, t.now, t.event(audit.RoomEntered, r.ID, inv.ID)) },
				"End": func() error {
					_, err := store(t).End(t.ctx, a, t.now, t.event(audit.AdmissionEnded, r.ID, inv.ID))
					return err
				},
				"Depart": func() error {
					return store(t).Depart(t.ctx, t.now+hour, t.now, func(tokens.Present, rooms.ID) audit.Event {
						return t.event(audit.RoomLeft, r.ID, inv.ID)
					})
				},
			})
		}},
		{"Beats counts a room's events above two bases, and who is there; room 0 is every room", func(t *trial) {
			r := t.room()
			a := t.take(t.invitation(r), "a")
			arrive(t, a, t.now)
			before, late := rooms.ID((t.now-1)<<20), rooms.ID((t.now+hour)<<20)
			beats := func(room, next rooms.ID, now int64) map[rooms.ID]rooms.Beat {
				b, err := store(t).Beats(t.ctx, room, before, next, now)
				t.must(err)
				return b
			}
			here := rooms.Beat{Events: 4, People: 1, Since: t.now} // created, minted, redeemed, entered
			same(t, "the room's", beats(r.ID, late, t.now), map[rooms.ID]rooms.Beat{r.ID: here})
			same(t, "among all", beats(0, late, t.now)[r.ID], here)
			same(t, "unseen for long", beats(r.ID, before, t.now+26*second), map[rooms.ID]rooms.Beat{r.ID: {Events: 4, Recent: 4}})
			same(t, "of a room that is not there", beats(t.id(), before, t.now), map[rooms.ID]rooms.Beat{})
			was := beats(0, before, t.now)[0]
			_, err := t.Rooms.Store.SetOwner(t.ctx, r.ID, "bo", t.event(audit.RoomHandedOver, r.ID, 0))
			t.must(err)
			same(t, "handed over", beats(0, before, t.now)[0].Events, was.Events+1)
			same(t, "handed over, to itself", beats(r.ID, before, t.now)[r.ID].Events, 5)
		}},
		{"a list of rooms counts who is in each, as In lists them", func(t *trial) {
			r := t.room(func(r *rooms.Room) { r.Owner = "keeper" })
			t.room(func(r *rooms.Room) { r.Owner = "keeper" })
			counted := func(want ...int) {
				t.Helper()
				list, err := t.Rooms.Store.List(t.ctx, rooms.Query{Caller: rooms.Caller{Owner: "keeper"}, Limit: 9, Now: t.now})
				t.must(err)
				same(t, "people", []int{list[0].People, list[1].People}, want)
				same(t, "as In", len(in(t, r.ID, t.now)), want[1])
			}
			var all []tokens.Admission
			for _, nonce := range []string{"a", "b", "c", "d", "e"} {
				all = append(all, t.take(t.invitation(r), nonce))
				arrive(t, all[len(all)-1], t.now)
			}
			counted(0, 5)
			t.must(store(t).Leave(t.ctx, all[0].ID, t.now))
			counted(0, 4)
			t.exec("UPDATE invitations SET revoked_at = 1 WHERE id = $1", int64(all[2].Invitation))
			counted(0, 3)
			t.exec("UPDATE presence SET seen_at = $1 WHERE admission_id = $2", t.now-26*second, int64(all[3].ID))
			counted(0, 2)
			t.exec("UPDATE admissions SET ended_at = 1 WHERE id = $1", int64(all[1].ID))
			counted(0, 1)
		}},
		{"Rooms returns the rooms of these ids", func(t *trial) {
			a, b := t.room(), t.room()
			t.room()
			got, err := store(t).Rooms(t.ctx, []rooms.ID{a.ID, t.id(), b.ID})
			t.must(err)
			slices.SortFunc(got, func(a, b rooms.Room) int { return cmp.Compare(a.ID, b.ID) })
			same(t, "rooms", got, []rooms.Room{a, b})
		}},
	}
}
