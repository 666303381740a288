package session

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"admitone/views"
)

// visit draws a page for a request and returns the answer.
func visit(t *testing.T, r *http.Request, secure bool, locales ...string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	e := echo.New()
	for _, page := range []string{"/", "/rooms/:room", "/i/:code"} {
		e.GET(page, nil)
	}
	e.POST("/i/:code/request", nil)
	c := e.NewContext(r, w)
	if strings.HasPrefix(r.URL.Path, "/i/") {
		c.Response().Header().Set("Referrer-Policy", "no-referrer")
	}
	if secure {
		c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	Speak(c, locales...)
	if err := Render(c, http.StatusConflict, views.ErrorPage(views.Failure{Status: http.StatusNotFound})); err != nil {
		t.Fatal(err)
	}
	return w
}

func asked(method, target string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "http://ours.example"+target, nil)
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	return r
}

func TestPagesSpeakTheReadersLanguage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cookie  string
		locales []string
		accept  string
		want    string
	}{
		"nothing known":                      {"", nil, "", "en"},
		"the browser's":                      {"", nil, "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"},
		"the browser's, not there":           {"", nil, "fi", "en"},
		"the invitation's before it":         {"", []string{"zh-Hans", ""}, "en", "zh-CN"},
		"the room's where that says nothing": {"", []string{"", "zh"}, "en", "zh-CN"},
		"the room's where that is not there": {"", []string{"fi", "zh"}, "en", "zh-CN"},
		"neither there":                      {"", []string{"fi", "sv"}, "zh", "zh-CN"},
		"nonsense":                           {"<x>", []string{"'; --"}, "zh-CN", "zh-CN"},
		"the choice before all":              {"en", []string{"zh-CN", "zh-CN"}, "zh-CN", "en"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := visit(t, asked("GET", "/", "Accept-Language", tc.accept, "Cookie", "lang="+tc.cookie), false, tc.locales...)
			if got := w.Header().Get("Content-Language"); got != tc.want || !strings.Contains(w.Body.String(), `<html lang="`+tc.want+`"`) {
				t.Errorf("speaks %q, want %q", got, tc.want)
			}
			if vary := strings.Join(w.Header().Values("Vary"), ", "); vary != "Accept-Language, Cookie" || w.Code != http.StatusConflict {
				t.Errorf("status %d, Vary: %s", w.Code, vary)
			}
		})
	}
}

// TestHostsPagesAreInOneLanguage: what hosts read is there in few languages, and no page of theirs is half in another.
func TestHostsPagesAreInOneLanguage(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]struct{ guest, host string }{
		"de-AT,de;q=0.9":          {"de", "en"},
		"de,zh-CN;q=0.5,en;q=0.4": {"de", "zh-CN"},
		"zh-TW":                   {"zh-TW", "zh-CN"},
		"fr-CA,fr;q=0.8":          {"fr", "en"},
		"en-GB,de;q=0.8":          {"en", "en"},
		"zh-CN":                   {"zh-CN", "zh-CN"},
	} {
		for _, guest := range []bool{true, false} {
			c := echo.New().NewContext(asked("GET", "/", "Accept-Language", accept), httptest.NewRecorder())
			wanted := want.host
			if guest {
				ToGuests(c)
				wanted = want.guest
			}
			if got := reader(c).String(); got != wanted {
				t.Errorf("%s, to a guest %v: speaks %s, want %s", accept, guest, got, wanted)
			}
		}
	}
	// The choice of a language that hosts' pages do not have holds for guests' pages.
	for _, guest := range []bool{true, false} {
		c := echo.New().NewContext(asked("GET", "/", "Accept-Language", "zh-CN", "Cookie", "lang=es"), httptest.NewRecorder())
		if guest {
			ToGuests(c)
		}
		if got, want := reader(c).String(), map[bool]string{true: "es", false: "zh-CN"}[guest]; got != want {
			t.Errorf("the choice, to a guest %v: speaks %s, want %s", guest, got, want)
		}
	}
}

func TestChoosingALanguageOnlySetsACookie(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method, target, language, to string
	}{
		"on a page":            {"GET", "/rooms/a?lang=zh-CN&q=x", "zh-CN", "/rooms/a?q=x"},
		"on a link's page":     {"GET", "/join/a?lang=en&token=x.y.z", "en", "/join/a?token=x.y.z"},
		"a relative of one":    {"GET", "/?lang=zh-Hans-SG", "zh-CN", "/"},
		"not to another site":  {"GET", "//evil.example/?lang=en", "en", "/evil.example/"},
		"nor with backslashes": {"GET", "/%5Cevil.example/?lang=en", "en", "/%5Cevil.example/"},
		"none there is":        {"GET", "/?lang=fi", "", ""},
		"nonsense":             {"GET", "/?lang=%00%0a", "", ""},
		"by a press":           {"POST", "/?lang=zh-CN", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, secure := range []bool{false, true} {
				w := visit(t, asked(tc.method, tc.target), secure)
				a := w.Result()
				if tc.language == "" {
					if a.StatusCode != http.StatusConflict || len(a.Cookies()) > 0 {
						t.Errorf("%d with %v, want the page and no cookie", a.StatusCode, a.Cookies())
					}
					continue
				}
				if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != tc.to {
					t.Errorf("%d to %q, want 303 to %q", a.StatusCode, got, tc.to)
				}
				if len(a.Cookies()) != 1 {
					t.Fatalf("cookies: %v", a.Cookies())
				}
				k := a.Cookies()[0]
				if k.Name != "lang" || k.Value != tc.language || k.Path != "/" || !k.HttpOnly || k.Secure != secure || k.SameSite != http.SameSiteLaxMode || k.MaxAge < 30*24*3600 {
					t.Errorf("cookie %v", k)
				}
			}
		})
	}
}

func TestTheLanguageSwitchLeadsBackByGet(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ method, target, referer, want string }{
		"a page":                        {"GET", "/rooms/a?q=x", "http://ours.example/elsewhere", "?lang=zh-CN&amp;q=x"},
		"an answer to a press":          {"POST", "/rooms", "http://ours.example/?before=b", "/?before=b&amp;lang=zh-CN"},
		"a press that tells no page":    {"POST", "/i/06DQ", "", "?lang=zh-CN"},
		"a press below its page":        {"POST", "/i/06DQ/request?a=b", "", "/i/06DQ?a=b&amp;lang=zh-CN"},
		"a press far below a page":      {"POST", "/invitations/inv_1/revoke", "", "/?lang=zh-CN"},
		"a press from a foreign page":   {"POST", "/i/06DQ", "http://evil.example/x", "?lang=zh-CN"},
		"a press from a page like ours": {"POST", "/i/06DQ", "http://ours.example//evil.example/", "/evil.example/?lang=zh-CN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := visit(t, asked(tc.method, tc.target, "Referer", tc.referer), false)
			if want := `href="` + tc.want + `"`; !strings.Contains(w.Body.String(), want) {
				t.Errorf("the page has no %s", want)
			}
		})
	}
}
