package session

import (
	"bytes"
	"math"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"

	"admitone/views"
)

// Policy is the content security policy of every page: nothing from elsewhere,
// nothing inline, no frames around it.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// AllowForm lets the page's forms lead on to another origin as well.
func AllowForm(c echo.Context, origin string) {
	c.Response().Header().Set("Content-Security-Policy", strings.Replace(Policy, "form-action 'self'", "form-action 'self' "+origin, 1))
}

// Devices is the header that says which of a device's senses a page may use:
// none but where the page says otherwise.
const Devices = "Permissions-Policy"

// Render draws the page whole before it is sent, so that a page that cannot be
// drawn is an error and not half a page. It speaks the reader's language.
func Render(c echo.Context, status int, page templ.Component) error {
	r := c.Request()
	h := c.Response().Header()
	for _, name := range []string{"Accept-Language", "Cookie"} {
		if !strings.Contains(strings.Join(h.Values("Vary"), ","), name) {
			h.Add("Vary", name)
		}
	}
	if chosen, ok := chosenNow(r); ok {
		remember(c, chosen)
		return c.Redirect(http.StatusSeeOther, local(r.URL))
	}
	tag := reader(c)
	ctx := views.WithAddress(views.WithLanguage(r.Context(), tag), address(c))
	var b bytes.Buffer
	if err := page.Render(ctx, &b); err != nil {
		return err
	}
	h.Set("Content-Language", tag.String())
	return c.HTMLBlob(status, b.Bytes())
}

const (
	languageCookie = "lang"
	languageStay   = 365 * 24 * time.Hour
	localesKey     = "locales"
	guestsKey      = "to guests"
)

// ToGuests says that guests read what is answered: it speaks every language
// there is. All other pages are for hosts, and speak theirs.
func ToGuests(c echo.Context) { c.Set(guestsKey, true) }

// Speak says in which language to speak to somebody who chose none: the first
// of these locales (BCP 47, or empty) that there is.
func Speak(c echo.Context, locales ...string) { c.Set(localesKey, locales) }

// reader is the reader's language: the one chosen, or the page's own, or the
// browser's, or English.
func reader(c echo.Context) language.Tag {
	var wishes []string
	if k, err := c.Cookie(languageCookie); err == nil {
		wishes = append(wishes, k.Value)
	}
	own, _ := c.Get(localesKey).([]string)
	wishes = append(append(wishes, own...), c.Request().Header.Get("Accept-Language"))
	match := views.MatchHostLanguage
	if c.Get(guestsKey) != nil {
		match = views.MatchLanguage
	}
	for _, wish := range wishes {
		if tag, ok := match(wish); ok {
			return tag
		}
	}
	return language.English
}

// chosenNow is the choice that a link of the language switch carries. Following
// it changes nothing but a cookie, and leads back to the page without it.
func chosenNow(r *http.Request) (language.Tag, bool) {
	if r.Method != http.MethodGet || !r.URL.Query().Has(views.LanguageParameter) {
		return language.English, false
	}
	return views.MatchLanguage(r.URL.Query().Get(views.LanguageParameter))
}

func remember(c echo.Context, tag language.Tag) {
	// The header goes out where BASE_URL is https; without TLS browsers would drop a secure cookie.
	secure := c.Response().Header().Get("Strict-Transport-Security") != ""
	c.SetCookie(&http.Cookie{ //nolint:gosec // see above
		Name: languageCookie, Value: tag.String(), Path: "/", MaxAge: int(languageStay.Seconds()),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
}

// address is where a GET finds this page again, seen from it: of an answer to a
// press, the page that was pressed on, where the browser tells; link pages,
// which let it tell nothing, have it at the same address or next above it; and
// otherwise the page where everybody begins. A page's own path is left out, so
// that what does not exist looks the same wherever it is asked for.
func address(c echo.Context) string {
	r := c.Request()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return "?" + withoutChoice(r.URL)
	}
	if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host && from.Path != "" {
		return local(from)
	}
	if shown(c, r.URL.Path) {
		return "?" + withoutChoice(r.URL)
	}
	up := url.URL{Path: path.Dir(r.URL.Path), RawQuery: r.URL.RawQuery}
	if c.Response().Header().Get("Referrer-Policy") == "no-referrer" && shown(c, up.Path) {
		return local(&up)
	}
	return "/"
}

// Above is the nearest page above the address that is asked for, with its query; empty where there is none.
func Above(c echo.Context) string {
	for up := path.Dir(c.Request().URL.EscapedPath()); ; up = path.Dir(up) {
		if shown(c, up) {
			return (&url.URL{Opaque: up, RawQuery: c.Request().URL.RawQuery}).String()
		}
		if len(up) < 2 {
			return ""
		}
	}
}

// shown tells whether there is a page at that path for a GET.
func shown(c echo.Context, at string) bool {
	probe := c.Echo().NewContext(c.Request(), nil)
	c.Echo().Router().Find(http.MethodGet, at, probe)
	return slices.ContainsFunc(c.Echo().Routes(), func(r *echo.Route) bool { return r.Method == http.MethodGet && r.Path == probe.Path() })
}

// local is the path and query of one of our addresses, without a choice of
// language. It begins with one slash: two would lead to another host.
func local(u *url.URL) string {
	out := "/" + strings.TrimLeft(u.EscapedPath(), `/\`)
	if q := withoutChoice(u); q != "" {
		out += "?" + q
	}
	return out
}

func withoutChoice(u *url.URL) string {
	q := u.Query()
	q.Del(views.LanguageParameter)
	return q.Encode()
}

// RetryAfter tells when to try again, in whole seconds and never 0.
func RetryAfter(c echo.Context, wait time.Duration) {
	c.Response().Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
}
