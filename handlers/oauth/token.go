package oauth

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// granted is the token endpoint's answer (RFC 6749, 5.1). created_at is
// Mastodon's, in Unix seconds.
type granted struct {
	Access    string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"`
	Scope     string `json:"scope"`
	CreatedAt int64  `json:"created_at"`
	Refresh   string `json:"refresh_token,omitempty"`
}

// Token answers POST /oauth/token.
func (e *Endpoints) Token(c echo.Context) error {
	noStore(c)
	p, err := posted(c)
	if err != nil {
		return err
	}
	if _, err := p.need("grant_type"); err != nil {
		return err
	}
	app, err := e.client(c, p)
	if err != nil {
		return err
	}
	t, err := e.grant(c, app, p)
	if err != nil {
		return e.guessed(c, app.ID, err)
	}
	return c.JSON(http.StatusOK, granted{Access: t.Access, Type: "Bearer", ExpiresIn: t.ExpiresAt/1000 - t.CreatedAt/1000,
		Scope: t.Scopes.String(), CreatedAt: t.CreatedAt / 1000, Refresh: t.Refresh})
}

func (e *Endpoints) grant(c echo.Context, app oauth.Client, p params) (oauth.Tokens, error) {
	ctx := c.Request().Context()
	switch p["grant_type"] {
	case codeGrant:
		code, err := p.need("code")
		if err != nil {
			return oauth.Tokens{}, err
		}
		return e.Apps.Exchange(ctx, app, code, p["redirect_uri"], p["code_verifier"])
	case refreshGrant:
		token, err := p.need("refresh_token")
		if err != nil {
			return oauth.Tokens{}, err
		}
		return e.Apps.Refresh(ctx, app, token, p["scope"])
	case clientGrant:
		if app.Owner == "" {
			// Its token opens next to nothing, and each is a row: strangers make no more than a few.
			if _, err := e.Unowned.Take(app.ID); err != nil {
				return oauth.Tokens{}, err
			}
			if _, err := e.Unowned.Take(hosts.Source(c.RealIP())); err != nil {
				return oauth.Tokens{}, err
			}
		}
		return e.Apps.ForItself(ctx, app, p["scope"])
	}
	return oauth.Tokens{}, oauth.ErrUnsupportedGrantType
}

// Revoke answers POST /oauth/revoke (RFC 7009); what is no token is no error.
func (e *Endpoints) Revoke(c echo.Context) error {
	noStore(c)
	app, token, err := e.about(c)
	if err != nil {
		return err
	}
	if err := e.Apps.Revoke(c.Request().Context(), app, token); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct{}{})
}

// about is the token that a client asks about, and the client.
func (e *Endpoints) about(c echo.Context) (app oauth.Client, token string, err error) {
	p, err := posted(c)
	if err != nil {
		return app, "", err
	}
	if app, err = e.client(c, p); err != nil {
		return app, "", err
	}
	token, err = p.need("token")
	return app, token, err
}
