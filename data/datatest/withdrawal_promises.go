package datatest

import (
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

func withdrawalPromises() []promise {
	return []promise{
		{"Revoke withdraws from that moment; again it is false and stores no event", func(t *trial) {
			inv := t.invitation(t.room())
			ev := t.event(audit.InvitationRevoked, inv.Room.ID, inv.ID)
			revoke := func(id rooms.ID, at int64, want bool) {
				done, err := t.Invitations.Store.Revoke(t.ctx, id, at, ev)
				t.must(err)
				same(t, "done", done, want)
			}
			t.noted("Revoke", func() { revoke(inv.ID, t.now, true) }, ev)
			same(t, "revoked at", t.get(inv.ID).RevokedAt, t.now)
			t.unchanged("Revoke again", func() { revoke(inv.ID, t.now+1, false) })
			t.unchanged("Revoke of none", func() { revoke(t.id(), t.now, false) })
			inv.RevokedAt, inv.Sequence = t.now, 1
			same(t, "invitation", t.get(inv.ID), inv)
		}},
		{"Restore takes back a revocation younger than since, and no other", func(t *trial) {
			for _, row := range []struct {
				name           string
				revoked, since int64
				want           bool
			}{
				{"younger", t.now, t.now - 1, true},
				{"as old", t.now, t.now, false},
				{"older", t.now, t.now + 1, false},
				{"not revoked", 0, t.now - 1, false},
				{"not revoked, ever so long ago", 0, -1, false},
			} {
				inv := t.invitation(t.room())
				t.exec("UPDATE invitations SET revoked_at = $1 WHERE id = $2", row.revoked, int64(inv.ID))
				ev := t.event(audit.InvitationRestored, inv.Room.ID, inv.ID)
				restore := func() {
					done, err := t.Invitations.Store.Restore(t.ctx, inv.ID, row.since, ev)
					t.must(err)
					same(t, row.name+": done", done, row.want)
				}
				if !row.want {
					t.unchanged(row.name, restore)
					continue
				}
				t.noted(row.name, restore, ev)
				inv.Sequence = 1
				same(t, row.name, t.get(inv.ID), inv)
			}
		}},
		{"Restore is ErrRoomFull where others took its guests' places", func(t *trial) {
			r := t.room(func(r *rooms.Room) { r.Capacity = 1 })
			first, other, unused := t.invitation(r), t.invitation(r), t.invitation(r)
			host := t.invitation(r, func(inv *tokens.Invitation) { inv.Role = tokens.Host })
			t.take(first, "a")
			t.take(host, "h")
			for _, inv := range []tokens.Invitation{first, unused, host} {
				t.exec("UPDATE invitations SET revoked_at = $1 WHERE id = $2", t.now, int64(inv.ID))
			}
			t.take(other, "b")
			restore := func(inv tokens.Invitation) error {
				_, err := t.Invitations.Store.Restore(t.ctx, inv.ID, t.now-minute, t.event(audit.InvitationRestored, r.ID, inv.ID))
				return err
			}
			all := func() error {
				_, err := t.Invitations.Store.RestoreAll(t.ctx, r.ID, t.now, t.now-minute, func(id rooms.ID) audit.Event { return t.event(audit.InvitationRestored, r.ID, id) })
				return err
			}
			t.unchanged("Restore", func() { t.fails(restore(first), tokens.ErrRoomFull) })
			t.unchanged("RestoreAll", func() { t.fails(all(), tokens.ErrRoomFull) })
			t.must(restore(unused)) // none of its guests is in
			t.must(restore(host))
			t.exec("UPDATE rooms SET capacity = 2 WHERE id = $1", int64(r.ID))
			t.must(all())
			same(t, "the first", t.get(first.ID).RevokedAt, 0)
		}},
		{"List finds nothing for a text that is longer than any name with its address", func(t *trial) {
			r := t.room()
			name, email := strings.Repeat("_", tokens.MaxNameLen), strings.Repeat("%", tokens.MaxEmailLen)
			t.invitation(r, func(inv *tokens.Invitation) { inv.Name, inv.Email = name, email })
			for _, row := range []struct {
				text string
				want int
			}{{name + "\n" + email, 1}, {name + "\n" + email + "%", 0}, {strings.Repeat("%", 60000), 0}} {
				list, err := t.Invitations.Store.List(t.ctx, tokens.Query{Room: r.ID, Text: row.text, Limit: 5, Now: t.now})
				t.must(err)
				same(t, "found", len(list), row.want)
			}
		}},
		{"Reissue adds the next and marks the old as superseded by it, in both histories", func(t *trial) {
			r := t.room()
			old := t.invitation(r)
			next := t.draft(r)
			ev := t.event(audit.InvitationReissued, r.ID, next.ID)
			ofOld := ev
			ofOld.Invitation = int64(old.ID)
			t.noted("Reissue", func() { t.must(t.Invitations.Store.Reissue(t.ctx, old.ID, next, ev)) }, ev, ofOld)
			same(t, "next", t.get(next.ID), next)
			old.SupersededBy = next.ID
			same(t, "old", t.get(old.ID), old)
		}},
		{"Reissue with a shared counter leaves the old as it is", func(t *trial) {
			r := t.room()
			old := t.invitation(r, func(inv *tokens.Invitation) { inv.MaxUses = 3 })
			t.take(old, "first")
			next := t.draft(r, func(inv *tokens.Invitation) { inv.Counter, inv.MaxUses = old.ID, 3 })
			t.must(t.Invitations.Store.Reissue(t.ctx, old.ID, next, t.event(audit.InvitationReissued, r.ID, next.ID)))
			t.take(next, "second")
			for _, inv := range []tokens.Invitation{old, next} {
				got := t.get(inv.ID)
				same(t, "uses", got.Uses, 2)
				same(t, "redeemed at", got.RedeemedAt, t.now)
				same(t, "superseded by", got.SupersededBy, 0)
			}
			t.take(old, "third")
			c, ev := t.claim(next, "fourth")
			t.unchanged("a claim of one use too many", func() {
				_, err := t.Invitations.Store.Claim(t.ctx, c, ev)
				t.fails(err, tokens.ErrNotClaimed)
			})
		}},
		{"Reissue of one of two with a shared counter leaves the other", func(t *trial) {
			r := t.room()
			old := t.invitation(r)
			kept := t.draft(r, func(inv *tokens.Invitation) { inv.Counter = old.ID })
			t.must(t.Invitations.Store.Reissue(t.ctx, old.ID, kept, t.event(audit.InvitationReissued, r.ID, kept.ID)))
			next := t.draft(r)
			t.must(t.Invitations.Store.Reissue(t.ctx, old.ID, next, t.event(audit.InvitationReissued, r.ID, next.ID)))
			t.take(kept, "n")
			same(t, "state of the kept", t.get(kept.ID).State(t.now), tokens.Redeemed)
			same(t, "state of the next", t.get(next.ID).State(t.now), tokens.Pending)
		}},
		{"Reissue: ErrConflict when the old is superseded already, or not there; ErrIDTaken when the next was there", func(t *trial) {
			r := t.room()
			old, next, after := t.invitation(r), t.draft(r), t.draft(r)
			ev := t.event(audit.InvitationReissued, r.ID, next.ID)
			t.must(t.Invitations.Store.Reissue(t.ctx, old.ID, next, ev))
			t.unchanged("reissuing again", func() { t.fails(t.Invitations.Store.Reissue(t.ctx, old.ID, after, ev), tokens.ErrConflict) })
			keep := after
			keep.Counter = old.ID
			t.unchanged("reissuing again, kept", func() { t.fails(t.Invitations.Store.Reissue(t.ctx, old.ID, keep, ev), tokens.ErrConflict) })
			t.unchanged("reissuing none", func() { t.fails(t.Invitations.Store.Reissue(t.ctx, t.id(), after, ev), tokens.ErrConflict) })
			t.unchanged("a taken id", func() { t.fails(t.Invitations.Store.Reissue(t.ctx, next.ID, old, ev), rooms.ErrIDTaken) })
		}},
		{"Opened notes a look, unless one was noted after since", func(t *trial) {
			inv := t.invitation(t.room())
			open := func(at, since int64) func() {
				return func() {
					ev := t.event(audit.InvitationOpened, inv.Room.ID, inv.ID)
					ev.At = at
					t.must(t.Invitations.Store.Opened(t.ctx, inv.ID, since, ev))
				}
			}
			first := t.event(audit.InvitationOpened, inv.Room.ID, inv.ID)
			t.noted("Opened", open(t.now, t.now-hour), first)
			same(t, "opened at", t.get(inv.ID).OpenedAt, t.now)
			t.unchanged("Opened a little later", open(t.now+hour-1, t.now-1))
			second := first
			second.At = t.now + hour
			t.noted("Opened an hour later", open(t.now+hour, t.now), second)
			same(t, "opened at", t.get(inv.ID).OpenedAt, t.now+hour)
			t.unchanged("Opened of none", func() {
				t.must(t.Invitations.Store.Opened(t.ctx, t.id(), t.now, first))
			})
		}},
	}
}
