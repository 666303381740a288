package data

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"admitone/rooms"
	"admitone/tokens"
)

// List implements tokens.Store. Most of what is asked for stands not far from where
// the page begins; what does not is looked for among all. A text that few have is
// found by the index that holds little else, and the rest asked of those few.
func (s *Invitations) List(ctx context.Context, q tokens.Query) ([]tokens.Invitation, error) {
	// SQLite refuses to look for a text that is very long; none that is longer than
	// what it is looked for in can be there.
	if !storable(q.Text) || !storable(q.ExternalID) || utf8.RuneCountInString(q.Text) > tokens.MaxNameLen+1+tokens.MaxEmailLen {
		return nil, nil
	}
	var l look
	var err error
	switch {
	case q.Mail != "":
		f := filter{args: []any{int64(q.Room), few}}
		f.mailed(q)
		if l.only, err = s.someOf(ctx, f, ""); err != nil || len(l.only) == 0 {
			return nil, err
		}
		if len(l.only) == few {
			l.only = nil
		}
		return s.page(ctx, q, l)
	case textFirst(q) && q.Sort == tokens.ByName:
		// The index of texts is in the order of names.
		if l.only, err = s.having(ctx, q); err != nil || len(l.only) == 0 {
			return nil, err
		}
	case textFirst(q):
		if l.until, err = s.ahead(ctx, q); err != nil {
			return nil, err
		}
	case q.Sort == tokens.ByName:
		l.near = filtered(q) && q.ExternalID == ""
	}
	found, err := s.page(ctx, q, l)
	if err != nil || len(found) == q.Limit || !l.near && l.until == 0 && len(l.only) < few {
		return found, err
	}
	l = look{}
	switch {
	case textFirst(q) && q.Sort == tokens.ByName:
		// Many have it: some of them not far from here are what is asked for besides.
		if filtered(q) {
			if found, err = s.page(ctx, q, look{near: true}); err != nil || len(found) == q.Limit {
				return found, err
			}
		}
	case textFirst(q):
		having, err := s.having(ctx, q)
		if err != nil || len(having) == 0 {
			return nil, err
		}
		if len(having) < few {
			l.only = having
		}
	}
	return s.page(ctx, q, l)
}

// textFirst tells whether a text that few have is best looked for before all else: not
// where another index leads to what is asked for, or what is asked besides is rarer.
func textFirst(q tokens.Query) bool {
	return q.Text != "" && q.State != tokens.Redeemed && q.State != tokens.Expired && q.ExternalID == "" && q.Batch.ID == 0 && q.Attendance == ""
}

// setAside is the index of those in the state alone, if it has one.
func setAside(q tokens.Query) string {
	switch {
	case q.ExternalID != "" || q.Batch.ID != 0:
		return "" // fewer have those
	case q.State == tokens.Revoked:
		return "invitations_revoked"
	case q.State == tokens.Superseded:
		return "invitations_superseded"
	}
	return ""
}

// look is where a page is looked for, everywhere for the zero value.
type look struct {
	near  bool     // by name among the next few rows, and no further
	until rooms.ID // in the order of ids no further than to this one
	only  []int64  // among these
}

// ahead is the id 10,000 rows after the position, 0 where there are fewer.
func (s *Invitations) ahead(ctx context.Context, q tokens.Query) (id rooms.ID, err error) {
	f := filter{args: []any{int64(q.Room)}}
	page, _ := f.order(q, false)
	err = s.db.row(ctx, `SELECT s.id FROM invitations s WHERE s.room_id = $1`+f.where.String()+page+` LIMIT 1 OFFSET 10000`, f.args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, known(err)
}

// few is how many of those that have a text are read by their ids.
const few = 128

// having are invitations that have the text, no more than few: by name the next ones,
// else any.
func (s *Invitations) having(ctx context.Context, q tokens.Query) ([]int64, error) {
	f := filter{args: []any{int64(q.Room), few}}
	f.text(q)
	page := ""
	if q.Sort == tokens.ByName {
		page, _ = f.order(q, true)
	}
	return s.someOf(ctx, f, page)
}

// someOf are the ids of those of the room $1, $2 at most, in that order.
func (s *Invitations) someOf(ctx context.Context, f filter, order string) ([]int64, error) {
	return list(ctx, s.db, func(r rowScanner) (id int64, err error) { return id, r.Scan(&id) }, `SELECT s.id FROM invitations s WHERE s.room_id = $1`+f.where.String()+order+` LIMIT $2`, f.args...)
}

// filtered tells whether q asks for more than the index by name knows.
func filtered(q tokens.Query) bool {
	return q.State != "" || q.Role != "" || q.ExternalID != "" || q.Attendance != "" || q.Batch.ID != 0 || q.Mail != ""
}

// page looks through an index alone, which holds all that filters ask for, and then
// reads only the rows of the page. CROSS JOIN has SQLite do so in this order.
func (s *Invitations) page(ctx context.Context, q tokens.Query, l look) ([]tokens.Invitation, error) {
	f := filter{lite: s.db.lite, args: []any{int64(q.Room), q.Limit}}
	page, row := f.order(q, l.near)
	from := `invitations s WHERE s.room_id = $1`
	if index := setAside(q); index != "" && s.db.lite && !l.near {
		// Without statistics it would take the index that holds all.
		from = `invitations s INDEXED BY ` + index + ` WHERE s.room_id = $1`
	}
	if l.near {
		from = `(SELECT s.id FROM ` + from + f.where.String() + page + ` LIMIT ` + nearby + ` * $2) n CROSS JOIN invitations s WHERE s.id = n.id`
		f.where.Reset()
	}
	switch {
	case l.until != 0 && q.Sort == tokens.Oldest:
		f.and("s.id <= %s", int64(l.until))
	case l.until != 0:
		f.and("s.id >= %s", int64(l.until))
	case len(l.only) > 0:
		f.only(l.only)
	}
	f.state(q)
	f.attended(q)
	f.mailed(q)
	if q.Role != "" {
		f.and("s.role = %s", string(q.Role))
	}
	if q.ExternalID != "" {
		f.and("s.external_id <> '' AND s.external_id = %s", q.ExternalID)
	}
	if q.Batch.ID != 0 {
		f.and("s.id BETWEEN %s AND %s", int64(q.Batch.ID), int64(q.Batch.Last))
	}
	return list(ctx, s.db, scanInvitation, strings.Replace(invitationColumns, "FROM invitations i ",
		`FROM (SELECT s.id FROM `+from+f.where.String()+page+` LIMIT $2) p CROSS JOIN invitations i `, 1)+
		` WHERE i.id = p.id`+row, f.args...)
}

// nearby is how many rows are looked at for each that is asked for, before all are.
const nearby = "20"

// filter is a condition on invitations s of one room, and what it asks for.
type filter struct {
	where strings.Builder
	args  []any
	lite  bool
}

// and adds a condition, in which each %s is one of the values.
func (f *filter) and(condition string, values ...any) {
	names := make([]any, len(values))
	for i, v := range values {
		f.args = append(f.args, v)
		names[i] = fmt.Sprintf("$%d", len(f.args))
	}
	fmt.Fprintf(&f.where, " AND "+condition, names...)
}

// order begins after the position, and tells how the page is found in order and
// how its rows are read in the same.
func (f *filter) order(q tokens.Query, near bool) (page, row string) {
	switch q.Sort {
	case tokens.Oldest:
		if q.After.ID != 0 {
			f.and("s.id > %s", int64(q.After.ID))
		}
		return " ORDER BY s.id", " ORDER BY i.id"
	case tokens.ByName:
		name := "s.search" + byBytes
		if !near && filtered(q) {
			// Another index is looked through, and what matches is sorted. An
			// expression is in no index.
			name = "COALESCE(s.search, '')" + byBytes
		}
		if q.After.ID != 0 {
			f.and("("+name+", s.id) > (%s, %s)", q.After.Name, int64(q.After.ID))
		}
		return " ORDER BY " + name + ", s.id", " ORDER BY i.search" + byBytes + ", i.id"
	case tokens.Newest:
	}
	if q.After.ID != 0 {
		f.and("s.id < %s", int64(q.After.ID))
	}
	return " ORDER BY s.id DESC", " ORDER BY i.id DESC"
}

// state is Invitation.State as a condition, with the text within it: what tells a
// state from most others is asked first, then the text, then all else, since most
// rows are none of those wanted. Only where another row counts the uses, that is read.
func (f *filter) state(q tokens.Query) {
	// Neither is negative. As two, PostgreSQL would ask them of every row, and first.
	const good = "s.superseded_by + s.revoked_at = 0"
	uses := func(are string) (mostly, shared string) {
		return "(s.uses " + are + " s.max_uses OR s.counter <> s.id)",
			" AND (s.counter = s.id OR (SELECT c.uses " + are + " c.max_uses FROM invitations c WHERE c.id = s.counter))"
	}
	used, usedByOthers := uses(">=")
	free, freeByOthers := uses("<")
	switch q.State {
	case tokens.Superseded:
		f.and("s.superseded_by <> 0")
		f.text(q)
	case tokens.Revoked:
		f.and("s.revoked_at <> 0")
		f.text(q)
		f.and("s.superseded_by = 0")
	case tokens.Redeemed:
		f.and(used)
		switch {
		case f.lite:
			f.text(q)
		case q.Text != "":
			// PostgreSQL would rather compare a text than two pairs of numbers.
			f.and("CASE WHEN "+used+" THEN "+hasText+" ELSE FALSE END", pattern(q))
		}
		f.and(good + usedByOthers)
	case tokens.Expired:
		f.and("s.expires_at <= %s", q.Now)
		f.text(q)
		f.and(free + " AND " + good + freeByOthers)
	case tokens.Pending:
		f.and(free)
		f.text(q)
		f.and("s.expires_at > %s AND "+good+freeByOthers, q.Now)
	default:
		f.text(q)
	}
}

// mailed asks how the latest mail that was settled stands, as Tally counts it.
func (f *filter) mailed(q tokens.Query) {
	if q.Mail != "" {
		f.and("s.id IN (SELECT d.invitation_id FROM deliveries d WHERE d.room_id = $1 AND d.state = %s AND d.kind = 'mail' AND d.latest = 1)", string(q.Mail))
	}
}

// only asks for these ids, in one of few lengths, so that the statements are few.
func (f *filter) only(ids []int64) {
	for _, n := range []int{16, few} {
		if len(ids) <= n {
			ids = append(ids, slices.Repeat(ids[:1], n-len(ids))...)
			break
		}
	}
	var list string
	list, f.args = in(f.args, ids)
	f.where.WriteString(" AND s.id IN " + list)
}

// text is part of what is looked through.
func (f *filter) text(q tokens.Query) {
	if q.Text != "" {
		f.and(hasText, pattern(q))
	}
}

const hasText = `s.search LIKE %s ESCAPE '\'`

func pattern(q tokens.Query) string { return "%" + escaped(strings.ToLower(q.Text)) + "%" }

// escaped is the text as LIKE … ESCAPE '\' looks for it.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}
