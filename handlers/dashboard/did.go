package dashboard

import (
	"errors"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
	"admitone/views"
)

// did is what the app or key of that id did that is the host's business, on the
// page of the request's address.
func (p *Pages) did(c echo.Context, h host, id string) (v views.Did, err error) {
	before, err := pageAfter(c)
	if err != nil {
		return v, err
	}
	ctx := c.Request().Context()
	all, err := p.Doors.Apps.DidFor(ctx, h, id, before, perPage+1)
	if err != nil {
		return v, err
	}
	if len(all) > perPage {
		all = all[:perPage]
		v.Next = c.Request().URL.Path + "?before=" + rooms.ID(all[perPage-1].ID).Show(rooms.EventPrefix)
	}
	names, err := p.guests(c, all)
	if err != nil {
		return v, err
	}
	seen := map[int64]rooms.Room{}
	for _, ev := range all {
		r, ok := seen[ev.Room]
		if !ok && ev.Room != 0 {
			r, err = p.Rooms.Store.ByID(ctx, rooms.ID(ev.Room))
			if err != nil && !errors.Is(err, rooms.ErrNotFound) {
				return v, err
			}
			seen[ev.Room] = r
		}
		if ev.Room != 0 && (r.ID == 0 || !h.Caller().Reaches(r)) {
			continue // the host's no more
		}
		line := p.line(c, ev, names)
		line.Room, line.Slug = r.Name, r.Slug
		v.Lines = append(v.Lines, line)
	}
	return v, nil
}

// pageAfter is the event after which the page of a history begins, 0 for the first.
func pageAfter(c echo.Context) (rooms.ID, error) {
	s := c.QueryParam("before")
	if s == "" {
		return 0, nil
	}
	id, err := rooms.ParseID(rooms.EventPrefix, s)
	if err != nil {
		return 0, rooms.ErrNotFound
	}
	return id, nil
}

// guests are the names on the invitations that these events are about.
func (p *Pages) guests(c echo.Context, all []audit.Event) (map[rooms.ID]tokens.Called, error) {
	var about []rooms.ID
	for _, ev := range all {
		if ev.Invitation != 0 {
			about = append(about, rooms.ID(ev.Invitation))
		}
	}
	return p.Invitations.Store.Names(c.Request().Context(), about)
}

func (p *Pages) line(c echo.Context, ev audit.Event, names map[rooms.ID]tokens.Called) views.StoryLine {
	line := views.StoryLine{Event: p.told(c, ev)}
	if id := rooms.ID(ev.Invitation); id != 0 {
		line.Invitation, line.Guest, line.NameRemoved = id.Show(rooms.InvitationPrefix), names[id].Name, names[id].Removed
	}
	return line
}
