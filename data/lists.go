package data

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"admitone/tokens"
)

// List implements tokens.Store.
//
// It looks through an index alone, which holds all that filters ask for, and then
// reads only the rows of the page. CROSS JOIN has SQLite do so in this order.
func (s *Invitations) List(ctx context.Context, q tokens.Query) ([]tokens.Invitation, error) {
	// SQLite refuses to look for a text that is very long; none that is longer than
	// what it is looked for in can be there.
	if !storable(q.Text) || !storable(q.ExternalID) || utf8.RuneCountInString(q.Text) > tokens.MaxNameLen+1+tokens.MaxEmailLen {
		return nil, nil
	}
	f := filter{args: []any{int64(q.Room), q.Limit}}
	page, row := f.order(q)
	f.state(q)
	f.attended(q)
	if q.Role != "" {
		f.and("s.role = %s", string(q.Role))
	}
	if q.ExternalID != "" {
		f.and("s.external_id <> '' AND s.external_id = %s", q.ExternalID)
	}
	if q.Batch.ID != 0 {
		f.and("s.id BETWEEN %s AND %s", int64(q.Batch.ID), int64(q.Batch.Last))
	}
	if q.Text != "" {
		f.and(`s.search LIKE %s ESCAPE '\'`, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(q.Text))+"%")
	}
	return list(ctx, s.db, scanInvitation, strings.Replace(invitationColumns, "FROM invitations i ",
		`FROM (SELECT s.id FROM invitations s WHERE s.room_id = $1`+f.where.String()+page+` LIMIT $2) p CROSS JOIN invitations i `, 1)+
		` WHERE i.id = p.id`+row, f.args...)
}

// filter is a condition on invitations s of one room, and what it asks for.
type filter struct {
	where strings.Builder
	args  []any
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
func (f *filter) order(q tokens.Query) (page, row string) {
	switch q.Sort {
	case tokens.Oldest:
		if q.After.ID != 0 {
			f.and("s.id > %s", int64(q.After.ID))
		}
		return " ORDER BY s.id", " ORDER BY i.id"
	case tokens.ByName:
		name := "s.search" + byBytes
		if q.State != "" && q.State != tokens.Superseded && q.State != tokens.Revoked {
			// The index by name knows no uses: the other one is looked through, and what
			// matches is sorted. An expression is in no index.
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

// state is Invitation.State as a condition. Only where another row counts the
// uses, that is read.
func (f *filter) state(q tokens.Query) {
	const good = "s.superseded_by = 0 AND s.revoked_at = 0"
	uses := func(are string) string {
		return " AND (s.uses " + are + " s.max_uses OR s.counter <> s.id) AND (s.counter = s.id OR (SELECT c.uses " + are + " c.max_uses FROM invitations c WHERE c.id = s.counter))"
	}
	switch q.State {
	case tokens.Superseded:
		f.and("s.superseded_by <> 0")
	case tokens.Revoked:
		f.and("s.superseded_by = 0 AND s.revoked_at <> 0")
	case tokens.Redeemed:
		f.and(good + uses(">="))
	case tokens.Expired:
		f.and(good+" AND s.expires_at <= %s"+uses("<"), q.Now)
	case tokens.Pending:
		f.and(good+" AND s.expires_at > %s"+uses("<"), q.Now)
	}
}
