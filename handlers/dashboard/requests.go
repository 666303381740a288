package dashboard

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// requests are those who ask for a new link into the room.
func (p *Pages) requests(c echo.Context, r rooms.Room) (views.Requests, error) {
	list, err := p.Invitations.Store.OpenRequests(c.Request().Context(), r.ID, perPage)
	v := views.Requests{Closed: r.ClosedAt != 0, RoomEnds: r.EndsAt > p.Now().UnixMilli(), Now: p.Now()}
	for _, q := range list {
		stands, err := p.replaced(c, q)
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, views.Request{ID: q.ID.Show(rooms.RequestPrefix), Name: q.Name, For: q.For,
			Invitation: q.Invitation.Show(rooms.InvitationPrefix), Code: q.Reason, At: instant(q.CreatedAt), Ends: instant(q.Ends),
			Inside: stands.Uses > 0 && stands.RevokedAt == 0, Guest: stands.Name})
	}
	return v, err
}

// replaced is the invitation in whose place a new link would come.
func (p *Pages) replaced(c echo.Context, q tokens.Request) (tokens.Invitation, error) {
	ctx := c.Request().Context()
	inv, err := p.Invitations.Store.ByID(ctx, q.Invitation)
	if err != nil {
		return inv, err
	}
	return p.Invitations.Newest(ctx, inv)
}

// Answer answers POST /requests/{id}/answer: it makes a new link, and shows it
// with all that is done with one.
func (p *Pages) Answer(c echo.Context, h host) error {
	ctx := c.Request().Context()
	r, inv, err := p.Invitations.FindRequest(ctx, h.Caller(), c.Param("id"))
	if err != nil {
		return err
	}
	wish, err := renewal(c, inv)
	if err != nil {
		return err
	}
	next, err := p.Invitations.Answer(ctx, h.Caller(), r, inv, wish, true)
	if err != nil {
		return err
	}
	return p.changed(c, next, "?did=answered&request="+r.ID.Show(rooms.RequestPrefix))
}

// AnswerBeside answers POST /requests/{id}/invite: it invites who asks beside who
// is in by the link.
func (p *Pages) AnswerBeside(c echo.Context, h host) error {
	ctx := c.Request().Context()
	r, inv, err := p.Invitations.FindRequest(ctx, h.Caller(), c.Param("id"))
	if err != nil {
		return err
	}
	wish, err := renewal(c, inv)
	if err != nil {
		return err
	}
	next, err := p.Invitations.AnswerBeside(ctx, h.Caller(), r, inv, wish)
	if err != nil {
		return err
	}
	return p.changed(c, next, "?did=answered&request="+r.ID.Show(rooms.RequestPrefix))
}

// renewal is what the form of an answer says of the new link.
func renewal(c echo.Context, inv tokens.Invitation) (wish tokens.Renewal, err error) {
	wish.KeepOld = c.FormValue("keep_old") == "true"
	switch wished := c.FormValue("expires"); wished {
	case "":
	case "room":
		wish.ExpiresAt = inv.Room.EndsAt
	default:
		if wish.ExpiresIn, err = rooms.ParseDuration(wished); err != nil {
			return wish, rooms.Invalid{Field: "expires", Detail: err.Error()}
		}
	}
	return wish, nil
}

// answered tells for whom the new link is, to a host who reaches the request.
func (p *Pages) answered(c echo.Context, h host) views.Notice {
	r, _, err := p.Invitations.FindRequest(c.Request().Context(), h.Caller(), c.QueryParam("request"))
	if err != nil || r.Answer == 0 || r.Answer.Show(rooms.InvitationPrefix) != c.Param("id") {
		return views.Notice{}
	}
	return views.Notice{Tone: views.Good, Text: views.NewLinkFor(r.Name)}
}

// Request answers GET /requests/{id}: it is answered on its room's page.
func (p *Pages) Request(c echo.Context, h host) error {
	_, inv, err := p.Invitations.FindRequest(c.Request().Context(), h.Caller(), c.Param("id"))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/rooms/"+url.PathEscape(inv.Room.Slug))
}

// Dismiss answers POST /requests/{id}/dismiss.
func (p *Pages) Dismiss(c echo.Context, h host) error {
	r, inv, err := p.Invitations.FindRequest(c.Request().Context(), h.Caller(), c.Param("id"))
	if err != nil {
		return err
	}
	if err := p.Invitations.Dismiss(c.Request().Context(), h.Caller(), r, inv); err != nil {
		return err
	}
	return p.back(c, inv.Room, "dismissed&request="+r.ID.Show(rooms.RequestPrefix))
}

// Recall answers POST /requests/{id}/recall, which undoes a dismissal.
func (p *Pages) Recall(c echo.Context, h host) error {
	r, inv, err := p.Invitations.FindRequest(c.Request().Context(), h.Caller(), c.Param("id"))
	if err != nil {
		return err
	}
	err = p.Invitations.Recall(c.Request().Context(), h.Caller(), r, inv)
	switch {
	case errors.Is(err, tokens.ErrConflict):
		return p.back(c, inv.Room, "toolate")
	case err != nil:
		return err
	}
	return p.back(c, inv.Room, "")
}

// AllowMove answers POST /invitations/{id}/moves: one more change of device.
func (p *Pages) AllowMove(c echo.Context, h host) error {
	inv, err := p.invitation(c, h)
	if err != nil {
		return err
	}
	if inv, err = p.Invitations.AllowMove(c.Request().Context(), h.Caller(), inv); err != nil {
		return err
	}
	return p.changed(c, inv, "?did=move-allowed")
}
