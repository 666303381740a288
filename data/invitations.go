package data

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// Invitations is the tokens.Store of a database.
type Invitations struct {
	db  *DB
	ids *rooms.IDs
}

// NewInvitations returns the tokens.Store of the database.
func NewInvitations(db *DB, ids *rooms.IDs) *Invitations { return &Invitations{db, ids} }

// Uses, the limit of uses and the last use are the counter's, which is mostly
// the invitation itself.
const invitationColumns = `SELECT i.id, i.role, i.name, i.email, i.pin, c.max_uses, c.uses, i.not_before, i.expires_at, i.created_at, i.created_by_kind, i.created_by,
	c.redeemed_at, i.revoked_at, i.opened_at, i.superseded_by, i.counter, i.external_id, i.locale, i.wishes, i.moves, i.more_moves, ` + roomColumns + `
	FROM invitations i JOIN invitations c ON c.id = i.counter JOIN rooms r ON r.id = i.room_id`

func scanInvitation(row rowScanner) (inv tokens.Invitation, err error) {
	return inv, row.Scan(append([]any{&inv.ID, &inv.Role, &inv.Name, &inv.Email, &inv.PIN, &inv.MaxUses, &inv.Uses, &inv.NotBefore, &inv.ExpiresAt,
		&inv.CreatedAt, &inv.CreatedBy.Kind, &inv.CreatedBy.Name, &inv.RedeemedAt, &inv.RevokedAt, &inv.OpenedAt, &inv.SupersededBy,
		&inv.Counter, &inv.ExternalID, &inv.Locale, &inv.Wishes, &inv.Moves, &inv.MoreMoves}, into(&inv.Room)...)...)
}

// Insert implements tokens.Store.
func (s *Invitations) Insert(ctx context.Context, invs []tokens.Invitation, evs []audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		for i, inv := range invs {
			if err := t.insertInvitation(inv); err != nil {
				return err
			}
			if err := t.record(s.ids, evs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) insertInvitation(inv tokens.Invitation) error {
	_, err := t.exec(`INSERT INTO invitations (id, room_id, role, name, email, max_uses, uses, not_before, expires_at, created_at, created_by_kind, created_by,
		redeemed_at, revoked_at, opened_at, superseded_by, counter, external_id, locale, search, pin, wishes)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, 0, 0, 0, 0, $12, $13, $14, $15, $16, $17)`,
		int64(inv.ID), int64(inv.Room.ID), string(inv.Role), inv.Name, inv.Email, inv.MaxUses, inv.NotBefore, inv.ExpiresAt, inv.CreatedAt,
		string(inv.CreatedBy.Kind), inv.CreatedBy.Name, int64(inv.Counter), inv.ExternalID, inv.Locale, inv.Folded(), inv.PIN, inv.Wishes)
	if duplicate(err, "invitations.id") {
		return rooms.ErrIDTaken
	}
	return err
}

// ByID implements tokens.Store.
func (s *Invitations) ByID(ctx context.Context, id rooms.ID) (tokens.Invitation, error) {
	inv, err := scanInvitation(s.db.row(ctx, invitationColumns+` WHERE i.id = $1`, int64(id)))
	return inv, none(err, tokens.ErrNotFound)
}

// Update implements tokens.Store.
func (s *Invitations) Update(ctx context.Context, inv tokens.Invitation, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		err := t.one(tokens.ErrConflict, `UPDATE invitations SET name = $2, email = $3, not_before = $4, expires_at = $5, search = $6 WHERE id = $1 AND superseded_by = 0`,
			int64(inv.ID), inv.Name, inv.Email, inv.NotBefore, inv.ExpiresAt, inv.Folded())
		if err != nil {
			return err
		}
		if err := t.one(tokens.ErrConflict, `UPDATE invitations SET max_uses = $2 WHERE id = $1 AND uses <= $2`, int64(inv.Counter), inv.MaxUses); err != nil {
			return err
		}
		return t.record(s.ids, ev)
	})
}

// Revoke implements tokens.Store.
func (s *Invitations) Revoke(ctx context.Context, id rooms.ID, at int64, ev audit.Event) (bool, error) {
	return s.ifChanged(ctx, ev, `UPDATE invitations SET revoked_at = $2 WHERE id = $1 AND revoked_at = 0 AND superseded_by = 0`, int64(id), at)
}

// Restore implements tokens.Store.
func (s *Invitations) Restore(ctx context.Context, id rooms.ID, since int64, ev audit.Event) (done bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE invitations SET revoked_at = 0 WHERE id = $1 AND revoked_at <> 0 AND revoked_at > $2`, int64(id), since)
		if err != nil || n == 0 {
			return err
		}
		var room rooms.ID
		if err := t.row(`SELECT room_id FROM invitations WHERE id = $1`, int64(id)).Scan(&room); err != nil {
			return err
		}
		if err := t.fitAgain(room, []int64{int64(id)}, ev.At); err != nil {
			return err
		}
		done = true
		return t.record(s.ids, ev)
	})
	return done && err == nil, err
}

// Opened implements tokens.Store.
func (s *Invitations) Opened(ctx context.Context, id rooms.ID, since int64, ev audit.Event) error {
	_, err := s.ifChanged(ctx, ev, `UPDATE invitations SET opened_at = $2 WHERE id = $1 AND opened_at <= $3`, int64(id), ev.At, since)
	return err
}

// ifChanged runs one statement and records the event if a row changed.
func (s *Invitations) ifChanged(ctx context.Context, ev audit.Event, query string, args ...any) (done bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(query, args...)
		if err != nil || n == 0 {
			return err
		}
		done = true
		return t.record(s.ids, ev)
	})
	return done && err == nil, err
}

// Reissue implements tokens.Store.
func (s *Invitations) Reissue(ctx context.Context, old rooms.ID, next tokens.Invitation, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error { return t.reissue(s.ids, old, next, ev) })
}

func (t *tx) reissue(ids *rooms.IDs, old rooms.ID, next tokens.Invitation, ev audit.Event) error {
	if err := t.insertInvitation(next); err != nil {
		return err
	}
	by := int64(next.ID)
	if next.Counter != next.ID {
		by = 0 // both stay good
	}
	if err := t.one(tokens.ErrConflict, `UPDATE invitations SET superseded_by = $2 WHERE id = $1 AND superseded_by = 0`, int64(old), by); err != nil {
		return err
	}
	if err := t.answered(old, next.ID, ev.At); err != nil {
		return err
	}
	if err := t.record(ids, ev); err != nil {
		return err
	}
	ev.Invitation = int64(old) // in the old one's history too
	return t.record(ids, ev)
}
