package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const pressMain = "main form button[type=submit]"

func pressed(b *browserTab) { b.Follow(pressMain) }

// guestPages are those of links, of people who are in, and of moves; each
// refusal of theirs among them.
func (w *world) guestPages() []met {
	link := func(is string) string { return w.inv[is].Short }
	known := w.known.cookie
	pages := []met{
		{"join", "", link("pending"), 200, nil, ""},
		{"join-full-link", "", w.inv["pending"].URL, 200, nil, ""},
		{"join-in-capitals", "", "/I/" + w.inv["pending"].Code(), 200, nil, ""},
		{"join-elsewhere", "", link("pending"), 200, func(b *browserTab) {
			b.Click("main details summary")
			b.do("wait for the picture", chromedp.Poll[chromedp.Void](`document.querySelector("main details .qr img").naturalWidth > 0`))
		}, ""},
		{"join-as-host", "", link("chair"), 409, nil, ""},
		{"join-several", "", link("several"), 200, nil, ""},
		{"join-long", known, link("endless"), 200, nil, ""},
		{"join-hebrew", "", link("hebrew"), 200, nil, ""},
		{"join-emoji", "", link("family"), 200, nil, ""},
		{"join-signed-in", w.host, link("pending"), 200, nil, ""},
		{"join-name-refused", "", link("pending"), 422, func(b *browserTab) {
			b.unlimited("#guest-name", endless+"Ŵ")
			pressed(b)
		}, ""},
		{"join-pin", "", link("pin"), 200, nil, ""},
		{"join-pin-wrong", "", link("pin"), 403, func(b *browserTab) {
			b.Fill("#guest-pin", "wrong")
			pressed(b)
		}, ""},
		{"join-pin-slow", "", link("guessed"), 429, func(b *browserTab) {
			for try := 0; try < 20 && b.Status() != http.StatusTooManyRequests; try++ {
				b.Fill("#guest-pin", "wrong")
				pressed(b)
			}
		}, ""},
		{"welcome-back", known, link("several"), 200, nil, ""},
		{"welcome-back-odd", known, link("hostile"), 200, nil, ""},

		{"admitted-lobby", known, "/join/lobby/admitted", 200, func(b *browserTab) { b.WaitVisible("#people-here li:nth-child(6)") }, ""},
		{"admitted-host", known, "/join/lobby/admitted?as=host", 200, nil, ""},
		{"admitted-conference", known, "/join/conf/admitted", 200, nil, ""},
		{"admitted-odd", known, "/join/odd/admitted", 200, nil, ""},
		{"admitted-long", known, "/join/" + strings.Repeat("w", 63) + "/admitted", 200, nil, ""},
		{"admitted-moved-enough", w.spent.cookie, "/join/empty/admitted", 200, nil, ""},

		{"move-entry", "", "/m", 200, nil, ""},
		{"move-typo", "", "/m?code=no", 422, nil, ""},
		{"move-wrong", "", "/M/ABCD2345", 404, nil, ""},
		{"move-code", known, "/join/odd/admitted", 200, func(b *browserTab) { b.Follow("form[action$='/move'] button") }, ""},
		{"move-here", "", "/m", 200, func(b *browserTab) {
			g := &guestBrowser{s: w.server}
			w.press(b.t, g, w.mint(b.t, "undo", members{"name": "Älan"}).Short)
			b.Fill("#move-code", w.offer(b.t, g, "undo"))
			pressed(b)
		}, ""},
	}
	pages = append(pages, w.refusalPages(link)...)
	// The last one, for it leaves its address no more guesses.
	return append(pages, met{"too_many_requests", "", "/i/nonsense", 429, func(b *browserTab) {
		for try := 0; try < 20 && b.Status() != http.StatusTooManyRequests; try++ {
			b.Open("/i/nonsense")
		}
	}, ""})
}

func (w *world) refusalPages(link func(string) string) []met {
	known := w.known.cookie
	return []met{
		{"invalid_link", "", "/i/nonsense", 404, nil, ""},
		{"wrong_room", "", strings.Replace(w.inv["pending"].URL, "/join/lobby", "/join/conf", 1), 403, nil, ""},
		{"superseded", "", link("old"), 410, nil, ""},
		{"revoked", "", link("revoked"), 410, nil, ""},
		{"room_closed", "", link("shut"), 410, nil, ""},
		{"moved", known, "/join/empty/admitted", 410, nil, ""},
		{"used", "", link("used"), 409, nil, ""},
		{"expired", "", link("brief"), 410, nil, ""},
		{"not_yet", "", link("early"), 403, nil, ""},
		{"room_full", "", link("late"), 409, pressed, ""},
		{"waiting_for_host", "", link("held"), 403, nil, ""},
		{"unavailable", known, "/join/gone/admitted", 503, nil, "503"},
		{"cookieless", "", link("pending"), 403, func(b *browserTab) {
			b.do("forget the cookie", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
				_, err := cdp.Call(ctx, tab, network.ClearBrowserCookies, cdp.Empty{})
				return err
			}))
			pressed(b)
		}, ""},
		{"no_nonce", "", link("pending"), 403, func(b *browserTab) {
			if _, err := eval[int](b, `(document.querySelector("[name=nonce]").value = "from an older page", 1)`); err != nil {
				b.t.Fatal(err)
			}
			pressed(b)
		}, ""},
		{"cross_site", "", link("pending"), 403, func(b *browserTab) {
			b.Open("about:blank") // a page of nobody's
			b.post(link("pending"), "name", "Mallory")
		}, ""},
		{"asked", known, link("used"), 409, nil, ""},
		{"answered", known, link("answered"), 410, nil, ""},
		{"ask-name-refused", "", link("used"), 422, func(b *browserTab) {
			b.unlimited("#ask-name", endless+"Ŵ")
			pressed(b)
		}, ""},
		{"ask-too-often", "", link("used"), 429, func(b *browserTab) {
			for try := 0; try < 20 && b.Status() != http.StatusTooManyRequests; try++ {
				b.Open(w.usedUp(b.t).Short)
				b.Fill("#ask-name", "Zoë "+endless[:80])
				pressed(b)
			}
		}, ""},
	}
}

// unlimited types what the page itself would not let in.
func (b *browserTab) unlimited(sel, value string) {
	b.t.Helper()
	if _, err := eval[int](b, `(document.querySelector(`+quote(sel)+`).removeAttribute("maxlength"), 1)`); err != nil {
		b.t.Fatal(err)
	}
	b.Fill(sel, value)
}

// post sends a form of the test's own, with one field, from the page in the window.
func (b *browserTab) post(path, field, value string) {
	b.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.options.Server + path
	}
	b.Loads(func() {
		if _, err := eval[int](b, `((action, name, value) => {
			const form = document.createElement("form");
			form.method = "post";
			form.action = action;
			form.append(Object.assign(document.createElement("textarea"), {name, value}));
			document.body.append(form);
			form.submit();
			return 1;
		})(`+quote(path)+`,`+quote(field)+`,`+quote(value)+`)`); err != nil {
			b.t.Error(err)
		}
	})
}
