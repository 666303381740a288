package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

const (
	// hostBeat is how often a host's stream shows that it lives, and looks whether
	// the host still may have it.
	hostBeat = 10 * time.Second
	// hostStreams is how many streams one host holds at once.
	hostStreams = 16
)

// streams counts those that each host holds on this machine.
type streams struct {
	mu   sync.Mutex
	held map[string]int
}

// hold takes one until leave is called; it is rooms.ErrCrowded for one too many.
func (s *streams) hold(username string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[string]int{}
	}
	if s.held[username] >= hostStreams {
		return nil, rooms.ErrCrowded
	}
	s.held[username]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.held[username]--; s.held[username] == 0 {
			delete(s.held, username)
		}
	}, nil
}

// LiveRoom answers GET /rooms/{room}/live: the event stream of the room's page.
func (p *Pages) LiveRoom(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	if !session.WantsStream(c) {
		return c.Redirect(http.StatusSeeOther, "/rooms/"+r.Slug)
	}
	return p.follow(c, h, r.ID)
}

// LiveRooms answers GET /live: the event stream of the list of rooms.
func (p *Pages) LiveRooms(c echo.Context, h host) error {
	if !session.WantsStream(c) {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	return p.follow(c, h, 0)
}

// follow sends the stream of the room, or of all that the host reaches for 0, for as long as that host
// is signed in and reaches it.
func (p *Pages) follow(c echo.Context, h host, room rooms.ID) error {
	leave, err := p.streams.hold(h.Username)
	if err != nil {
		return err
	}
	defer leave()
	notices, deaf, err := p.watch(h, room)
	if err != nil {
		return err
	}
	defer deaf()
	return session.Follow(c, session.Stream{Notices: notices, Stop: p.Stop, Beat: hostBeat, Over: func(bool) bool {
		now, err := p.Doors.Still(c)
		if err == nil && room != 0 {
			_, err = p.room(c, now)
		}
		if err != nil {
			return !errors.Is(err, rooms.ErrUnavailable) && !errors.Is(err, context.Canceled)
		}
		return now.Username != h.Username
	}})
}

func (p *Pages) watch(h host, room rooms.ID) (notices <-chan struct{}, deaf func(), err error) {
	if room == 0 {
		return p.Watcher.WatchReached(h.Caller())
	}
	return p.Watcher.Watch(room, rooms.Party{})
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
	v.Now = p.Now()
	if r.Backend != "" {
		return &v, p.inside(c, r, &v)
	}
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
	case errors.Is(err, tokens.ErrRoomFull):
		return p.back(c, r, "full")
	case err != nil:
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/rooms/"+url.PathEscape(r.Slug)+"?removed="+text+"#people")
}
