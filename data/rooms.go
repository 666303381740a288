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

const roomColumns = `r.id, r.slug, r.name, r.owner, r.starts_at, r.ends_at, r.timezone, r.backend, r.external_id, r.locale, r.capacity, r.created_at, r.closed_at`

// into are the places for roomColumns, in their order.
func into(r *rooms.Room) []any {
	return []any{&r.ID, &r.Slug, &r.Name, &r.Owner, &r.StartsAt, &r.EndsAt, &r.Timezone, &r.Backend, &r.ExternalID, &r.Locale, &r.Capacity, &r.CreatedAt, &r.ClosedAt}
}

// Insert implements rooms.Store.
func (s *Rooms) Insert(ctx context.Context, r rooms.Room, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO rooms (id, slug, name, owner, starts_at, ends_at, timezone, backend, external_id, locale, created_at, closed_at, capacity)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			int64(r.ID), r.Slug, r.Name, r.Owner, r.StartsAt, r.EndsAt, r.Timezone, r.Backend, r.ExternalID, r.Locale, r.CreatedAt, r.ClosedAt, r.Capacity)
		switch {
		case duplicate(err, "rooms.slug"):
			return rooms.ErrSlugTaken
		case duplicate(err, "rooms.id"):
			return rooms.ErrIDTaken
		case err != nil:
			return err
		}
		return t.record(s.ids, ev)
	})
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

// List implements rooms.Store.
func (s *Rooms) List(ctx context.Context, q rooms.Query) ([]rooms.Listed, error) {
	if !storable(q.ExternalID) {
		return nil, nil
	}
	args := []any{upTo(q.Before), q.Limit, q.Now, q.Now - tokens.Seen.Milliseconds()}
	where := ""
	if !q.Caller.Admin {
		args = append(args, q.Caller.Owner)
		where += fmt.Sprintf(" AND (r.owner = $%d", len(args))
		if named := q.Caller.Named(); len(named) > 0 {
			var slugs string
			slugs, args = in(args, named)
			where += " OR r.slug IN " + slugs
		}
		where += ")"
	}
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
	return s.db.write(ctx, func(t *tx) error {
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
		if err := t.one(rooms.ErrNotFound, `UPDATE rooms SET name = $2, starts_at = $3, ends_at = $4, timezone = $5, backend = $6, external_id = $7, locale = $8, capacity = $9,
			held_since = CASE WHEN backend <> $6 OR starts_at <> $3 THEN CAST($10 AS BIGINT) ELSE held_since END
			WHERE id = $1`, int64(r.ID), r.Name, r.StartsAt, r.EndsAt, r.Timezone, r.Backend, r.ExternalID, r.Locale, r.Capacity, ev.At); err != nil {
			return err
		}
		return t.record(s.ids, ev)
	})
}

// SetClosed implements rooms.Store.
func (s *Rooms) SetClosed(ctx context.Context, id rooms.ID, at int64, ev audit.Event) (done bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE rooms SET closed_at = $2, held_since = $3 WHERE id = $1 AND (closed_at = 0) <> (CAST($2 AS BIGINT) = 0)`, int64(id), at, ev.At)
		if err != nil || n == 0 {
			return err
		}
		done = true
		return t.record(s.ids, ev)
	})
	return done && err == nil, err
}

// SetOwner implements rooms.Store.
func (s *Rooms) SetOwner(ctx context.Context, id rooms.ID, owner string, ev audit.Event) (done bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE rooms SET owner = $2 WHERE id = $1 AND owner <> $2`, int64(id), owner)
		if err != nil || n == 0 {
			return err
		}
		done = true
		return t.record(s.ids, ev)
	})
	return done && err == nil, err
}
