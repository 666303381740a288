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

// unsent is the condition on invitations i that u asks for: those of the index
// invitations_unmailed, which are few once all were sent. Where another row counts,
// the invitation's own has its uses left. The rest is asked of each by an index, and
// written so that PostgreSQL neither looks through all that was ever sent before it
// finds the first, nor compiles the question, which takes longer than to answer it.
func unsent(u mail.Unsent) (query string, args []any) {
	query = `FROM invitations i WHERE i.room_id = $1 AND i.expires_at > $2
		AND i.mailed = 0 AND i.email <> '' AND i.superseded_by = 0 AND i.revoked_at = 0 AND i.uses < i.max_uses
		AND (i.counter = i.id OR EXISTS (SELECT 1 FROM invitations c WHERE c.id = i.counter AND c.uses < c.max_uses LIMIT 1 OFFSET 0))
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.invitation_id = i.id AND d.word = 'invited' LIMIT 1 OFFSET 0)`
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
	var first rooms.ID
	for again := true; again; again = errors.Is(err, rooms.ErrIDTaken) {
		err = s.db.write(ctx, func(t *tx) (err error) {
			first, queued, err = t.queueUnsent(s.ids, u, send)
			return err
		})
	}
	if err != nil {
		return 0, err
	}
	s.db.wake()
	s.mark(ctx, u.Room, first, queued)
	return queued, nil
}

// mark keeps that these mails were queued on their invitations, which saves later
// questions a look at them. It is no part of the change that queued them, which
// on PostgreSQL may not take that long: what fails here is done when each is settled.
func (s *Outbox) mark(ctx context.Context, room, first rooms.ID, n int) {
	const most = 5000
	for i := 0; i < n; i += most {
		if err := s.db.write(context.WithoutCancel(ctx), func(t *tx) error {
			if err := t.lockMailed(room); err != nil {
				return err
			}
			_, err := t.exec(`UPDATE invitations SET mailed = 1 WHERE id IN (SELECT d.invitation_id FROM deliveries d WHERE d.id >= $1 AND d.id < $2 AND d.room_id = $3)`,
				int64(first)+int64(i), int64(first)+int64(min(i+most, n)), int64(room))
			return err
		}); err != nil {
			return
		}
	}
}

// invitedWaiting are the invitations by mail that wait to be sent.
func invitedWaiting(room rooms.ID) (query string, args []any) {
	return `FROM deliveries WHERE room_id = $1 AND state = 'waiting' AND kind = 'mail' AND word = 'invited'`, []any{int64(room)}
}

// Stoppable implements mail.Store.
func (s *Outbox) Stoppable(ctx context.Context, room rooms.ID) (is bool, err error) {
	from, args := invitedWaiting(room)
	err = s.db.row(ctx, `SELECT EXISTS (SELECT 1 `+from+`)`, args...).Scan(&is)
	return is, known(err)
}

// Stop implements mail.Store. Whoever has one in hand finds it gone when it asks to
// hand it over. Invitations are locked before their deliveries, as Settle does.
func (s *Outbox) Stop(ctx context.Context, room rooms.ID, most int, ev audit.Event) (n int, err error) {
	from, args := invitedWaiting(room)
	err = s.db.write(ctx, func(t *tx) error {
		n = 0
		if err := t.lockMailed(room); err != nil {
			return err
		}
		var ids, invitations []int64
		if _, err := listed(t, func(r rowScanner) (none struct{}, err error) {
			var id, invitation int64
			err = r.Scan(&id, &invitation)
			ids, invitations = append(ids, id), append(invitations, invitation)
			return none, err
		}, `SELECT id, invitation_id `+from+` ORDER BY id DESC LIMIT $2`, append(args, most)...); err != nil || len(ids) == 0 {
			return err
		}
		if n, err = t.stop(ids, invitations); err != nil || n == 0 {
			return err
		}
		return t.recordMore(s.ids, ev, n)
	})
	return n, err
}

// stop takes back those of the deliveries that wait still; their invitations count as
// unsent again, but where another mail of theirs was sent or waits.
func (t *tx) stop(ids, invitations []int64) (n int, err error) {
	of, ofArgs := in(nil, invitations)
	if !t.lite {
		if _, err := t.exec(`SELECT id FROM invitations WHERE id IN `+of+` ORDER BY id FOR UPDATE`, ofArgs...); err != nil {
			return 0, err
		}
	}
	where, args := in(nil, ids)
	did, err := t.exec(`DELETE FROM deliveries WHERE state = 'waiting' AND id IN `+where, args...)
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`UPDATE invitations SET mailed = 0 WHERE mailed = 1 AND id IN `+of+`
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.invitation_id = invitations.id AND d.word = 'invited')`, ofArgs...)
	return int(did), err
}

// lockMailed has those wait for each other who set invitations.mailed of many by what
// there is: mark would keep a mail that Stop takes back. It is no row's lock, for which
// claims would wait too.
func (t *tx) lockMailed(room rooms.ID) error {
	if t.lite {
		return nil
	}
	_, err := t.exec(`SELECT pg_advisory_xact_lock($1)`, int64(room))
	return err
}

// queueUnsent is three statements, however many there are, and returns the id of the
// first. An id of an event that another machine made in the same millisecond is
// rooms.ErrIDTaken.
func (t *tx) queueUnsent(ids *rooms.IDs, u mail.Unsent, send mail.Send) (first rooms.ID, queued int, err error) {
	from, args := unsent(u)
	var n int
	if err := t.row(`SELECT COUNT(*) `+from, args...).Scan(&n); err != nil || n == 0 {
		return 0, 0, err
	}
	if first, err = t.deliverAll(ids, n, from, args, send.Delivery, "0"); err != nil {
		return 0, 0, err
	}
	ev := send.Event
	did, err := t.exec(`INSERT INTO events (id, at, actor_kind, actor, kind, room_id, invitation_id, admission_id, detail)
		SELECT d.id - CAST($1 AS BIGINT) + CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT), d.room_id, d.invitation_id, 0, CAST($7 AS TEXT)
		FROM deliveries d WHERE d.id >= $1 AND d.id < CAST($1 AS BIGINT) + $8 AND d.room_id = $9`,
		int64(first), int64(ids.Run(ev.At, n)), ev.At, string(ev.Actor.Kind), ev.Actor.Name, string(ev.Kind), ev.Detail, n, int64(u.Room))
	if duplicate(err, "events.id") {
		ids.Skip()
		err = rooms.ErrIDTaken
	}
	return first, int(did), err
}

// CountUnsent implements mail.Store.
func (s *Outbox) CountUnsent(ctx context.Context, u mail.Unsent) (n int, err error) {
	from, args := unsent(u)
	err = s.db.row(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 %s LIMIT %d) x`, from, mail.Many+1), args...).Scan(&n)
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
	err = s.db.row(ctx, `SELECT COUNT(*) FROM invitations i WHERE i.room_id = $1 AND i.revoked_at = 0 AND `+notRemoved+` AND `+toldByMail, int64(room)).Scan(&n)
	return n, known(err)
}

// Tally implements mail.Store.
func (s *Outbox) Tally(ctx context.Context, room rooms.ID) (map[outbox.State]int, error) {
	tally := map[outbox.State]int{}
	for _, state := range outbox.States() {
		var n int
		if err := s.db.row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE room_id = $1 AND state = $2 AND kind = 'mail' AND latest = 1 LIMIT $3) x`,
			int64(room), string(state), mail.Many+1).Scan(&n); err != nil {
			return nil, known(err)
		}
		if n > 0 {
			tally[state] = n
		}
	}
	return tally, nil
}
