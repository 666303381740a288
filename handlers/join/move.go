package join

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// Offer answers POST of a room's move: the press that shows a code by which
// another device takes this one's place. Nothing has moved yet.
func (p *Pages) Offer(c echo.Context) error {
	if err := own(c.Request()); err != nil {
		return err
	}
	in, err := p.reenter(c, false)
	if err != nil {
		return err
	}
	browser := p.Doors.Browser(c)
	if !tokens.GoodPageNonce(browser, c.FormValue("nonce"), in.Invitation.ID) {
		return ErrNoNonce
	}
	code, until, err := p.Invitations.OfferMove(c.Request().Context(), in, browser)
	if errors.Is(err, tokens.ErrNoMoves) {
		return p.Unmoved(c) // the page it leads to says so
	}
	if err != nil {
		return err
	}
	room := in.Invitation.Room
	session.Speak(c, in.Invitation.Locale, room.Locale)
	return session.Render(c, http.StatusOK, views.MoveCodePage(views.MoveCode{Live: live(c, room), Page: views.Page{Title: room.Name, Now: p.Now()},
		Room: room.Name, Code: code, Address: p.Invitations.Links.Base + "/m", Until: time.UnixMilli(until),
		Back: p.admittedPath(c), State: moveState(c)}))
}

func moveState(c echo.Context) string {
	return (&url.URL{Path: "/join/" + c.Param("room") + "/move/state", RawQuery: c.QueryString()}).RequestURI()
}

// watched is where the page of those who are in asks whether another device went
// on; empty where its stream tells.
func watched(c echo.Context, room rooms.Room) string {
	if room.Backend == "" {
		return ""
	}
	return moveState(c)
}

// moveDoor is the way to another device for whoever is in.
func (p *Pages) moveDoor(c echo.Context, in tokens.Admitted) *views.MoveDoor {
	return &views.MoveDoor{Action: (&url.URL{Path: "/join/" + c.Param("room") + "/move", RawQuery: c.QueryString()}).RequestURI(),
		Nonce: tokens.PageNonce(p.Doors.Browser(c), in.Invitation.ID), Spent: !in.Invitation.MayMove()}
}

func (p *Pages) admittedPath(c echo.Context) string {
	return (&url.URL{Path: "/join/" + c.Param("room") + "/admitted", RawQuery: c.QueryString()}).RequestURI()
}

// Unmoved answers GET of a room's move, which shows a code to a press alone.
func (p *Pages) Unmoved(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, p.admittedPath(c))
}

// MoveState answers a page that asks whether this device is still the one that
// is in: "here", "moved", or "over" where its page no longer stands.
func (p *Pages) MoveState(c echo.Context) error {
	_, err := p.reenter(c, false)
	var refused tokens.Refusal
	switch {
	case err == nil:
		return c.String(http.StatusOK, "here")
	case errors.Is(err, tokens.ErrMoved):
		return c.String(http.StatusOK, "moved")
	case errors.As(err, &refused):
		return c.String(http.StatusOK, "over")
	}
	return err
}

// MoveQR answers with the picture of a code's address. It looks nothing up.
func (p *Pages) MoveQR(c echo.Context) error {
	code := tokens.MoveCode(c.Param("code"))
	if code == "" {
		return echo.ErrNotFound
	}
	qr, err := tokens.ShortQR(p.Invitations.Links.Base + "/m/" + code)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "image/svg+xml", qr.SVG())
}

// TypeMove answers GET of the page where the code is typed, and leads on to the
// code's own.
func (p *Pages) TypeMove(c echo.Context) error {
	typed := c.QueryParam("code")
	if typed == "" {
		return p.entry(c, http.StatusOK, "", nil)
	}
	if code := tokens.MoveCode(typed); code != "" {
		return c.Redirect(http.StatusSeeOther, "/m/"+code)
	}
	return p.entry(c, http.StatusUnprocessableEntity, typed, tokens.ErrMoveCode)
}

func (p *Pages) entry(c echo.Context, status int, typed string, wrong error) error {
	v := views.MoveEntry{Page: views.Page{Now: p.Now()}, Code: typed}
	switch {
	case errors.Is(wrong, tokens.ErrMoveCode):
		v.Wrong = views.Says("move.wrong")
	case errors.Is(wrong, tokens.ErrNoMoves):
		v.Wrong = views.Says("move.spent")
	}
	return session.Render(c, status, views.MoveEntryPage(v))
}

// ShowMove answers GET of a code: who goes on here, and where. It uses nothing up.
func (p *Pages) ShowMove(c echo.Context) error { return p.move(c, p.Invitations.ShowMove) }

// TakeMove answers POST of a code: the press by which this device takes the
// place of the one that shows the code.
func (p *Pages) TakeMove(c echo.Context) error {
	if err := own(c.Request()); err != nil {
		return err
	}
	browser, nonce := p.Doors.Browser(c), c.FormValue("nonce")
	if browser == "" || nonce == "" {
		return ErrNoNonce
	}
	return p.move(c, func(ctx context.Context, code, browser string) (tokens.Admitted, bool, error) {
		in, here, err := p.Invitations.ShowMove(ctx, code, browser)
		if err != nil || here {
			return in, here, err
		}
		if !tokens.GoodPageNonce(browser, nonce, in.Invitation.ID) {
			return in, false, ErrNoNonce
		}
		in, err = p.Invitations.TakeMove(ctx, code, browser)
		return in, err == nil, err
	})
}

// move asks what a code leads to, and leads on to the room where this browser is in.
func (p *Pages) move(c echo.Context, ask func(context.Context, string, string) (tokens.Admitted, bool, error)) error {
	browser := p.Doors.Browser(c)
	in, here, err := ask(c.Request().Context(), c.Param("code"), browser)
	if errors.Is(err, tokens.ErrNoMoveCode) {
		err = p.guessed(c, err)
	}
	switch {
	case errors.Is(err, tokens.ErrMoveCode):
		return p.entry(c, http.StatusNotFound, "", err)
	case errors.Is(err, tokens.ErrNoMoves):
		return p.entry(c, http.StatusConflict, "", err)
	case err != nil:
		return err
	}
	room := in.Invitation.Room
	if here {
		to := "/join/" + room.Slug + "/admitted"
		if in.Admission.Role == tokens.Host {
			to += "?as=host"
		}
		return c.Redirect(http.StatusSeeOther, to)
	}
	if browser == "" {
		browser = p.Doors.Introduce(c)
	}
	session.Speak(c, in.Invitation.Locale, room.Locale)
	return session.Render(c, http.StatusOK, views.MoveHerePage(views.MoveHere{Page: views.Page{Title: room.Name, Now: p.Now()},
		Action: c.Request().URL.Path, Nonce: tokens.PageNonce(browser, in.Invitation.ID), Room: room.Name, Name: in.Admission.Name,
		Role: string(in.Admission.Role), Until: time.UnixMilli(in.Admission.Until(room))}))
}
