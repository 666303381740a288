package oauth

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// Introspect answers POST /oauth/introspect (RFC 7662). Of a token that is not
// good, or not for the client to know of, it says so and nothing more.
func (e *Endpoints) Introspect(c echo.Context) error {
	noStore(c)
	app, token, err := e.about(c)
	if err != nil {
		return err
	}
	var out oauth.Introspection
	if !app.Public && !oauth.IsAccess(token) && !strings.Contains(token, "/") {
		if out, err = e.invitation(c, app, token); err != nil {
			return err
		}
	}
	if !out.Active {
		if out, err = e.Apps.Introspect(c.Request().Context(), app, token); err != nil {
			return err
		}
	}
	if !out.Active {
		if err := e.guessedToken(c, app, token); err != nil {
			return err
		}
	}
	return c.JSON(http.StatusOK, out)
}

// guessedToken counts what may be a guess: a text that is no link or token of
// ours, not even one that ended. What is good was looked at first and never meets
// this.
func (e *Endpoints) guessedToken(c echo.Context, app oauth.Client, token string) error {
	ctx := c.Request().Context()
	if _, _, err := e.Invitations.Links.Read(ctx, token); !errors.Is(err, tokens.ErrInvalidLink) {
		return err
	}
	if known, err := e.Apps.Knows(ctx, token); known || err != nil {
		return err
	}
	return e.count("token "+hosts.Source(c.RealIP())+" "+app.ID, nil)
}

// invitation is what a client whose host reaches the room may know of an
// invitation's token or short code. Active means that it would admit somebody now.
func (e *Endpoints) invitation(c echo.Context, app oauth.Client, token string) (none oauth.Introspection, err error) {
	ctx := c.Request().Context()
	by, err := e.Apps.Acts(ctx, app)
	if _, nobody := refused(err, oauth.ErrUnauthorizedClient); nobody || err == nil && !app.Scopes.Has(oauth.InvitationsRead) {
		return none, nil
	} else if err != nil {
		return none, err
	}
	inv, err := e.Invitations.Look(ctx, by, token)
	if err == nil {
		err = e.Invitations.Admits(ctx, inv)
	}
	var reason tokens.Reason
	switch {
	case errors.As(err, &reason):
		return none, nil
	case err != nil:
		return none, err
	}
	return oauth.Introspection{Active: true, TokenType: "invite+jwt", ID: inv.ID.Show(rooms.InvitationPrefix), Room: inv.Room.Slug, Role: string(inv.Role),
		Expires: (inv.ExpiresAt + 999) / 1000, NotBefore: inv.NotBefore / 1000, IssuedAt: inv.CreatedAt / 1000, Issuer: e.Base,
		Audience: e.Base + "/join/" + inv.Room.Slug}, nil
}
