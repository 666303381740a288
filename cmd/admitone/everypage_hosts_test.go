package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/static"
	"admitone/views"
)

// hostPages are those of hosts, and those that are nobody's.
func (w *world) hostPages() []met {
	long := strings.Repeat("w", 63)
	id := func(is string) string { return w.inv[is].ID }
	pages := []met{
		{"signin", "", "/signin", 200, nil, ""},
		{"signin-first", "", "/account", 200, nil, ""},
		{"signin-wrong", "", "/signin", 401, func(b *browserTab) { b.guess(hostName) }, ""},
		{"signin-slow", "", "/signin", 429, func(b *browserTab) {
			for try := 0; try < 20 && b.Status() != http.StatusTooManyRequests; try++ {
				b.guess("nobody")
			}
		}, ""},
		{"docs", "", "/docs", 200, nil, ""},
		{"problem", w.host, "/problems/used", 200, nil, ""},
		{"404", "", "/no/such/page", 404, nil, ""},
		{"404-room", w.host, "/rooms/none", 404, nil, ""},
		{"405", "", "/docs", 405, func(b *browserTab) { b.post("/docs", "any", "thing") }, ""},
		{"403", w.helper, "/rooms/own", 403, func(b *browserTab) { b.post("/rooms/own/owner", "owner", "newcomer") }, ""},
		{"413", w.host, "/rooms/empty", 413, func(b *browserTab) { b.post("/rooms/empty", "name", strings.Repeat("y", 80_000)) }, ""},
		{"409", w.host, "/rooms/empty", 409, func(b *browserTab) { b.post(w.dismissed+"/answer", "late", "yes") }, ""},
		{"422", w.host, "/rooms/empty", 422, func(b *browserTab) { b.post("/rooms/empty/remove", "admission", "?") }, ""},

		{"rooms", w.host, "/", 200, nil, ""},
		{"rooms-of-one-host", w.helper, "/", 200, nil, ""},
		{"rooms-empty", w.newcomer, "/", 200, func(b *browserTab) { b.Click("details.more summary") }, ""},
		{"rooms-second-page", w.host, "/", 200, func(b *browserTab) { b.Follow("main a[href*='before=']") }, ""},
		{"room-refused", w.newcomer, "/", 422, func(b *browserTab) {
			b.Click("details.more summary")
			b.Fill("#room-slug", "lobby")
			b.Fill("#room-name", "Änother")
			pressed(b)
		}, ""},
		{"keyboard", w.newcomer, "/", 200, func(b *browserTab) {
			b.Click(".foot a[href='#keyboard']")
			b.WaitVisible("#keyboard:modal")
		}, ""},
		{"account-menu", w.host, "/docs", 200, func(b *browserTab) { b.Click("header details.menu summary") }, ""},

		{"room-menu", w.host, "/rooms/empty", 200, func(b *browserTab) { b.Click("main details.menu summary") }, ""},
		{"room-just-closed", w.host, "/rooms/shut?did=closed", 200, nil, ""},
		{"room-none-chosen", w.host, "/rooms/empty?did=none-chosen", 200, nil, ""},
		{"room-too-late", w.host, "/rooms/empty?did=toolate", 200, nil, ""},
		{"room-handed-over", w.host, "/rooms/own?did=handed-over", 200, nil, ""},
		{"room-filtered", w.host, "/rooms/lobby?state=redeemed", 200, nil, ""},
		{"room-nothing-found", w.host, "/rooms/lobby?state=revoked&q=nobody", 200, nil, ""},
		{"room-second-page", w.host, "/rooms/many", 200, func(b *browserTab) { b.Follow("#invitation-found p a.button") }, ""},
		{"room-minted", w.host, "/rooms/undo", 200, func(b *browserTab) {
			b.unlimited("#mint-name", endless)
			b.Click("#mint button[type=submit]")
			b.WaitVisible("figure.qr img")
			b.Click(".minted details.more summary")
		}, ""},
		{"room-mint-refused", w.host, "/rooms/undo", 200, func(b *browserTab) {
			b.Click("#mint details.more summary")
			b.Fill("#mint-pin", "12")
			b.Click("#mint .choices label:last-child")
			b.Click("#mint button[type=submit]")
			b.WaitVisible("#mint-expires-at-wrong")
		}, "422"},
		{"room-revoked-one", w.host, "/rooms/undo", 200, func(b *browserTab) {
			b.Click("#invitation-rows form[action$=revoke] button")
			b.WaitVisible("#invitation-rows form[action$=restore] button")
		}, ""},
		{"room-revoked-some", w.host, "/rooms/undo", 200, func(b *browserTab) {
			w.mint(b.t, "undo", members{"name": "Lïnus"})
			b.Open("/rooms/undo")
			b.Click("#invitation-rows .choose")
			b.Follow("#selection button:not([formmethod])")
		}, ""},
		{"room-dismissed", w.host, "/rooms/undo", 200, func(b *browserTab) {
			used := w.usedUp(b.t)
			w.ask(b.t, used.Short)
			b.Open("/rooms/undo")
			b.Follow("form[action$='/dismiss'] button")
		}, ""},
		{"room-asking", w.host, "/rooms/undo", 200, func(b *browserTab) {
			w.ask(b.t, w.usedUp(b.t).Short)
			b.Open("/rooms/undo")
		}, ""},
		{"room-removed", w.host, "/rooms/undo", 200, func(b *browserTab) {
			enter(b.t, w.server, "undo", w.mint(b.t, "undo", nil), "Bøb "+endless[:180])
			b.Click("#people-here form button")
			b.WaitVisible("#people-here li.removed form button")
		}, ""},

		{"edit", w.helper, "/rooms/own/edit", 200, nil, ""},
		{"edit-as-admin", w.host, "/rooms/later/edit", 200, nil, ""},
		{"edit-long", w.host, "/rooms/" + long + "/edit", 200, nil, ""},
		{"copy", w.host, "/rooms/later/copy", 200, nil, ""},
		{"copy-long", w.host, "/rooms/" + long + "/copy", 200, nil, ""},
		{"edit-refused", w.host, "/rooms/later/edit", 422, func(b *browserTab) {
			b.Fill("#room-ends", "2020-01-01T10:00")
			b.unlimited("#room-name", endless+"Ŵ")
			pressed(b)
		}, ""},
		{"hand-over-refused", w.host, "/rooms/empty/edit", 422, func(b *browserTab) { b.post("/rooms/empty/owner", "owner", "nobody") }, ""},
		{"history", w.host, "/rooms/lobby/history", 200, nil, ""},
		{"attendance", w.host, "/rooms/lobby/attendance", 200, nil, ""},
		{"attendance-nobody", w.host, "/rooms/empty/attendance?part=came", 200, nil, ""},
		{"attendance-second-page", w.host, "/rooms/many/attendance", 200, func(b *browserTab) { b.Follow("#guest-list p a.button") }, ""},
		{"person", w.host, "/account/person", 200, nil, ""},
		{"person-none", w.host, "/account/person", 200, func(b *browserTab) {
			b.Fill("#person-address", "nobody@mail.example")
			pressed(b)
		}, ""},
		{"history-long", w.host, "/rooms/" + long + "/history", 200, nil, ""},
		{"history-second-page", w.host, "/rooms/many/history", 200, func(b *browserTab) { b.Follow("main a[href*='before=']") }, ""},
		{"sheet", w.host, "/rooms/lobby/sheet?id=" + id("pending") + "&id=" + id("pin") + "&id=" + id("several") + "&id=" + id("chair"), 200, nil, ""},
		{"sheet-labels", w.host, "/rooms/lobby/sheet?all=true&layout=24&paper=letter", 200, nil, ""},
		{"sheet-badges", w.host, "/rooms/lobby/sheet?all=true&hosts=true&layout=badges", 200, nil, ""},
		{"sheet-letter", w.host, "/rooms/odd/sheet?layout=1&id=" + id("hebrew"), 200, nil, ""},
		{"sheet-nothing", w.host, "/rooms/lobby/sheet", 200, nil, ""},
		{"sheet-odd", w.host, "/rooms/odd/sheet?id=" + id("hebrew") + "&id=" + id("family"), 200, nil, ""},
		{"bulk", w.host, "/rooms/lobby/bulk", 200, nil, ""},
		{"bulk-closed", w.host, "/rooms/shut/bulk", 200, nil, ""},
		{"bulk-refused", w.host, "/rooms/empty/bulk", 200, func(b *browserTab) {
			b.Click("main form button.big")
			b.WaitVisible("#bulk-list-wrong")
		}, "422"},
		{"bulk-preview", w.host, "/rooms/lobby/bulk", 200, func(b *browserTab) {
			b.list("name,email,role,max_uses,Ŧeam\nŴho,york@mail.example,,,x\n" + endless[:190] + "x,ŵho@nowhere,chair,0,x\nAnna,anna@mail.example,,,x\n")
			b.WaitVisible("table.guests")
		}, ""},
		{"batch", w.host, "/rooms/lobby/batches/" + w.batch, 200, nil, ""},
		{"account", w.host, "/account", 200, nil, ""},
		{"second-factor", w.host, factorPath, 200, nil, ""},
		{"second-factor-refused", w.newcomer, factorPath, 422, func(b *browserTab) { b.post(factorPath+"/request", "password", "not the password") }, ""},
		{"second-factor-scan", w.newcomer, factorPath, 200, func(b *browserTab) { b.post(factorPath+"/request", "password", hostPassword) }, ""},
		{"account-ended", w.newcomer, "/account?did=ended", 200, nil, ""},
		{"invitation-rename-refused", w.host, "/invitations/" + id("pending"), 422, func(b *browserTab) {
			b.post("/invitations/"+id("pending"), "name", strings.Repeat("y", 201))
		}, ""},
		{"invitation-minted", w.host, "/invitations/" + id("pending") + "?did=minted", 200, nil, ""},
	}
	for name, slug := range map[string]string{"lobby": "lobby", "empty": "empty", "later": "later", "over": "over", "shut": "shut", "conference": "conf",
		"gone": "gone", "full": "full", "odd": "odd", "many": "many", "long": long} {
		pages = append(pages, met{"room-" + name, w.host, "/rooms/" + slug, 200, nil, ""})
	}
	for is, inv := range w.inv {
		pages = append(pages, met{"invitation-" + is, w.host, "/invitations/" + inv.ID, 200, nil, ""})
	}
	return pages
}

// guess tries to sign in with a wrong password.
func (b *browserTab) guess(name string) {
	b.t.Helper()
	b.Fill("#username", name)
	b.Fill("#password", "not the password")
	b.Follow(pressMain)
}

// usedUp is an invitation that somebody just used.
func (w *world) usedUp(t testing.TB) minted {
	t.Helper()
	inv := w.mint(t, "undo", members{"name": "Kürt " + endless[:160]})
	w.press(t, &guestBrowser{s: w.server}, inv.Short)
	return inv
}

// drawnPages are those that only a fault brings. The views draw them alike,
// without the fault.
func drawnPages() []met {
	return []met{
		{"429", "", "/429", 429, nil, ""},
		{"500", "", "/500", 500, nil, "500"},
		{"503", "", "/503", 503, nil, "503"},
	}
}

// drawn serves the drawn pages and returns its origin.
func drawn(t testing.TB) string {
	t.Helper()
	e := echo.New()
	for _, path := range []string{"/healthz", "/favicon.ico"} {
		e.GET(path, func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	}
	e.GET("/static/*", echo.WrapHandler(static.Handler()))
	for status, code := range map[int]string{429: "too_many_requests", 500: "internal_error", 503: "unavailable"} {
		e.GET(fmt.Sprint("/", status), func(c echo.Context) error {
			c.Response().Header().Set("Content-Security-Policy", session.Policy)
			return session.Render(c, status, views.ErrorPage(views.Failure{Status: status, Code: code, RequestID: "req_1", RetryAfter: time.Minute}))
		})
	}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server.URL
}
