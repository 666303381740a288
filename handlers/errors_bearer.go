package handlers

import (
	"errors"
	"net/http"

	"admitone/handlers/session"
	"admitone/tokens"
	"admitone/tokens/oauth"
	"admitone/views"
)

// challenge is what RFC 6750 (3) wants beside a 401, and beside a 403 where the
// scope is too narrow; for every other refusal it is empty. Who sent no token is
// told of no error.
func (f *failures) challenge(row refusal, err error) string {
	fault := oauth.ErrInvalidToken
	switch {
	case row.status == http.StatusForbidden && row.code == "insufficient_scope":
		words, _ := views.Explain(row.code)
		fault = oauth.Fault{Code: row.code, Detail: words.Meaning}
	case row.status != http.StatusUnauthorized:
		return ""
	case errors.Is(err, session.ErrNoBearer) || !errors.As(asFault(err), &fault):
		return `Bearer realm="AdmitOne"`
	}
	return `Bearer error="` + fault.Code + `", error_description="` + fault.Detail + `", error_uri="` + f.base + "/problems/" + fault.Code + `"` + lacking(err)
}

// lacking names the scope that would do, where that is known (RFC 6750, 3.1).
func lacking(err error) string {
	var l session.Lacking
	switch {
	case errors.As(err, &l):
		return `, scope="` + string(l.Scope) + `"`
	case errors.Is(err, tokens.ErrRoleBarred):
		return `, scope="` + string(oauth.InvitationsHost) + `"`
	}
	return ""
}
