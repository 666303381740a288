package data

import (
	"context"
	"slices"
	"strconv"
	"sync"

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
	rows := inserting(s.db.lite, invs)
	return s.db.write(ctx, func(t *tx) error {
		if err := t.insertRooms(s.ids, all, made); err != nil {
			return err
		}
		if err := t.insert(rows); err != nil {
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
	return t.insert(inserting(t.lite, []tokens.Invitation{inv}))
}

// insert runs what inserting made.
func (t *tx) insert(all []statement) error {
	for _, s := range all {
		if _, err := t.exec(s.query, s.args...); err != nil {
			return taken(err, "invitations.id")
		}
	}
	return nil
}

// statement is SQL and its values.
type statement struct {
	query string
	args  []any
}

// inserting are few statements that insert many invitations, of a few lengths, so
// that each stays prepared. Those of a list are made, on all processors, before it
// is the writer's turn, for which others wait too.
func inserting(lite bool, invs []tokens.Invitation) []statement {
	if !lite && len(invs) > 1 && alike(invs) {
		return []statement{columns(invs)}
	}
	var parts [][]tokens.Invitation
	for _, n := range []int{512, 64, 8, 1} {
		for len(invs) >= n {
			parts, invs = append(parts, invs[:n]), invs[n:]
		}
	}
	all := make([]statement, len(parts))
	_ = rooms.Apart(len(parts), func(_, from, to int) error {
		for i := from; i < to; i++ {
			all[i] = values(parts[i])
		}
		return nil
	})
	return all
}

// columns hands to PostgreSQL one array for each column in which the rows differ:
// to plan and fill thousands of values takes it longer than to store them.
func columns(invs []tokens.Invitation) statement {
	n := len(invs)
	ids := make([]int64, n)
	names, emails, texts, externals := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i := range invs {
		inv := &invs[i]
		ids[i], names[i], emails[i], texts[i], externals[i] = int64(inv.ID), inv.Name, inv.Email, inv.Folded(), inv.ExternalID
	}
	return statement{`INSERT INTO invitations (` + sharedColumns + `, ` + ownColumns + `, uses, redeemed_at, revoked_at, opened_at, superseded_by)
		SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS TEXT), CAST($8 AS TEXT),
			CAST($9 AS TEXT), CAST($10 AS TEXT), CAST($11 AS TEXT), CAST($12 AS BIGINT), CAST($13 AS BIGINT), own.id, own.*, 0, 0, 0, 0, 0
		FROM UNNEST(CAST($14 AS BIGINT[]), CAST($15 AS TEXT[]), CAST($16 AS TEXT[]), CAST($17 AS TEXT[]), CAST($18 AS TEXT[])) own (id, name, email, search, external_id)`,
		append(sharedValues(&invs[0]), ids, names, emails, texts, externals)}
}

func values(invs []tokens.Invitation) statement {
	shared := alike(invs)
	args := make([]any, 0, nShared+len(invs)*nOwn)
	for i := range invs {
		inv := &invs[i]
		if i == 0 || !shared {
			args = append(args, sharedValues(inv)...)
		}
		if !shared {
			args = append(args, int64(inv.Counter))
		}
		args = append(args, int64(inv.ID), inv.Name, inv.Email, inv.Folded(), inv.ExternalID)
	}
	return statement{insertion(len(invs), shared), args}
}

// What an invitation begins with; the rest of its row is 0. The members of a list
// mostly agree in the first.
const (
	sharedColumns = "room_id, role, max_uses, not_before, expires_at, created_at, created_by_kind, created_by, locale, pin, wishes, appointment, sequence"
	nShared       = 13
	ownColumns    = "counter, id, name, email, search, external_id"
	nOwn          = 5 // but for the counter
)

func sharedValues(inv *tokens.Invitation) []any {
	return []any{int64(inv.Room.ID), string(inv.Role), inv.MaxUses, inv.NotBefore, inv.ExpiresAt, inv.CreatedAt, string(inv.CreatedBy.Kind), inv.CreatedBy.Name,
		inv.Locale, inv.PIN, inv.Wishes, int64(inv.Appointment), inv.Sequence}
}

// alike tells whether all agree in sharedColumns and count their own uses, so that
// each such value is handed to the database once: to hand over a value takes as long
// as to write it.
func alike(invs []tokens.Invitation) bool {
	rest := func(inv tokens.Invitation) tokens.Invitation {
		inv.ID, inv.Counter, inv.Name, inv.Email, inv.ExternalID = 0, 0, "", "", ""
		return inv
	}
	first := rest(invs[0])
	return !slices.ContainsFunc(invs, func(inv tokens.Invitation) bool { return inv.Counter != inv.ID || rest(inv) != first })
}

// insertion is the statement that inserts n invitations, whose shared values are
// the first one's or each one's own.
func insertion(n int, shared bool) string {
	type form struct {
		n      int
		shared bool
	}
	if text, ok := insertions.Load(form{n, shared}); ok {
		return text.(string) //nolint:forcetypeassert // only strings are stored, below
	}
	text := []byte("INSERT INTO invitations (" + sharedColumns + ", " + ownColumns + ", uses, redeemed_at, revoked_at, opened_at, superseded_by) VALUES ")
	put := func(from, n int) {
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
			put(1, nShared)
		} else {
			put(next, nShared)
			next += nShared
		}
		put(next, 1) // of those that share the rest, the id
		if !shared {
			next++
		}
		put(next, nOwn)
		next += nOwn
		text = append(text, "0,0,0,0,0)"...)
	}
	insertions.Store(form{n, shared}, string(text))
	return string(text)
}

var insertions sync.Map // form → statement

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
