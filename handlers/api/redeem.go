package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// Inspect answers POST /invitations/inspect; it consumes nothing.
func (a *API) Inspect(c echo.Context) error {
	caller, err := session.Asking(c, oauth.Redeem)
	if err != nil {
		return err
	}
	var in struct {
		Token string `json:"token"`
	}
	if err := decode(c, &in, false); err != nil {
		return err
	}
	inv, err := guessed(a, c, caller, in.Token, func() (tokens.Invitation, error) {
		return a.Invitations.Look(c.Request().Context(), caller.Caller, in.Token)
	})
	if err != nil {
		return err
	}
	now := a.Now().UnixMilli()
	var refused tokens.Reason
	if err := a.Invitations.Admits(c.Request().Context(), inv); err != nil && !errors.As(err, &refused) {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, map[string]any{
		"state": inv.State(now), "room": map[string]string{"id": inv.Room.ID.Show(rooms.RoomPrefix), "slug": inv.Room.Slug, "name": inv.Room.Name},
		"invitation": inv.ID.Show(rooms.InvitationPrefix), "role": inv.Role, "name": text(inv.Name), "not_before": moment(inv.NotBefore),
		"expires_at": moment(inv.ExpiresAt), "uses": inv.Uses, "max_uses": inv.MaxUses, "redeemable": refused.Code == "", "reason": text(refused.Code),
	})
}

// Redeem answers POST /invitations/redeem, for gates and kiosks that admit
// people themselves.
func (a *API) Redeem(c echo.Context) error {
	caller, err := session.Asking(c, oauth.Redeem)
	if err != nil {
		return err
	}
	var in struct {
		Token string `json:"token"`
		Nonce string `json:"nonce"`
		Room  string `json:"room"`
		Name  string `json:"name"`
		PIN   string `json:"pin"`
	}
	if err := decode(c, &in, false); err != nil {
		return err
	}
	if err := tokens.CheckNonce(in.Nonce); err != nil {
		return err
	}
	if in.Room != "" {
		r, err := a.Rooms.Find(c.Request().Context(), caller.Caller, in.Room)
		if errors.Is(err, rooms.ErrNotFound) {
			return rooms.Invalid{Field: "room", Detail: "is no room of yours"}
		} else if err != nil {
			return err
		}
		in.Room = r.Slug
	}
	out, err := guessed(a, c, caller, in.Token, func() (tokens.Admitted, error) {
		return a.Invitations.Redeem(c.Request().Context(), tokens.Redemption{Link: in.Token, Room: in.Room, Nonce: in.Nonce, Name: in.Name, PIN: in.PIN,
			Actor: caller.Actor, Reaches: caller.Reaches})
	})
	if err != nil {
		return err
	}
	session.Note(c, "invitation", out.Invitation.ID.Show(rooms.InvitationPrefix))
	shown, err := a.full(c.Request().Context(), caller, out.Invitation)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	adm := out.Admission
	return c.JSON(http.StatusOK, map[string]any{
		"admission": map[string]any{"id": adm.ID.Show(rooms.AdmissionPrefix), "until": moment(adm.Until(out.Invitation.Room)),
			"created_at": moment(adm.CreatedAt), "name": text(adm.Name), "role": adm.Role},
		"invitation": shown, "join_url": text(out.JoinLink),
	})
}

// guessed is session.Guessed for a call that must name a link.
func guessed[T any](a *API, c echo.Context, caller session.Caller, link string, ask func() (T, error)) (T, error) {
	var none T
	if link == "" {
		return none, rooms.Invalid{Field: "token", Detail: "is a JWT, a short code or a whole link"}
	}
	return session.Guessed(c, a.Guesses, a.Invitations.Links, caller.Actor, link, ask)
}
