package join

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/views"
)

const requestPath = "/request"

// Request answers POST of a refused link's request: the press that asks the
// host for a new link. It leads back to the refusal, which says how that stands.
func (p *Pages) Request(c echo.Context) error {
	browser, _, err := p.pressed(c)
	if err != nil {
		return err
	}
	_, _, err = p.show(c)
	var refused tokens.Refusal
	switch {
	case err == nil, errors.Is(err, tokens.ErrNotYet), errors.Is(err, tokens.ErrMoved):
		return c.Redirect(http.StatusSeeOther, looked(c)) // there is nothing to ask for
	case !errors.As(err, &refused):
		return err
	}
	var reason tokens.Reason
	var many hosts.TooMany
	var invalid rooms.Invalid
	if !errors.As(err, &reason) {
		return err
	}
	if errors.As(p.Asks.Allowed(hosts.Source(c.RealIP())), &many) {
		session.RetryAfter(c, many.Wait)
		return p.Refuse(c, http.StatusTooManyRequests, reason.Code, refused, many.Wait)
	}
	err = p.Invitations.Ask(c.Request().Context(), refused, browser, c.FormValue("name"))
	if errors.As(err, &invalid) {
		return p.Refuse(c, http.StatusUnprocessableEntity, reason.Code, errors.Join(refused, invalid), 0)
	}
	if err != nil {
		return err
	}
	p.Asks.Failed(hosts.Source(c.RealIP()))
	return c.Redirect(http.StatusSeeOther, looked(c))
}

// looked is where a GET finds the link of the address, without what was posted to.
func looked(c echo.Context) string {
	u := c.Request().URL
	return (&url.URL{Path: strings.TrimSuffix(u.Path, requestPath), RawQuery: u.RawQuery}).RequestURI()
}

// ask is the form of a refusal by which its browser asks for a new link, or how
// that stands; nil where there is nothing to ask for, and for who came by a move
// code, which leads to no link.
func (p *Pages) ask(c echo.Context, err error) *views.Ask {
	var refused tokens.Refusal
	if !errors.As(err, &refused) || !tokens.MayRequest(err) || strings.HasPrefix(strings.ToLower(c.Request().URL.Path), "/m/") {
		return nil
	}
	browser := p.Doors.Browser(c)
	standing, failed := p.Invitations.Standing(c.Request().Context(), refused.Invitation, browser)
	if failed != nil {
		return nil // the refusal is told also where nothing can be asked
	}
	if browser == "" {
		browser = p.Doors.Introduce(c)
	}
	v := &views.Ask{Nonce: tokens.PageNonce(browser, refused.Invitation.ID), Standing: string(standing), Name: c.FormValue("name"), Errors: views.Errors{}}
	var invalid rooms.Invalid
	if errors.As(err, &invalid) {
		v.Errors[invalid.Field] = views.Invalid(invalid.Detail)
	}
	u := *c.Request().URL
	u.Path = strings.TrimSuffix(u.Path, requestPath) + requestPath
	if v.Action = u.RequestURI(); link(c) == "" {
		// The pages of those who are in know the invitation by its cookie: there is no link in the address.
		v.Action = "/i/" + p.Invitations.Links.Code(refused.Invitation.ID) + requestPath
	}
	return v
}
