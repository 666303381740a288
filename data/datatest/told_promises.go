package datatest

import (
	"fmt"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
)

// toldPromises are those of who is told of what becomes of a room.
func toldPromises() []promise {
	return []promise{
		{"what becomes of a room is told to nobody whom a host removed and whose link admits nobody any more", func(t *trial) {
			r := t.room()
			all, want := t.partlyRemoved(r)
			for word, tell := range map[audit.Word]func(ev audit.Event) error{
				audit.Moved: func(ev audit.Event) error { return t.Rooms.Store.Update(t.ctx, r, rooms.Shift{}, ev) },
				audit.CalledOff: func(ev audit.Event) error {
					_, err := t.Rooms.Store.SetClosed(t.ctx, r.ID, t.now, ev)
					return err
				},
				audit.OnAgain: func(ev audit.Event) error {
					t.calledOff(r, all)
					_, err := t.Rooms.Store.SetClosed(t.ctx, r.ID, 0, ev)
					return err
				},
			} {
				t.clearOutbox()
				for _, inv := range all {
					t.queue(1, t.sendOf(inv, fmt.Sprint("invited ", inv.ID)))
					t.settled(inv, outbox.Sent)
				}
				t.exec("UPDATE rooms SET closed_at = 0 WHERE id = $1", int64(r.ID))
				ev := t.event(audit.RoomChanged, r.ID, 0)
				ev.Tell = audit.Tell{Word: word, At: t.now}
				t.must(tell(ev))
				told := map[string]bool{}
				for name, inv := range all {
					told[name] = t.count("SELECT COUNT(*) FROM deliveries WHERE state = 'waiting' AND word = $1 AND invitation_id = $2", string(word), int64(inv.ID)) == 1
				}
				same(t, string(word), told, want)
				n, err := t.Outbox.Told(t.ctx, r.ID)
				t.must(err)
				same(t, "Told", n, 6)
			}
		}},
	}
}

// calledOff closes the room and has each of these told so.
func (t *trial) calledOff(r rooms.Room, all map[string]tokens.Invitation) {
	t.Helper()
	t.exec("UPDATE rooms SET closed_at = $1 WHERE id = $2", t.now, int64(r.ID))
	for _, inv := range all {
		off := t.sendOf(inv, fmt.Sprint("off ", inv.ID))
		off.Delivery.Word = audit.CalledOff
		t.queue(1, off)
		t.settled(inv, outbox.Sent)
	}
}

// partlyRemoved is a room's invitations by what became of those whom they admitted,
// and whether they are told more.
func (t *trial) partlyRemoved(r rooms.Room) (all map[string]tokens.Invitation, told map[string]bool) {
	t.Helper()
	people := t.Lobby.Store
	remove := func(a tokens.Admission) {
		_, err := people.End(t.ctx, a, t.now, t.event(audit.AdmissionEnded, r.ID, a.Invitation))
		t.must(err)
	}
	all, told = map[string]tokens.Invitation{}, map[string]bool{}
	of := func(name string, is bool, uses int) tokens.Invitation {
		all[name], told[name] = t.invitation(r, withAddress, func(inv *tokens.Invitation) { inv.MaxUses = uses }), is
		return all[name]
	}
	gone := of("removed", false, 1)
	remove(t.take(gone, "gone"))
	all["another link of theirs"], told["another link of theirs"] = t.reissue(gone, true), false
	first := of("the link before theirs", false, 1)
	second := t.reissue(first, true)
	all["removed by their second link"], told["removed by their second link"] = second, false
	remove(t.take(second, "second"))
	t.take(of("here", true, 1), "here")
	remove(t.take(of("one more may come", true, 2), "one"))
	pair := of("one of two stays", true, 2)
	t.take(pair, "stays")
	remove(t.take(pair, "goes"))
	back := t.take(of("taken back", true, 1), "back")
	remove(back)
	t.must(people.Resume(t.ctx, back, 0, t.event(audit.AdmissionResumed, r.ID, back.Invitation)))
	wrong := of("let in by mistake", true, 1)
	a := t.letIn(wrong, "wrong", t.now-1)
	t.must(t.Invitations.Store.GiveBack(t.ctx, a, wrong.Counter, 0, t.undone(a)))
	of("never came", true, 1)
	return all, told
}
