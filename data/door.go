package data

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// Forestall implements tokens.DoorStore. It inserts before it takes any lock, as
// Claim does: the two wait for each other at the nonce alone.
func (s *Invitations) Forestall(ctx context.Context, a tokens.Admission, nonce string, ev audit.Event) (tokens.Admission, error) {
	err := s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`INSERT INTO admissions (id, invitation_id, nonce, room_id, role, name, browser, created_at, ended_at, entered_at, backend, returned)
			VALUES ($1, $2, $3, $4, $5, '', '', $6, $7, 0, '', 1) ON CONFLICT (invitation_id, nonce) DO NOTHING`,
			int64(a.ID), int64(a.Invitation), nonce, int64(a.Room), string(a.Role), a.CreatedAt, a.EndedAt)
		if duplicate(err, "admissions.id") {
			return rooms.ErrIDTaken
		}
		if err == nil && n == 1 {
			return t.record(s.ids, ev)
		}
		if err == nil {
			a, err = scanAdmission(t.row(admissionColumns+` WHERE invitation_id = $1 AND nonce = $2`, int64(a.Invitation), nonce))
		}
		return none(err, tokens.ErrNotFound)
	})
	return a, err
}

// GiveBack implements tokens.DoorStore. The invitations' rows are locked before
// the admission's, as by whoever claims or hands out a join link: each of these
// then knows of this, or this of it.
func (s *Invitations) GiveBack(ctx context.Context, a tokens.Admission, counter rooms.ID, since int64, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if counter != a.Invitation {
			if err := t.one(tokens.ErrConflict, `UPDATE invitations SET moves = moves WHERE id = $1`, int64(a.Invitation)); err != nil {
				return err
			}
		}
		if err := t.one(tokens.ErrConflict, `UPDATE invitations SET uses = uses - 1 WHERE id = $1 AND uses > 0`, int64(counter)); err != nil {
			return err
		}
		err := t.one(tokens.ErrConflict, `UPDATE admissions SET ended_at = $2, returned = 1
			WHERE id = $1 AND ended_at = 0 AND entered_at = 0 AND browser = '' AND created_at > $3`, int64(a.ID), ev.At, since)
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE invitations SET redeemed_at = CASE WHEN uses = 0 THEN 0 ELSE (SELECT COALESCE(MAX(a.created_at), 0)
			FROM admissions a JOIN invitations i ON i.id = a.invitation_id
			WHERE (i.id = $1 OR (i.counter = $1 AND i.counter <> i.id)) AND a.returned = 0) END WHERE id = $1`, int64(counter))
		if err != nil {
			return err
		}
		return t.record(s.ids, ev)
	})
}
