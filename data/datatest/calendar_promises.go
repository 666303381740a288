package datatest

import (
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// calendarPromises are about the numbers by which calendars tell the newer file.
func calendarPromises() []promise {
	return []promise{
		{"a room's sequence rises with each move of its window, and with nothing else of it", func(t *trial) {
			r := t.room(func(r *rooms.Room) { r.StartsAt, r.EndsAt = t.now+hour, t.now+2*hour })
			was := r.Sequence
			for _, row := range []struct {
				name   string
				change func(*rooms.Room)
				rises  int
			}{
				{"a name", func(r *rooms.Room) { r.Name = "Other" }, 0},
				{"nothing", func(*rooms.Room) {}, 0},
				{"the start", func(r *rooms.Room) { r.StartsAt += minute }, 1},
				{"the end", func(r *rooms.Room) { r.EndsAt += minute }, 1},
				{"both", func(r *rooms.Room) { r.StartsAt, r.EndsAt = r.StartsAt+minute, r.EndsAt+minute }, 1},
				{"back", func(r *rooms.Room) { r.StartsAt, r.EndsAt = r.StartsAt-minute, r.EndsAt-minute }, 1},
				{"no window any more", func(r *rooms.Room) { r.StartsAt, r.EndsAt = 0, 0 }, 1},
			} {
				row.change(&r)
				t.must(t.Rooms.Store.Update(t.ctx, r, rooms.Shift{}, t.event(audit.RoomChanged, r.ID, 0)))
				got, err := t.Rooms.Store.ByID(t.ctx, r.ID)
				t.must(err)
				same(t, row.name, got.Sequence-was, row.rises)
				was = got.Sequence
			}
		}},
		{"a room's sequence rises when it is closed and when it is opened, and not when it was so already", func(t *trial) {
			r := t.room()
			for i, closed := range []int64{t.now, t.now, 0, 0, t.now} {
				_, err := t.Rooms.Store.SetClosed(t.ctx, r.ID, closed, t.event(audit.RoomClosed, r.ID, 0))
				t.must(err)
				got, err := t.Rooms.Store.ByID(t.ctx, r.ID)
				t.must(err)
				same(t, "sequence", got.Sequence, []int{1, 1, 2, 2, 3}[i])
			}
		}},
		{"an invitation's sequence rises when it is revoked and when it is restored, alone and with others", func(t *trial) {
			r := t.room()
			one, two := t.invitation(r), t.invitation(r)
			ev := func(id rooms.ID) audit.Event { return t.event(audit.InvitationRevoked, r.ID, id) }
			for range 2 {
				_, err := t.Invitations.Store.Revoke(t.ctx, one.ID, t.now, ev(one.ID))
				t.must(err)
			}
			same(t, "revoked", t.get(one.ID).Sequence, 1)
			_, err := t.Invitations.Store.Restore(t.ctx, one.ID, t.now-1, ev(one.ID))
			t.must(err)
			same(t, "restored", t.get(one.ID).Sequence, 2)
			_, err = t.Invitations.Store.RevokeAll(t.ctx, r.ID, []rooms.ID{one.ID, two.ID}, t.now, ev)
			t.must(err)
			same(t, "revoked together", [2]int{t.get(one.ID).Sequence, t.get(two.ID).Sequence}, [2]int{3, 1})
			_, err = t.Invitations.Store.RestoreAll(t.ctx, r.ID, t.now, t.now-1, ev)
			t.must(err)
			same(t, "restored together", [2]int{t.get(one.ID).Sequence, t.get(two.ID).Sequence}, [2]int{4, 2})
			same(t, "the room's", t.get(one.ID).Room.Sequence, 0)
		}},
		{"UpdateAll changes all rooms or none, SetClosedAll those that are not so already, and Series finds them in their order", func(t *trial) {
			first := t.id()
			var all []rooms.Room
			for nth := 3; nth > 0; nth-- {
				all = append([]rooms.Room{t.room(func(r *rooms.Room) { r.Series = rooms.Series{ID: first, Every: rooms.Weekly, Nth: nth, Size: 3} })}, all...)
			}
			t.room() // in no series
			series := func() []rooms.Room {
				got, err := t.Rooms.Store.Series(t.ctx, first)
				t.must(err)
				return got
			}
			same(t, "series", series(), all)
			none, err := t.Rooms.Store.Series(t.ctx, 0)
			t.must(err)
			same(t, "no series", len(none), 0)
			changed := all[0]
			changed.Name = "Changed"
			ev := func(id rooms.ID) audit.Event { return t.event(audit.RoomChanged, id, 0) }
			t.unchanged("one that is not there", func() {
				t.fails(t.Rooms.Store.UpdateAll(t.ctx, []rooms.Update{{Room: changed, Event: ev(changed.ID)}, {Room: rooms.Room{ID: t.id(), Name: "None"}, Event: ev(first)}}), rooms.ErrNotFound)
			})
			t.noted("UpdateAll", func() { t.must(t.Rooms.Store.UpdateAll(t.ctx, []rooms.Update{{Room: changed, Event: ev(changed.ID)}})) }, ev(changed.ID))
			same(t, "name", series()[0].Name, "Changed")
			ids := []rooms.ID{all[0].ID, all[1].ID, all[2].ID}
			_, err = t.Rooms.Store.SetClosed(t.ctx, ids[1], t.now-5, ev(ids[1]))
			t.must(err)
			t.noted("SetClosedAll", func() {
				done, err := t.Rooms.Store.SetClosedAll(t.ctx, ids, t.now, ev)
				t.must(err)
				same(t, "closed", done, []rooms.ID{ids[0], ids[2]})
			}, ev(ids[0]), ev(ids[2]))
			same(t, "was closed before", series()[1].ClosedAt, t.now-5)
		}},
		{"an invitation keeps its place in calendars as it is told", func(t *trial) {
			r := t.room()
			first := t.invitation(r)
			same(t, "its own", [2]int64{int64(first.Appointment), int64(t.get(first.ID).Appointment)}, [2]int64{})
			next := t.invitation(r, func(inv *tokens.Invitation) { inv.Appointment, inv.Sequence = first.ID, 5 })
			same(t, "another's", t.get(next.ID), next)
		}},
	}
}
