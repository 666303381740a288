package join

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
)

// genuine returns the invitation that the address's link names if the link was
// made here, looking nothing up. Any other is a guess: ErrInvalidLink, and
// hosts.TooMany after some. No guess keeps a genuine link out.
func (p *Pages) genuine(c echo.Context) (rooms.ID, error) {
	id, _, err := p.Invitations.Links.Read(c.Request().Context(), link(c))
	switch {
	case errors.Is(err, tokens.ErrInvalidLink):
		return 0, p.guessed(c, err)
	case errors.Is(err, tokens.ErrWrongRoom):
		return id, nil // told by whoever looks the invitation up
	}
	return id, err
}

// guessed counts a guess of the caller's address and returns its refusal, or
// hosts.TooMany.
func (p *Pages) guessed(c echo.Context, refusal error) error {
	from := hosts.Source(c.RealIP())
	if err := p.Guesses.Allowed(from); err != nil {
		return err
	}
	p.Guesses.Failed(from)
	return refusal
}

// pressed is the browser that pressed the button of a link's page, and that
// page's nonce: the press came from the very page that this browser was given.
func (p *Pages) pressed(c echo.Context) (browser, nonce string, err error) {
	browser, nonce = p.Doors.Browser(c), c.FormValue("nonce")
	if err := own(c.Request()); err != nil {
		return "", "", err
	}
	if browser == "" || nonce == "" {
		return "", "", ErrNoNonce
	}
	id, err := p.genuine(c)
	if err != nil {
		return "", "", err
	}
	if !tokens.GoodPageNonce(browser, nonce, id) {
		return "", "", ErrNoNonce
	}
	return browser, nonce, nil
}

func prefetch(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Sec-Purpose")+r.Header.Get("Purpose")+r.Header.Get("X-Moz"), "prefetch")
}

// own refuses a press that another site made, or nobody. A page without a
// referrer, as ours is, sends "Origin: null" where the browser sends no
// Sec-Fetch-Site, which it does not over plain http: then cookie and nonce
// alone decide, which no other site has.
func own(r *http.Request) error {
	if prefetch(r) {
		return session.ErrCrossSite
	}
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "null" {
		return nil
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return session.ErrCrossSite
	}
	return nil
}
