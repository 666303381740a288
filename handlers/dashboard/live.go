package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// hostBeat is how often a host's stream shows that it lives.
const hostBeat = 15 * time.Second

// LiveRoom answers GET /rooms/{room}/live: the event stream of the room's page.
func (p *Pages) LiveRoom(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	if !session.WantsStream(c) {
		return c.Redirect(http.StatusSeeOther, "/rooms/"+r.Slug)
	}
	return p.follow(c, r.ID)
}

// LiveRooms answers GET /live: the event stream of the list of rooms.
func (p *Pages) LiveRooms(c echo.Context, _ host) error {
	if !session.WantsStream(c) {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	return p.follow(c, 0)
}

func (p *Pages) follow(c echo.Context, room rooms.ID) error {
	notices, deaf, err := p.Watcher.Watch(room)
	if err != nil {
		return err
	}
	defer deaf()
	return session.Follow(c, session.Stream{Notices: notices, Stop: p.Stop, Beat: hostBeat, Over: func(bool) bool { return false }})
}

// people is who is in the room now, and whom a host removed a moment ago.
func (p *Pages) people(c echo.Context, r rooms.Room) (*views.People, error) {
	here, removed, err := p.Lobby.In(c.Request().Context(), r.ID)
	if err != nil {
		return nil, err
	}
	v := session.People(here, 0)
	v.Slug, v.Focus, v.Removed = r.Slug, c.QueryParam("removed"), session.People(removed, 0).Here
	v.Live = &views.Live{Stream: "/rooms/" + r.Slug + "/live", Page: "/rooms/" + r.Slug, Host: true}
	v.Elsewhere, v.Now = r.Backend != "", p.Now()
	return &v, nil
}

// Remove answers POST /rooms/{room}/remove: the one named leaves.
func (p *Pages) Remove(c echo.Context, h host) error { return p.person(c, h, p.Lobby.Remove) }

// Readmit answers POST /rooms/{room}/readmit: the one named may come back.
func (p *Pages) Readmit(c echo.Context, h host) error { return p.person(c, h, p.Lobby.Readmit) }

func (p *Pages) person(c echo.Context, h host, do func(context.Context, rooms.Caller, rooms.Room, rooms.ID) error) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	text := c.FormValue("admission")
	id, err := rooms.ParseID(rooms.AdmissionPrefix, text)
	if err != nil {
		return rooms.Invalid{Field: "admission", Detail: "is not that of somebody in the room"}
	}
	err = do(c.Request().Context(), h.Caller(), r, id)
	switch {
	case errors.Is(err, tokens.ErrConflict):
		return p.back(c, r, "toolate")
	case err != nil:
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/rooms/"+url.PathEscape(r.Slug)+"?removed="+text+"#people")
}
