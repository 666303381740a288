package dashboard

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/views"
)

// CopyPage answers GET /rooms/{room}/copy: the form of a new room like that one, a
// week later.
func (p *Pages) CopyPage(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	form := p.formOf(r)
	form.Room, form.From = "", r.Slug
	if loc, err := time.LoadLocation(form.Timezone); err == nil && r.StartsAt != 0 {
		days := 7
		for time.UnixMilli(r.StartsAt).In(loc).AddDate(0, 0, days).Before(p.Now()) {
			days += 7
		}
		later := func(at int64) string {
			if at == 0 {
				return ""
			}
			return shownTime(time.UnixMilli(at).In(loc).AddDate(0, 0, days).UnixMilli(), form.Timezone)
		}
		form.StartsAt, form.EndsAt = later(r.StartsAt), later(r.EndsAt)
	}
	return p.copyPage(c, h, http.StatusOK, r, form)
}

func (p *Pages) copyPage(c echo.Context, h host, status int, from rooms.Room, form views.RoomForm) error {
	people, err := p.Invitations.Again(c.Request().Context(), from)
	if err != nil {
		return err
	}
	form.People = len(people)
	return session.Render(c, status, views.RoomCopyPage(views.RoomCopy{Page: p.frame(c, h, ""), Name: from.Name, Form: form}))
}

// copied is the room that the form copies, the zero one where it copies none.
func (p *Pages) copied(c echo.Context, h host, form views.RoomForm) (rooms.Room, error) {
	if form.From == "" {
		return rooms.Room{}, nil
	}
	return p.Rooms.Find(c.Request().Context(), h.Caller(), form.From)
}

// makeRooms makes the rooms that the form asks for, and returns the first.
func (p *Pages) makeRooms(c echo.Context, h host, form views.RoomForm, from rooms.Room, d rooms.Draft) (rooms.Room, error) {
	ctx, registry := c.Request().Context(), p.Rooms
	if form.Invite && from.ID != 0 {
		people, err := p.Invitations.Again(ctx, from)
		if err != nil {
			return rooms.Room{}, err
		}
		registry = p.Invitations.Inviting(p.Rooms, h.Caller(), people, true)
	}
	if form.Repeat == "" {
		return registry.Create(ctx, h.Caller(), d)
	}
	times, err := strconv.Atoi(form.Times)
	if err != nil {
		times = 0
	}
	all, err := registry.CreateSeries(ctx, h.Caller(), d, rooms.Every(form.Repeat), times)
	if err != nil {
		return rooms.Room{}, err
	}
	return all[0], nil
}

func repeats() (all []string) {
	for _, e := range rooms.Everies() {
		all = append(all, string(e))
	}
	return all
}

// series is the room's place in its series as its page shows it.
func (p *Pages) series(c echo.Context, h host, r rooms.Room) (views.Series, error) {
	v := place(r)
	if r.Series.ID == 0 {
		return v, nil
	}
	all, err := p.Rooms.Store.Series(c.Request().Context(), r.Series.ID)
	now, by := p.Now().UnixMilli(), h.Caller()
	for _, o := range all {
		if !by.Reaches(o) {
			continue
		}
		if o.Series.Nth > r.Series.Nth && o.ClosedAt == 0 {
			v.Rest++
		}
		v.Rooms = append(v.Rooms, views.SeriesRoom{Slug: o.Slug, Name: o.Name, State: string(o.State(now)), StartsAt: instant(o.StartsAt), EndsAt: instant(o.EndsAt), This: o.ID == r.ID})
	}
	return v, err
}

func place(r rooms.Room) views.Series {
	return views.Series{Every: string(r.Series.Every), Nth: r.Series.Nth, Size: r.Series.Size}
}

// CloseRest answers POST /rooms/{room}/close-rest: it and those after it.
func (p *Pages) CloseRest(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	n, at, err := p.Rooms.CloseRest(c.Request().Context(), h.Caller(), r)
	if err != nil {
		return err
	}
	return p.back(c, r, "closed-rest&n="+strconv.Itoa(n)+"&at="+strconv.FormatInt(at, 10))
}

// ReopenRest answers POST /rooms/{room}/reopen-rest: the undo of that.
func (p *Pages) ReopenRest(c echo.Context, h host) error {
	return p.undone(c, h, p.Rooms.ReopenRest, "reopened-rest")
}

// together is what became of rooms of a series, told by the address it led to.
func (p *Pages) together(c echo.Context) views.Notice {
	n, err := strconv.Atoi(c.QueryParam("n"))
	if err != nil || n < 0 || n > rooms.MaxSeries {
		return views.Notice{}
	}
	v := views.Notice{Tone: views.Good}
	switch c.QueryParam("did") {
	case "series":
		v.Text = views.Says("did.series", "n", n)
	case "reopened-rest":
		v.Text = views.Says("did.reopened-rest", "n", n)
	case "closed-rest":
		v.Text = views.Says("did.closed-rest", "n", n)
		v.UndoAction = p.undoing(c, n, "reopen-rest")
	}
	return v
}
