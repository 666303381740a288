package dashboard

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/tokens/oauth"
	"admitone/views"
)

// AppList answers GET /account/apps. An admin sees the apps of all others a page
// at a time.
func (p *Pages) AppList(c echo.Context, h host) error {
	usual := oauth.Scopes{oauth.RoomsRead, oauth.RoomsWrite, oauth.InvitationsRead, oauth.InvitationsWrite}
	return p.appList(c, h, http.StatusOK, views.AppForm{Scopes: views.Scopes{Chosen: scopeTexts(usual)}})
}

func (p *Pages) appList(c echo.Context, h host, status int, form views.AppForm) error {
	all, err := p.Doors.Apps.Apps(c.Request().Context(), h)
	if err != nil {
		return err
	}
	v := views.Apps{Page: p.frame(c, h, ""), Form: form}
	v.Form.Scopes.All = scopeTexts(oauth.Offered())
	for _, l := range all {
		a := app(l)
		if len(l.Grants) > 0 {
			v.Allowed = append(v.Allowed, a)
		}
		a.Allowed, a.Since = nil, instant(0) // told above
		if l.Mine {
			v.Made = append(v.Made, a)
		}
	}
	after, err := oauth.ParsePlace(c.QueryParam("after"))
	if err != nil {
		return err
	}
	others, err := p.Doors.Apps.Others(c.Request().Context(), h, after, perPage+1)
	if err != nil {
		return err
	}
	if len(others) > perPage {
		others = others[:perPage]
		v.Next = "/account/apps?after=" + others[perPage-1].Place().String()
	}
	for _, l := range others {
		v.Others = append(v.Others, app(l))
	}
	v.Later = after != oauth.Place{}
	return session.Render(c, status, views.AppsPage(v))
}

// app is an app as pages show one, with what the host allowed it.
func app(l oauth.Listed) views.App {
	a := views.App{ID: l.ID, Name: l.Name, Website: l.Website, Redirects: l.Redirects, Scopes: scopeTexts(l.Scopes), Public: l.Public, Owner: l.Owner,
		Made: instant(l.CreatedAt), Used: instant(l.UsedAt)}
	for _, s := range oauth.All() {
		for _, g := range l.Grants {
			if g.Scopes.Has(s) {
				a.Allowed = append(a.Allowed, string(s))
				break
			}
		}
	}
	for _, g := range l.Grants {
		if at := instant(g.CreatedAt); a.Since.IsZero() || at.Before(a.Since) {
			a.Since = at
		}
	}
	return a
}

// MakeApp answers POST /account/apps.
func (p *Pages) MakeApp(c echo.Context, h host) error {
	f := views.AppForm{Name: c.FormValue("name"), Website: c.FormValue("website"), Redirects: c.FormValue("redirects"), Public: c.FormValue("kind") == "public", Errors: views.Errors{}}
	scopes := chosenScopes(c, f.Errors)
	if len(f.Errors) == 0 {
		made, secret, err := p.Doors.Apps.Register(c.Request().Context(), &h, oauth.Draft{Name: f.Name, Website: f.Website, Redirects: perLine(f.Redirects), Scopes: scopes.String(), Public: f.Public})
		if err == nil {
			c.Response().Header().Set("Location", "/account/apps/"+made.ID)
			return p.appDetail(c, h, http.StatusCreated, made.ID, views.Errors{}, secret)
		}
		if !refusedApp(err, f.Errors) {
			return err
		}
	}
	f.Scopes = views.Scopes{Chosen: scopeTexts(scopes), Wrong: f.Errors["scope"]}
	return p.appList(c, h, http.StatusUnprocessableEntity, f)
}

// refusedApp puts the refusal of an app beside its field, and reports whether
// err was one.
func refusedApp(err error, errs views.Errors) bool {
	var fault oauth.Fault
	switch {
	case !errors.As(err, &fault):
		return false
	case fault == oauth.ErrNoRedirect:
		errs["redirects"] = views.Says("apps.no-redirect")
	case fault.Code == oauth.ErrInvalidRedirect.Code:
		errs["redirects"] = views.Says("apps.wrong-redirect")
	case fault.Code == oauth.ErrInvalidScope.Code:
		errs["scope"] = views.Says("scopes.none")
	case strings.HasPrefix(fault.Detail, "client_name"):
		errs["name"] = views.Says("apps.wrong-name")
	default:
		errs["website"] = views.Says("apps.wrong-website")
	}
	return true
}

// perLine are the texts of a field that takes one a line.
func perLine(text string) (out []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// AppDetail answers GET /account/apps/{app}.
func (p *Pages) AppDetail(c echo.Context, h host) error {
	return p.appDetail(c, h, http.StatusOK, c.Param("app"), views.Errors{}, "")
}

// appDetail is the app's page, with a secret that was made just now or "": it
// stands in the answer to the form that made it, and nowhere else.
func (p *Pages) appDetail(c echo.Context, h host, status int, id string, errs views.Errors, secret string) error {
	l, err := p.Doors.Apps.App(c.Request().Context(), h, id)
	if err != nil {
		return err
	}
	v := views.AppDetail{Page: p.frame(c, h, ""), App: app(l), Governed: l.Governs(h)}
	v.Limit = views.Scopes{All: scopeTexts(oauth.Offered()), Chosen: v.App.Scopes, Wrong: errs["scope"]}
	if secret != "" {
		v.Secret = &views.Secret{What: l.Name, Text: secret, At: "/account/apps/" + l.ID}
	}
	if v.Did, err = p.did(c, h, l.ID); err != nil {
		return err
	}
	return session.Render(c, status, views.AppPage(v))
}

// LimitApp answers POST /account/apps/{app}/scopes.
func (p *Pages) LimitApp(c echo.Context, h host) error {
	errs := views.Errors{}
	scopes := chosenScopes(c, errs)
	if len(errs) > 0 {
		return p.appDetail(c, h, http.StatusUnprocessableEntity, c.Param("app"), errs, "")
	}
	if err := p.Doors.Apps.Limit(c.Request().Context(), h, c.Param("app"), scopes); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/account/apps/"+c.Param("app")+"?did=app-limited")
}

// NewAppSecret answers POST /account/apps/{app}/secret.
func (p *Pages) NewAppSecret(c echo.Context, h host) error {
	secret, err := p.Doors.Apps.NewSecret(c.Request().Context(), h, c.Param("app"))
	if err != nil {
		return err
	}
	return p.appDetail(c, h, http.StatusOK, c.Param("app"), views.Errors{}, secret)
}

// RemoveApp answers POST /account/apps/{app}/remove.
func (p *Pages) RemoveApp(c echo.Context, h host) error {
	if err := p.Doors.Apps.Remove(c.Request().Context(), h, c.Param("app")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/account/apps?did=app-removed")
}

// WithdrawApp answers POST /account/apps/{app}/withdraw.
func (p *Pages) WithdrawApp(c echo.Context, h host) error {
	ctx, id := c.Request().Context(), c.Param("app")
	if _, err := p.Doors.Apps.App(ctx, h, id); err != nil {
		return err
	}
	if err := p.Doors.Apps.Disallow(ctx, h, id); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/account/apps?did=app-withdrawn")
}
