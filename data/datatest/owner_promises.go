package datatest

import (
	"admitone/rooms"
	"admitone/rooms/audit"
)

func givesRooms(t *trial) {
	r, other := t.room(func(r *rooms.Room) { r.Owner = "giver" }), t.room(func(r *rooms.Room) { r.Owner = "giver" })
	set := func(id rooms.ID, to string, want bool) {
		done, err := t.Rooms.Store.SetOwner(t.ctx, id, to, t.event(audit.RoomHandedOver, r.ID, 0))
		t.must(err)
		same(t, "done", done, want)
	}
	t.unchanged("giving it to its owner", func() { set(r.ID, "giver", false) })
	t.noted("giving it away", func() { set(r.ID, "taker", true) }, t.event(audit.RoomHandedOver, r.ID, 0))
	t.unchanged("giving it again", func() { set(r.ID, "taker", false) })
	t.unchanged("giving a room that is not there", func() { set(t.id(), "taker", false) })
	same(t, "the giver's", listed(t, rooms.Query{Caller: rooms.Caller{Owner: "giver"}}), []string{other.Slug})
	got, err := t.Rooms.Store.ByID(t.ctx, r.ID)
	t.must(err)
	r.Owner = "taker"
	same(t, "room", got, r)
}
