package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
	"admitone/views"
)

// kept are the parameters of a request that the consent page sends back.
var kept = []string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "response_mode", "force_login", again}

// again is a parameter of ours: when a host was asked to sign in once more, in
// Unix milliseconds. An app that sets it asks for less than it could leave out.
const again = "asked_at"

// Authorize answers GET /oauth/authorize. Until the redirect address can be
// trusted, refusals are shown here; then they are for the app.
func (e *Endpoints) Authorize(c echo.Context) error {
	noStore(c)
	p, err := query(c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	a, err := e.asked(c, p)
	if err != nil {
		return e.wrong(c, a, p, err)
	}
	h, err := e.Doors.Host(c)
	switch {
	case errors.Is(err, session.ErrSignedOut):
		return e.signIn(c, p, false)
	case errors.Is(err, hosts.ErrTwoFactorRequired):
		return c.Redirect(http.StatusSeeOther, "/account/second-factor")
	case err != nil:
		return e.wrong(c, a, p, err)
	case forced(p) && !e.since(c, p[again]):
		return e.signIn(c, p, true)
	case !forced(p) && c.Request().Method == http.MethodGet:
		before, err := e.Apps.Remembered(c.Request().Context(), h, a)
		switch {
		case err != nil:
			return e.wrong(c, a, p, err)
		case before:
			return e.allow(c, h, a)
		}
	}
	return e.consent(c, h, a, p)
}

// asked is the request that the parameters make.
func (e *Endpoints) asked(c echo.Context, p params) (oauth.Asked, error) {
	a, err := e.Apps.Ask(c.Request().Context(), oauth.Request{ClientID: p["client_id"], Redirect: p["redirect_uri"], ResponseType: p["response_type"],
		Scope: p["scope"], State: p["state"], Challenge: p["code_challenge"], Method: p["code_challenge_method"]})
	switch {
	case err != nil && a.Redirect == "" && p["client_id"] == "" && errors.Is(err, oauth.ErrInvalidClient):
		return a, absent("client_id")
	case err == nil && p["response_mode"] != "" && p["response_mode"] != "query":
		return a, oauth.Fault{Code: oauth.ErrInvalidRequest.Code, Detail: "response_mode is query.", Reason: "invalid_param"}
	}
	return a, err
}

// signIn leads to the sign-in, and from there back. With afresh it is asked for
// also of who is signed in.
func (e *Endpoints) signIn(c echo.Context, p params, afresh bool) error {
	q, to := url.Values{}, url.Values{}
	for _, name := range kept {
		if p[name] != "" {
			q.Set(name, p[name])
		}
	}
	if forced(p) {
		q.Set(again, strconv.FormatInt(e.Now().UnixMilli(), 10))
	}
	if afresh {
		to.Set("again", "true")
	}
	if p[views.LanguageParameter] != "" {
		to.Set(views.LanguageParameter, p[views.LanguageParameter])
	}
	to.Set("next", session.AskPath+"?"+q.Encode())
	return c.Redirect(http.StatusSeeOther, "/signin?"+to.Encode())
}

// forced tells whether the app wants a sign-in of now. Mastodon takes for a yes
// whatever is not a no.
func forced(p params) bool {
	no := p["force_login"]
	return no != "" && no != "false" && no != "0"
}

// since tells whether this browser's sign-in began after that moment.
func (e *Endpoints) since(c echo.Context, text string) bool {
	at, err := strconv.ParseInt(text, 10, 64)
	return err == nil && e.Doors.Own(c).Millis() >= at
}

// consent asks the host.
func (e *Endpoints) consent(c echo.Context, h hosts.Host, a oauth.Asked, p params) error {
	proof, err := e.Doors.Proof(c)
	if err != nil {
		return e.wrong(c, a, p, err)
	}
	v := views.Consent{Page: views.Page{Now: e.Now(), Host: h.Shown(), Admin: h.Admin}, App: a.Client.Name, Website: a.Client.Website,
		Host: h.Shown(), Maker: a.Client.Owner, Mine: a.Client.Owner == h.Username, Redirect: shown(a.Redirect), Proof: proof}
	if v.Maker != "" && !v.Mine {
		switch maker, err := e.Apps.Directory.ByName(c.Request().Context(), v.Maker); {
		case err == nil:
			v.Maker = maker.Shown()
		case !errors.Is(err, rooms.ErrNotFound):
			return e.wrong(c, a, p, err)
		}
	}
	for _, s := range a.Scopes {
		v.Scopes = append(v.Scopes, string(s))
	}
	for _, name := range kept {
		if p[name] != "" {
			v.Fields = append(v.Fields, views.HiddenField{Name: name, Value: p[name]})
		}
	}
	session.AllowApp(c, a.Redirect)
	return session.Render(c, http.StatusOK, views.ConsentPage(v))
}

// shown is where the answer goes, as people read it: empty for a page of ours.
func shown(redirect string) string {
	u, err := url.Parse(redirect)
	switch {
	case err != nil || redirect == oauth.OOB:
		return ""
	case u.Host != "":
		return u.Host
	}
	return u.Scheme + ":"
}

// Decide answers POST /oauth/authorize, the press on the consent page. What came
// with it is looked at as if it came for the first time.
func (e *Endpoints) Decide(c echo.Context) error {
	noStore(c)
	kind, text, err := body(c.Request())
	if err != nil {
		return err
	}
	if kind != echo.MIMEApplicationForm {
		return invalid("The body is a form.")
	}
	p, err := query(string(text))
	if err != nil {
		return err
	}
	h, err := e.Doors.Host(c)
	switch {
	case errors.Is(err, session.ErrSignedOut):
		return e.signIn(c, p, false)
	case err != nil:
		return err
	}
	a, err := e.asked(c, p)
	if err != nil {
		return e.wrong(c, a, p, err)
	}
	proven, err := e.Doors.Proven(c, p["proof"])
	switch {
	case err != nil:
		return e.wrong(c, a, p, err)
	case !proven:
		return session.ErrCrossSite
	case p["decision"] == "deny":
		return e.answer(c, a, "", oauth.ErrAccessDenied)
	case p["decision"] != "allow":
		return invalid("decision is allow or deny.")
	}
	return e.allow(c, h, a)
}

// allow gives the code.
func (e *Endpoints) allow(c echo.Context, h hosts.Host, a oauth.Asked) error {
	code, err := e.Apps.Allow(c.Request().Context(), h, a)
	return e.answer(c, a, code, err)
}

// answer tells the app the code, or the refusal. What must not go to it is
// returned, to be shown here.
func (e *Endpoints) answer(c echo.Context, a oauth.Asked, code string, err error) error {
	fault, named := faultOf(err)
	page := views.Page{Now: e.Now()}
	switch {
	case err != nil && (a.Redirect == "" || !named):
		return err
	case a.Redirect == oauth.OOB && err != nil && fault.Code != oauth.ErrAccessDenied.Code:
		return err
	case a.Redirect == oauth.OOB:
		return session.Render(c, http.StatusOK, views.ConsentCodePage(views.ConsentCode{Page: page, App: a.Client.Name, Code: code}))
	}
	return c.Redirect(http.StatusSeeOther, e.address(a, code, fault))
}

// faultOf is a refusal as an app may be told of it. What has no name in OAuth is not.
func faultOf(err error) (fault oauth.Fault, named bool) {
	if errors.Is(err, rooms.ErrUnavailable) {
		return oauth.Fault{Code: "temporarily_unavailable", Detail: "The database does not answer. Try again."}, true
	}
	return fault, errors.As(err, &fault)
}

// address is where the app is told the code, or without one the refusal (RFC 6749,
// 4.1.2; RFC 9207).
func (e *Endpoints) address(a oauth.Asked, code string, fault oauth.Fault) string {
	q := url.Values{"iss": {e.Base}}
	if a.State != "" {
		q.Set("state", a.State)
	}
	if code != "" {
		q.Set("code", code)
		return with(a.Redirect, q)
	}
	q.Set("error", fault.Code)
	q.Set("error_uri", e.Base+"/problems/"+fault.Code)
	for name, value := range map[string]string{"error_description": fault.Detail, "reason": fault.Reason} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return with(a.Redirect, q)
}

// with adds parameters to an address and leaves what it has as it is.
func with(address string, q url.Values) string {
	switch {
	case !strings.Contains(address, "?"):
		address += "?"
	case !strings.HasSuffix(address, "?") && !strings.HasSuffix(address, "&"):
		address += "&"
	}
	return address + q.Encode()
}
