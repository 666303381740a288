package data

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// entries are a host's entries with one press, but for one sign-in's, 0 for none,
// and up to that invitation. host is in lower case.
type entries struct {
	host string
	but  rooms.ID
	upTo int64
}

const theirs = `e.host = $1 AND (e.sign_in <> $2 OR e.sign_in = 0) AND e.invitation_id <= $3`

// withdrawEntries withdraws the invitations of these entries, each with its event,
// however many they are.
func (db *DB) withdrawEntries(t *tx, of entries, ev audit.Event) error {
	n, err := t.exec(`UPDATE invitations SET revoked_at = $4, sequence = sequence + 1
		WHERE revoked_at = 0 AND id IN (SELECT e.invitation_id FROM host_entries e WHERE `+theirs+`)`, of.host, int64(of.but), of.upTo, ev.At)
	for tries := 0; err == nil && n > 0 && tries < 4; tries++ {
		var done int64
		// An id that another machine made in the same millisecond is made anew.
		done, err = t.exec(`INSERT INTO events (id, at, actor_kind, actor, kind, room_id, invitation_id, admission_id, detail)
			SELECT CAST($5 AS BIGINT) + ROW_NUMBER() OVER (ORDER BY i.id) - 1, i.revoked_at, CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT), i.room_id, i.id, 0, ''
			FROM host_entries e JOIN invitations i ON i.id = e.invitation_id WHERE `+theirs+` AND i.revoked_at = $4
			AND NOT EXISTS (SELECT 1 FROM events v WHERE v.invitation_id = i.id AND v.kind = CAST($8 AS TEXT) AND v.at = $4) ON CONFLICT (id) DO NOTHING`,
			of.host, int64(of.but), of.upTo, ev.At, int64(db.ids.Run(ev.At, int(n))), string(ev.Actor.Kind), ev.Actor.Name, string(audit.InvitationRevoked))
		n -= done
	}
	return err
}

// endedFor is how long an entry that was withdrawn stays: those whom it let in are
// still to be seen out.
const endedFor = time.Hour

// forgetEntries removes the host's entries that are over: nobody is in by them, or
// can come in, any more.
func (t *tx) forgetEntries(host string, at int64) error {
	_, err := t.exec(`DELETE FROM host_entries WHERE invitation_id IN (
		SELECT i.id FROM host_entries e JOIN invitations i ON i.id = e.invitation_id JOIN rooms r ON r.id = i.room_id
		WHERE e.host = $1 AND (i.revoked_at BETWEEN 1 AND $2 OR i.expires_at <= $3
			AND (r.ends_at > 0 AND r.ends_at <= $4 OR r.ends_at = 0 AND i.redeemed_at <= $5)))`,
		host, at-endedFor.Milliseconds(), at, at-rooms.Grace.Milliseconds(), at-tokens.Stay.Milliseconds())
	return err
}

// NoteEntry implements tokens.HostEntryStore.
func (s *Invitations) NoteEntry(ctx context.Context, in tokens.HostEntering, most int, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := t.forgetEntries(in.Host, ev.At); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO host_entries (invitation_id, host, sign_in) VALUES ($1, $2, $3)`, int64(in.Invitation), in.Host, int64(in.SignIn)); err != nil {
			return err
		}
		var upTo int64
		err := t.row(`SELECT e.invitation_id FROM host_entries e JOIN invitations i ON i.id = e.invitation_id
			WHERE e.host = $1 AND i.revoked_at = 0 ORDER BY e.invitation_id DESC LIMIT 1 OFFSET $2`, in.Host, most).Scan(&upTo)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.db.withdrawEntries(t, entries{in.Host, 0, upTo}, ev)
	})
}

// EntriesEnded implements tokens.HostEntryStore.
func (s *Invitations) EntriesEnded(ctx context.Context, host string, at int64) ([]tokens.HostEntry, error) {
	return list(ctx, s.db, func(row rowScanner) (e tokens.HostEntry, err error) { return e, row.Scan(&e.Invitation, &e.Room) },
		`SELECT i.id, i.room_id FROM host_entries e JOIN invitations i ON i.id = e.invitation_id WHERE e.host = $1 AND i.revoked_at = $2 ORDER BY i.id`, host, at)
}
