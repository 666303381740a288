package data

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// HandOut implements tokens.EntryStore. The invitation's and the room's rows are
// locked first, so that of a revocation, a closing or another back end at the same
// time either this knows, or it knows of this.
func (s *Invitations) HandOut(ctx context.Context, a tokens.Admission, at, since int64, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		err := t.one(tokens.ErrConflict, `UPDATE invitations SET moves = moves WHERE id = $1 AND revoked_at = 0 AND superseded_by = 0`, int64(a.Invitation))
		if err != nil {
			return err
		}
		err = t.one(tokens.ErrConflict, `UPDATE rooms SET capacity = capacity WHERE id = $1 AND closed_at = 0 AND backend = $2`, int64(a.Room), a.Backend)
		if err != nil {
			return err
		}
		var last int64
		if err := t.row(`SELECT entered_at FROM admissions WHERE id = $1`, int64(a.ID)).Scan(&last); err != nil {
			return none(err, tokens.ErrConflict)
		}
		err = t.one(tokens.ErrConflict, `UPDATE admissions SET entered_at = $2, backend = $4 WHERE id = $1 AND browser = $3 AND ended_at = 0`,
			int64(a.ID), at, a.Browser, a.Backend)
		if err != nil || last > since {
			return err
		}
		return t.record(s.ids, ev)
	})
}

// entered are the admissions to room $1 for which a join link was handed out
// after $2 and that are good at $3; $4 is rooms.Grace and $5 tokens.Stay.
const entered = ` FROM admissions a JOIN invitations i ON i.id = a.invitation_id JOIN rooms r ON r.id = a.room_id
	WHERE a.room_id = $1 AND a.entered_at <> 0 AND a.entered_at > $2 AND a.ended_at = 0 AND i.revoked_at = 0 AND i.superseded_by = 0
		AND r.closed_at = 0 AND (r.ends_at <> 0 AND r.ends_at + $4 > $3 OR r.ends_at = 0 AND a.created_at + $5 > $3)`

func enteredArgs(room rooms.ID, since, at int64) []any {
	return []any{int64(room), since, at, rooms.Grace.Milliseconds(), tokens.Stay.Milliseconds()}
}

// Entered implements tokens.EntryStore.
func (s *Invitations) Entered(ctx context.Context, room rooms.ID, since, at int64, limit int) ([]tokens.Present, error) {
	return list(ctx, s.db, func(row rowScanner) (p tokens.Present, err error) {
		return p, row.Scan(&p.Admission, &p.Invitation, &p.Role, &p.Name, &p.Since)
	}, `SELECT a.id, a.invitation_id, a.role, a.name, a.entered_at`+entered+` ORDER BY a.entered_at, a.id LIMIT $6`, append(enteredArgs(room, since, at), limit)...)
}

// HostIn implements tokens.EntryStore.
func (s *Invitations) HostIn(ctx context.Context, room rooms.ID, since, at int64) (bool, error) {
	var n int
	err := s.db.row(ctx, `SELECT COUNT(*) FROM (SELECT a.id`+entered+` AND a.role = $6 AND a.entered_at > r.held_since AND a.backend = r.backend LIMIT 1) found`,
		append(enteredArgs(room, since, at), string(tokens.Host))...).Scan(&n)
	return n > 0, known(err)
}

// HandedOut implements tokens.EntryStore.
func (s *Invitations) HandedOut(ctx context.Context, room rooms.ID, invitations []rooms.ID) ([]tokens.Admission, error) {
	if len(invitations) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(invitations))
	for i, id := range invitations {
		ids[i] = int64(id)
	}
	where, args := in([]any{int64(room)}, ids)
	return list(ctx, s.db, scanAdmission, admissionColumns+` WHERE room_id = $1 AND entered_at <> 0 AND invitation_id IN `+where+` ORDER BY id`, args...)
}

// LedTo implements tokens.EntryStore.
func (s *Invitations) LedTo(ctx context.Context, room rooms.ID, backend string) ([]tokens.Admission, error) {
	return list(ctx, s.db, scanAdmission, admissionColumns+` WHERE room_id = $1 AND entered_at <> 0 AND ended_at = 0 AND backend = $2 ORDER BY id`, int64(room), backend)
}

// HostNames implements tokens.EntryStore. The hosts' invitations are found by the
// index of the list; an admission has its invitation's role.
func (s *Invitations) HostNames(ctx context.Context, room rooms.ID) ([]string, error) {
	return list(ctx, s.db, func(row rowScanner) (name string, err error) { return name, row.Scan(&name) },
		`SELECT DISTINCT a.name FROM invitations i JOIN admissions a ON a.invitation_id = i.id WHERE i.room_id = $1 AND i.role = $2 AND a.name <> ''`, int64(room), string(tokens.Host))
}

// Note implements tokens.EntryStore.
func (s *Invitations) Note(ctx context.Context, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error { return t.record(s.ids, ev) })
}
