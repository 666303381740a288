package data

import (
	"context"
	"strconv"
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// InsertBatch implements tokens.Store. The wish's row is the first to be written,
// so that of one wish at once the second waits, and finds it there. The history
// has one line for all of them; Events makes each one's own.
func (s *Invitations) InsertBatch(ctx context.Context, b tokens.Batch, wish string, invs []tokens.Invitation) (tokens.Batch, error) {
	out, rows := b, inserting(s.db.lite, invs)
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
		if err := t.insert(rows); err != nil {
			return err
		}
		return t.record(s.ids, audit.Event{At: b.CreatedAt, Actor: b.CreatedBy, Kind: audit.InvitationsMinted, Room: int64(b.Room), Detail: strconv.Itoa(b.Count())})
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
