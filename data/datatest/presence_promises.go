package datatest

import (
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
			end := func() { t.must(store(t).End(t.ctx, a, t.now, ended)) }
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
			t.must(store(t).End(t.ctx, a, t.now, t.event(audit.AdmissionEnded, r.ID, a.Invitation)))
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
				"End":   func() error { return store(t).End(t.ctx, a, t.now, t.event(audit.AdmissionEnded, r.ID, inv.ID)) },
				"Depart": func() error {
					return store(t).Depart(t.ctx, t.now+hour, t.now, func(tokens.Present, rooms.ID) audit.Event {
						return t.event(audit.RoomLeft, r.ID, inv.ID)
					})
				},
			})
		}},
		{"Beat counts a room's events above two bases, and who is there; room 0 is all", func(t *trial) {
			r := t.room()
			a := t.take(t.invitation(r), "a")
			arrive(t, a, t.now)
			before := rooms.ID((t.now - 1) << 20)
			b, err := store(t).Beat(t.ctx, r.ID, before, rooms.ID((t.now+hour)<<20), t.now)
			t.must(err)
			same(t, "beat", b, rooms.Beat{Events: 4, People: 1, Since: t.now}) // created, minted, redeemed, entered
			b, err = store(t).Beat(t.ctx, r.ID, before, before, t.now+26*second)
			t.must(err)
			same(t, "beat, unseen for long", b, rooms.Beat{Events: 4, Recent: 4})
			all, err := store(t).Beat(t.ctx, 0, before, before, t.now)
			t.must(err)
			if all.Events < 4 || all.People < 1 || all.Since < t.now {
				t.Errorf("all rooms: %+v", all)
			}
		}},
	}
}
