package data

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// OfferMove implements tokens.Store.
func (s *Invitations) OfferMove(ctx context.Context, m tokens.Move) error {
	return s.db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM moves WHERE admission_id = $1 AND used_at = 0`, int64(m.Admission)); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO moves (code, admission_id, invitation_id, room_id, browser, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
			m.Code, int64(m.Admission), int64(m.Invitation), int64(m.Room), m.Browser, m.ExpiresAt)
		return err
	})
}

// Move implements tokens.Store.
func (s *Invitations) Move(ctx context.Context, code string) (m tokens.Move, a tokens.Admission, err error) {
	err = s.db.row(ctx, `SELECT m.code, m.admission_id, m.invitation_id, m.room_id, m.browser, m.expires_at, m.used_at,
			a.id, a.invitation_id, a.room_id, a.role, a.name, a.browser, a.created_at, a.ended_at, a.entered_at, a.backend
		FROM moves m JOIN admissions a ON a.id = m.admission_id WHERE m.code = $1`, code).
		Scan(&m.Code, &m.Admission, &m.Invitation, &m.Room, &m.Browser, &m.ExpiresAt, &m.UsedAt,
			&a.ID, &a.Invitation, &a.Room, &a.Role, &a.Name, &a.Browser, &a.CreatedAt, &a.EndedAt, &a.EnteredAt, &a.Backend)
	return m, a, none(err, tokens.ErrNotFound)
}

// TakeMove implements tokens.Store: the code, the move and the admission are each
// taken by one conditional statement, and nothing is read first and trusted later.
func (s *Invitations) TakeMove(ctx context.Context, code, browser, nonce string, at int64, ev audit.Event) (a tokens.Admission, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		if err := t.one(tokens.ErrMoveCode, `UPDATE moves SET used_at = $2 WHERE code = $1 AND used_at = 0 AND expires_at > $2`, code, at); err != nil {
			return err
		}
		err := t.one(tokens.ErrNoMoves, `UPDATE invitations SET moves = moves + 1 WHERE id = (SELECT invitation_id FROM moves WHERE code = $1)
			AND moves <= more_moves AND revoked_at = 0 AND superseded_by = 0`, code)
		if err != nil {
			return err
		}
		err = t.one(tokens.ErrMoveCode, `UPDATE admissions SET browser = $2, nonce = $3 WHERE id = (SELECT admission_id FROM moves WHERE code = $1)
			AND browser = (SELECT browser FROM moves WHERE code = $1) AND ended_at = 0`, code, browser, nonce)
		if duplicate(err, "admissions.invitation_id") {
			return tokens.ErrConflict
		}
		if err != nil {
			return err
		}
		if a, err = scanAdmission(t.row(admissionColumns+` WHERE id = (SELECT admission_id FROM moves WHERE code = $1)`, code)); err != nil {
			return err
		}
		return t.record(s.ids, ev)
	})
	return a, err
}

// LeftFor implements tokens.Store.
func (s *Invitations) LeftFor(ctx context.Context, room, invitation rooms.ID, browser string) (id rooms.ID, err error) {
	err = s.db.row(ctx, `SELECT invitation_id FROM moves WHERE browser = $1 AND room_id = $2 AND used_at <> 0
		AND (invitation_id = $3 OR $3 = 0) ORDER BY used_at DESC LIMIT 1`, browser, int64(room), int64(invitation)).Scan(&id)
	return id, none(err, tokens.ErrNotFound)
}

// AllowMove implements tokens.Store.
func (s *Invitations) AllowMove(ctx context.Context, id rooms.ID, ev audit.Event) (bool, error) {
	return s.ifChanged(ctx, ev, `UPDATE invitations SET more_moves = more_moves + 1 WHERE id = $1 AND moves > more_moves`, int64(id))
}
