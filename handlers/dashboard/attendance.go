package dashboard

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// Attendance answers GET /rooms/{room}/attendance: who came, and who did not.
func (p *Pages) Attendance(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	ctx, now := c.Request().Context(), p.Now().UnixMilli()
	q := tokens.Query{Attendance: tokens.Attendance(c.QueryParam("part")), Sort: tokens.Oldest, Limit: perPage + 1, Now: now}
	if !slices.Contains(tokens.Attendances(), q.Attendance) {
		q.Attendance = tokens.Everybody
	}
	if q.After, err = tokens.ParsePosition(q.Sort, c.QueryParam("cursor")); err != nil {
		return rooms.ErrNotFound
	}
	all, err := p.Invitations.Guests(ctx, r, q)
	if err != nil {
		return err
	}
	n, err := p.Invitations.Store.Turnout(ctx, r, now)
	if err != nil {
		return err
	}
	v := views.Attendance{Page: p.frame(c, h, ""), Name: r.Name, Slug: r.Slug, Part: string(q.Attendance), Turnout: views.Turnout(n),
		Live: &views.Live{Stream: "/rooms/" + r.Slug + "/live", Page: "/rooms/" + r.Slug + "/attendance", Host: true}}
	for _, part := range tokens.Attendances() {
		v.Parts = append(v.Parts, string(part))
	}
	if len(all) > perPage {
		all = all[:perPage]
		v.Next = all[perPage-1].Position(q.Sort).Cursor()
	}
	for _, g := range all {
		v.Invitees = append(v.Invitees, invitee(g))
	}
	return session.Render(c, http.StatusOK, views.AttendancePage(v))
}

func invitee(g tokens.Invitee) views.Invitee {
	v := views.Invitee{ID: g.ID.Show(rooms.InvitationPrefix), Name: g.Name, Email: g.Email, Role: string(g.Role), NameRemoved: g.NamelessAt != 0,
		Attendance: string(g.Attendance), Revoked: g.RevokedAt != 0, Replaced: g.SupersededBy != 0, Opened: instant(g.OpenedAt), MaxUses: g.MaxUses}
	for _, one := range g.Visits {
		v.Visits = append(v.Visits, views.Visit{Name: one.Name, Came: instant(one.CameAt), Back: one.Back, BackAt: instant(one.BackAt), RemovedAt: instant(one.RemovedAt)})
	}
	for _, t := range g.Turned {
		v.Turned = append(v.Turned, views.Turned{Reason: t.Reason, Times: t.Times, Last: instant(t.LastAt)})
	}
	return v
}

// AttendanceTable answers GET /rooms/{room}/attendance.csv.
func (p *Pages) AttendanceTable(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	return session.Table(c, "attendance-"+r.Slug+".csv", func(table *tokens.CSV) error {
		return p.Invitations.AttendanceTable(c.Request().Context(), r, table)
	})
}
