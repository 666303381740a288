package data

import (
	"context"
	"slices"
	"strconv"

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
	c.redeemed_at, i.revoked_at, i.opened_at, i.superseded_by, i.counter, i.external_id, i.locale, i.wishes, i.moves, i.more_moves, i.appointment, i.sequence, i.came_before, i.nameless_at, ` + roomColumns + `
	FROM invitations i JOIN invitations c ON c.id = i.counter JOIN rooms r ON r.id = i.room_id`

func scanInvitation(row rowScanner) (inv tokens.Invitation, err error) {
	return inv, row.Scan(append([]any{&inv.ID, &inv.Role, &inv.Name, &inv.Email, &inv.PIN, &inv.MaxUses, &inv.Uses, &inv.NotBefore, &inv.ExpiresAt,
		&inv.CreatedAt, &inv.CreatedBy.Kind, &inv.CreatedBy.Name, &inv.RedeemedAt, &inv.RevokedAt, &inv.OpenedAt, &inv.SupersededBy,
		&inv.Counter, &inv.ExternalID, &inv.Locale, &inv.Wishes, &inv.Moves, &inv.MoreMoves,
		&inv.Appointment, &inv.Sequence, &inv.CameBefore, &inv.NamelessAt}, into(&inv.Room)...)...)
}

// Insert implements tokens.Store.
func (s *Invitations) Insert(ctx context.Context, invs []tokens.Invitation, evs []audit.Event) error {
	return s.InsertRooms(ctx, nil, nil, invs, evs)
}

// InsertRooms implements tokens.Store.
func (s *Invitations) InsertRooms(ctx context.Context, all []rooms.Room, made []audit.Event, invs []tokens.Invitation, evs []audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := t.insertRooms(s.ids, all, made); err != nil {
			return err
		}
		if err := t.insertInvitations(invs); err != nil {
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

func (t *tx) insertInvitation(inv tokens.Invitation) error {
	return t.insertInvitations([]tokens.Invitation{inv})
}

// insertInvitations writes many rows in few statements, of a few lengths, so
// that each stays prepared.
func (t *tx) insertInvitations(invs []tokens.Invitation) error {
	for _, n := range []int{512, 64, 8, 1} {
		for len(invs) >= n {
			if err := t.insertRows(invs[:n]); err != nil {
				return err
			}
			invs = invs[n:]
		}
	}
	return nil
}

func (t *tx) insertRows(invs []tokens.Invitation) error {
	shared := alike(invs)
	args := make([]any, 0, len(invs)*(nShared+nOwn))
	for i := range invs {
		inv := &invs[i]
		if i == 0 || !shared {
			args = append(args, int64(inv.Room.ID), string(inv.Role), inv.MaxUses, inv.NotBefore, inv.ExpiresAt, inv.CreatedAt, string(inv.CreatedBy.Kind), inv.CreatedBy.Name,
				inv.Locale, inv.PIN, inv.Wishes, int64(inv.Appointment), inv.Sequence)
		}
		args = append(args, int64(inv.ID), int64(inv.Counter), inv.Name, inv.Email, inv.Folded(), inv.ExternalID)
	}
	_, err := t.exec(insertion(len(invs), shared), args...)
	if duplicate(err, "invitations.id") {
		return rooms.ErrIDTaken
	}
	return err
}

// What an invitation begins with; the rest of its row is 0. The members of a list
// mostly agree in the first.
const (
	sharedColumns = "room_id, role, max_uses, not_before, expires_at, created_at, created_by_kind, created_by, locale, pin, wishes, appointment, sequence"
	nShared       = 13
	ownColumns    = "id, counter, name, email, search, external_id"
	nOwn          = 6
)

// alike tells whether all agree in sharedColumns, so that each such value is
// handed to the database once: to hand over a value takes as long as to write it.
func alike(invs []tokens.Invitation) bool {
	rest := func(inv tokens.Invitation) tokens.Invitation {
		inv.ID, inv.Counter, inv.Name, inv.Email, inv.ExternalID = 0, 0, "", "", ""
		return inv
	}
	first := rest(invs[0])
	return !slices.ContainsFunc(invs[1:], func(inv tokens.Invitation) bool { return rest(inv) != first })
}

// insertion is the statement that inserts n invitations, whose shared values are
// the first one's or each one's own.
func insertion(n int, shared bool) string {
	text := []byte("INSERT INTO invitations (" + sharedColumns + ", " + ownColumns + ", uses, redeemed_at, revoked_at, opened_at, superseded_by) VALUES ")
	values := func(from, n int) {
		for i := range n {
			text = append(strconv.AppendInt(append(text, '$'), int64(from+i), 10), ',')
		}
	}
	next := 1
	for i := range n {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, '(')
		if i > 0 && shared {
			values(1, nShared)
		} else {
			values(next, nShared)
			next += nShared
		}
		values(next, nOwn)
		next += nOwn
		text = append(text, "0,0,0,0,0)"...)
	}
	return string(text)
}

// ByID implements tokens.Store.
func (s *Invitations) ByID(ctx context.Context, id rooms.ID) (tokens.Invitation, error) {
	inv, err := scanInvitation(s.db.row(ctx, invitationColumns+` WHERE i.id = $1`, int64(id)))
	return inv, none(err, tokens.ErrNotFound)
}

// Update implements tokens.Store.
func (s *Invitations) Update(ctx context.Context, inv tokens.Invitation, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		err := t.one(tokens.ErrConflict, `UPDATE invitations SET name = $2, email = $3, not_before = $4, expires_at = $5, search = $6,
			nameless_at = CASE WHEN search = $6 THEN nameless_at ELSE 0 END WHERE id = $1 AND superseded_by = 0`,
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
	return s.ifChanged(ctx, ev, `UPDATE invitations SET revoked_at = $2, sequence = sequence + 1 WHERE id = $1 AND revoked_at = 0 AND superseded_by = 0`, int64(id), at)
}

// Restore implements tokens.Store.
func (s *Invitations) Restore(ctx context.Context, id rooms.ID, since int64, ev audit.Event) (done bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE invitations SET revoked_at = 0, sequence = sequence + 1 WHERE id = $1 AND revoked_at <> 0 AND revoked_at > $2`, int64(id), since)
		if done = n != 0; err != nil || !done {
			return err
		}
		var room rooms.ID
		if err := t.row(`SELECT room_id FROM invitations WHERE id = $1`, int64(id)).Scan(&room); err != nil {
			return err
		}
		if err := t.fitAgain(room, []int64{int64(id)}, ev.At); err != nil {
			return err
		}
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
		if done = n != 0; err != nil || !done {
			return err
		}
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
	// Who came by the old link, came.
	if _, err := t.exec(`UPDATE invitations SET came_before = (SELECT CASE WHEN o.came_before <> 0 THEN o.came_before WHEN c.uses > 0 THEN c.redeemed_at ELSE 0 END
		FROM invitations o JOIN invitations c ON c.id = o.counter WHERE o.id = $2) WHERE id = $1 AND counter = id`, int64(next.ID), int64(old)); err != nil {
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
