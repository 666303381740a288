package data

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// Presence is the tokens.Presence and the rooms.Pulse of a database.
type Presence struct {
	db  *DB
	ids *rooms.IDs
}

// NewPresence returns the tokens.Presence and rooms.Pulse of the database.
func NewPresence(db *DB, ids *rooms.IDs) *Presence { return &Presence{db, ids} }

// Enter implements tokens.Presence.
func (s *Presence) Enter(ctx context.Context, a tokens.Admission, at int64, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE presence SET seen_at = $2, left_at = 0 WHERE admission_id = $1 AND gone = 0`, int64(a.ID), at)
		if err != nil || n == 1 {
			return err
		}
		n, err = t.exec(`INSERT INTO presence (admission_id, room_id, since, seen_at, left_at, removed_at, gone) VALUES ($1, $2, $3, $3, 0, 0, 0)
			ON CONFLICT (admission_id) DO UPDATE SET since = excluded.since, seen_at = excluded.seen_at, left_at = 0, gone = 0 WHERE presence.gone = 1`,
			int64(a.ID), int64(a.Room), at)
		if err != nil || n == 0 {
			return err
		}
		return t.record(s.ids, ev)
	})
}

// Leave implements tokens.Presence.
func (s *Presence) Leave(ctx context.Context, admission rooms.ID, at int64) error {
	return s.db.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE presence SET left_at = $2 WHERE admission_id = $1 AND left_at = 0`, int64(admission), at)
		return err
	})
}

// Who is in a room: each row of presences for which presentSince ends in the
// moment after which a page must have been seen.
const (
	presences    = `FROM presence p JOIN admissions a ON a.id = p.admission_id JOIN invitations i ON i.id = a.invitation_id`
	presentSince = `i.revoked_at = 0 AND i.superseded_by = 0 AND a.ended_at = 0 AND p.left_at = 0 AND p.seen_at > `
)

// In implements tokens.Presence.
func (s *Presence) In(ctx context.Context, room rooms.ID, seen, removed int64, limit int) ([]tokens.Present, error) {
	return list(ctx, s.db, func(row rowScanner) (p tokens.Present, err error) {
		return p, row.Scan(&p.Admission, &p.Invitation, &p.Role, &p.Name, &p.Since, &p.RemovedAt)
	}, `SELECT p.admission_id, a.invitation_id, a.role, a.name, p.since, CASE WHEN a.ended_at <> 0 THEN p.removed_at ELSE 0 END
		`+presences+` WHERE p.room_id = $1 AND p.gone = 0
			AND (`+presentSince+`$2 OR i.revoked_at = 0 AND i.superseded_by = 0 AND a.ended_at <> 0 AND a.ended_at = p.removed_at AND p.removed_at > $3)
		ORDER BY p.since, p.admission_id LIMIT $4`, int64(room), seen, removed, limit)
}

// Guests implements tokens.Presence.
func (s *Presence) Guests(ctx context.Context, room rooms.ID, at int64) (n int, err error) {
	err = s.db.row(ctx, `SELECT `+liveGuests+` FROM rooms r WHERE r.id = $1`, int64(room), string(tokens.Guest), tokens.Stay.Milliseconds(), at).Scan(&n)
	return n, none(err, rooms.ErrNotFound)
}

// Depart implements tokens.Presence.
func (s *Presence) Depart(ctx context.Context, seen, removed int64, ev func(tokens.Present, rooms.ID) audit.Event) error {
	const away = ` gone = 0 AND seen_at <= $1 AND left_at <= $1 AND removed_at <= $2`
	type departed struct {
		tokens.Present
		room rooms.ID
	}
	gone, err := list(ctx, s.db, func(row rowScanner) (d departed, err error) {
		return d, row.Scan(&d.Admission, &d.Invitation, &d.Role, &d.Name, &d.Since, &d.room)
	}, `SELECT p.admission_id, a.invitation_id, a.role, a.name, p.since, p.room_id FROM presence p JOIN admissions a ON a.id = p.admission_id
		WHERE`+away+` LIMIT 1000`, seen, removed)
	if err != nil || len(gone) == 0 {
		return err
	}
	return s.db.write(ctx, func(t *tx) error {
		for _, d := range gone {
			n, err := t.exec(`UPDATE presence SET gone = 1 WHERE admission_id = $3 AND`+away, seen, removed, int64(d.Admission))
			if err != nil {
				return err
			}
			if n == 1 {
				if err := t.record(s.ids, ev(d.Present, d.room)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Admission implements tokens.Presence.
func (s *Presence) Admission(ctx context.Context, room, id rooms.ID) (tokens.Admission, error) {
	a, err := scanAdmission(s.db.row(ctx, admissionColumns+` WHERE id = $1 AND room_id = $2`, int64(id), int64(room)))
	return a, none(err, tokens.ErrNotFound)
}

// End implements tokens.Presence.
func (s *Presence) End(ctx context.Context, a tokens.Admission, at int64, ev audit.Event) (left tokens.Admission, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE admissions SET ended_at = $2 WHERE id = $1 AND ended_at = 0`, int64(a.ID), at)
		if err != nil {
			return err
		}
		left, err = scanAdmission(t.row(admissionColumns+` WHERE id = $1`, int64(a.ID)))
		if err != nil || n == 0 {
			return none(err, tokens.ErrNotFound)
		}
		_, err = t.exec(`INSERT INTO presence (admission_id, room_id, since, seen_at, left_at, removed_at, gone) VALUES ($1, $2, $3, $3, $3, $3, 0)
			ON CONFLICT (admission_id) DO UPDATE SET removed_at = excluded.removed_at`, int64(a.ID), int64(a.Room), at)
		if err != nil {
			return err
		}
		return t.record(s.ids, ev)
	})
	return left, err
}

// Resume implements tokens.Presence.
func (s *Presence) Resume(ctx context.Context, a tokens.Admission, since int64, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		err := t.one(tokens.ErrConflict, `UPDATE admissions SET ended_at = 0 WHERE id = $1 AND ended_at <> 0 AND ended_at > $2
			AND EXISTS (SELECT 1 FROM presence p WHERE p.admission_id = $1 AND p.removed_at = admissions.ended_at)`, int64(a.ID), since)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE presence SET removed_at = 0 WHERE admission_id = $1`, int64(a.ID)); err != nil {
			return err
		}
		if a.Role == tokens.Guest {
			a.CreatedAt = ev.At // capacity is counted as of now
			if err := t.fits(a); err != nil {
				return err
			}
		}
		return t.record(s.ids, ev)
	})
}

// Beats implements rooms.Pulse.
func (s *Presence) Beats(ctx context.Context, room, base, next rooms.ID, now int64) (map[rooms.ID]rooms.Beat, error) {
	events, people := []any{int64(base), int64(next)}, []any{now - tokens.Seen.Milliseconds()}
	subject, ofEvents, ofPeople := "room_id", "", ""
	if room != 0 {
		events, people = append(events, int64(room)), append(people, int64(room))
		ofEvents, ofPeople = " AND room_id = $3", " AND room_id = $2"
	} else {
		events = append(events, string(audit.RoomHandedOver))
		subject = "CASE WHEN kind = $3 THEN 0 ELSE room_id END"
	}
	beats := map[rooms.ID]rooms.Beat{}
	_, err := list(ctx, s.db, func(row rowScanner) (_ struct{}, err error) {
		var id rooms.ID
		var b rooms.Beat
		err = row.Scan(&id, &b.Events, &b.Recent)
		beats[id] = b
		return struct{}{}, err
	}, `SELECT `+subject+`, COUNT(*), SUM(CASE WHEN id > $2 THEN 1 ELSE 0 END) FROM events WHERE id > $1 AND room_id <> 0`+ofEvents+` GROUP BY 1`, events...)
	if err != nil {
		return nil, err
	}
	_, err = list(ctx, s.db, func(row rowScanner) (_ struct{}, err error) {
		var id rooms.ID
		var count, since int64
		err = row.Scan(&id, &count, &since)
		b := beats[id]
		b.People, b.Since = count, since
		beats[id] = b
		return struct{}{}, err
	}, `SELECT room_id, COUNT(*), CAST(SUM(since) AS BIGINT) FROM presence WHERE gone = 0 AND left_at = 0 AND seen_at > $1`+ofPeople+` GROUP BY room_id`, people...)
	return beats, err
}

// Rooms implements rooms.Pulse.
func (s *Presence) Rooms(ctx context.Context, ids []rooms.ID) ([]rooms.Room, error) {
	where, args := in(nil, ids)
	return list(ctx, s.db, scanRoom, `SELECT `+roomColumns+` FROM rooms r WHERE r.id IN `+where, args...)
}
