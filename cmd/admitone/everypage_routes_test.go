package main

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// covered fails for each page, and each refusal and failure with words of its
// own, that the sweep has not met: nobody has to remember to add one to it.
func (w *world) covered(t *testing.T, seen *sightings) {
	t.Helper()
	router := w.router(t)
	visited := map[string]bool{}
	for path := range seen.paths {
		c := router.NewContext(nil, nil)
		router.Router().Find(http.MethodGet, path, c)
		visited[c.Path()] = true
	}
	for _, r := range router.Routes() {
		if r.Method == http.MethodGet && !visited[r.Path] && w.answersPage(t, r.Path) {
			t.Errorf("GET %s answers a page that is not looked at", r.Path)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(languageFile(t, "en"))) {
		kind, rest, _ := strings.Cut(key, ".")
		if code, ok := strings.CutSuffix(rest, ".title"); ok && (kind == "refusal" || kind == "error") && !seen.told[code] {
			t.Errorf("no page that is looked at says %s", key)
		}
	}
}

// router is the server's own, made once more beside it.
func (w *world) router(t *testing.T) *echo.Echo {
	t.Helper()
	setting := func(name string) (value string) {
		for _, e := range w.env {
			if n, v, _ := strings.Cut(e, "="); n == name {
				value = v
			}
		}
		return value
	}
	p := &program{getenv: setting, now: time.Now}
	h, err := p.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	return p.handler(t.Context(), h, slog.New(slog.DiscardHandler)).(*echo.Echo)
}

// answersPage tells whether a route answers a page, to a host or to nobody.
func (w *world) answersPage(t *testing.T, pattern string) bool {
	t.Helper()
	path := strings.NewReplacer("/invitations/:id", "/invitations/"+w.inv["pending"].ID, "/requests/:id", w.dismissed, ":batch", w.batch, ":room", "lobby", "/account/keys/:key", w.key, "/account/apps/:app", w.app, "/m/:code", "/m/ABCD2345", "/M/:code", "/M/ABCD2345",
		":code", w.inv["pending"].Code(), "*", "app.css").Replace(pattern)
	if strings.Contains(path, ":") {
		t.Errorf("GET %s: the test has no value for this address", pattern)
		return false
	}
	for _, cookie := range []string{"", w.host + "; " + w.known.cookie} {
		page := w.at(cookie).visit(t, http.MethodGet, path, nil)
		// A refusal is a page of its own, and looked at as one.
		if page.Status < http.StatusBadRequest && strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
			return true
		}
	}
	return false
}
