package data

import (
	"context"
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// InsertBatch implements tokens.Store. The wish's row is the first to be written,
// so that of one wish at once the second waits, and finds it there. The history
// is one statement: a line for each row of the range.
func (s *Invitations) InsertBatch(ctx context.Context, b tokens.Batch, wish string, invs []tokens.Invitation) (tokens.Batch, error) {
	out := b
	err := s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`INSERT INTO batches (id, last, room_id, wish, created_at, created_by_kind, created_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (wish) DO NOTHING`,
			int64(b.ID), int64(b.Last), int64(b.Room), wish, b.CreatedAt, string(b.CreatedBy.Kind), b.CreatedBy.Name)
		if duplicate(err, "batches.id") {
			return rooms.ErrIDTaken
		}
		if err != nil {
			return err
		}
		if n == 0 {
			out, err = scanBatch(t.row(batchColumns+` WHERE wish = $1`, wish))
			return err
		}
		if err := t.insertInvitations(invs); err != nil {
			return err
		}
		events := int64(s.ids.Run(b.CreatedAt, len(invs)))
		_, err = t.exec(`INSERT INTO events (id, at, actor_kind, actor, kind, room_id, invitation_id, admission_id, detail)
			SELECT i.id - $1 + $3, i.created_at, i.created_by_kind, i.created_by, $4, i.room_id, i.id, 0, '' FROM invitations i WHERE i.id BETWEEN $1 AND $2`,
			int64(b.ID), int64(b.Last), events, string(audit.InvitationMinted))
		if duplicate(err, "events.id") {
			return rooms.ErrIDTaken
		}
		return err
	})
	return out, err
}

const batchColumns = `SELECT id, last, room_id, created_at, created_by_kind, created_by FROM batches`

func scanBatch(row rowScanner) (b tokens.Batch, err error) {
	return b, row.Scan(&b.ID, &b.Last, &b.Room, &b.CreatedAt, &b.CreatedBy.Kind, &b.CreatedBy.Name)
}

// Batch implements tokens.Store.
func (s *Invitations) Batch(ctx context.Context, room, id rooms.ID) (tokens.Batch, error) {
	b, err := scanBatch(s.db.row(ctx, batchColumns+` WHERE id = $1 AND room_id = $2`, int64(id), int64(room)))
	return b, none(err, tokens.ErrNotFound)
}

// Granted implements tokens.Store.
func (s *Invitations) Granted(ctx context.Context, wish string) (tokens.Batch, error) {
	b, err := scanBatch(s.db.row(ctx, batchColumns+` WHERE wish = $1`, wish))
	return b, none(err, tokens.ErrNotFound)
}

// Batches implements tokens.Store.
func (s *Invitations) Batches(ctx context.Context, room rooms.ID, limit int) ([]tokens.Batch, error) {
	return list(ctx, s.db, scanBatch, batchColumns+` WHERE room_id = $1 ORDER BY id DESC LIMIT $2`, int64(room), limit)
}

// Invited implements tokens.Store. What lists look through has the name and then
// the address, and stands in the index that is looked through.
func (s *Invitations) Invited(ctx context.Context, room rooms.ID, now int64) (map[string]bool, error) {
	type row struct {
		search             string
		superseded, revoke int64
	}
	all, err := list(ctx, s.db, func(r rowScanner) (x row, err error) { return x, r.Scan(&x.search, &x.superseded, &x.revoke) },
		`SELECT search, superseded_by, revoked_at FROM invitations WHERE room_id = $1 AND expires_at > $2`, int64(room), now)
	invited := map[string]bool{}
	for _, found := range all {
		if _, address, _ := strings.Cut(found.search, "\n"); address != "" {
			invited[address] = invited[address] || found.superseded == 0 && found.revoke == 0
		}
	}
	return invited, err
}
