package data

import (
	"context"
	"fmt"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// Rooms is the rooms.Store of a database.
type Rooms struct {
	db  *DB
	ids *rooms.IDs
}

// NewRooms returns the rooms.Store of the database.
func NewRooms(db *DB, ids *rooms.IDs) *Rooms { return &Rooms{db, ids} }

const roomColumns = `r.id, r.slug, r.name, r.owner, r.starts_at, r.ends_at, r.timezone, r.backend, r.external_id, r.locale, r.capacity, r.created_at, r.closed_at, r.sequence,
	r.series, r.series_every, r.series_nth, r.series_size`

// into are the places for roomColumns, in their order.
func into(r *rooms.Room) []any {
	return []any{&r.ID, &r.Slug, &r.Name, &r.Owner, &r.StartsAt, &r.EndsAt, &r.Timezone, &r.Backend, &r.ExternalID, &r.Locale, &r.Capacity, &r.CreatedAt, &r.ClosedAt, &r.Sequence,
		&r.Series.ID, &r.Series.Every, &r.Series.Nth, &r.Series.Size}
}

// Insert implements rooms.Store.
func (s *Rooms) Insert(ctx context.Context, all []rooms.Room, evs []audit.Event) error {
	return s.db.write(ctx, func(t *tx) error { return t.insertRooms(s.ids, all, evs) })
}

func (t *tx) insertRooms(ids *rooms.IDs, all []rooms.Room, evs []audit.Event) error {
	for i, r := range all {
		if err := t.insertRoom(ids, r, evs[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) insertRoom(ids *rooms.IDs, r rooms.Room, ev audit.Event) error {
	_, err := t.exec(`INSERT INTO rooms (id, slug, name, owner, starts_at, ends_at, timezone, backend, external_id, locale, created_at, closed_at, capacity,
		series, series_every, series_nth, series_size)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		int64(r.ID), r.Slug, r.Name, r.Owner, r.StartsAt, r.EndsAt, r.Timezone, r.Backend, r.ExternalID, r.Locale, r.CreatedAt, r.ClosedAt, r.Capacity,
		int64(r.Series.ID), string(r.Series.Every), r.Series.Nth, r.Series.Size)
	switch {
	case duplicate(err, "rooms.slug"):
		return rooms.ErrSlugTaken
	case duplicate(err, "rooms.id"):
		return rooms.ErrIDTaken
	case err != nil:
		return err
	}
	return t.record(ids, ev)
}

func scanRoom(row rowScanner) (r rooms.Room, err error) {
	return r, row.Scan(into(&r)...)
}

// ByID implements rooms.Store.
func (s *Rooms) ByID(ctx context.Context, id rooms.ID) (rooms.Room, error) {
	r, err := scanRoom(s.db.row(ctx, `SELECT `+roomColumns+` FROM rooms r WHERE r.id = $1`, int64(id)))
	return r, none(err, rooms.ErrNotFound)
}

// BySlug implements rooms.Store.
func (s *Rooms) BySlug(ctx context.Context, slug string) (rooms.Room, error) {
	if !storable(slug) {
		return rooms.Room{}, rooms.ErrNotFound
	}
	r, err := scanRoom(s.db.row(ctx, `SELECT `+roomColumns+` FROM rooms r WHERE r.slug = $1`, slug))
	return r, none(err, rooms.ErrNotFound)
}

// reached is rooms.Caller.Reaches as a condition on room r, with its values after args.
func reached(by rooms.Caller, args []any) (string, []any) {
	if by.Admin {
		return "", args
	}
	args = append(args, by.Owner)
	where := fmt.Sprintf(" AND (r.owner = $%d", len(args))
	if named := by.Named(); len(named) > 0 {
		var slugs string
		slugs, args = in(args, named)
		where += " OR r.slug IN " + slugs
	}
	return where + ")", args
}

// List implements rooms.Store.
func (s *Rooms) List(ctx context.Context, q rooms.Query) ([]rooms.Listed, error) {
	if !storable(q.ExternalID) {
		return nil, nil
	}
	args := []any{upTo(q.Before), q.Limit, q.Now, q.Now - tokens.Seen.Milliseconds()}
	where, args := reached(q.Caller, args)
	if q.ExternalID != "" {
		args = append(args, q.ExternalID)
		where += fmt.Sprintf(" AND r.external_id = $%d", len(args))
	}
	return list(ctx, s.db, func(row rowScanner) (l rooms.Listed, err error) {
		return l, row.Scan(append(into(&l.Room), &l.Live, &l.Redeemed, &l.Requests, &l.People)...)
	}, `SELECT `+roomColumns+`,
		(SELECT COUNT(*) FROM invitations i JOIN invitations c ON c.id = i.counter WHERE i.room_id = r.id AND i.revoked_at = 0 AND i.superseded_by = 0 AND c.uses < c.max_uses AND i.expires_at > $3),
		(SELECT COALESCE(SUM(i.uses), 0) FROM invitations i WHERE i.room_id = r.id),
		(SELECT COUNT(*) FROM requests q WHERE q.room_id = r.id AND q.closed_at = 0),
		(SELECT COUNT(*) `+presences+` WHERE p.room_id = r.id AND p.gone = 0 AND `+presentSince+`$4)
		FROM rooms r WHERE r.id < $1`+where+` ORDER BY r.id DESC LIMIT $2`, args...)
}

// Update implements rooms.Store.
func (s *Rooms) Update(ctx context.Context, r rooms.Room, shift rooms.Shift, ev audit.Event) error {
	return s.UpdateAll(ctx, []rooms.Update{{Room: r, Shift: shift, Event: ev}})
}

// UpdateAll implements rooms.Store.
func (s *Rooms) UpdateAll(ctx context.Context, all []rooms.Update) error {
	return s.db.write(ctx, func(t *tx) error {
		for _, u := range all {
			if err := t.updateRoom(u.Room, u.Shift, u.Event.At); err != nil {
				return err
			}
			if err := t.record(s.ids, u.Event); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) updateRoom(r rooms.Room, shift rooms.Shift, now int64) error {
	// Invitations before their room, as claims lock them.
	if shift != (rooms.Shift{}) {
		// A start of its own moves with the room's start, an end with its end;
		// an end never comes before a second after the start.
		_, err := t.exec(`UPDATE invitations SET
			not_before = CASE WHEN not_before = 0 THEN 0 ELSE not_before + $2 END,
			expires_at = CASE WHEN expires_at + $3 < not_before + $2 + 1000 THEN not_before + $2 + 1000 ELSE expires_at + $3 END
			WHERE room_id = $1 AND revoked_at = 0 AND superseded_by = 0
				AND EXISTS (SELECT 1 FROM invitations c WHERE c.id = invitations.counter AND c.uses < c.max_uses)`, int64(r.ID), shift.Start, shift.End)
		if err != nil {
			return err
		}
	}
	return t.one(rooms.ErrNotFound, `UPDATE rooms SET name = $2, starts_at = $3, ends_at = $4, timezone = $5, backend = $6, external_id = $7, locale = $8, capacity = $9,
		sequence = sequence + CASE WHEN starts_at <> $3 OR ends_at <> $4 THEN 1 ELSE 0 END,
		held_since = CASE WHEN backend <> $6 OR starts_at <> $3 THEN CAST($10 AS BIGINT) ELSE held_since END
		WHERE id = $1`, int64(r.ID), r.Name, r.StartsAt, r.EndsAt, r.Timezone, r.Backend, r.ExternalID, r.Locale, r.Capacity, now)
}

// SetClosed implements rooms.Store.
func (s *Rooms) SetClosed(ctx context.Context, id rooms.ID, at int64, ev audit.Event) (bool, error) {
	done, err := s.SetClosedAll(ctx, []rooms.ID{id}, at, func(rooms.ID) audit.Event { return ev })
	return len(done) > 0, err
}

// SetClosedAll implements rooms.Store.
func (s *Rooms) SetClosedAll(ctx context.Context, ids []rooms.ID, at int64, ev func(rooms.ID) audit.Event) (done []rooms.ID, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		done = nil
		for _, id := range ids {
			e := ev(id)
			n, err := t.exec(`UPDATE rooms SET closed_at = $2, held_since = $3, sequence = sequence + 1 WHERE id = $1 AND (closed_at = 0) <> (CAST($2 AS BIGINT) = 0)`, int64(id), at, e.At)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			done = append(done, id)
			if err := t.record(s.ids, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// Series implements rooms.Store.
func (s *Rooms) Series(ctx context.Context, first rooms.ID) ([]rooms.Room, error) {
	return list(ctx, s.db, scanRoom, `SELECT `+roomColumns+` FROM rooms r WHERE r.series = $1 AND r.series <> 0 ORDER BY r.series_nth`, int64(first))
}

// SetOwner implements rooms.Store.
func (s *Rooms) SetOwner(ctx context.Context, id rooms.ID, owner string, ev audit.Event) (done bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE rooms SET owner = $2 WHERE id = $1 AND owner <> $2`, int64(id), owner)
		if done = n != 0; err != nil || !done {
			return err
		}
		return t.record(s.ids, ev)
	})
	return done && err == nil, err
}
