package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/api"
	"admitone/handlers/dashboard"
	"admitone/handlers/join"
	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/conference"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/mail"
	"admitone/tokens/oauth"
	"admitone/views"
)

// refusal is a row of the one table: what was refused, and how that is told.
type refusal struct {
	err    error
	code   string
	status int
	page   int // status on a page where it differs
}

func table() []refusal {
	return []refusal{
		{session.ErrCrossSite, "cross_site", http.StatusForbidden, 0},
		{join.ErrNoNonce, "no_nonce", http.StatusForbidden, 0},
		{tokens.ErrInvalidLink, tokens.ErrInvalidLink.Code, http.StatusUnprocessableEntity, http.StatusNotFound},
		{tokens.ErrWrongRoom, tokens.ErrWrongRoom.Code, http.StatusForbidden, 0},
		{tokens.ErrSuperseded, tokens.ErrSuperseded.Code, http.StatusGone, 0},
		{tokens.ErrRevoked, tokens.ErrRevoked.Code, http.StatusGone, 0},
		{tokens.ErrRoomClosed, tokens.ErrRoomClosed.Code, http.StatusGone, 0},
		{tokens.ErrMoved, tokens.ErrMoved.Code, http.StatusGone, 0},
		{tokens.ErrUsed, tokens.ErrUsed.Code, http.StatusConflict, 0},
		{tokens.ErrExpired, tokens.ErrExpired.Code, http.StatusGone, 0},
		{tokens.ErrNotYet, tokens.ErrNotYet.Code, http.StatusForbidden, 0},
		{tokens.ErrPINRequired, tokens.ErrPINRequired.Code, http.StatusForbidden, 0},
		{tokens.ErrPINWrong, tokens.ErrPINWrong.Code, http.StatusForbidden, 0},
		{tokens.ErrWaiting, tokens.ErrWaiting.Code, http.StatusForbidden, 0},
		{tokens.ErrRoomFull, tokens.ErrRoomFull.Code, http.StatusConflict, 0},

		{hosts.ErrCredentials, "invalid_credentials", http.StatusUnauthorized, 0},
		{hosts.ErrBadToken, "invalid_credentials", http.StatusUnauthorized, 0},
		{session.ErrNoBearer, "invalid_credentials", http.StatusUnauthorized, 0},
		{api.ErrKey, "invalid_credentials", http.StatusForbidden, 0},
		{hosts.ErrTokenExpired, "token_expired", http.StatusUnauthorized, 0},
		{hosts.ErrMissingTwoFactor, "missing_two_factor", http.StatusUnauthorized, 0},
		{hosts.ErrInvalidTwoFactor, "invalid_two_factor", http.StatusBadRequest, 0},
		{hosts.ErrTwoFactorRequired, "forbidden", http.StatusForbidden, 0},
		{hosts.ErrTwoFactorOn, "conflict", http.StatusConflict, 0},
		{session.ErrScope, "insufficient_scope", http.StatusForbidden, 0},
		{rooms.ErrNotAdmin, "insufficient_scope", http.StatusForbidden, 0},
		{tokens.ErrRoleBarred, "insufficient_scope", http.StatusForbidden, 0},

		{rooms.ErrNotFound, "not_found", http.StatusNotFound, 0},
		{tokens.ErrNotFound, "not_found", http.StatusNotFound, 0},
		{tokens.ErrNoDate, "not_found", http.StatusNotFound, 0},
		{rooms.ErrSlugTaken, "conflict", http.StatusConflict, 0},
		{tokens.ErrConflict, "conflict", http.StatusConflict, 0},
		{mail.ErrOff, "conflict", http.StatusConflict, 0},
		{dashboard.ErrAnotherHost, "conflict", http.StatusConflict, 0},
		{rooms.ErrSlugBarred, "invalid_request", http.StatusUnprocessableEntity, 0},
		{api.ErrNotJSON, "invalid_request", http.StatusBadRequest, 0},
		{api.ErrMediaType, "unsupported_media_type", http.StatusUnsupportedMediaType, 0},
		{api.ErrTooLarge, "content_too_large", http.StatusRequestEntityTooLarge, 0},
		{conference.ErrUnreachable, "unavailable", http.StatusServiceUnavailable, 0},
		{rooms.ErrCrowded, "too_many_requests", http.StatusTooManyRequests, 0},
		{rooms.ErrUnavailable, "unavailable", http.StatusServiceUnavailable, 0},

		{oauth.ErrInvalidRequest, oauth.ErrInvalidRequest.Code, http.StatusBadRequest, 0},
		{oauth.ErrInvalidClient, oauth.ErrInvalidClient.Code, http.StatusUnauthorized, http.StatusBadRequest},
		{oauth.ErrInvalidGrant, oauth.ErrInvalidGrant.Code, http.StatusBadRequest, 0},
		{oauth.ErrUnauthorizedClient, oauth.ErrUnauthorizedClient.Code, http.StatusBadRequest, 0},
		{oauth.ErrUnsupportedGrantType, oauth.ErrUnsupportedGrantType.Code, http.StatusBadRequest, 0},
		{oauth.ErrUnsupportedResponseType, oauth.ErrUnsupportedResponseType.Code, http.StatusBadRequest, 0},
		{oauth.ErrInvalidScope, oauth.ErrInvalidScope.Code, http.StatusBadRequest, 0},
		{oauth.ErrAccessDenied, oauth.ErrAccessDenied.Code, http.StatusBadRequest, 0},
		{oauth.ErrInvalidRedirect, oauth.ErrInvalidRedirect.Code, http.StatusBadRequest, 0},
		{oauth.ErrInvalidMetadata, oauth.ErrInvalidMetadata.Code, http.StatusBadRequest, 0},
		{oauth.ErrInvalidToken, oauth.ErrInvalidToken.Code, http.StatusUnauthorized, 0},
	}
}

// What Echo's own refusals say.
var (
	errNoAddress = errors.New("there is no such address; see /docs")
	errNoMethod  = errors.New("this address does not take that method; the header Allow names those it takes")
)

// statusGoneAway is for the log: the caller left before the answer, and nobody reads it.
const statusGoneAway = 499

// lookUp is the table's row for an error, also for those that carry more than
// their name; what nobody foresaw is our own fault.
func lookUp(err error) refusal {
	rows := table()
	if i := slices.IndexFunc(rows, func(r refusal) bool { return errors.Is(err, r.err) }); i >= 0 {
		return rows[i]
	}
	var invalid rooms.Invalid
	var many hosts.TooMany
	var large *http.MaxBytesError
	var web *echo.HTTPError
	switch {
	case errors.Is(err, context.Canceled):
		return refusal{err, "gone_away", statusGoneAway, 0}
	case errors.As(err, &invalid):
		return refusal{invalid, "invalid_request", http.StatusUnprocessableEntity, 0}
	case errors.As(err, &many):
		return refusal{err, "too_many_requests", http.StatusTooManyRequests, 0}
	case errors.As(err, &large):
		return refusal{err, "content_too_large", http.StatusRequestEntityTooLarge, 0}
	case errors.As(err, &web) && web.Code == http.StatusNotFound:
		return refusal{errNoAddress, "not_found", web.Code, 0}
	case errors.As(err, &web) && web.Code == http.StatusMethodNotAllowed:
		return refusal{errNoMethod, "method_not_allowed", web.Code, 0}
	case errors.As(err, &web) && web.Code < http.StatusInternalServerError:
		return refusal{err, "invalid_request", http.StatusBadRequest, 0}
	}
	return refusal{err, "internal_error", http.StatusInternalServerError, 0}
}

// failures tells refusals: to programs as problem+json (RFC 9457), to people as pages.
type failures struct {
	base  string
	guest *join.Pages
	doors *session.Doors
	log   *slog.Logger
	now   func() time.Time
}

// answer is Echo's error handler.
func (f *failures) answer(err error, c echo.Context) {
	if c.Response().Committed || err == nil {
		return
	}
	row := lookUp(err)
	if row.status == statusGoneAway {
		c.Response().Status = statusGoneAway
		return
	}
	if row.status == http.StatusInternalServerError || row.status == http.StatusServiceUnavailable {
		f.log.ErrorContext(c.Request().Context(), "failed", "request", session.Noted(c, "request"), "route", c.Path(), "error", err.Error())
	}
	wait := time.Duration(0)
	var many hosts.TooMany
	switch {
	case errors.As(err, &many):
		wait = many.Wait
	case errors.Is(err, conference.ErrUnreachable), errors.Is(err, rooms.ErrCrowded):
		wait = conference.Timeout
	case row.status == http.StatusServiceUnavailable:
		wait = time.Second
	}
	if wait > 0 {
		session.RetryAfter(c, wait)
	}
	path := c.Request().URL.Path
	to := leadBack(c, row)
	switch {
	case to != "":
		err = c.Redirect(http.StatusSeeOther, to)
	case forGuests(path):
		if errors.Is(row.err, errNoAddress) { // what is left of a link
			err, row = tokens.ErrInvalidLink, lookUp(tokens.ErrInvalidLink)
		}
		err = f.guest.Refuse(c, row.forPages(), row.code, err, wait)
	case path == session.AskPath && errors.As(err, new(oauth.Fault)):
		err = f.unasked(c, row, err)
	case forApps(path):
		err = f.oauthJSON(c, row, err)
	case forPrograms(path), path == "/healthz", path == "/readyz", path == "/metrics", path == "/openapi.json":
		err = f.problemJSON(c, row, err)
	default:
		v := views.Failure{Page: f.page(c, ""), Status: row.forPages(), Code: row.code, RequestID: session.Noted(c, "request"), RetryAfter: wait}
		if v.Guest = row.status == http.StatusNotFound && v.Page.Host == ""; v.Guest {
			session.ToGuests(c) // perhaps somebody's link was spoilt on its way
		}
		err = session.Render(c, v.Status, views.ErrorPage(v))
	}
	if err != nil {
		f.log.ErrorContext(c.Request().Context(), "could not tell a refusal", "request", session.Noted(c, "request"), "error", err.Error())
	}
}

// forGuests tells whether the address is one of a link, of those who are in, or of a change of device.
func forGuests(path string) bool {
	return path == "/m" || strings.HasPrefix(strings.ToLower(path), "/m/") || strings.HasPrefix(path, "/join/") || strings.HasPrefix(strings.ToLower(path), "/i/")
}

// forApps tells whether the address is called by OAuth's clients, Mastodon's among them.
func forApps(path string) bool {
	return forPrograms(path) && (!strings.HasPrefix(path, "/api/") || path == "/api/v1/apps" || path == "/api/v1/apps/verify_credentials")
}

// forPrograms tells whether the address is called by programs, with a bearer or with an app's own secret.
func forPrograms(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/oauth/") && path != session.AskPath || strings.HasPrefix(path, "/.well-known/")
}

// page is the frame of a page that is nobody's, with the way back for a host who
// is signed in.
func (f *failures) page(c echo.Context, title string) views.Page {
	v := views.Page{Title: title, Now: f.now()}
	if h, err := f.doors.Visiting(c); err == nil {
		v.Host, v.Admin, v.NoSignOut = h.Shown(), h.Admin, f.doors.Open
		c.Response().Header().Set("Cache-Control", "no-store")
	}
	return v
}

func (r refusal) forPages() int {
	if r.page != 0 {
		return r.page
	}
	return r.status
}

// problem is the answer's body. Detail is for people and may change; Code is
// for programs and does not.
type problem struct {
	Type       string        `json:"type"`
	Title      string        `json:"title"`
	Status     int           `json:"status"`
	Detail     string        `json:"detail"`
	Code       string        `json:"code"`
	Reason     string        `json:"reason,omitempty"` // the name under which older texts know it
	Errors     []memberError `json:"errors,omitempty"`
	RedeemedAt string        `json:"redeemed_at,omitempty"`
	OpensAt    string        `json:"opens_at,omitempty"`
	Error      string        `json:"error,omitempty"` // detail again, in MiroTalk's member
	RequestID  string        `json:"request_id,omitempty"`
}

type memberError struct {
	Row    int    `json:"row,omitempty"` // of a list, from 1
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (f *failures) problemJSON(c echo.Context, row refusal, err error) error {
	words, _ := views.Explain(row.code)
	p := problem{Type: f.base + "/problems/" + row.code, Title: words.Title, Status: row.status, Detail: words.Meaning, Code: row.code,
		RequestID: session.Noted(c, "request")}
	if row.err != nil && row.status < http.StatusInternalServerError {
		p.Detail = sentence(row.err.Error())
	}
	var fault oauth.Fault
	if errors.As(asFault(err), &fault) {
		p.Reason = fault.Reason
	}
	wrong := rooms.Wrong(err)
	var refused tokens.Refusal
	var rows tokens.RowErrors
	switch {
	case errors.As(err, &rows):
		for _, row := range rows {
			for _, invalid := range row.Wrong() {
				p.Errors = append(p.Errors, memberError{row.Row, invalid.Field, invalid.Detail})
			}
		}
	case len(wrong) > 0:
		for _, invalid := range wrong {
			p.Errors = append(p.Errors, memberError{0, invalid.Field, invalid.Detail})
		}
	case errors.Is(err, rooms.ErrSlugBarred):
		p.Errors = []memberError{{0, "slug", rooms.ErrSlugBarred.Error()}}
	case errors.As(err, &refused) && errors.Is(err, tokens.ErrUsed):
		p.RedeemedAt = time.UnixMilli(refused.Invitation.RedeemedAt).UTC().Format(time.RFC3339)
	case errors.As(err, &refused) && errors.Is(err, tokens.ErrNotYet):
		p.OpensAt = time.UnixMilli(refused.OpensAt()).UTC().Format(time.RFC3339)
	}
	h := c.Response().Header()
	var script api.MiroTalkError
	switch {
	case errors.Is(err, api.ErrKey):
		h.Set("Cache-Control", "no-store")
		return c.JSON(row.status, map[string]string{"error": "Unauthorized!"}) // MiroTalk's very answer
	case errors.As(err, &script):
		p.Error = p.Detail
	}
	if said := f.challenge(row, err); said != "" {
		h.Set("WWW-Authenticate", said)
	}
	if errors.Is(err, hosts.ErrMissingTwoFactor) {
		h.Set(session.CodeHeader, "required; app")
	}
	h.Set("Cache-Control", "no-store")
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return c.Blob(row.status, "application/problem+json", body)
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// problem answers GET /problems/{code}: what a code means, and what to do.
func (f *failures) problem(c echo.Context) error {
	code := c.Param("code")
	words, ok := views.Explain(code)
	if !ok {
		return echo.ErrNotFound
	}
	status := 0
	for _, row := range table() {
		if row.code == code {
			status = row.status
			break
		}
	}
	return session.Render(c, http.StatusOK, views.ProblemPage(views.Problem{Page: f.page(c, words.Title), Code: code,
		Title: words.Title, Meaning: words.Meaning, Remedy: words.Remedy, Former: views.Former(code), Status: status}))
}

// docs answers GET /docs: the calls there are, out of the OpenAPI document.
func (f *failures) docs(c echo.Context) error {
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(api.Document(), &doc); err != nil {
		return err
	}
	groups := map[string][]views.DocCall{}
	for path, methods := range doc.Paths {
		for method, raw := range methods {
			var call struct {
				Summary string   `json:"summary"`
				Tags    []string `json:"tags"`
				Scopes  []string `json:"x-required-scopes"`
			}
			if json.Unmarshal(raw, &call) != nil || call.Summary == "" || len(call.Tags) == 0 {
				continue
			}
			groups[call.Tags[0]] = append(groups[call.Tags[0]], views.DocCall{Method: strings.ToUpper(method), Path: path, Summary: call.Summary, Scope: strings.Join(call.Scopes, " ")})
		}
	}
	v := views.Docs{Page: f.page(c, "API")}
	for name, calls := range groups {
		slices.SortFunc(calls, func(a, b views.DocCall) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
		v.Groups = append(v.Groups, views.DocGroup{Name: name, Calls: calls})
	}
	slices.SortFunc(v.Groups, func(a, b views.DocGroup) int { return strings.Compare(a.Name, b.Name) })
	return session.Render(c, http.StatusOK, views.DocsPage(v))
}
