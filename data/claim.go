package data

import (
	"context"
	"database/sql"
	"errors"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// Claim implements tokens.Store: it takes a use exactly once.
//
// The admission's unique (invitation, nonce) makes a retry find its first
// attempt, and the conditional UPDATE takes the use only if the row allows it at
// that very moment. Nothing is read first and trusted later.
func (s *Invitations) Claim(ctx context.Context, c tokens.Claim, ev audit.Event) (tokens.Admission, error) {
	out := c.Admission
	err := s.db.write(ctx, func(t *tx) error {
		a := c.Admission
		if c.Counter != a.Invitation {
			// Before the insert, whose foreign key takes a weaker lock on this row.
			if err := t.one(tokens.ErrNotClaimed, `UPDATE invitations SET nameless_at = 0 WHERE id = $1`, int64(a.Invitation)); err != nil {
				return err
			}
		}
		n, err := t.exec(`INSERT INTO admissions (id, invitation_id, nonce, room_id, role, name, browser, created_at, ended_at, entered_at, backend)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10) ON CONFLICT (invitation_id, nonce) DO NOTHING`,
			int64(a.ID), int64(a.Invitation), c.Nonce, int64(a.Room), string(a.Role), a.Name, a.Browser, a.CreatedAt, a.EnteredAt, a.Backend)
		if duplicate(err, "admissions.id") {
			return rooms.ErrIDTaken
		}
		if err != nil {
			return err
		}
		if n == 0 {
			out, err = scanAdmission(t.row(admissionColumns+` WHERE invitation_id = $1 AND nonce = $2`, int64(a.Invitation), c.Nonce))
			return none(err, tokens.ErrNotClaimed) // it moved to another device just now
		}
		if err := t.take(c); err != nil {
			return err
		}
		if c.Limited {
			if err := t.fits(c.Admission); err != nil {
				return err
			}
		}
		return t.record(s.ids, ev)
	})
	return out, err
}

// take is Invitation.Check as one statement. Where the invitation counts its own
// uses all conditions are on the row that is changed, so that PostgreSQL looks
// at them again after waiting for another claim, a revocation or a move. Where
// another row counts, Claim has locked the invitation's own, for the same.
func (t *tx) take(c tokens.Claim) error {
	const room = `EXISTS (SELECT 1 FROM rooms r WHERE r.id = $4 AND r.closed_at = 0 AND r.starts_at <= $2 AND (r.ends_at = 0 OR r.ends_at + $5 > $2))`
	args := []any{int64(c.Admission.Invitation), c.Admission.CreatedAt, int64(c.Counter), int64(c.Admission.Room), rooms.Grace.Milliseconds(), c.Moves}
	if c.Counter == c.Admission.Invitation {
		return t.one(tokens.ErrNotClaimed, `UPDATE invitations SET uses = uses + 1, redeemed_at = $2, nameless_at = 0
			WHERE id = $1 AND counter = $3 AND uses < max_uses AND superseded_by = 0 AND revoked_at = 0 AND expires_at > $2 AND not_before <= $2
				AND moves = $6 AND `+room, args...)
	}
	return t.one(tokens.ErrNotClaimed, `UPDATE invitations SET uses = uses + 1, redeemed_at = $2
		WHERE id = $3 AND uses < max_uses AND `+room+` AND EXISTS (SELECT 1 FROM invitations i WHERE i.id = $1 AND i.counter = $3
			AND i.superseded_by = 0 AND i.revoked_at = 0 AND i.expires_at > $2 AND i.not_before <= $2 AND i.moves = $6)`, args...)
}

// liveGuests counts the admissions that take a place in room r: $2 is the role
// guest, $3 tokens.Stay and $4 the moment.
const liveGuests = `(SELECT COUNT(*) FROM admissions a JOIN invitations i ON i.id = a.invitation_id
	WHERE a.room_id = r.id AND a.ended_at = 0 AND a.role = $2 AND i.revoked_at = 0 AND i.superseded_by = 0
		AND (r.ends_at <> 0 OR a.created_at + $3 > $4))`

// fits refuses an admission, already inserted, that is one too many for its room.
//
// The live admissions are counted and not kept as a number, which every
// revocation, every undo and every hour that passes would have to keep right.
// The room's row is locked first, so that among claims at once each counts those
// before it: PostgreSQL takes a fresh snapshot for the second statement.
func (t *tx) fits(a tokens.Admission) error {
	if err := t.one(tokens.ErrNotClaimed, `UPDATE rooms SET capacity = capacity WHERE id = $1`, int64(a.Room)); err != nil {
		return err
	}
	var free bool
	err := t.row(`SELECT r.capacity = 0 OR r.capacity >= `+liveGuests+` FROM rooms r WHERE r.id = $1`, int64(a.Room), string(tokens.Guest), tokens.Stay.Milliseconds(), a.CreatedAt).Scan(&free)
	if err == nil && !free {
		err = tokens.ErrRoomFull
	}
	return err
}

// fitAgain refuses what brought invitations back with more guests than their
// room takes; where none of their guests is admitted, a full room is no matter.
func (t *tx) fitAgain(room rooms.ID, restored []int64, at int64) error {
	n, err := t.exec(`UPDATE rooms SET capacity = capacity WHERE id = $1 AND capacity > 0`, int64(room))
	if err != nil || n == 0 || len(restored) == 0 {
		return err
	}
	var guests int
	where, args := in([]any{string(tokens.Guest), tokens.Stay.Milliseconds(), at}, restored)
	err = t.row(`SELECT COUNT(*) FROM admissions a JOIN invitations i ON i.id = a.invitation_id JOIN rooms r ON r.id = a.room_id
		WHERE a.role = $1 AND a.ended_at = 0 AND i.superseded_by = 0 AND (r.ends_at <> 0 OR a.created_at + $2 > $3) AND i.id IN `+where, args...).Scan(&guests)
	if err != nil || guests == 0 {
		return err
	}
	return t.fits(tokens.Admission{Room: room, CreatedAt: at})
}

const admissionColumns = `SELECT id, invitation_id, room_id, role, name, browser, created_at, ended_at, entered_at, backend, returned FROM admissions`

func scanAdmission(row rowScanner) (a tokens.Admission, err error) {
	return a, row.Scan(&a.ID, &a.Invitation, &a.Room, &a.Role, &a.Name, &a.Browser, &a.CreatedAt, &a.EndedAt, &a.EnteredAt, &a.Backend, &a.Returned)
}

// Admission implements tokens.Store.
func (s *Invitations) Admission(ctx context.Context, invitation rooms.ID, nonce string) (tokens.Admission, error) {
	a, err := scanAdmission(s.db.row(ctx, admissionColumns+` WHERE invitation_id = $1 AND nonce = $2`, int64(invitation), nonce))
	if errors.Is(err, sql.ErrNoRows) {
		return a, tokens.ErrNotFound
	}
	return a, known(err)
}

// Latest implements tokens.Store.
func (s *Invitations) Latest(ctx context.Context, room rooms.ID, browser string, role tokens.Role, since int64) (tokens.Admission, error) {
	a, err := scanAdmission(s.db.row(ctx, admissionColumns+` a WHERE browser = $1 AND browser <> '' AND room_id = $2 AND created_at > $3
		ORDER BY CASE WHEN ended_at <> 0 OR EXISTS (SELECT 1 FROM invitations i WHERE i.id = a.invitation_id AND (i.revoked_at <> 0 OR i.superseded_by <> 0))
			THEN 2 WHEN role <> $4 THEN 1 ELSE 0 END, id DESC LIMIT 1`, browser, int64(room), since, string(role)))
	return a, none(err, tokens.ErrNotFound)
}
