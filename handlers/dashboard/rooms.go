package dashboard

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/views"

	"admitone/handlers/session"
)

const perPage = 50

// List answers GET /: the host's rooms.
func (p *Pages) List(c echo.Context, h host) error {
	return p.list(c, h, http.StatusOK, views.RoomForm{Backends: p.backends(), Repeats: repeats(), Errors: views.Errors{}})
}

func (p *Pages) list(c echo.Context, h host, status int, form views.RoomForm) error {
	var before rooms.ID
	if s := c.QueryParam("before"); s != "" {
		var err error
		if before, err = rooms.ParseID(rooms.RoomPrefix, s); err != nil {
			return rooms.ErrNotFound
		}
	}
	now := p.Now().UnixMilli()
	all, err := p.Rooms.Store.List(c.Request().Context(), rooms.Query{Caller: h.Caller(), Before: before, Limit: perPage + 1, Now: now})
	if err != nil {
		return err
	}
	if len(all) == 0 && form.Name == "" && len(form.Errors) == 0 {
		form.Suggest, form.Owner = true, h.DisplayName // one press makes the first room
	}
	v := views.Rooms{Page: p.frame(c, h, ""), Form: form}
	v.Live = &views.Live{Stream: "/live", Page: "/", Host: true}
	if len(all) > perPage {
		all = all[:perPage]
		v.Next = "/?before=" + all[perPage-1].ID.Show(rooms.RoomPrefix)
	}
	for _, r := range all {
		v.Rooms = append(v.Rooms, views.RoomCard{Name: r.Name, Slug: r.Slug, State: string(r.State(now)), StartsAt: instant(r.StartsAt), EndsAt: instant(r.EndsAt),
			Backend: r.Backend, Live: r.Live, Redeemed: r.Redeemed, Requests: r.Requests, People: r.People, Owner: others(h, r.Room), Series: place(r.Room)})
	}
	return session.Render(c, status, views.RoomsPage(v))
}

// others is the owner of a room that is not the host's own.
func others(h host, r rooms.Room) string {
	if r.Owner == h.Username {
		return ""
	}
	return r.Owner
}

func (p *Pages) backends() (out []views.Backend) {
	for _, name := range p.Backends.Names() {
		out = append(out, views.Backend{Name: name, Kind: p.Backends.Kind(name)})
	}
	return out
}

// Create answers POST /rooms.
func (p *Pages) Create(c echo.Context, h host) error {
	form, start, end := p.form(c)
	from, err := p.copied(c, h, form)
	if err != nil {
		return err
	}
	if !c.Request().PostForm.Has("locale") {
		form.Locale = from.Locale
	}
	d := rooms.Draft{Name: form.Name, Slug: form.NewSlug, StartsAt: start, EndsAt: end, Backend: form.Backend, Capacity: places(&form), Locale: form.Locale}
	if len(form.Errors) > 0 {
		refused(p.Rooms.Check(d), form.Errors)
	} else {
		if start != 0 || end != 0 {
			d.Timezone = form.Timezone
		}
		r, err := p.makeRooms(c, h, form, from, d)
		switch {
		case err == nil && r.Series.ID != 0:
			return p.back(c, r, "series&n="+strconv.Itoa(r.Series.Size))
		case err == nil:
			return c.Redirect(http.StatusSeeOther, "/rooms/"+r.Slug)
		case !refused(err, form.Errors):
			return err
		}
	}
	if from.ID != 0 {
		for _, field := range []string{"expires_at", "expires_in"} { // of those who would be invited
			if wrong, ok := form.Errors[field]; ok {
				form.Errors["invite"] = wrong
			}
		}
		return p.copyPage(c, h, http.StatusUnprocessableEntity, from, form)
	}
	return p.list(c, h, http.StatusUnprocessableEntity, form)
}

// form reads the room form, its times in the form's zone.
func (p *Pages) form(c echo.Context) (form views.RoomForm, start, end int64) {
	form = views.RoomForm{Name: c.FormValue("name"), NewSlug: c.FormValue("slug"), StartsAt: c.FormValue("starts_at"), EndsAt: c.FormValue("ends_at"),
		Timezone: c.FormValue("timezone"), Backend: c.FormValue("backend"), Locale: c.FormValue("locale"), Capacity: c.FormValue("capacity"), Backends: p.backends(), Errors: views.Errors{},
		Repeat: c.FormValue("repeat"), Repeats: repeats(), Times: c.FormValue("times"), From: c.FormValue("from"), Invite: c.FormValue("invite") == "true", AllRest: c.FormValue("rest") == "true"}
	return form, typedTime(c, "starts_at", form.Errors), typedTime(c, "ends_at", form.Errors)
}

// places is the capacity as typed, 0 for nothing; what is no number is one that
// the room's rule refuses.
func places(form *views.RoomForm) int {
	if form.Capacity == "" {
		return 0
	}
	n, err := strconv.Atoi(form.Capacity)
	if err != nil || n < 1 {
		return -1
	}
	return n
}

func shownCapacity(r rooms.Room) string {
	if r.Capacity == 0 {
		return ""
	}
	return strconv.Itoa(r.Capacity)
}

// room is the room of the address, if the host reaches it.
func (p *Pages) room(c echo.Context, h host) (rooms.Room, error) {
	return p.Rooms.Find(c.Request().Context(), h.Caller(), c.Param("room"))
}

// EditPage answers GET /rooms/{room}/edit.
func (p *Pages) EditPage(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	return p.edit(c, h, http.StatusOK, r, p.formOf(r), views.HandOver{})
}

// formOf is the room form as the room is now.
func (p *Pages) formOf(r rooms.Room) views.RoomForm {
	zone := r.Timezone
	if zone == "" && r.StartsAt|r.EndsAt != 0 {
		zone = "UTC" // made without a zone; where there are no times yet, the browser's is offered
	}
	return views.RoomForm{Room: r.Slug, Name: r.Name, StartsAt: shownTime(r.StartsAt, zone), EndsAt: shownTime(r.EndsAt, zone),
		Timezone: zone, Backend: r.Backend, Locale: r.Locale, Capacity: shownCapacity(r), Backends: p.backends(), Repeats: repeats(), Tell: true, Errors: views.Errors{}}
}

func (p *Pages) edit(c echo.Context, h host, status int, r rooms.Room, form views.RoomForm, give views.HandOver) error {
	var err error
	if give.Hosts, err = p.othersThan(c, h, r.Owner); err != nil {
		return err
	}
	give.Room, give.Owner = r.Slug, r.Owner
	place, err := p.series(c, h, r)
	if err != nil {
		return err
	}
	form.Rest = place.Rest
	if form.Told, err = p.Post.Told(c.Request().Context(), r); err != nil {
		return err
	}
	return session.Render(c, status, views.RoomEditPage(views.RoomEdit{Page: p.frame(c, h, ""), Name: r.Name, Form: form, HandOver: give}))
}

// Edit answers POST /rooms/{room}.
func (p *Pages) Edit(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	form, start, end := p.form(c)
	form.Room = r.Slug
	form.Tell = c.FormValue("tell") == "true" || c.FormValue("tells") == "" // a form that does not ask has everybody told
	start, end = untouched(form.StartsAt, form.Timezone, r.StartsAt, start), untouched(form.EndsAt, form.Timezone, r.EndsAt, end)
	if end != 0 && end <= start && r.StartsAt != 0 && form.EndsAt == p.formOf(r).EndsAt {
		end = r.EndFrom(start, form.Timezone) // only its opening was typed anew
	}
	if len(form.Errors) > 0 {
		refused(p.Rooms.Check(rooms.Draft{Name: form.Name, StartsAt: start, EndsAt: end, Backend: form.Backend, Locale: form.Locale, Capacity: places(&form)}), form.Errors)
	} else {
		change := rooms.Change{Name: &form.Name, StartsAt: &start, EndsAt: &end, Silent: !form.Tell}
		if (start != 0 || end != 0) && (r.Timezone != "" || form.Timezone != "UTC") {
			change.Timezone = &form.Timezone
		}
		if c.Request().PostForm.Has("capacity") {
			change.Capacity = new(places(&form))
		}
		if c.Request().PostForm.Has("backend") {
			change.Backend = &form.Backend
		}
		if c.Request().PostForm.Has("locale") {
			change.Locale = &form.Locale
		}
		if form.AllRest {
			err = p.Rooms.ChangeRest(c.Request().Context(), h.Caller(), r, change)
		} else {
			_, err = p.Rooms.Change(c.Request().Context(), h.Caller(), r, change)
		}
		if err == nil {
			return p.back(c, r, "changed")
		}
		if !refused(err, form.Errors) {
			return err
		}
	}
	return p.edit(c, h, http.StatusUnprocessableEntity, r, form, views.HandOver{})
}

// untouched is the instant as it was where the field still shows it, and else
// the one that was typed: the field has no seconds, and shows the two hours in
// which clocks are set back alike.
func untouched(shown, zone string, was, typed int64) int64 {
	if was != 0 && shown == shownTime(was, zone) {
		return was
	}
	return typed
}

func (p *Pages) back(c echo.Context, r rooms.Room, did string) error {
	return c.Redirect(http.StatusSeeOther, "/rooms/"+url.PathEscape(r.Slug)+"?did="+did)
}

// Close answers POST /rooms/{room}/close.
func (p *Pages) Close(c echo.Context, h host) error { return p.setClosed(c, h, true, "closed") }

// Reopen answers POST /rooms/{room}/reopen.
func (p *Pages) Reopen(c echo.Context, h host) error { return p.setClosed(c, h, false, "reopened") }

func (p *Pages) setClosed(c echo.Context, h host, closed bool, did string) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	if _, err := p.Rooms.SetClosed(c.Request().Context(), h.Caller(), r, closed); err != nil {
		return err
	}
	return p.back(c, r, did)
}
