package dashboard

import (
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/views"
)

// ErrAnotherHost is for a page of the door that was drawn for another host than is
// signed in by now: what it sends is not this one's doing.
var ErrAnotherHost = errors.New("another host is signed in than the one whose page this is; open the door again")

// Door answers GET /rooms/{room}/door, the page of a host who lets people in
// that show their codes.
func (p *Pages) Door(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	return p.door(c, h, r, http.StatusOK, nil)
}

// AtDoor answers POST /rooms/{room}/door: what becomes of a code that was shown
// there, or of undoing that. A refusal is an answer like any other.
func (p *Pages) AtDoor(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	by := h.Caller()
	if c.FormValue("host") != by.Owner {
		return ErrAnotherHost
	}
	scan := tokens.Redemption{Link: strings.Join(strings.Fields(c.FormValue("code")), ""), Room: r.Slug, Nonce: c.FormValue("nonce"), PIN: c.FormValue("pin"),
		Actor: by.Actor, Reaches: by.Reaches, AtDoor: true}
	if err := tokens.CheckNonce(scan.Nonce); err != nil {
		return err
	}
	v := views.Verdict{Slug: r.Slug, Host: by.Owner, Link: scan.Link, Nonce: scan.Nonce, Now: p.Now()}
	undo := c.FormValue("undo") != ""
	if noted, err := strconv.ParseInt(c.FormValue("noted"), 10, 64); err == nil && noted > 0 && !undo {
		v.Noted, scan.Noted = instant(min(noted, v.Now.UnixMilli())), true
	}
	status, err := p.judge(c, scan, undo, &v)
	if err != nil {
		return err
	}
	if fragment(c) {
		return session.Render(c, status, views.VerdictCard(v))
	}
	return p.door(c, h, r, status, &v)
}

// judge carries the scan out, or undoes it, and puts down what came of it.
func (p *Pages) judge(c echo.Context, scan tokens.Redemption, undo bool, v *views.Verdict) (status int, err error) {
	ctx := c.Request().Context()
	v.Code = "admitted"
	if undo {
		v.Code = "returned"
	}
	out, err := session.Guessed(c, p.Guesses, p.Invitations.Links, scan.Actor, scan.Link, func() (tokens.Admitted, error) {
		if !undo {
			return p.Invitations.Redeem(ctx, scan)
		}
		inv, err := p.Invitations.Undo(ctx, scan)
		return tokens.Admitted{Invitation: inv}, err
	})
	inv, status := out.Invitation, http.StatusOK
	var refused tokens.Refusal
	var reason tokens.Reason
	var many hosts.TooMany
	switch {
	case err == nil:
		v.Name, v.Undo = out.Admission.Name, !undo
	case undo && errors.Is(err, tokens.ErrConflict):
		v.Code = "late"
	case errors.As(err, &many):
		v.Code, status = "too_many_requests", http.StatusTooManyRequests
		session.RetryAfter(c, many.Wait)
	case errors.As(err, &reason):
		v.Code = reason.Code
		if errors.As(err, &refused) {
			inv = refused.Invitation
		}
	default:
		return 0, err
	}
	if !undo {
		session.Note(c, "redeem", v.Code)
	}
	if inv.ID != 0 {
		session.Note(c, "invitation", inv.ID.Show(rooms.InvitationPrefix))
		about(v, inv, reason)
	}
	return status, nil
}

// about puts down whose invitation it is.
func about(v *views.Verdict, inv tokens.Invitation, reason tokens.Reason) {
	if v.Name == "" {
		v.Name = inv.Name
	}
	v.Role, v.Room, v.Left, v.MaxUses = string(inv.Role), inv.Room.Name, inv.MaxUses-inv.Uses, inv.MaxUses
	switch reason {
	case tokens.ErrUsed:
		v.At = instant(inv.RedeemedAt)
	case tokens.ErrNotYet:
		v.At = instant(tokens.Refusal{Invitation: inv}.OpensAt())
	}
}

// lately is how many of the room's last events are looked through for those at
// its doors, of which lastAtDoor are shown.
const (
	lately     = 200
	lastAtDoor = 10
)

// door draws the page; without the script also with what became of the code that
// was typed.
func (p *Pages) door(c echo.Context, h host, r rooms.Room, status int, v *views.Verdict) error {
	all, err := p.Rooms.Store.Events(c.Request().Context(), r.ID, 0, lately)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(ev audit.Event) bool {
		return ev.Kind != audit.InvitationReturned && ev.Kind != audit.InvitationDoorConflict && (ev.Kind != audit.InvitationRedeemed || ev.Detail != audit.AtDoor)
	})
	all = all[:min(len(all), lastAtDoor)]
	names, err := p.guests(c, all)
	if err != nil {
		return err
	}
	page := views.Door{Page: p.frame(c, h, ""), Name: r.Name, Slug: r.Slug, Owner: h.Caller().Owner, Nonce: rand.Text(), Verdict: v}
	for _, ev := range all {
		page.Lately = append(page.Lately, p.line(c, ev, names))
	}
	c.Response().Header().Set(session.Devices, "camera=(self)")
	return session.Render(c, status, views.DoorPage(page))
}
