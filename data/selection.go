package data

import (
	"context"
	"slices"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// Refused implements tokens.Store. The row is locked first, so that of many
// refusals at once one is noted: PostgreSQL takes a fresh snapshot for the
// second statement. Most find their line there already and write nothing.
func (s *Invitations) Refused(ctx context.Context, since int64, ev audit.Event) error {
	// Ids begin with their time, so the index leads to the last minute alone.
	const noted = `SELECT COUNT(*) FROM events WHERE invitation_id = $1 AND id >= $2 AND kind = $3 AND detail = $4 AND at > $5`
	args := []any{ev.Invitation, since << 20, string(ev.Kind), ev.Detail, since}
	var n int
	if err := s.db.row(ctx, noted, args...).Scan(&n); err != nil || n > 0 {
		return known(err)
	}
	return s.db.write(ctx, func(t *tx) error {
		nameless, err := t.holdNames(rooms.ID(ev.Invitation))
		if err != nil {
			return err
		}
		if err := t.row(noted, args...).Scan(&n); err != nil || n > 0 {
			return err
		}
		if nameless {
			ev.Actor.Name = ""
		}
		return t.record(s.ids, ev)
	})
}

// Names implements tokens.Store.
func (s *Invitations) Names(ctx context.Context, ids []rooms.ID) (map[rooms.ID]tokens.Called, error) {
	return named(ctx, s.db, ids, func(r rowScanner, id *rooms.ID, c *tokens.Called) error { return r.Scan(id, &c.Name, &c.Removed) },
		`SELECT id, name, nameless_at <> 0 FROM invitations WHERE id IN `)
}

// Callers implements tokens.Store.
func (s *Invitations) Callers(ctx context.Context, ids []rooms.ID) (map[rooms.ID]string, error) {
	return named(ctx, s.db, ids, func(r rowScanner, id *rooms.ID, name *string) error { return r.Scan(id, name) }, `SELECT a.invitation_id, a.name FROM admissions a WHERE a.name <> ''
		AND NOT EXISTS (SELECT 1 FROM admissions b WHERE b.invitation_id = a.invitation_id AND b.id > a.id AND b.name <> '') AND a.invitation_id IN `)
}

// named runs a query for these ids whose rows are each of one.
func named[T any](ctx context.Context, db *DB, ids []rooms.ID, scan func(rowScanner, *rooms.ID, *T) error, query string) (map[rooms.ID]T, error) {
	names := map[rooms.ID]T{}
	if len(ids) == 0 {
		return names, nil
	}
	type row struct {
		id   rooms.ID
		name T
	}
	where, args := in(nil, numbers(ids))
	rows, err := list(ctx, db, func(r rowScanner) (x row, err error) { return x, scan(r, &x.id, &x.name) }, query+where, args...)
	for _, r := range rows {
		names[r.id] = r.name
	}
	return names, err
}

// RevokeAll implements tokens.Store.
func (s *Invitations) RevokeAll(ctx context.Context, room rooms.ID, ids []rooms.ID, at int64, ev func(rooms.ID) audit.Event) (revoked []rooms.ID, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		revoked, err = t.revoke(s.ids, room, slices.Sorted(slices.Values(ids)), at, ev) // in the order in which others lock many
		return err
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}

// revoke revokes those that are the room's and good, and tells which those were.
func (t *tx) revoke(all *rooms.IDs, room rooms.ID, ids []rooms.ID, at int64, ev func(rooms.ID) audit.Event) (revoked []rooms.ID, err error) {
	for _, id := range ids {
		did, err := t.exec(`UPDATE invitations SET revoked_at = $2, sequence = sequence + 1 WHERE id = $1 AND room_id = $3 AND revoked_at = 0 AND superseded_by = 0`, int64(id), at, int64(room))
		if err != nil {
			return nil, err
		}
		if did == 0 {
			continue
		}
		revoked = append(revoked, id)
		if err := t.record(all, ev(id)); err != nil {
			return nil, err
		}
	}
	return revoked, nil
}

// RestoreAll implements tokens.Store.
func (s *Invitations) RestoreAll(ctx context.Context, room rooms.ID, at, since int64, ev func(rooms.ID) audit.Event) (n int, err error) {
	if at <= since || at == 0 {
		return 0, nil
	}
	ids, err := list(ctx, s.db, func(r rowScanner) (id rooms.ID, err error) { return id, r.Scan(&id) },
		`SELECT id FROM invitations WHERE room_id = $1 AND revoked_at = $2 ORDER BY id`, int64(room), at)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	err = s.db.write(ctx, func(t *tx) error {
		n = 0
		var restored []int64
		var now int64
		for _, id := range ids {
			did, err := t.exec(`UPDATE invitations SET revoked_at = 0, sequence = sequence + 1 WHERE id = $1 AND revoked_at = $2`, int64(id), at)
			if err != nil {
				return err
			}
			if did == 0 {
				continue
			}
			n++
			e := ev(id)
			restored, now = append(restored, int64(id)), e.At
			if err := t.record(s.ids, e); err != nil {
				return err
			}
		}
		return t.fitAgain(room, restored, now)
	})
	return n, err
}
