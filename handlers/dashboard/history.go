package dashboard

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
	"admitone/views"
)

// History answers GET /rooms/{room}/history: what happened in the room.
func (p *Pages) History(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	var before rooms.ID
	if s := c.QueryParam("before"); s != "" {
		if before, err = rooms.ParseID(rooms.EventPrefix, s); err != nil {
			return rooms.ErrNotFound
		}
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
	var about []rooms.ID
	for _, ev := range all {
		if ev.Invitation != 0 {
			about = append(about, rooms.ID(ev.Invitation))
		}
	}
	names, err := p.Invitations.Store.Names(ctx, about)
	if err != nil {
		return err
	}
	for _, ev := range all {
		line := views.StoryLine{Event: told(ev)}
		if id := rooms.ID(ev.Invitation); id != 0 {
			line.Invitation, line.Guest = id.Show(rooms.InvitationPrefix), names[id]
		}
		v.Lines = append(v.Lines, line)
	}
	return session.Render(c, http.StatusOK, views.RoomHistoryPage(v))
}

func told(ev audit.Event) views.Event {
	return views.Event{At: instant(ev.At), Actor: ev.Actor.Name, Party: string(ev.Actor.Kind), Kind: string(ev.Kind), Detail: ev.Detail}
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
