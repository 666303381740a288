package data

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// Ask implements tokens.Store. The invitation's row is locked first, so that
// among requests at once each counts those before it: PostgreSQL takes a fresh
// snapshot for each statement.
func (s *Invitations) Ask(ctx context.Context, r tokens.Request, most int, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := t.hold(r.Invitation); err != nil {
			return err
		}
		n, err := t.exec(`INSERT INTO requests (id, invitation_id, room_id, browser, name, reason, created_at, closed_at, answer)
			SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT), 0, 0
			WHERE (SELECT COUNT(*) FROM requests WHERE invitation_id = $2 AND closed_at = 0) < CAST($8 AS BIGINT)
			ON CONFLICT (invitation_id, browser) WHERE closed_at = 0 DO NOTHING`,
			int64(r.ID), int64(r.Invitation), int64(r.Room), r.Browser, r.Name, r.Reason, r.CreatedAt, most)
		if duplicate(err, "requests.id") {
			return rooms.ErrIDTaken
		}
		if err != nil {
			return err
		}
		if n == 1 {
			// It has a name again, for the host to answer.
			if _, err := t.exec(`UPDATE invitations SET nameless_at = 0 WHERE id = $1 AND nameless_at <> 0`, int64(r.Invitation)); err != nil {
				return err
			}
			return t.record(s.ids, ev)
		}
		var mine bool
		err = t.row(`SELECT EXISTS (SELECT 1 FROM requests WHERE invitation_id = $1 AND browser = $2 AND closed_at = 0)`, int64(r.Invitation), r.Browser).Scan(&mine)
		if err == nil && !mine {
			err = tokens.ErrAskedEnough
		}
		return err
	})
}

// hold locks an invitation's row, which whoever changes its requests does first.
func (t *tx) hold(invitation rooms.ID) error {
	return t.one(tokens.ErrNotFound, `UPDATE invitations SET opened_at = opened_at WHERE id = $1`, int64(invitation))
}

// answered closes the open requests for an invitation that got a new link.
func (t *tx) answered(invitation, by rooms.ID, at int64) error {
	_, err := t.exec(`UPDATE requests SET closed_at = $2, answer = $3 WHERE invitation_id = $1 AND closed_at = 0`, int64(invitation), at, int64(by))
	return err
}

// Answer implements tokens.Store.
func (s *Invitations) Answer(ctx context.Context, r tokens.Request, old rooms.ID, next tokens.Invitation, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := t.hold(r.Invitation); err != nil {
			return err
		}
		if err := t.one(tokens.ErrConflict, `UPDATE requests SET closed_at = $2, answer = $3 WHERE id = $1 AND closed_at = 0`, int64(r.ID), ev.At, int64(next.ID)); err != nil {
			return err
		}
		if err := t.answered(r.Invitation, next.ID, ev.At); err != nil {
			return err
		}
		return t.reissue(s.ids, old, next, ev)
	})
}

// AnswerBeside implements tokens.Store.
func (s *Invitations) AnswerBeside(ctx context.Context, r tokens.Request, next tokens.Invitation, evs ...audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := t.hold(r.Invitation); err != nil {
			return err
		}
		if err := t.one(tokens.ErrConflict, `UPDATE requests SET closed_at = $2, answer = $3 WHERE id = $1 AND closed_at = 0`, int64(r.ID), next.CreatedAt, int64(next.ID)); err != nil {
			return err
		}
		if err := t.insertInvitation(next); err != nil {
			return err
		}
		for _, ev := range evs {
			if err := t.record(s.ids, ev); err != nil {
				return err
			}
		}
		return nil
	})
}

const requestColumns = `SELECT q.id, q.invitation_id, q.room_id, q.browser, q.name, i.name, i.expires_at, q.reason, q.created_at, q.closed_at, q.answer
	FROM requests q JOIN invitations i ON i.id = q.invitation_id`

func scanRequest(row rowScanner) (r tokens.Request, err error) {
	return r, row.Scan(&r.ID, &r.Invitation, &r.Room, &r.Browser, &r.Name, &r.For, &r.Ends, &r.Reason, &r.CreatedAt, &r.ClosedAt, &r.Answer)
}

// Asked implements tokens.Store.
func (s *Invitations) Asked(ctx context.Context, invitation rooms.ID, browser string) (tokens.Request, error) {
	r, err := scanRequest(s.db.row(ctx, requestColumns+` WHERE q.invitation_id = $1 AND q.browser = $2 ORDER BY q.id DESC LIMIT 1`, int64(invitation), browser))
	return r, none(err, tokens.ErrNotFound)
}

// Request implements tokens.Store.
func (s *Invitations) Request(ctx context.Context, id rooms.ID) (tokens.Request, error) {
	r, err := scanRequest(s.db.row(ctx, requestColumns+` WHERE q.id = $1`, int64(id)))
	return r, none(err, tokens.ErrNotFound)
}

// CountRequests implements tokens.Store.
func (s *Invitations) CountRequests(ctx context.Context, invitation rooms.ID) (n int, err error) {
	err = s.db.row(ctx, `SELECT COUNT(*) FROM requests WHERE invitation_id = $1 AND closed_at = 0`, int64(invitation)).Scan(&n)
	return n, known(err)
}

// OpenRequests implements tokens.Store.
func (s *Invitations) OpenRequests(ctx context.Context, room rooms.ID, limit int) ([]tokens.Request, error) {
	return list(ctx, s.db, scanRequest, requestColumns+` WHERE q.room_id = $1 AND q.closed_at = 0 ORDER BY q.id DESC LIMIT $2`, int64(room), limit)
}

// Dismiss implements tokens.Store.
func (s *Invitations) Dismiss(ctx context.Context, id rooms.ID, at int64, ev audit.Event) (bool, error) {
	return s.ifChanged(ctx, ev, `UPDATE requests SET closed_at = $2 WHERE id = $1 AND closed_at = 0`, int64(id), at)
}

// Recall implements tokens.Store.
func (s *Invitations) Recall(ctx context.Context, id rooms.ID, since int64, ev audit.Event) (bool, error) {
	return s.ifChanged(ctx, ev, `UPDATE requests SET closed_at = 0 WHERE id = $1 AND closed_at > $2 AND closed_at <> 0 AND answer = 0
		AND NOT EXISTS (SELECT 1 FROM requests o WHERE o.invitation_id = requests.invitation_id AND o.browser = requests.browser AND o.closed_at = 0)`, int64(id), since)
}
