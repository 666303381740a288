package dashboard

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/views"
)

// Enrolling is Signed for the pages about the second factor, which are open also
// to a host who must set one up before anything else.
func (p *Pages) Enrolling(next func(echo.Context, hosts.Host) error) echo.HandlerFunc {
	if p.Doors.Open {
		return echo.NotFoundHandler // there is no sign-in to secure
	}
	return func(c echo.Context) error {
		h, err := p.Doors.Enrolling(c)
		switch {
		case errors.Is(err, session.ErrSignedOut):
			return p.signInFirst(c)
		case err != nil:
			return err
		}
		c.Response().Header().Set("Cache-Control", "no-store")
		return next(c, h)
	}
}

// factorPage is where a second factor is set up.
const factorPage = "/account/second-factor"

// enrolFirst leads a host who must set a second factor up to where that is done.
func (p *Pages) enrolFirst(c echo.Context) error {
	if fragment(c) {
		c.Response().Header().Set("HX-Redirect", factorPage)
		return c.NoContent(http.StatusForbidden)
	}
	return c.Redirect(http.StatusSeeOther, factorPage)
}

// CodePage answers GET /signin/code.
func (p *Pages) CodePage(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	v, err := p.waysOn(c, c.QueryParam("next"))
	switch {
	case errors.Is(err, session.ErrSignedOut):
		return c.Redirect(http.StatusSeeOther, "/signin")
	case err != nil:
		return err
	}
	p.Doors.LeadsOn(c, v.Next)
	return session.Render(c, http.StatusOK, views.CodeStepPage(v))
}

// Code answers POST /signin/code.
func (p *Pages) Code(c echo.Context) error {
	v, err := p.waysOn(c, c.FormValue("next"))
	if err == nil {
		err = p.Doors.SecondFactor(c, c.FormValue("code"))
	}
	p.Doors.LeadsOn(c, v.Next)
	c.Response().Header().Set("Cache-Control", "no-store")
	var many hosts.TooMany
	status := http.StatusUnauthorized
	switch {
	case err == nil:
		session.Note(c, "login", "ok")
		return c.Redirect(http.StatusSeeOther, local(v.Next))
	case errors.Is(err, session.ErrSignedOut):
		return p.late(c, c.FormValue("next"))
	case errors.As(err, &many):
		status, v.RetryAfter = http.StatusTooManyRequests, many.Wait
		session.RetryAfter(c, many.Wait)
		session.Note(c, "login", "too_many")
	case errors.Is(err, hosts.ErrInvalidTwoFactor), errors.Is(err, hosts.ErrMissingTwoFactor):
		v.Wrong = true
		session.Note(c, "login", "wrong")
	default:
		return err
	}
	return session.Render(c, status, views.CodeStepPage(v))
}

// codeStep leads a host whose password was right on to the code.
func codeStep(c echo.Context, next string) error {
	to := "/signin/code"
	if next = local(next); next != "/" {
		to += "?next=" + url.QueryEscape(next)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// SecondFactor answers GET /account/second-factor.
func (p *Pages) SecondFactor(c echo.Context, h host) error {
	v, err := p.secondFactor(c, h)
	if err != nil {
		return err
	}
	return session.Render(c, http.StatusOK, views.SecondFactorPage(v))
}

func (p *Pages) secondFactor(c echo.Context, h host) (v views.SecondFactor, err error) {
	ctx := c.Request().Context()
	standing, err := p.Factors.Store.Standing(ctx)
	if err != nil {
		return v, err
	}
	v = views.SecondFactor{Page: p.frame(c, h, ""), Must: h.MustEnrol, Required: standing.Required}
	f, err := p.Factors.Store.Factor(ctx, strings.ToLower(h.Username))
	switch {
	case err == nil:
		v.On, v.Since, v.Left = true, instant(f.Since), f.Left
	case !errors.Is(err, rooms.ErrNotFound):
		return v, err
	}
	if !h.Admin {
		return v, nil
	}
	all, err := p.Doors.Directory.All(ctx)
	for _, o := range all {
		if o.Username != h.Username {
			v.Hosts = append(v.Hosts, views.HostFactor{Username: o.Username, Name: o.DisplayName, On: standing.On[strings.ToLower(o.Username)]})
		}
	}
	return v, err
}

// RequestFactor answers POST /account/second-factor/request: a secret to scan.
func (p *Pages) RequestFactor(c echo.Context, h host) error {
	return p.byPassword(c, h, "request", func() error {
		e, err := p.Factors.Request(c.Request().Context(), h)
		if err != nil {
			return err
		}
		return p.setUp(c, h, http.StatusOK, e, views.Message{})
	})
}

func (p *Pages) setUp(c echo.Context, h host, status int, e hosts.Enrolment, wrong views.Message) error {
	v, err := p.secondFactor(c, h)
	if err != nil {
		return err
	}
	code, err := tokens.LongQR(e.URI)
	if err != nil {
		return err
	}
	v.Setup = &views.FactorSetup{Token: e.Token, Secret: e.Secret, URI: e.URI, Wrong: wrong,
		QR: "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(code.SVG())}
	return session.Render(c, status, views.SecondFactorPage(v))
}

// ConfirmFactor answers POST /account/second-factor/confirm. This browser stays
// signed in; all others do not.
func (p *Pages) ConfirmFactor(c echo.Context, h host) error {
	token := c.FormValue("request_token")
	codes, err := p.Factors.Confirm(c.Request().Context(), h, token, c.FormValue("code"), hosts.Kept{SignIn: p.Doors.Own(c)})
	switch {
	case errors.Is(err, hosts.ErrInvalidTwoFactor):
		e, err := p.Factors.Enrolling(h, token)
		if err != nil {
			return err
		}
		return p.setUp(c, h, http.StatusBadRequest, e, views.Says("factor.code-wrong"))
	case len(rooms.Wrong(err)) > 0:
		return p.factorRefused(c, h, http.StatusUnprocessableEntity, "request", views.Says("factor.again"))
	case err != nil:
		return err
	}
	if err := p.Doors.GoOn(c, h); err != nil {
		return err
	}
	h.MustEnrol = false
	return p.showCodes(c, h, codes)
}

// showCodes shows recovery codes, this once: the page is the answer to a press
// and is kept nowhere.
func (p *Pages) showCodes(c echo.Context, h host, codes []string) error {
	return session.Render(c, http.StatusOK, views.SecondFactorPage(views.SecondFactor{Page: p.frame(c, h, ""), On: true, Codes: codes}))
}

// RecoverFactor answers POST /account/second-factor/codes: new recovery codes.
func (p *Pages) RecoverFactor(c echo.Context, h host) error {
	return p.byPassword(c, h, "codes", func() error {
		codes, err := p.Factors.Recover(c.Request().Context(), h)
		if err != nil {
			return err
		}
		return p.showCodes(c, h, codes)
	})
}

// DisableFactor answers POST /account/second-factor/disable.
func (p *Pages) DisableFactor(c echo.Context, h host) error {
	return p.byPassword(c, h, "disable", func() error {
		if err := p.Factors.Disable(c.Request().Context(), h); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, factorPage+"?did=factor-off")
	})
}

// byPassword does what the form of that name asks for, if it carries the
// host's password.
func (p *Pages) byPassword(c echo.Context, h host, form string, do func() error) error {
	return p.provingPassword(c, h, do, func(status int, wrong views.Message) error { return p.factorRefused(c, h, status, form, wrong) })
}

// provingPassword does it where the form carries the host's password, and else
// has refuse tell what was wrong.
func (p *Pages) provingPassword(c echo.Context, h host, do func() error, refuse func(status int, wrong views.Message) error) error {
	err := p.Doors.Password(c, h, c.FormValue("password"))
	var many hosts.TooMany
	switch {
	case errors.Is(err, hosts.ErrCredentials):
		return refuse(http.StatusUnprocessableEntity, views.Says("factor.password-wrong"))
	case errors.As(err, &many):
		session.RetryAfter(c, many.Wait)
		return refuse(http.StatusTooManyRequests, views.Says("factor.slow"))
	case err != nil:
		return err
	}
	return do()
}

func (p *Pages) factorRefused(c echo.Context, h host, status int, form string, wrong views.Message) error {
	v, err := p.secondFactor(c, h)
	if err != nil {
		return err
	}
	v.Asked, v.Wrong = form, wrong
	return session.Render(c, status, views.SecondFactorPage(v))
}

// RequireFactor answers POST /account/second-factor/require, an admin's.
func (p *Pages) RequireFactor(c echo.Context, h host) error {
	required, did := c.FormValue("required") == "true", "factor-optional"
	if required {
		did = "factor-required"
	}
	if err := p.Factors.Require(c.Request().Context(), h.Caller(), required); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, factorPage+"?did="+did)
}

// ResetFactor answers POST /account/second-factor/reset, an admin's.
func (p *Pages) ResetFactor(c echo.Context, h host) error {
	if err := p.Factors.Reset(c.Request().Context(), h.Caller(), c.FormValue("host")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, factorPage+"?did=factor-reset")
}
