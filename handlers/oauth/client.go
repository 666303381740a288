package oauth

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// client is the app that sends this request, by exactly one of the ways in which
// it can say so (RFC 6749, 2.3). Every other is ErrInvalidClient.
func (e *Endpoints) client(c echo.Context, p params) (oauth.Client, error) {
	id, secret, err := claimed(c, p)
	if err != nil {
		return oauth.Client{}, err
	}
	app, err := e.Apps.Authenticate(c.Request().Context(), id, secret)
	if err != nil {
		return oauth.Client{}, e.guessed(c, id, err)
	}
	return app, nil
}

// claimed is who the request says to be, with what it offers to prove it.
func claimed(c echo.Context, p params) (id, secret string, err error) {
	headers := c.Request().Header.Values(echo.HeaderAuthorization)
	switch {
	case len(headers) > 1:
		return "", "", invalid("The client is authenticated in two ways; choose one.")
	case len(headers) == 1 && (p["client_secret"] != "" || p["client_assertion"] != ""):
		return "", "", invalid("The client is authenticated in two ways; choose one.")
	case len(headers) == 1:
		id, secret, ok := credentials(headers[0])
		switch {
		case !ok:
			return "", "", oauth.ErrInvalidClient
		case p["client_id"] != "" && p["client_id"] != id:
			return "", "", invalid("client_id is another client than the one that is authenticated.")
		}
		return id, secret, nil
	case p["client_assertion"] != "", p["client_id"] == "":
		return "", "", oauth.ErrInvalidClient
	}
	return p["client_id"], p["client_secret"], nil
}

// credentials reads Basic as OAuth has it: both parts are form-encoded (RFC
// 6749, 2.3.1).
func credentials(header string) (id, secret string, ok bool) {
	scheme, text, _ := strings.Cut(header, " ")
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(text))
	first, second, colon := strings.Cut(string(raw), ":")
	if err != nil || !colon || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	id, wrong := url.QueryUnescape(first)
	secret, also := url.QueryUnescape(second)
	return id, secret, wrong == nil && also == nil && id != ""
}

// guessed counts what may be a guess: a wrong secret, code or refresh token. Who
// guesses too often is told to wait; the right one is looked at first and never
// meets this, so that nobody is kept out by others.
func (e *Endpoints) guessed(c echo.Context, id string, err error) error {
	fault, guess := refused(err, oauth.ErrInvalidClient, oauth.ErrInvalidGrant)
	if !guess {
		return err
	}
	key := hosts.Source(c.RealIP())
	if fault != oauth.ErrInvalidClient { // the client is there; invented ones share a count
		key += " " + id
	}
	return e.count(key, err)
}

// count counts a guess and returns its refusal, or TooMany in its place.
func (e *Endpoints) count(key string, refusal error) error {
	if err := e.Guesses.Allowed(key); err != nil {
		return err
	}
	e.Guesses.Failed(key)
	return refusal
}
