package data

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// endedBy are invitations i to rooms r that were there at $1 and admit nobody, new or back, since $1,
// and for which nobody asked for a new link since; $2 is rooms.Grace and $3
// tokens.Stay. The id of what took an invitation's place begins with when it did.
const endedBy = `i.id < (CAST($1 AS BIGINT) + 1) * 1048576 AND (i.revoked_at <> 0 AND i.revoked_at <= $1 OR i.superseded_by <> 0 AND i.superseded_by < (CAST($1 AS BIGINT) + 1) * 1048576
		OR r.closed_at <> 0 AND r.closed_at <= $1 OR r.ends_at <> 0 AND r.ends_at + $2 <= $1
		OR i.expires_at <= $1 AND NOT EXISTS (SELECT 1 FROM admissions a WHERE a.invitation_id = i.id
			AND (a.ended_at = 0 OR a.ended_at > $1) AND (r.ends_at <> 0 OR a.created_at + $3 > $1)))
	AND NOT EXISTS (SELECT 1 FROM requests q WHERE q.invitation_id = i.id AND q.created_at > $1)`

// forgettable are admissions a by invitations i to rooms r whose browsers need not
// be known: nobody comes back by them since $1, also where a closed room opens again.
const forgettable = `a.browser <> '' AND NOT ((a.ended_at = 0 OR a.ended_at > $1) AND (i.revoked_at = 0 OR i.revoked_at > $1) AND i.superseded_by = 0
	AND (r.ends_at <> 0 AND r.ends_at + $2 > $1 OR r.ends_at = 0 AND a.created_at + $3 > $1))`

func endedArgs(before int64) []any {
	return []any{before, rooms.Grace.Milliseconds(), tokens.Stay.Milliseconds()}
}

// Ended implements tokens.NamesStore. What was made after that moment is not read.
func (s *Invitations) Ended(ctx context.Context, before int64, after rooms.ID, limit int) ([]tokens.Ended, error) {
	return list(ctx, s.db, func(row rowScanner) (e tokens.Ended, err error) { return e, row.Scan(&e.Invitation, &e.Room) },
		`SELECT i.id, i.room_id FROM invitations i JOIN rooms r ON r.id = i.room_id
			WHERE i.id > $4 AND (i.nameless_at = 0 OR EXISTS (SELECT 1 FROM admissions a WHERE a.invitation_id = i.id AND `+forgettable+`)) AND `+endedBy+`
			ORDER BY i.id LIMIT $5`,
		append(endedArgs(before), int64(after), limit)...)
}

// RemoveNames implements tokens.NamesStore. The invitations' rows are locked
// first, by the statement that marks them, and all else goes by that mark.
func (s *Invitations) RemoveNames(ctx context.Context, ids []rooms.ID, before int64, ev audit.Event) (n int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	err = s.db.write(ctx, func(t *tx) error {
		cond, args := "", []any(nil)
		if before != 0 {
			cond, args = ` AND EXISTS (SELECT 1 FROM rooms r WHERE r.id = i.room_id AND `+endedBy+`)`, endedArgs(before)
		}
		marked, err := t.markNameless(s.ids, ids, ev, cond, args)
		if n = len(marked); err != nil {
			return err
		}
		return t.forgetBrowsers(ids, before)
	})
	return n, err
}

// RemovePerson implements tokens.NamesStore.
func (s *Invitations) RemovePerson(ctx context.Context, address string, ids, live []rooms.ID, ev audit.Event, revoke func(rooms.ID) audit.Event) (n int, revoked []rooms.ID, err error) {
	if len(ids) == 0 || !storable(address) {
		return 0, nil, nil
	}
	err = s.db.write(ctx, func(t *tx) error {
		marked, err := t.markNameless(s.ids, ids, ev, ` AND `+hasAddress, []any{address})
		if n = len(marked); err != nil {
			return err
		}
		if err := t.forgetBrowsers(marked, 0); err != nil {
			return err
		}
		slices.Sort(marked)
		still := slices.DeleteFunc(marked, func(id rooms.ID) bool { return !slices.Contains(live, id) })
		revoked, err = t.revoke(s.ids, rooms.ID(ev.Room), still, ev.At, revoke)
		return err
	})
	return n, revoked, err
}

// markNameless removes the names from those of the invitations i that are the
// event's room's, have them and meet the condition, with the event, and tells which
// those were. The condition is the UPDATE's own, which PostgreSQL looks at again
// after it waited for another's change.
func (t *tx) markNameless(all *rooms.IDs, ids []rooms.ID, ev audit.Event, cond string, args []any) ([]rooms.ID, error) {
	args = append(args, ev.At, tokens.Invitation{}.Folded(), ev.Room)
	n := len(args)
	where, args := in(args, numbers(ids))
	marked, err := listed(t, func(r rowScanner) (id rooms.ID, err error) { return id, r.Scan(&id) },
		fmt.Sprintf(`UPDATE invitations AS i SET name = '', email = '', external_id = '', wishes = '', search = $%d, nameless_at = $%d
			WHERE i.id IN `+where+` AND i.room_id = $%d AND i.nameless_at = 0`+cond+` RETURNING id`, n-1, n-2, n), args...)
	if err != nil || len(marked) == 0 {
		return nil, err
	}
	if err := t.removeNames(ids); err != nil {
		return nil, err
	}
	return marked, t.recordMore(all, ev, len(marked))
}

// holdNames locks an invitation's row, and tells whether its names were removed.
func (t *tx) holdNames(invitation rooms.ID) (nameless bool, err error) {
	if err := t.hold(invitation); err != nil {
		return false, err
	}
	return nameless, t.row(`SELECT nameless_at <> 0 FROM invitations WHERE id = $1`, int64(invitation)).Scan(&nameless)
}

// hasAddress are invitations i of whoever has the address $1.
const hasAddress = `i.email <> '' AND SUBSTR(i.search, LENGTH(i.search) - LENGTH(i.email) + 1) = $1`

// removeNames removes from all else about these invitations what tells who was
// invited, came, or asked; of those alone that are marked.
func (t *tx) removeNames(ids []rooms.ID) error {
	where, args := in(nil, numbers(ids))
	marked := `IN (SELECT i.id FROM invitations i WHERE i.id IN ` + where + ` AND i.nameless_at <> 0)`
	for _, statement := range []string{
		`UPDATE admissions SET name = '' WHERE invitation_id ` + marked,
		`UPDATE requests SET name = '', browser = '', closed_at = CASE WHEN closed_at = 0 THEN created_at ELSE closed_at END WHERE invitation_id ` + marked,
		`DELETE FROM moves WHERE invitation_id ` + marked,
		`UPDATE deliveries SET reason = '' WHERE reason <> '' AND invitation_id ` + marked,
		`UPDATE events SET actor = '' WHERE actor_kind = 'guest' AND actor <> '' AND invitation_id ` + marked,
	} {
		if _, err := t.exec(statement, args...); err != nil {
			return err
		}
	}
	kinds, args := in(args, audit.Coded())
	_, err := t.exec(`UPDATE events SET detail = '' WHERE detail <> '' AND invitation_id `+marked+` AND kind NOT IN `+kinds, args...)
	return err
}

// forgetBrowsers removes by what those are known who came by these invitations,
// where nobody comes back by that since before, 0 for all; of those alone that are
// marked. The hash of a nonce stays: the link's own use is known by it, and nothing else.
func (t *tx) forgetBrowsers(ids []rooms.ID, before int64) error {
	if len(ids) == 0 {
		return nil
	}
	if before == 0 {
		before = math.MaxInt64
	}
	where, args := in(endedArgs(before), numbers(ids))
	_, err := t.exec(`UPDATE admissions SET browser = '' WHERE id IN (SELECT a.id FROM admissions a JOIN invitations i ON i.id = a.invitation_id
		JOIN rooms r ON r.id = i.room_id WHERE i.nameless_at <> 0 AND `+forgettable+` AND i.id IN `+where+`)`, args...)
	return err
}

// Recognise implements tokens.NamesStore.
func (s *Invitations) Recognise(ctx context.Context, a tokens.Admission, nonce string) error {
	return s.db.write(ctx, func(t *tx) error {
		return t.one(tokens.ErrConflict, `UPDATE admissions SET browser = $3 WHERE id = $1 AND nonce = $2 AND browser IN ('', $3) AND ended_at = 0`,
			int64(a.ID), nonce, a.Browser)
	})
}

// recordMore records the event with a number as its detail, or adds to the number
// of the same event of that very moment: the removal of many names is one line.
func (t *tx) recordMore(ids *rooms.IDs, ev audit.Event, n int) error {
	more, err := t.exec(`UPDATE events SET detail = CAST(CAST(detail AS BIGINT) + CAST($1 AS BIGINT) AS TEXT)
		WHERE room_id = $2 AND id >= $3 AND at = $4 AND kind = $5 AND actor_kind = $6 AND actor = $7`,
		n, ev.Room, ev.At<<20, ev.At, string(ev.Kind), string(ev.Actor.Kind), ev.Actor.Name)
	if err != nil || more != 0 {
		return err
	}
	ev.Detail = strconv.Itoa(n)
	return t.record(ids, ev)
}

// OfPerson implements tokens.NamesStore. It looks through the texts of all rooms that
// the caller reaches: an index of addresses would cost every list that is minted a
// quarter of its time, for what is asked a few times a year.
func (s *Invitations) OfPerson(ctx context.Context, by rooms.Caller, address string) (ids []rooms.ID, err error) {
	if !storable(address) {
		return nil, nil
	}
	one := func(r rowScanner) (id rooms.ID, err error) { return id, r.Scan(&id) }
	for after := rooms.ID(0); ; {
		reach, args := reached(by, []any{int64(after)})
		some, err := list(ctx, s.db, one, `SELECT r.id FROM rooms r WHERE r.id > $1`+reach+` ORDER BY r.id LIMIT 500`, args...)
		if err != nil || len(some) == 0 {
			slices.Sort(ids)
			return ids, err
		}
		after = some[len(some)-1]
		where, args := in([]any{"%" + escaped("\n"+address)}, numbers(some))
		found, err := list(ctx, s.db, one, `SELECT s.id FROM invitations s WHERE s.room_id IN `+where+` AND s.search LIKE $1 ESCAPE '\'`, args...)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
}

// Some implements tokens.NamesStore.
func (s *Invitations) Some(ctx context.Context, ids []rooms.ID) ([]tokens.Invitation, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	where, args := in(nil, numbers(ids))
	return list(ctx, s.db, scanInvitation, invitationColumns+` WHERE i.id IN `+where+` ORDER BY i.id`, args...)
}

// Requests implements tokens.NamesStore.
func (s *Invitations) Requests(ctx context.Context, invitation rooms.ID, limit int) ([]tokens.Request, error) {
	return list(ctx, s.db, scanRequest, requestColumns+` WHERE q.invitation_id = $1 ORDER BY q.id LIMIT $2`, int64(invitation), limit)
}
