package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
	"admitone/views"
)

// oauthError is a refusal as OAuth's clients read it (RFC 6749, 5.2). Reason is
// the name under which older texts know it.
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri"`
	Reason      string `json:"reason,omitempty"`
}

// oauthJSON tells a refusal at the authorization server's addresses.
func (f *failures) oauthJSON(c echo.Context, row refusal, err error) error {
	words, _ := views.Explain(row.code)
	out := oauthError{Error: oauthCode(row), Description: words.Meaning}
	var fault oauth.Fault
	if errors.As(asFault(err), &fault) {
		out.Description, out.Reason = fault.Detail, fault.Reason
		if out.Description == "" {
			out.Description = words.Meaning
		}
	}
	out.URI = f.base + "/problems/" + out.Error
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	switch {
	case row.status == http.StatusUnauthorized && out.Error == oauth.ErrInvalidToken.Code:
		h.Set("WWW-Authenticate", f.challenge(row, err))
	case row.status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Basic realm="AdmitOne", charset="UTF-8"`)
	}
	return c.JSON(row.status, out)
}

// asFault is the refusal of a bearer's token in OAuth's words (RFC 6750, 3.1);
// every other error is as it was.
func asFault(err error) error {
	switch {
	case errors.Is(err, hosts.ErrTokenExpired):
		return oauth.ErrTokenExpired
	case errors.Is(err, hosts.ErrBadToken), errors.Is(err, session.ErrNoBearer):
		return oauth.ErrInvalidToken
	}
	return err
}

// oauthCode is the refusal's name in OAuth, whose own names are few.
func oauthCode(row refusal) string {
	var fault oauth.Fault
	if errors.As(asFault(row.err), &fault) {
		return fault.Code
	}
	switch row.status {
	case http.StatusInternalServerError:
		return "server_error"
	case http.StatusServiceUnavailable:
		return "temporarily_unavailable"
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge:
		return oauth.ErrInvalidRequest.Code
	}
	return row.code
}

// unasked tells a host what was wrong with an app's request for leave, where
// the app must not be told.
func (f *failures) unasked(c echo.Context, row refusal, err error) error {
	var fault oauth.Fault
	errors.As(err, &fault)
	return session.Render(c, row.forPages(), views.ConsentRefusedPage(views.ConsentRefused{Page: f.page(c, ""), Status: row.forPages(),
		Code: fault.Code, Detail: fault.Detail}))
}
