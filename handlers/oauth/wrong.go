package oauth

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/tokens/oauth"
	"admitone/views"
)

// wrong tells of a request that cannot be put before the host. It sends nobody to
// an app that anybody can have registered, unless who is signed in allowed that
// app before (RFC 9700, 4.11.2): a page of ours says it, and leads there by a link.
func (e *Endpoints) wrong(c echo.Context, a oauth.Asked, p params, err error) error {
	if a.Redirect == "" || a.Redirect == oauth.OOB || a.Client.Owner != "" {
		return e.answer(c, a, "", err)
	}
	h, out := e.Doors.Host(c)
	if errors.Is(out, session.ErrSignedOut) {
		return e.signIn(c, p, false)
	}
	if out == nil {
		known, missing := e.Apps.Known(c.Request().Context(), h, a.Client)
		if known && missing == nil {
			return e.answer(c, a, "", err)
		}
	}
	var fault oauth.Fault
	if !errors.As(err, &fault) {
		return err
	}
	return session.Render(c, http.StatusBadRequest, views.ConsentRefusedPage(views.ConsentRefused{
		Page: views.Page{Now: e.Now(), Host: h.Shown(), Admin: h.Admin}, Status: http.StatusBadRequest, Code: fault.Code, Detail: fault.Detail,
		Back: e.address(a, "", fault), BackTo: shown(a.Redirect)}))
}
