package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// registration is an app as it registers itself (RFC 7591, 2); members that are
// not here are ignored. A list is nil where it was not given.
type registration struct {
	Redirects []string `json:"redirect_uris"`
	Name      string   `json:"client_name"`
	Website   string   `json:"client_uri,omitempty"`
	Method    string   `json:"token_endpoint_auth_method"`
	Grants    []string `json:"grant_types"`
	Responses []string `json:"response_types"`
	Scope     string   `json:"scope"`
}

// registered is the answer: the app as it is known now.
type registered struct {
	ID       string `json:"client_id"`
	IssuedAt int64  `json:"client_id_issued_at"`
	Secret   string `json:"client_secret,omitempty"`
	Expires  int64  `json:"client_secret_expires_at"` // never, which is 0
	registration
}

// Register answers POST /oauth/register: an app that nobody here made.
func (e *Endpoints) Register(c echo.Context) error {
	noStore(c)
	in, err := described(c)
	if err != nil {
		return err
	}
	app, secret, err := e.register(c, oauth.Draft{Name: in.Name, Website: in.Website, Redirects: in.Redirects, Scopes: in.Scope, Public: in.Method == none, PKCE: true})
	if err != nil {
		return err
	}
	in.Redirects, in.Name, in.Website, in.Scope = list(app.Redirects), app.Name, app.Website, app.Scopes.String()
	return c.JSON(http.StatusCreated, registered{ID: app.ID, IssuedAt: app.CreatedAt / 1000, Secret: secret, registration: in})
}

// register adds an app that nobody here made. So many come from one address, and
// from one site, at once, and then slowly.
func (e *Endpoints) register(c echo.Context, d oauth.Draft) (oauth.Client, string, error) {
	address := c.RealIP()
	back, err := e.Registered.Take(hosts.Source(address))
	if err != nil {
		return oauth.Client{}, "", err
	}
	siteBack, err := e.Sites.Take(hosts.Site(address))
	if err != nil {
		back()
		return oauth.Client{}, "", err
	}
	app, secret, err := e.Apps.Register(c.Request().Context(), nil, d)
	if err != nil && !errors.As(err, new(hosts.TooMany)) { // to ask whether there is room costs something
		back()
		siteBack()
	}
	return app, secret, err
}

// described reads a registration and fills in what it leaves out.
func described(c echo.Context) (in registration, err error) {
	kind, text, err := body(c.Request())
	if err != nil {
		return in, err
	}
	if kind != echo.MIMEApplicationJSON {
		return in, invalid("The body is application/json.")
	}
	members, err := object(text)
	if err != nil {
		return in, err
	}
	for name, into := range map[string]any{"client_name": &in.Name, "client_uri": &in.Website, "token_endpoint_auth_method": &in.Method,
		"grant_types": &in.Grants, "response_types": &in.Responses, "scope": &in.Scope} {
		if raw, given := members[name]; given && json.Unmarshal(raw, into) != nil {
			return in, metadataFault(name + " is of another kind.")
		}
	}
	if raw, given := members["redirect_uris"]; given && json.Unmarshal(raw, &in.Redirects) != nil {
		return in, redirectFault("redirect_uris is a list of texts.")
	}
	return in, in.complete()
}

func (r *registration) complete() error {
	if r.Method == "" {
		r.Method = basic
	}
	if r.Grants == nil {
		r.Grants = []string{codeGrant}
	}
	if r.Responses == nil {
		r.Responses = []string{}
		if slices.Contains(r.Grants, codeGrant) {
			r.Responses = []string{"code"}
		}
	}
	codes := slices.Contains(r.Grants, codeGrant)
	switch {
	case !slices.Contains(methods(), r.Method):
		return metadataFault("token_endpoint_auth_method is client_secret_basic, client_secret_post or none.")
	case len(r.Grants) == 0 || !within(r.Grants, grants()):
		return metadataFault("grant_types are authorization_code, client_credentials and refresh_token.")
	case !within(r.Responses, []string{"code"}) || codes != slices.Contains(r.Responses, "code"):
		return metadataFault("response_types is code where grant_types has authorization_code.")
	case r.Method == none && slices.Contains(r.Grants, clientGrant):
		return metadataFault("An app without a secret cannot act by itself.")
	case codes && len(r.Redirects) == 0:
		return redirectFault("redirect_uris is missing.")
	}
	if r.Name == "" {
		r.Name = r.host()
	}
	return nil
}

// host is what an app is called that says no name: where it lives.
func (r *registration) host() string {
	for _, at := range append([]string{r.Website}, r.Redirects...) {
		if u, err := url.Parse(at); err == nil && u.Hostname() != "" {
			return u.Hostname()
		}
	}
	return ""
}

func within(list, all []string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(all, s) })
}

func metadataFault(detail string) error {
	return oauth.Fault{Code: oauth.ErrInvalidMetadata.Code, Detail: detail}
}

func redirectFault(detail string) error {
	return oauth.Fault{Code: oauth.ErrInvalidRedirect.Code, Detail: detail, Reason: oauth.ErrInvalidRedirect.Reason}
}

// list is never null in JSON.
func list(all []string) []string { return append([]string{}, all...) }

// application is an app in Mastodon's shape. Its secret is there only when the
// app is made.
type application struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Website   *string      `json:"website"`
	Scopes    oauth.Scopes `json:"scopes"`
	Redirect  string       `json:"redirect_uri"` // all of them, one a line
	Redirects []string     `json:"redirect_uris"`

	ClientID string `json:"client_id,omitempty"`
	Secret   string `json:"client_secret,omitempty"`
	Expires  *int64 `json:"client_secret_expires_at,omitempty"`
}

func show(app oauth.Client) application {
	out := application{ID: app.ID, Name: app.Name, Scopes: app.Scopes, Redirect: strings.Join(app.Redirects, "\n"), Redirects: list(app.Redirects)}
	if app.Website != "" {
		out.Website = &app.Website
	}
	return out
}

// RegisterApp answers POST /api/v1/apps, as Mastodon does.
func (e *Endpoints) RegisterApp(c echo.Context) error {
	noStore(c)
	d, err := drafted(c)
	if err != nil {
		return err
	}
	if len(d.Redirects) == 0 {
		return redirectFault("redirect_uris is missing.")
	}
	app, secret, err := e.register(c, d)
	if err != nil {
		return err
	}
	out := show(app)
	out.ClientID, out.Secret, out.Expires = app.ID, secret, new(int64)
	return c.JSON(http.StatusOK, out)
}

// drafted reads what Mastodon's clients send: lists are texts with white space
// in them, JSON arrays, or fields that come again under a name with brackets.
func drafted(c echo.Context) (d oauth.Draft, err error) {
	kind, text, err := body(c.Request())
	if err != nil {
		return d, err
	}
	lists := map[string][]string{}
	if kind == echo.MIMEApplicationForm {
		all, err := url.ParseQuery(string(text))
		if err != nil {
			return d, invalid("The body cannot be read.")
		}
		for name, values := range all {
			single, many := strings.CutSuffix(name, "[]")
			if lists[single] != nil || !many && len(values) > 1 {
				return d, twice()
			}
			lists[single] = values
		}
	} else {
		members, err := object(text)
		if err != nil {
			return d, err
		}
		for _, name := range []string{"client_name", "redirect_uris", "scopes", "website"} {
			var one *string
			var many []string
			switch {
			case members[name] == nil:
			case json.Unmarshal(members[name], &one) == nil:
				if one != nil {
					many = []string{*one}
				}
			case json.Unmarshal(members[name], &many) != nil:
				return d, invalid(name + " is of another kind.")
			}
			lists[name] = many
		}
	}
	d.Name, d.Website = strings.Join(lists["client_name"], " "), strings.Join(lists["website"], " ")
	d.Redirects = strings.Fields(strings.Join(lists["redirect_uris"], "\n"))
	d.Scopes = strings.Join(lists["scopes"], " ")
	return d, nil
}

// VerifyApp answers GET /api/v1/apps/verify_credentials: which app sent this
// access token, also where it acts for nobody.
func (e *Endpoints) VerifyApp(c echo.Context) error {
	app, err := e.Doors.App(c)
	if err != nil {
		return err
	}
	noStore(c)
	return c.JSON(http.StatusOK, show(app))
}
