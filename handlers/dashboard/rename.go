package dashboard

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/tokens"
	"admitone/views"
)

// Rename answers POST /invitations/{id}: whom it is for.
func (p *Pages) Rename(c echo.Context, h host) error {
	inv, err := p.invitation(c, h)
	if err != nil {
		return err
	}
	typed := views.Rename{Name: c.FormValue("name"), Email: inv.Email, Errors: views.Errors{}}
	if c.Request().PostForm.Has("email") {
		typed.Email = c.FormValue("email")
	}
	_, err = p.Invitations.Change(c.Request().Context(), h.Caller(), inv, tokens.Change{Name: &typed.Name, Email: &typed.Email})
	switch {
	case errors.Is(err, tokens.ErrSuperseded), errors.Is(err, tokens.ErrConflict):
		return p.toInvitation(c, inv, "?did=toolate")
	case refused(err, typed.Errors):
		return p.invitationPage(c, h, http.StatusUnprocessableEntity, inv, nil, &typed)
	case err != nil:
		return err
	}
	return p.toInvitation(c, inv, "?did=renamed")
}
