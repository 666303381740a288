package datatest

import (
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// attendancePromises are those of tokens.AttendanceStore, and of the part of List.
func attendancePromises() []promise {
	return []promise{
		{"the parts of a list of guests are those of Invitation.Attendance, and Turnout counts them", func(t *trial) {
			for _, over := range []bool{false, true} {
				agreesOnAttendance(t, over)
			}
		}},
		{"Kin are all whose place was taken, and who share their uses", func(t *trial) {
			r := t.room()
			first := t.invitation(r)
			second := t.reissue(first, false)
			shared := t.reissue(second, true)
			third := t.reissue(t.get(second.ID), false).ID
			other := t.invitation(r)
			kin, err := t.Invitations.Store.Kin(t.ctx, []rooms.ID{third, other.ID})
			t.must(err)
			same(t, "kin", kin, map[rooms.ID]rooms.ID{second.ID: third, first.ID: third, shared.ID: third})
		}},
		{"Visits are those who were admitted, with how often and when last they came back", func(t *trial) {
			inv := t.invitation(t.room(), func(inv *tokens.Invitation) { inv.MaxUses = 3 })
			a, b := t.take(inv, "a"), t.take(inv, "b")
			given := t.take(inv, "given back")
			t.exec("UPDATE admissions SET returned = 1, ended_at = 5 WHERE id = $1", int64(given.ID))
			t.exec("UPDATE admissions SET name = 'Cy', ended_at = $1 WHERE id = $2", t.now+hour, int64(b.ID))
			note := func(kind audit.Kind, a tokens.Admission, at int64) {
				ev := t.event(kind, inv.Room.ID, inv.ID)
				ev.Admission, ev.At = int64(a.ID), at
				t.must(t.Invitations.Store.Note(t.ctx, ev))
			}
			for i := range int64(3) {
				note(audit.RoomEntered, a, t.now+i*minute)
			}
			note(audit.ConferenceEntered, a, t.now+hour)
			note(audit.RoomEntered, b, t.now)
			visits, err := t.Invitations.Store.Visits(t.ctx, []rooms.ID{inv.ID, 5})
			t.must(err)
			same(t, "visits", visits, map[rooms.ID][]tokens.Visit{inv.ID: {
				{Admission: a.ID, Name: "Bo", CameAt: t.now, Back: 2, BackAt: t.now + hour},
				{Admission: b.ID, Name: "Cy", CameAt: t.now, RemovedAt: t.now + hour},
			}})
		}},
		{"TurnedAway counts by reason, the latest first", func(t *trial) {
			r := t.room()
			inv, other := t.invitation(r), t.invitation(r)
			for i, why := range []string{"used", "expired", "used"} {
				ev := t.event(audit.InvitationRefused, r.ID, inv.ID)
				ev.At, ev.Detail = t.now+int64(i), why
				t.must(t.Invitations.Store.Refused(t.ctx, ev.At, ev))
			}
			turned, err := t.Invitations.Store.TurnedAway(t.ctx, r.ID, []rooms.ID{inv.ID, other.ID})
			t.must(err)
			same(t, "turned away", turned, map[rooms.ID][]tokens.Turned{inv.ID: {{Reason: "used", Times: 2, LastAt: t.now + 2}, {Reason: "expired", Times: 1, LastAt: t.now + 1}}})
		}},
	}
}

// reissue makes a new link in the place of one, or beside it.
func (t *trial) reissue(old tokens.Invitation, keep bool) tokens.Invitation {
	t.Helper()
	next := t.draft(old.Room, func(inv *tokens.Invitation) {
		inv.Name, inv.Email = old.Name, old.Email
		if keep {
			inv.Counter = old.Counter
		}
	})
	t.must(t.Invitations.Store.Reissue(t.ctx, old.ID, next, t.event(audit.InvitationReissued, old.Room.ID, next.ID)))
	return t.get(next.ID)
}

// agreesOnAttendance holds a room of every kind of invitation against the rule.
func agreesOnAttendance(t *trial, over bool) {
	t.Helper()
	r := t.room()
	several := func(inv *tokens.Invitation) { inv.MaxUses = 3 }
	pending, used, late := t.invitation(r), t.invitation(r), t.invitation(r)
	group := t.invitation(r, several)
	revoked, camethenrevoked := t.invitation(r), t.invitation(r)
	missed, cameBefore, shared := t.invitation(r), t.invitation(r), t.invitation(r, several)
	for i, inv := range []tokens.Invitation{used, group, group, camethenrevoked, cameBefore} {
		t.take(inv, string(rune('a'+i)))
	}
	for _, inv := range []tokens.Invitation{revoked, camethenrevoked} {
		_, err := t.Invitations.Store.Revoke(t.ctx, inv.ID, t.now, t.event(audit.InvitationRevoked, r.ID, inv.ID))
		t.must(err)
	}
	next, after := t.reissue(missed, false), t.reissue(cameBefore, false)
	beside := t.reissue(shared, true)
	t.take(beside, "beside")
	t.exec("UPDATE invitations SET expires_at = $1 WHERE id = $2", t.now-1, int64(late.ID))
	t.must(t.Invitations.Store.Refused(t.ctx, t.now, t.event(audit.InvitationRefused, r.ID, missed.ID)))

	want := map[tokens.Attendance][]rooms.ID{
		tokens.Came:       {used.ID, group.ID, camethenrevoked.ID, shared.ID, after.ID},
		tokens.NotYet:     {pending.ID, next.ID},
		tokens.DidNotCome: {late.ID, revoked.ID},
		tokens.Everybody:  {pending.ID, used.ID, late.ID, group.ID, revoked.ID, camethenrevoked.ID, shared.ID, next.ID, after.ID},
		tokens.TurnedAway: {missed.ID},
	}
	turnout := tokens.Turnout{Invited: 9, Came: 5, NotYet: 2, DidNotCome: 2, People: 5, Refused: 1}
	if over {
		t.exec("UPDATE rooms SET ends_at = $1 WHERE id = $2", t.now, int64(r.ID))
		want[tokens.NotYet], want[tokens.DidNotCome] = nil, []rooms.ID{pending.ID, late.ID, revoked.ID, next.ID}
		turnout.NotYet, turnout.DidNotCome = 0, 4
		r.EndsAt = t.now
	}
	for part, ids := range want {
		all, err := t.Invitations.Guests(t.ctx, r, tokens.Query{Attendance: part, Sort: tokens.Oldest, Limit: 50, Now: t.now})
		t.must(err)
		var got []rooms.ID
		for _, g := range all {
			got = append(got, g.ID)
			if rule := g.Invitation.Attendance(t.now); part != tokens.Everybody && part != tokens.TurnedAway && rule != part {
				t.Errorf("%s stands on the list of %q and is %q by the rule", g.ID.Show(""), part, rule)
			}
		}
		same(t, string(part), got, ids)
	}
	got, err := t.Invitations.Store.Turnout(t.ctx, r, t.now)
	t.must(err)
	same(t, "turnout", got, turnout)
	guests, err := t.Invitations.Guests(t.ctx, r, tokens.Query{Attendance: tokens.Came, Sort: tokens.Oldest, Limit: 50, Now: t.now})
	t.must(err)
	if last := guests[len(guests)-1]; len(last.Visits) != 1 || guests[3].ID != shared.ID || len(guests[3].Visits) != 1 {
		t.Errorf("who came by another link of the same person is missing: %+v", guests)
	}
}
