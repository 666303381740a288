package data

import (
	"context"
	"errors"
	"fmt"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens/mail"
)

// Queue implements mail.Store.
func (s *Outbox) Queue(ctx context.Context, sends []mail.Send) (queued int, err error) {
	if len(sends) == 0 {
		return 0, nil
	}
	err = s.db.write(ctx, func(t *tx) (err error) {
		queued, err = t.queue(s.ids, sends)
		return err
	})
	if err != nil {
		return 0, err
	}
	s.db.wake()
	return queued, nil
}

func (t *tx) queue(ids *rooms.IDs, sends []mail.Send) (n int, err error) {
	for _, send := range sends {
		queued, err := t.deliver(ids, send.Delivery)
		if err != nil {
			return n, err
		}
		if !queued {
			continue
		}
		n++
		if err := t.record(ids, send.Event); err != nil {
			return n, err
		}
	}
	return n, nil
}

// unsent is the condition on invitations i, with counter c, that u asks for.
func unsent(u mail.Unsent) (query string, args []any) {
	query = `FROM invitations i JOIN invitations c ON c.id = i.counter WHERE i.room_id = $1 AND i.email <> '' AND i.superseded_by = 0 AND i.revoked_at = 0
		AND i.expires_at > $2 AND c.uses < c.max_uses AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.invitation_id = i.id AND d.word = 'invited')`
	args = []any{int64(u.Room), u.Now}
	if !u.Hosts {
		query += ` AND i.role = 'guest'`
	}
	if u.First != 0 {
		args = append(args, int64(u.First), int64(u.Last))
		query += ` AND i.id >= $3 AND i.id <= $4`
	}
	return query, args
}

// QueueUnsent implements mail.Store.
func (s *Outbox) QueueUnsent(ctx context.Context, u mail.Unsent, send mail.Send) (queued int, err error) {
	for again := true; again; again = errors.Is(err, rooms.ErrIDTaken) {
		err = s.db.write(ctx, func(t *tx) (err error) {
			queued, err = t.queueUnsent(s.ids, u, send)
			return err
		})
	}
	if err != nil {
		return 0, err
	}
	s.db.wake()
	return queued, nil
}

// queueUnsent is two statements, however many there are. An id of an event that
// another machine made in the same millisecond is rooms.ErrIDTaken.
func (t *tx) queueUnsent(ids *rooms.IDs, u mail.Unsent, send mail.Send) (int, error) {
	from, args := unsent(u)
	var n int
	if err := t.row(`SELECT COUNT(*) `+from, args...).Scan(&n); err != nil || n == 0 {
		return 0, err
	}
	first, err := t.deliverAll(ids, n, from, args, send.Delivery, "0")
	if err != nil {
		return 0, err
	}
	ev := send.Event
	queued, err := t.exec(`INSERT INTO events (id, at, actor_kind, actor, kind, room_id, invitation_id, admission_id, detail)
		SELECT d.id - CAST($1 AS BIGINT) + CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT), d.room_id, d.invitation_id, 0, CAST($7 AS TEXT)
		FROM deliveries d WHERE d.id >= $1 AND d.id < CAST($1 AS BIGINT) + $8 AND d.room_id = $9`,
		int64(first), int64(ids.Run(ev.At, n)), ev.At, string(ev.Actor.Kind), ev.Actor.Name, string(ev.Kind), ev.Detail, n, int64(u.Room))
	if duplicate(err, "events.id") {
		ids.Skip()
		err = rooms.ErrIDTaken
	}
	return int(queued), err
}

// CountUnsent implements mail.Store.
func (s *Outbox) CountUnsent(ctx context.Context, u mail.Unsent) (n int, err error) {
	from, args := unsent(u)
	err = s.db.row(ctx, `SELECT COUNT(*) `+from, args...).Scan(&n)
	return n, known(err)
}

// Latest implements mail.Store.
func (s *Outbox) Latest(ctx context.Context, word audit.Word, invitations []rooms.ID) (map[rooms.ID]outbox.Delivery, error) {
	latest := map[rooms.ID]outbox.Delivery{}
	if len(invitations) == 0 {
		return latest, nil
	}
	keys := make([]int64, len(invitations))
	for i, id := range invitations {
		keys[i] = int64(id)
	}
	where, args := in(nil, keys)
	if word != "" {
		args = append(args, string(word))
		where += fmt.Sprintf(" AND word = $%d", len(args))
	}
	all, err := list(ctx, s.db, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE kind = 'mail' AND invitation_id IN `+where+` ORDER BY id`, args...)
	for _, d := range all {
		latest[d.Invitation] = d
	}
	return latest, err
}

// Told implements mail.Store.
func (s *Outbox) Told(ctx context.Context, room rooms.ID) (n int, err error) {
	err = s.db.row(ctx, `SELECT COUNT(*) FROM invitations i WHERE i.room_id = $1 AND i.revoked_at = 0 AND `+toldByMail, int64(room)).Scan(&n)
	return n, known(err)
}

// Tally implements mail.Store.
func (s *Outbox) Tally(ctx context.Context, room rooms.ID) (map[outbox.State]int, error) {
	type row struct {
		state outbox.State
		n     int
	}
	all, err := list(ctx, s.db, func(r rowScanner) (x row, err error) { return x, r.Scan(&x.state, &x.n) },
		`SELECT state, COUNT(*) FROM deliveries d WHERE room_id = $1 AND kind = 'mail'
			AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.invitation_id = d.invitation_id AND n.id > d.id) GROUP BY state`, int64(room))
	tally := map[outbox.State]int{}
	for _, r := range all {
		tally[r.state] = r.n
	}
	return tally, err
}
