package dashboard

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// Enter answers POST /rooms/{room}/enter: the host goes in, as one.
func (p *Pages) Enter(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	browser := p.Doors.Browser(c)
	if browser == "" {
		browser = p.Doors.Introduce(c)
	}
	in, err := p.HostDoor.Enter(c.Request().Context(), h.Caller(), r, h.Shown(), browser, p.Doors.Own(c), true)
	if err != nil {
		return err
	}
	session.Note(c, "invitation", in.Invitation.ID.Show(rooms.InvitationPrefix))
	return c.Redirect(http.StatusSeeOther, "/join/"+r.Slug+"/admitted?as=host")
}

// inside is who is in the room's conference, or was handed over to it.
func (p *Pages) inside(c echo.Context, r rooms.Room, v *views.People) error {
	here, told, err := p.Lobby.Inside(c.Request().Context(), r)
	if err != nil {
		return err
	}
	v.Here, v.Entered, v.Stays = session.People(here, 0).Here, !told, !p.Backends.Can(r).Removes
	return nil
}

// remaining is what is to be known about whom the invitation let in before it
// was withdrawn; nil where that is nobody.
func (p *Pages) remaining(c echo.Context, inv tokens.Invitation) (*views.Remaining, error) {
	if inv.Withdrawn() == nil {
		return nil, nil //nolint:nilnil // there is nothing to tell, which is no error
	}
	until, entered, err := p.Invitations.Remaining(c.Request().Context(), inv)
	if err != nil || !entered {
		return nil, err
	}
	v := &views.Remaining{Removes: p.Backends.Can(inv.Room).Removes}
	if until > p.Now().UnixMilli() {
		v.Until = instant(until)
	}
	return v, nil
}
