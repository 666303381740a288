package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
)

// Outbox is the outbox.Store and the mail.Store of a database.
type Outbox struct {
	db  *DB
	ids *rooms.IDs
}

// NewOutbox returns the outbox.Store and mail.Store of the database.
func NewOutbox(db *DB, ids *rooms.IDs) *Outbox { return &Outbox{db, ids} }

const deliveryColumns = `id, send_key, kind, word, room_id, invitation_id, created_at, due_at, attempts, state, reason, settled_at, lease`

func scanDelivery(row rowScanner) (d outbox.Delivery, err error) {
	return d, row.Scan(&d.ID, &d.Key, &d.Kind, &d.Word, &d.Room, &d.Invitation, &d.CreatedAt, &d.DueAt, &d.Attempts, &d.State, &d.Reason, &d.SettledAt, &d.Lease)
}

// free are deliveries of kind $1 that may be taken: $2 is the moment, $3 the worker
// and $4 alone.
const free = `kind = $1 AND state = 'waiting' AND due_at <= $2 AND (leased_until <= $2 OR CAST($4 AS BIGINT) = 1 AND lease <> $3)`

// Take implements outbox.Store. A SQLite file has one server, so that there
// another's lease is that of a server which is dead. Most looks find nothing, and
// write nothing; whoever finds something and gets nothing was overtaken, and looks again.
func (s *Outbox) Take(ctx context.Context, kind outbox.Kind, worker string, now, until int64) (d outbox.Delivery, found bool, err error) {
	for !found && err == nil {
		var n int
		err = s.db.row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE `+free+` LIMIT 1) x`, string(kind), now, worker, alone(s.db)).Scan(&n)
		if err != nil || n == 0 {
			return d, false, known(err)
		}
		d, found, err = s.take(ctx, kind, worker, now, until)
	}
	return d, found && err == nil, err
}

// take tries once. The condition stands twice: PostgreSQL looks at the outer one
// again when another's update was waited for.
func (s *Outbox) take(ctx context.Context, kind outbox.Kind, worker string, now, until int64) (d outbox.Delivery, found bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		taken, err := listed(t, scanDelivery, `UPDATE deliveries SET lease = CAST($3 AS TEXT), leased_until = CAST($5 AS BIGINT), attempts = attempts + 1
			WHERE id = (SELECT id FROM deliveries WHERE `+free+` ORDER BY due_at, id LIMIT 1) AND `+free+` RETURNING `+deliveryColumns,
			string(kind), now, worker, alone(s.db), until)
		if found = len(taken) == 1; found {
			d = taken[0]
		}
		return err
	})
	return d, found, err
}

// alone is 1 where no second server can be at work.
func alone(db *DB) int {
	if db.lite {
		return 1
	}
	return 0
}

// Turn implements outbox.Store. What is told in advance is told by PostgreSQL's
// clock, which all instances share; where that was set back, nobody waits for the
// time to come again.
func (s *Outbox) Turn(ctx context.Context, kind outbox.Kind, pace time.Duration) (wait time.Duration, err error) {
	if s.db.lite {
		return 0, nil
	}
	const now = `CAST(EXTRACT(EPOCH FROM CLOCK_TIMESTAMP()) * 1000000 AS BIGINT)`
	err = s.db.write(ctx, func(t *tx) error {
		var micros int64
		err := t.row(`INSERT INTO paces (kind, next_at) VALUES ($1, `+now+` + $2) ON CONFLICT (kind) DO UPDATE
			SET next_at = $2 + CASE WHEN paces.next_at BETWEEN `+now+` AND `+now+` + $3 THEN paces.next_at ELSE `+now+` END
			RETURNING next_at - $2 - `+now, string(kind), pace.Microseconds(), longestTurn.Microseconds()).Scan(&micros)
		wait = time.Duration(micros) * time.Microsecond
		return err
	})
	return wait, err
}

// longestTurn is more than many instances would wait for each other.
const longestTurn = time.Minute

// Hand implements outbox.Store.
func (s *Outbox) Hand(ctx context.Context, d outbox.Delivery, now, until int64) error {
	return s.db.write(ctx, func(t *tx) error {
		return t.one(outbox.ErrLost, `UPDATE deliveries SET state = 'handing', leased_until = $4 WHERE id = $1 AND lease = $2 AND state = 'waiting' AND leased_until > $3`,
			int64(d.ID), d.Lease, now, until)
	})
}

// Settle implements outbox.Store. What the other side said may tell of a person:
// the invitation's row is locked first, and where it lost its names nothing comes
// to it any more.
func (s *Outbox) Settle(ctx context.Context, d outbox.Delivery, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		d, ev := d, ev
		nameless, err := t.holdNames(d.Invitation)
		if err != nil && !errors.Is(err, tokens.ErrNotFound) {
			return err
		}
		if nameless && d.Reason != "" {
			d.Reason, ev.Detail = "", ""
		}
		err = t.one(outbox.ErrLost, `UPDATE deliveries SET state = $3, reason = $4, due_at = $5, settled_at = $6, lease = '', leased_until = 0
			WHERE id = $1 AND lease = $2 AND state IN ('waiting', 'handing')`, int64(d.ID), d.Lease, string(d.State), d.Reason, d.DueAt, d.SettledAt)
		if err != nil {
			return err
		}
		if err := t.mailed(d); err != nil {
			return err
		}
		if err := t.follow(d); err != nil || ev.Kind == "" {
			return err
		}
		return t.record(s.ids, ev)
	})
}

// Stranded implements outbox.Store.
func (s *Outbox) Stranded(ctx context.Context, kind outbox.Kind, worker string, now int64) ([]outbox.Delivery, error) {
	return list(ctx, s.db, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE kind = $1 AND state = 'handing'
		AND (leased_until <= $2 OR CAST($4 AS BIGINT) = 1 AND lease <> $3) ORDER BY id`, string(kind), now, worker, alone(s.db))
}

// Pending implements outbox.Store.
func (s *Outbox) Pending(ctx context.Context) (n int, err error) {
	err = s.db.row(ctx, `SELECT (SELECT COUNT(*) FROM deliveries WHERE state = 'waiting') + (SELECT COUNT(*) FROM deliveries WHERE state = 'handing')`).Scan(&n)
	return n, known(err)
}

// Queued implements outbox.Store.
func (s *Outbox) Queued() <-chan struct{} { return s.db.queued }

// wake gives whoever waits for deliveries a notice.
func (db *DB) wake() {
	select {
	case db.queued <- struct{}{}:
	default: // one waits already
	}
}

// deliver queues one delivery, unless there is one of its key, sent or not. An id that
// another machine made in the same millisecond is made anew.
func (t *tx) deliver(ids *rooms.IDs, d outbox.Delivery) (queued bool, err error) {
	for {
		n, err := t.exec(`INSERT INTO deliveries (id, send_key, kind, word, room_id, invitation_id, created_at, due_at, attempts, state, reason, settled_at, lease, leased_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 'waiting', '', 0, '', 0) ON CONFLICT DO NOTHING`,
			int64(ids.Next(d.CreatedAt)), d.Key, string(d.Kind), string(d.Word), int64(d.Room), int64(d.Invitation), d.CreatedAt, d.DueAt)
		if err != nil {
			return false, err
		}
		if n == 1 {
			return true, t.mailed(d)
		}
		var before int
		if err := t.row(`SELECT COUNT(*) FROM deliveries WHERE send_key = $1`, d.Key).Scan(&before); err != nil || before > 0 {
			return false, err
		}
		ids.Skip()
	}
}

// mailed keeps on an invitation that there is a mail of it.
func (t *tx) mailed(d outbox.Delivery) error {
	if d.Word != audit.Invited {
		return nil
	}
	_, err := t.exec(`UPDATE invitations SET mailed = 1 WHERE id = $1 AND mailed = 0`, int64(d.Invitation))
	return err
}

// follow marks what was settled and is an invitation's latest no more.
func (t *tx) follow(d outbox.Delivery) error {
	if !d.State.Settled() {
		return nil
	}
	_, err := t.exec(`UPDATE deliveries SET latest = 0 WHERE invitation_id = $1 AND latest = 1 AND state IN ('sent', 'refused', 'doubtful')
		AND EXISTS (SELECT 1 FROM deliveries n WHERE n.invitation_id = $1 AND n.id > deliveries.id AND n.state IN ('sent', 'refused', 'doubtful'))`, int64(d.Invitation))
	return err
}

// deliverAll queues a delivery like d to each of the first n invitations i of the
// query, which begins with FROM; to fewer where ids or keys were there before.
// Their ids are one run, which it returns the first of. A key ends with after, or
// where that is empty with the delivery's id. All are found before the first is
// stored: PostgreSQL would look through what it just stored for each of the others.
func (t *tx) deliverAll(ids *rooms.IDs, n int, from string, args []any, d outbox.Delivery, after string) (first rooms.ID, err error) {
	first = ids.Run(d.CreatedAt, n)
	a := len(args)
	values := fmt.Sprintf(`CAST($%d AS BIGINT) AS base, CAST($%d AS TEXT) AS suffix, CAST($%d AS TEXT) AS kind, CAST($%d AS TEXT) AS word,
		CAST($%d AS BIGINT) AS room, CAST($%d AS BIGINT) AS at, CAST($%d AS BIGINT) AS due, CAST($%d AS BIGINT) AS most`, a+1, a+2, a+3, a+4, a+5, a+6, a+7, a+8)
	did, err := t.exec(`INSERT INTO deliveries (id, send_key, kind, word, room_id, invitation_id, created_at, due_at, attempts, state, reason, settled_at, lease, leased_until)
		SELECT v.base + x.nth, v.word || '/' || CAST(x.id AS TEXT) || '/' || CASE WHEN v.suffix = '' THEN CAST(v.base + x.nth AS TEXT) ELSE v.suffix END,
			v.kind, v.word, v.room, x.id, v.at, v.due, 0, 'waiting', '', 0, '', 0
		FROM (SELECT i.id, ROW_NUMBER() OVER (ORDER BY i.id) AS nth, COUNT(*) OVER () AS all_there `+from+`) x CROSS JOIN (SELECT `+values+`) v
		WHERE x.nth <= v.most AND x.nth <= x.all_there ON CONFLICT DO NOTHING`,
		slices.Concat(args, []any{int64(first) - 1, after, string(d.Kind), string(d.Word), int64(d.Room), d.CreatedAt, d.DueAt, n})...)
	if err == nil && did < int64(n) {
		ids.Skip()
	}
	return first, err
}

// Of invitations i: those whose guest was told by mail and is to be told more.
// A mail that is being handed over counts; one that waits will say it itself.
const toldByMail = `i.email <> '' AND i.superseded_by = 0
	AND EXISTS (SELECT 1 FROM deliveries d WHERE d.invitation_id = i.id AND d.word = 'invited' AND d.state IN ('sent', 'handing', 'doubtful'))`

// Of those: but for whom a host removed, by whichever link of theirs, while it
// admits nobody anew. Both minima are NULL where nobody came and 0 where somebody
// may come back, and written so that PostgreSQL asks an index for each.
const notRemoved = `(i.counter = i.id AND i.uses < i.max_uses OR COALESCE(` + endedByCounter + `, ` + endedBeside + `, 0) = 0
	OR COALESCE(` + endedBeside + `, ` + endedByCounter + `, 0) = 0 OR (SELECT c.uses < c.max_uses FROM invitations c WHERE c.id = i.counter))`

const (
	endedByCounter = `(SELECT MIN(a.ended_at) FROM admissions a WHERE a.invitation_id = i.counter AND a.returned = 0)`
	endedBeside    = `(SELECT MIN((SELECT MIN(a.ended_at) FROM admissions a WHERE a.invitation_id = s.id AND a.returned = 0))
		FROM invitations s WHERE s.counter = i.counter AND s.counter <> s.id)`
)

// Of those: whose last word was that it is off.
const lastCalledOff = `EXISTS (SELECT 1 FROM deliveries o WHERE o.invitation_id = i.id AND o.word = 'called_off' AND o.state IN ('sent', 'handing', 'doubtful')
	AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.invitation_id = i.id AND n.id > o.id AND n.word IN ('invited', 'on_again')))`

// Of those: who have no mail of the word $2 waiting. It is counted for each by
// the index of invitations, and written so that PostgreSQL does not look through all
// that waits for each instead, as it may where many were just stored.
const waitsNot = `(SELECT COUNT(*) FROM deliveries w WHERE w.invitation_id = i.id AND w.word = $2 AND w.state IN ('waiting', '')) = 0`

// tell queues a mail to everybody who was invited by one and whom the event is
// about. What waits already is rendered when it goes out: it needs no second one,
// and who has it in hand begins anew.
func (t *tx) tell(ids *rooms.IDs, ev audit.Event) error {
	where, about := `i.room_id = $1 AND i.revoked_at = 0 AND `+notRemoved, ev.Room
	if ev.Invitation != 0 {
		where, about = `i.id = $1`, ev.Invitation
	}
	if ev.Tell.Word == audit.OnAgain {
		where += ` AND ` + lastCalledOff
	}
	if _, err := t.exec(`UPDATE deliveries SET lease = '', leased_until = 0, due_at = CASE WHEN word = $2 AND due_at < $3 THEN CAST($3 AS BIGINT) ELSE due_at END
		WHERE state = 'waiting' AND (invitation_id = $1 OR room_id = $1)`, about, string(ev.Tell.Word), ev.Tell.At); err != nil {
		return err
	}
	from := `FROM invitations i WHERE ` + where + ` AND ` + toldByMail + ` AND ` + waitsNot
	for {
		var n int
		if err := t.row(`SELECT COUNT(*) `+from, about, string(ev.Tell.Word)).Scan(&n); err != nil || n == 0 {
			return err
		}
		if _, err := t.deliverAll(ids, n, from, []any{about, string(ev.Tell.Word)}, outbox.Delivery{Kind: outbox.Mail,
			Word: ev.Tell.Word, Room: rooms.ID(ev.Room), CreatedAt: ev.At, DueAt: max(ev.At, ev.Tell.At)}, ""); err != nil {
			return err
		}
	}
}
