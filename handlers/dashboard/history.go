package dashboard

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
	"admitone/tokens/oauth"
	"admitone/views"
)

// History answers GET /rooms/{room}/history: what happened in the room.
func (p *Pages) History(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	before, err := pageAfter(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	all, err := p.Rooms.Store.Events(ctx, r.ID, before, perPage+1)
	if err != nil {
		return err
	}
	v := views.RoomHistory{Page: p.frame(c, h, ""), Name: r.Name, Slug: r.Slug}
	if len(all) > perPage {
		all = all[:perPage]
		v.Next = "/rooms/" + r.Slug + "/history?before=" + rooms.ID(all[perPage-1].ID).Show(rooms.EventPrefix)
	}
	names, err := p.guests(c, all)
	if err != nil {
		return err
	}
	for _, ev := range all {
		v.Lines = append(v.Lines, p.line(c, ev, names))
	}
	return session.Render(c, http.StatusOK, views.RoomHistoryPage(v))
}

func (p *Pages) told(c echo.Context, ev audit.Event) views.Event {
	who := p.who(c, ev.Actor)
	return views.Event{At: instant(ev.At), Actor: who.Name, Party: who.Party, Kind: string(ev.Kind), Detail: ev.Detail}
}

// who is an actor as pages show one.
func (p *Pages) who(c echo.Context, a audit.Actor) views.Who {
	w := views.Who{Name: p.Doors.Apps.Called(c.Request().Context(), a), Party: string(a.Kind)}
	if a.Kind == audit.Client {
		w.Party = "app"
		if oauth.IsKey(a.Name) {
			w.Party = "key"
		}
	}
	return w
}

// why is the reason for which the invitation would be refused now.
func (p *Pages) why(c echo.Context, inv tokens.Invitation) (w views.Why) {
	var refusal tokens.Refusal
	var reason tokens.Reason
	if err := p.Invitations.Admits(c.Request().Context(), inv); errors.As(err, &refusal) && errors.As(err, &reason) {
		w.Code = reason.Code
		if reason == tokens.ErrNotYet {
			w.At = instant(refusal.OpensAt())
		}
	}
	return w
}
