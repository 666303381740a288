// Package dashboard is AdmitOne for hosts in a browser.
//
// It decodes forms, asks and draws; no rule about rooms or invitations lives here.
package dashboard

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/conference"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/keys"
	"admitone/tokens/mail"
	"admitone/views"
)

// Pages answers the hosts' addresses.
type Pages struct {
	Doors       *session.Doors
	Rooms       *rooms.Registry
	Invitations *tokens.Invitations
	Invites     *session.Invites
	Backends    *conference.Backends
	Accounts    *hosts.Accounts
	Factors     *hosts.SecondFactors
	Lobby       *tokens.Lobby
	HostDoor    *tokens.HostDoor
	Guesses     *hosts.Buckets // of links that were never made here
	Ring        *keys.Ring
	Watcher     *rooms.Watcher
	Post        *mail.Post
	Stop        <-chan struct{} // closed when the server stops
	Now         func() time.Time

	streams streams
}

// host is a handler's view of the host who is signed in.
type host = hosts.Host

// Signed lets only signed-in hosts through; others are shown the way in, and
// come back to where they wanted to go.
func (p *Pages) Signed(next func(echo.Context, hosts.Host) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		h, err := p.Doors.Host(c)
		if errors.Is(err, session.ErrSignedOut) {
			return p.signInFirst(c)
		}
		if errors.Is(err, hosts.ErrTwoFactorRequired) {
			return p.enrolFirst(c)
		}
		if err != nil {
			return err
		}
		c.Response().Header().Set("Cache-Control", "no-store")
		return next(c, h)
	}
}

// Secured is Signed for what secures a sign-in, or is given to programs in its
// stead: where there is none, neither is there any of this.
func (p *Pages) Secured(next func(echo.Context, hosts.Host) error) echo.HandlerFunc {
	if p.Doors.Open {
		return echo.NotFoundHandler
	}
	return p.Signed(next)
}

func (p *Pages) signInFirst(c echo.Context) error {
	to := "/signin"
	if r := c.Request(); r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	if fragment(c) {
		c.Response().Header().Set("HX-Redirect", to)
		return c.NoContent(http.StatusUnauthorized)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// fragment tells whether htmx asks and swaps in the answer itself.
func fragment(c echo.Context) bool { return c.Request().Header.Get("HX-Request") == "true" }

func (p *Pages) frame(c echo.Context, h host, title string) views.Page {
	return views.Page{Title: title, Host: h.Shown(), Admin: h.Admin, NoSignOut: p.Doors.Open, Now: p.Now(), Flash: p.flash(c, h), News: p.news(c, h)}
}

// flash is what the last press did, told by the address it led to.
func (p *Pages) flash(c echo.Context, h host) views.Notice {
	slug := c.Param("room")
	switch c.QueryParam("did") {
	case "closed":
		return p.mailWaits(c, h, views.Notice{Tone: views.Good, Text: views.Says("did.closed"), UndoAction: "/rooms/" + slug + "/reopen"})
	case "reopened":
		return views.Notice{Tone: views.Good, Text: views.Says("did.reopened")}
	case "changed":
		return views.Notice{Tone: views.Good, Text: views.Says("did.changed")}
	case "handed-over":
		return views.Notice{Tone: views.Good, Text: views.Says("did.handed-over")}
	case "reissued":
		return views.Notice{Tone: views.Good, Text: views.Says("did.reissued")}
	case "renamed":
		return views.Notice{Tone: views.Good, Text: views.Says("did.renamed")}
	case "answered":
		return p.answered(c, h)
	case "minted":
		return views.Notice{Tone: views.Good, Text: views.Says("did.minted")}
	case "dismissed":
		if id, err := rooms.ParseID(rooms.RequestPrefix, c.QueryParam("request")); err == nil {
			return views.Notice{Tone: views.Good, Text: views.Says("did.dismissed"), UndoAction: "/requests/" + id.Show(rooms.RequestPrefix) + "/recall"}
		}
	case "move-allowed":
		return views.Notice{Tone: views.Good, Text: views.Says("did.move-allowed")}
	case "revoked-all", "restored-all":
		return p.mailWaits(c, h, p.several(c, h))
	case "series", "closed-rest", "reopened-rest":
		return p.mailWaits(c, h, p.together(c))
	case "none-chosen":
		return views.Notice{Tone: views.Warn, Text: views.Says("did.none-chosen")}
	case "key-made":
		return views.Notice{Tone: views.Warn, Text: views.Says("did.key-made")}
	case "key-removed":
		return views.Notice{Tone: views.Good, Text: views.Says("did.key-removed")}
	case "app-limited":
		return views.Notice{Tone: views.Good, Text: views.Says("did.app-limited")}
	case "app-removed":
		return views.Notice{Tone: views.Good, Text: views.Says("did.app-removed")}
	case "app-withdrawn":
		return views.Notice{Tone: views.Good, Text: views.Says("did.app-withdrawn")}
	case "rotated":
		return views.Notice{Tone: views.Good, Text: views.Says("did.rotated")}
	case "rotating":
		return views.Notice{Tone: views.Info, Text: views.Says("did.rotating")}
	case "passkey-added":
		return views.Notice{Tone: views.Good, Text: views.Says("did.passkey-added")}
	case "passkey-removed":
		return views.Notice{Tone: views.Good, Text: views.Says("did.passkey-removed")}
	case "factor-off":
		return views.Notice{Tone: views.Good, Text: views.Says("did.factor-off")}
	case "factor-reset":
		return views.Notice{Tone: views.Good, Text: views.Says("did.factor-reset")}
	case "factor-required":
		return views.Notice{Tone: views.Good, Text: views.Says("did.factor-required")}
	case "factor-optional":
		return views.Notice{Tone: views.Good, Text: views.Says("did.factor-optional")}
	case "person-removed":
		return views.Notice{Tone: views.Good, Text: views.Says("did.person-removed")}
	case "ended":
		return views.Notice{Tone: views.Good, Text: views.Says("did.ended")}
	case "mailed":
		return views.Notice{Tone: views.Good, Text: views.Says("did.mailed")}
	case "mail-before":
		return views.Notice{Tone: views.Info, Text: views.Says("did.mail-before")}
	case "mail-not":
		return views.Notice{Tone: views.Warn, Text: views.Says("did.mail-not")}
	case "mail-off":
		return views.Notice{Tone: views.Warn, Text: views.Says("did.mail-off")}
	case "mailed-all":
		return p.mailedAll(c)
	case "mails-stopped":
		return p.mailsStopped(c)
	case "toolate":
		return views.Notice{Tone: views.Warn, Text: views.Says("did.toolate")}
	case "full":
		return views.Notice{Tone: views.Warn, Text: views.Says("refusal.room_full.title")}
	}
	return views.Notice{}
}

// SignInPage answers GET /signin; with again also to whom is signed in.
func (p *Pages) SignInPage(c echo.Context) error {
	if _, err := p.Doors.Enrolling(c); err == nil && (c.QueryParam("again") == "" || p.Doors.Open) {
		return c.Redirect(http.StatusSeeOther, local(c.QueryParam("next")))
	} else if err != nil && !errors.Is(err, session.ErrSignedOut) {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	p.Doors.LeadsOn(c, c.QueryParam("next"))
	return session.Render(c, http.StatusOK, views.SignInPage(p.wayIn(c.QueryParam("next"))))
}

// SignIn answers POST /signin.
func (p *Pages) SignIn(c echo.Context) error {
	v := p.wayIn(c.FormValue("next"))
	v.Username = c.FormValue("username")
	_, err := p.Doors.SignIn(c, v.Username, c.FormValue("password"))
	var many hosts.TooMany
	status := http.StatusUnauthorized
	switch {
	case err == nil:
		session.Note(c, "login", "ok")
		return c.Redirect(http.StatusSeeOther, local(v.Next))
	case errors.Is(err, hosts.ErrMissingTwoFactor):
		return codeStep(c, v.Next)
	case errors.As(err, &many):
		status, v.RetryAfter = http.StatusTooManyRequests, many.Wait
		session.RetryAfter(c, many.Wait)
		session.Note(c, "login", "too_many")
	case errors.Is(err, hosts.ErrCredentials):
		v.Wrong = true
		session.Note(c, "login", "wrong")
	default:
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	p.Doors.LeadsOn(c, v.Next)
	return session.Render(c, status, views.SignInPage(v))
}

// SignOut answers POST /signout.
func (p *Pages) SignOut(c echo.Context) error {
	if err := p.Doors.SignOut(c); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/signin")
}

// local is where to go after signing in: a path of ours, never another site.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n") {
		return "/"
	}
	return u.RequestURI()
}

// typedTime reads a datetime-local field in the form's zone, as Unix
// milliseconds, 0 for nothing; a refusal goes into errs under the field's name.
func typedTime(c echo.Context, field string, errs views.Errors) int64 {
	text := c.FormValue(field)
	if text == "" {
		return 0
	}
	zone, err := time.LoadLocation(c.FormValue("timezone"))
	if err != nil || c.FormValue("timezone") == "Local" {
		errs["timezone"] = views.Says("wrong.zone")
		return 0
	}
	at, err := rooms.ParseWall(text, zone, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04")
	if err != nil {
		errs[field] = views.Says("wrong.time")
	}
	return at
}

// shownTime is an instant as a datetime-local field shows it in that zone.
func shownTime(millis int64, zone string) string {
	loc, err := time.LoadLocation(zone)
	if millis == 0 || err != nil {
		return ""
	}
	return time.UnixMilli(millis).In(loc).Format("2006-01-02T15:04")
}

// refused puts each refusal of input beside its field, unless that has one, and
// reports whether err was one.
func refused(err error, errs views.Errors) bool {
	wrong := rooms.Wrong(err)
	for _, invalid := range wrong {
		if !errs.Has(invalid.Field) {
			errs[invalid.Field] = views.Invalid(invalid.Detail)
		}
	}
	switch {
	case len(wrong) > 0:
	case errors.Is(err, rooms.ErrSlugTaken):
		errs["slug"] = views.Says("wrong.slug-taken")
	case errors.Is(err, rooms.ErrSlugBarred):
		errs["slug"] = views.Says("wrong.slug-barred")
	default:
		return false
	}
	return true
}

func instant(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis)
}
