// Package join is what a guest meets: the page of a link, the press that
// redeems it, and the page of those who are in.
//
// Looking never uses anything up; only a press on our own page does.
package join

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/conference"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/views"
)

// ErrNoNonce refuses a press without the cookie and nonce that our page gave.
var ErrNoNonce = errors.New("the press came without what our page gave this browser")

// Pages answers the guests' addresses.
type Pages struct {
	Doors       *session.Doors
	Invitations *tokens.Invitations
	Invites     *session.Invites
	Directory   *hosts.Directory
	Backends    *conference.Backends
	Lobby       *tokens.Lobby
	Watcher     *rooms.Watcher
	Stop        <-chan struct{} // closed when the server stops
	// Guesses slows down addresses that offer links which were never ours.
	Guesses *hosts.Buckets
	// Asks slows down addresses that ask for new links.
	Asks *hosts.Buckets
	Now  func() time.Time
}

// Header sets what every link page sends: nothing of it is kept, indexed,
// framed, or told to others, and it speaks to guests.
func (p *Pages) Header(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		private(c)
		return next(c)
	}
}

func private(c echo.Context) {
	session.ToGuests(c)
	h := c.Response().Header()
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

// Look answers GET of a link.
func (p *Pages) Look(c echo.Context) error {
	inv, admission, err := p.show(c)
	if err != nil {
		return err
	}
	if c.Request().Method == http.MethodGet && !prefetch(c.Request()) {
		p.Invitations.Opened(c.Request().Context(), inv)
	}
	return p.page(c, http.StatusOK, inv, admission, inv.Name, nil)
}

func (p *Pages) show(c echo.Context) (tokens.Invitation, *tokens.Admission, error) {
	if _, err := p.genuine(c); err != nil {
		return tokens.Invitation{}, nil, err
	}
	return p.Invitations.Show(c.Request().Context(), link(c), c.Param("room"), p.Doors.Browser(c))
}

func (p *Pages) page(c echo.Context, status int, inv tokens.Invitation, admission *tokens.Admission, name string, errs views.Errors) error {
	browser := p.Doors.Browser(c)
	if browser == "" {
		browser = p.Doors.Introduce(c)
	}
	session.Speak(c, inv.Locale, inv.Room.Locale)
	v := views.Join{
		Page: views.Page{Title: inv.Room.Name, Now: p.Now()}, Action: c.Request().URL.RequestURI(),
		Nonce: tokens.PageNonce(browser, inv.ID), Room: inv.Room.Name, Host: p.host(c, inv.Room), Role: string(inv.Role),
		For: inv.Name, Name: name, Until: time.UnixMilli(inv.ExpiresAt), MaxUses: inv.MaxUses, AsksPIN: inv.PIN != "" && admission == nil, Calendar: p.calendar(inv), Errors: errs,
		Elsewhere: p.elsewhere(inv.ID),
	}
	if admission != nil {
		v.Admitted, v.Name, v.Until = true, admission.Name, time.UnixMilli(admission.Until(inv.Room))
		v.Elsewhere = nil // who is in goes on with a move
	}
	if admission == nil && inv.Role == tokens.Guest {
		v.SignedInAs, v.Manage = p.manage(c, inv)
	}
	return session.Render(c, status, views.JoinPage(v))
}

// Press answers POST of a link: the press on its page.
func (p *Pages) Press(c echo.Context) error {
	browser, nonce, err := p.pressed(c)
	if err != nil {
		return err
	}
	out, err := p.Invitations.Redeem(c.Request().Context(), tokens.Redemption{Link: link(c), Room: c.Param("room"), Nonce: nonce, Browser: browser,
		Name: c.FormValue("name"), PIN: c.FormValue("pin"), Actor: audit.Actor{Kind: audit.Guest}})
	var invalid rooms.Invalid
	var many hosts.TooMany
	switch {
	case errors.Is(err, tokens.ErrPINRequired):
		session.Note(c, "redeem", tokens.ErrPINRequired.Code)
		return p.again(c, http.StatusForbidden, "pin", views.Says("join.pin-required"))
	case errors.Is(err, tokens.ErrPINWrong):
		session.Note(c, "redeem", tokens.ErrPINWrong.Code)
		return p.again(c, http.StatusForbidden, "pin", views.Says("join.pin-wrong"))
	case errors.As(err, &many):
		session.RetryAfter(c, many.Wait)
		session.Note(c, "redeem", "too_many_requests")
		return p.again(c, http.StatusTooManyRequests, "pin", views.Says("join.pin-slow"))
	case errors.As(err, &invalid):
		session.Note(c, "redeem", "invalid_request")
		return p.again(c, http.StatusUnprocessableEntity, invalid.Field, views.Invalid(invalid.Detail))
	case err != nil:
		return err
	}
	session.Note(c, "redeem", "admitted")
	session.Note(c, "invitation", out.Invitation.ID.Show(rooms.InvitationPrefix))
	to := "/join/" + out.Invitation.Room.Slug + "/admitted"
	if out.Admission.Role == tokens.Host {
		to += "?as=host" // pressing a host's link is the choice to enter as one
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// again draws the link's page anew, with what was typed and what is wrong with it.
func (p *Pages) again(c echo.Context, status int, field string, wrong views.Message) error {
	inv, admission, err := p.show(c)
	if err != nil {
		return err
	}
	return p.page(c, status, inv, admission, c.FormValue("name"), views.Errors{field: wrong})
}

// Admitted answers GET of the page of those who are in.
func (p *Pages) Admitted(c echo.Context) error {
	in, err := p.reenter(c, false)
	if err != nil {
		return err
	}
	room := in.Invitation.Room
	session.Speak(c, in.Invitation.Locale, room.Locale)
	provider, err := p.Backends.Provider(room)
	if err != nil {
		return err
	}
	if provider != nil {
		// The press on "Enter" is redirected there, which browsers hold against the policy.
		session.AllowForm(c, provider.Origin())
	}
	if err := p.Invitations.Held(c.Request().Context(), in.Invitation); err != nil {
		return err
	}
	if r := c.Request(); c.QueryParams().Has(ready) && r.Method == http.MethodGet && !prefetch(r) {
		if err := p.Lobby.Answers(r.Context(), room); err != nil {
			return err
		}
	}
	people, err := p.people(c, in)
	if err != nil {
		return err
	}
	return session.Render(c, http.StatusOK, views.AdmittedPage(views.Admitted{People: people,
		Page: views.Page{Title: room.Name, Now: p.Now()}, Room: room.Name, Name: in.Admission.Name, Role: string(in.Admission.Role),
		Until: time.UnixMilli(in.Admission.Until(room)), Conference: room.Backend, Entered: in.Admission.EnteredAt != 0, Action: c.Request().URL.RequestURI(),
		Move: p.moveDoor(c, in), MoveState: watched(c, room), Calendar: p.calendar(in.Invitation),
	}))
}

// Enter answers POST of that page: the press that leads into the conference,
// each time with a fresh join link.
func (p *Pages) Enter(c echo.Context) error {
	if err := own(c.Request()); err != nil {
		return err
	}
	in, err := p.reenter(c, true)
	if err != nil {
		return p.unreached(c, err)
	}
	if in.JoinLink == "" {
		return c.Redirect(http.StatusSeeOther, c.Request().URL.RequestURI())
	}
	return c.Redirect(http.StatusSeeOther, in.JoinLink)
}

func (p *Pages) reenter(c echo.Context, link bool) (tokens.Admitted, error) {
	in, err := p.Invitations.Reenter(c.Request().Context(), c.Param("room"), p.Doors.Browser(c), c.QueryParam("as") == "host", link)
	if errors.Is(err, tokens.ErrNotFound) {
		// A browser that was never let in, or whose admission is over.
		return in, tokens.ErrInvalidLink
	}
	return in, err
}

// Refuse draws a refusal for a guest, with the room and its host where the link
// was genuine.
func (p *Pages) Refuse(c echo.Context, status int, code string, err error, wait time.Duration) error {
	private(c) // also at an address that is almost a link's
	v := views.Refusal{Page: views.Page{Now: p.Now()}, Code: code, Status: status, RetryAfter: wait, Again: looked(c), Ask: p.ask(c, err)}
	var refused tokens.Refusal
	if errors.As(err, &refused) {
		room := refused.Invitation.Room
		session.Speak(c, refused.Invitation.Locale, room.Locale)
		v.Room, v.Host = room.Name, p.host(c, room)
		_, v.Manage = p.manage(c, refused.Invitation)
		switch {
		case errors.Is(err, tokens.ErrUsed):
			v.At = time.UnixMilli(refused.Invitation.RedeemedAt)
		case errors.Is(err, tokens.ErrNotYet):
			v.At, v.Calendar = time.UnixMilli(refused.OpensAt()), p.calendar(refused.Invitation)
			v.For, v.Role = refused.Invitation.Name, string(refused.Invitation.Role)
		case errors.Is(err, tokens.ErrWaiting):
			v.Wait, v.Again = p.wait(c)
			v.For, v.Role = refused.Invitation.Name, string(refused.Invitation.Role)
		}
	}
	if errors.Is(err, ErrNoNonce) && p.Doors.Browser(c) == "" {
		v.Cookieless = true
		if id, _, err := p.Invitations.Links.Read(c.Request().Context(), link(c)); err == nil {
			v.Elsewhere = p.elsewhere(id)
		}
	}
	tryAgain(c, &v)
	return session.Render(c, status, views.RefusalPage(v))
}

// manage is who is signed in with this browser, if that host reaches the
// invitation's room, and the address of the invitation's own page.
func (p *Pages) manage(c echo.Context, inv tokens.Invitation) (as, at string) {
	if h, ok := p.Doors.Visitor(c); ok && h.Caller().Reaches(inv.Room) {
		return h.Shown(), "/invitations/" + inv.ID.Show(rooms.InvitationPrefix)
	}
	return "", ""
}

// host is what the room's host is called to guests.
func (p *Pages) host(c echo.Context, room rooms.Room) string {
	return p.Directory.Called(c.Request().Context(), room.Owner)
}

// link is the link of the address: a short code, or a JWT.
func link(c echo.Context) string {
	if code := c.Param("code"); code != "" {
		return unglued(code)
	}
	token := unglued(c.QueryParam("token"))
	if strings.Count(token, ".") != 2 {
		return "" // a short code is no token, also where one is expected
	}
	return token
}

// unglued leaves out what mail programs and chats take for a part of a link that
// stands at the end of a sentence or in brackets. No link ends like this.
func unglued(link string) string {
	return strings.TrimRight(link, ".,;:!?…'\"’”»)]}> \u3002\uff0c\uff09")
}
