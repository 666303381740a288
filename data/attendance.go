package data

import (
	"context"
	"maps"
	"slices"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// guestList are the invitations s that stand on a list of guests: those that no
// other took the place of, and of those that share their uses the one which counts.
const guestList = "s.superseded_by = 0 AND s.counter = s.id"

// Invitation.Attendance, of an invitation s that stands on a list of guests.
const (
	didCome = "(s.uses > 0 OR s.came_before <> 0)"
	mayCome = "s.uses = 0 AND s.came_before = 0 AND s.revoked_at = 0"
)

// attended is the part of a list of guests that is asked for, if one is.
func (f *filter) attended(q tokens.Query) {
	switch q.Attendance {
	case "":
		return
	case tokens.TurnedAway:
		f.and("s.id IN (SELECT e.invitation_id FROM events e WHERE e.room_id = $1 AND e.kind = 'invitation.refused')")
		return
	case tokens.Everybody:
	case tokens.Came:
		f.and(didCome)
	case tokens.NotYet:
		f.and(mayCome+" AND s.expires_at > %s", ends(q.Now, q.Over))
	case tokens.DidNotCome:
		f.and("NOT "+didCome+" AND (s.revoked_at <> 0 OR s.expires_at <= %s)", ends(q.Now, q.Over))
	}
	f.and(guestList)
}

// ends is the moment by which an invitation ends that admits nobody any more: of a
// room that is over all do.
func ends(now int64, over bool) int64 {
	if over {
		return 1<<63 - 1
	}
	return now
}

// Turnout implements tokens.AttendanceStore. It looks through the index of the
// list alone.
func (s *Invitations) Turnout(ctx context.Context, room rooms.Room, now int64) (n tokens.Turnout, err error) {
	err = s.db.row(ctx, `SELECT COUNT(*), COUNT(*) FILTER (WHERE `+didCome+`), COUNT(*) FILTER (WHERE `+mayCome+` AND s.expires_at > $2),
		COALESCE(SUM(s.uses) FILTER (WHERE s.uses <> 0), 0),
		(SELECT COUNT(*) FROM events e WHERE e.room_id = $1 AND e.kind = 'invitation.refused')
		FROM invitations s WHERE s.room_id = $1 AND `+guestList, int64(room.ID), ends(now, room.Over(now))).
		Scan(&n.Invited, &n.Came, &n.NotYet, &n.People, &n.Refused)
	n.DidNotCome = n.Invited - n.Came - n.NotYet
	n.People = max(n.People, n.Came)
	return n, known(err)
}

// Kin implements tokens.AttendanceStore: link by link, since most have none.
func (s *Invitations) Kin(ctx context.Context, ids []rooms.ID) (map[rooms.ID]rooms.ID, error) {
	type pair struct{ of, id rooms.ID }
	leads, kin := map[rooms.ID]rooms.ID{}, map[rooms.ID]rooms.ID{}
	for _, id := range ids {
		leads[id] = id
	}
	for next := ids; len(next) > 0; {
		where, args := in(nil, numbers(next))
		pairs, err := list(ctx, s.db, func(r rowScanner) (p pair, err error) { return p, r.Scan(&p.of, &p.id) },
			`SELECT superseded_by, id FROM invitations WHERE superseded_by <> 0 AND superseded_by IN `+where+
				` UNION ALL SELECT counter, id FROM invitations WHERE counter <> id AND counter IN `+where, args...)
		if err != nil {
			return nil, err
		}
		next = nil
		for _, p := range pairs {
			if leads[p.id] == 0 {
				leads[p.id] = leads[p.of]
				kin[p.id] = leads[p.of]
				next = append(next, p.id)
			}
		}
	}
	return kin, nil
}

func numbers(ids []rooms.ID) []int64 {
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i] = int64(id)
	}
	return out
}

// Visits implements tokens.AttendanceStore. Somebody came as often as they came to
// the room's page, or as a join link was handed out, whichever is more.
func (s *Invitations) Visits(ctx context.Context, ids []rooms.ID) (map[rooms.ID][]tokens.Visit, error) {
	type admitted struct {
		invitation rooms.ID
		tokens.Visit
	}
	out := map[rooms.ID][]tokens.Visit{}
	where, args := in(nil, numbers(ids))
	all, err := list(ctx, s.db, func(r rowScanner) (a admitted, err error) {
		return a, r.Scan(&a.invitation, &a.Admission, &a.Name, &a.CameAt, &a.RemovedAt)
	}, `SELECT invitation_id, id, name, created_at, ended_at FROM admissions WHERE returned = 0 AND invitation_id IN `+where+` ORDER BY id`, args...)
	if err != nil || len(all) == 0 {
		return out, err
	}
	came := map[rooms.ID]bool{}
	for _, a := range all {
		came[a.invitation] = true
	}
	again, err := s.again(ctx, slices.Collect(maps.Keys(came)))
	for _, a := range all {
		if c := again[a.Admission]; c.times > 1 {
			a.Back, a.BackAt = c.times-1, c.lastAt
		}
		out[a.invitation] = append(out[a.invitation], a.Visit)
	}
	return out, err
}

// coming is how often somebody came, and when last.
type coming struct {
	times  int
	lastAt int64
}

// again is how often those who were admitted came, and when last.
func (s *Invitations) again(ctx context.Context, invitations []rooms.ID) (map[rooms.ID]coming, error) {
	type seen struct {
		admission rooms.ID
		coming
	}
	where, args := in([]any{string(audit.RoomEntered), string(audit.ConferenceEntered)}, numbers(invitations))
	all, err := list(ctx, s.db, func(r rowScanner) (v seen, err error) { return v, r.Scan(&v.admission, &v.times, &v.lastAt) },
		`SELECT admission_id, COUNT(*), MAX(at) FROM events WHERE kind IN ($1, $2) AND invitation_id IN `+where+` GROUP BY admission_id, kind`, args...)
	out := map[rooms.ID]coming{}
	for _, v := range all {
		out[v.admission] = coming{times: max(v.times, out[v.admission].times), lastAt: max(v.lastAt, out[v.admission].lastAt)}
	}
	return out, err
}

// TurnedAway implements tokens.AttendanceStore.
func (s *Invitations) TurnedAway(ctx context.Context, room rooms.ID, ids []rooms.ID) (map[rooms.ID][]tokens.Turned, error) {
	type turned struct {
		invitation rooms.ID
		tokens.Turned
	}
	where, args := in([]any{int64(room)}, numbers(ids))
	all, err := list(ctx, s.db, func(r rowScanner) (v turned, err error) {
		return v, r.Scan(&v.invitation, &v.Reason, &v.Times, &v.LastAt)
	},
		`SELECT invitation_id, detail, COUNT(*), MAX(at) FROM events WHERE room_id = $1 AND kind = 'invitation.refused' AND invitation_id IN `+where+`
			GROUP BY invitation_id, detail ORDER BY invitation_id, 4 DESC`, args...)
	out := map[rooms.ID][]tokens.Turned{}
	for _, v := range all {
		out[v.invitation] = append(out[v.invitation], v.Turned)
	}
	return out, err
}
