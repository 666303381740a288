package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"admitone/data/datatest"
)

// hands go through pages with the keyboard alone, or else with a mouse.
type hands struct {
	*browserTab
	keys bool
}

// press presses a button or follows a link, which leads to a page, or a part of one,
// that shows the last.
func (h hands) press(sel, shows string) {
	h.t.Helper()
	switch {
	case h.keys:
		h.tabTo(sel)
		h.Press(kb.Enter)
	case h.options.NoScript:
		h.Follow(sel)
	default:
		h.Click(sel)
	}
	h.WaitVisible(shows)
}

// unfold opens what is folded.
func (h hands) unfold(sel string) {
	h.t.Helper()
	if !h.keys {
		h.Click(sel)
		return
	}
	h.tabTo(sel)
	h.Press(kb.Enter)
}

// pick chooses the other of two.
func (h hands) pick(name, value string) {
	h.t.Helper()
	sel := "input[name=" + name + "][value=" + value + "]"
	if !h.keys {
		h.Click(sel)
		return
	}
	h.tabTo("input[name=" + name + "]:checked")
	h.Press(kb.ArrowDown)
	if !h.Focused(sel + ":checked") {
		h.t.Fatalf("the keyboard does not choose %s", sel)
	}
}

// mark ticks a box.
func (h hands) mark(sel string) {
	h.t.Helper()
	if !h.keys {
		h.Click(sel)
		return
	}
	h.tabTo(sel)
	h.Press(" ")
}

func (h hands) write(sel, text string) {
	h.t.Helper()
	if !h.keys {
		h.Fill(sel, text)
		return
	}
	h.tabTo(sel)
	h.Press(text)
}

// choose takes the option that is so many below the first.
func (h hands) choose(sel, value string, below int) {
	h.t.Helper()
	if !h.keys {
		h.Fill(sel, value)
		return
	}
	h.tabTo(sel)
	for range below {
		h.Press(kb.ArrowDown)
	}
	if got := h.Value(sel); got != value {
		h.t.Fatalf("%s is %q by the keyboard, want %q", sel, got, value)
	}
}

// set enters a date with its time, as a browser that speaks English asks for one.
func (h hands) set(sel string, at time.Time) {
	h.t.Helper()
	want := at.Format("2006-01-02T15:04")
	if !h.keys {
		h.Fill(sel, want)
		return
	}
	h.tabTo(sel)
	h.Press(at.Format("01022006"))
	h.Press(kb.Tab)
	h.Press(at.Format("0304PM"))
	if got := h.Value(sel); got != want {
		h.t.Fatalf("%s is %q by the keyboard, want %q", sel, got, want)
	}
}

func (h hands) says(sel string, words ...string) {
	h.t.Helper()
	text := strings.Join(strings.Fields(h.Text(sel)), " ")
	for _, word := range words {
		if !strings.Contains(text, word) {
			h.t.Errorf("%s: %s says no %q: %s", h.URL(), sel, word, text)
		}
	}
}

// From a guest list to everyone in the room, without a mouse, and without a script.
func TestBrowserOrganiserByKeyboardAloneAndWithoutJavaScript(t *testing.T) {
	t.Parallel()
	for name, noScript := range map[string]bool{"keyboard": false, "no-script": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := datatest.NewMailServer(t, func(string, datatest.Mail) string { return "" })
			s := startServer(t, append(mailing(m), ladies)...)
			width := int64(1280)
			if noScript {
				width = 360
			}
			h := hands{newBrowser(t, browserOptions{Server: s.URL, NoScript: noScript, Width: width}), !noScript}
			h.signIn()
			day := time.Now().UTC().AddDate(0, 0, 7)
			slug := "standup-" + day.Format(time.DateOnly)
			serial(t, s, h, time.Date(day.Year(), day.Month(), day.Day(), 14, 0, 0, 0, time.UTC), slug)
			listed(t, h, slug)
			mailed(t, m, h, slug)
			called(t, s, h, slug)
			forgotten(t, h)
		})
	}
}

// serial makes a series and a copy of one of its rooms.
func serial(t *testing.T, s *server, h hands, starts time.Time, slug string) {
	t.Helper()
	h.Open("/")
	h.unfold("main details.more summary")
	h.write("#room-name", "Standup")
	h.set("#room-starts", starts)
	h.set("#room-ends", starts.Add(time.Hour))
	h.choose("#room-repeat", "weekly", 1)
	h.write("#room-times", "3")
	h.press("form[action='/rooms'] button[type=submit]", ".notice.good")
	if to := h.URL(); to != "/rooms/"+slug+"?did=series&n=3" {
		t.Fatalf("the series is at %s: %s", to, h.Text("main"))
	}
	h.unfold("main details.menu summary")
	h.press("main details.menu a[href$='/edit']", "#room-starts")
	h.set("#room-starts", starts.Add(time.Hour))
	h.set("#room-ends", starts.Add(2*time.Hour))
	h.pick("rest", "true")
	h.press("main form[action='/rooms/"+slug+"'] button.main", ".notice.good")
	next := s.call(t, http.StatusOK, http.MethodGet, "/rooms/standup-"+starts.AddDate(0, 0, 7).Format(time.DateOnly), nil)
	if got, want := next.Get("starts_at"), starts.AddDate(0, 0, 7).Add(time.Hour).Format(time.RFC3339); got != want {
		t.Errorf("the next room starts at %s, want %s", got, want)
	}
	h.unfold("main details.menu summary")
	h.press("form[action$='/close-rest'] button", ".notice form button")
	h.press(".notice form button", ".notice.good:not(:has(form))")
}

// listed is the way from the room to a list of guests, their invitations, and paper.
func listed(t *testing.T, h hands, slug string) {
	t.Helper()
	h.Open("/rooms/" + slug)
	h.press("#mint a[href$='/bulk']", "#bulk-list")
	h.write("#bulk-list", "name,email\nAda,ada@guests.example\nBo,bo@guests.example\nCy,nowhere\nDi\n")
	h.press("main form button.big", "table.guests")
	h.says("table.guests tbody tr:first-child", "Cy", "This is not a mail address.")
	h.press("button[value=mint]", "a[download]")
	h.says("h1", "3 invitations are created")
	h.press("main a[href*='/sheet?batch=']", ".slip")
	h.press(".sheet-look a[href*='layout=24']", ".by-24 .slip")
	h.press(".sheet-look a[href*='paper=letter']", ".letter .slip")
	if n := h.Count(".slip .code svg"); n != 3 {
		t.Errorf("%d codes are on the sheet", n)
	}
	h.press("main a.back", "#invitation-rows")
	h.mark("#invitation-rows li:last-child input.choose")
	h.press("#selection button[formmethod=get]", ".slip")
	if n := h.Count(".slip"); n != 1 {
		t.Errorf("%d of one are on the sheet", n)
	}
}

// mailed is the way to mails for all who have an address.
func mailed(t *testing.T, m *datatest.MailServer, h hands, slug string) {
	t.Helper()
	h.Open("/rooms/" + slug)
	h.press("#mails form button", ".notice.good")
	to := map[string]bool{}
	for _, mail := range m.Wait(t, 2) {
		to[mail.To] = true
	}
	if !to["ada@guests.example"] || !to["bo@guests.example"] {
		t.Errorf("mails went to %v", to)
	}
	h.Open("/rooms/" + slug)
	h.press("#invitation-rows li:last-child a.name", "#mail")
}

// called is the way to a copy of the room with its guests, and to who came.
func called(t *testing.T, s *server, h hands, slug string) {
	t.Helper()
	h.Open("/rooms/" + slug)
	h.unfold("main details.menu summary")
	h.press("main details.menu a[href$='/copy']", "input[name=invite]")
	h.mark("input[name=invite]")
	h.press("form[action='/rooms'] button.main", "#invitation-rows")
	h.says("#invitation-rows", "Ada", "Bo", "Di")
	if copied := strings.Split(strings.TrimPrefix(h.URL(), "/rooms/"), "?")[0]; copied == slug || s.call(t, http.StatusOK, http.MethodGet, "/rooms/"+copied, nil).Get("name") != "Standup" {
		t.Errorf("the copy is at %s", h.URL())
	}
	h.Open("/rooms/" + slug)
	h.unfold("main details.menu summary")
	h.press("main details.menu a[href$='/attendance']", "#turnout")
	h.says("#turnout", "3 invited", "3 not yet")
	h.press("nav.tabs a[href$='part=came']", "nav.tabs a[href$='part=came'][aria-current]")
	if h.Count("a[download]") != 1 {
		t.Error("there is no table of who came")
	}
}

// forgotten is the way to one person's data, and to its end.
func forgotten(t *testing.T, h hands) {
	t.Helper()
	h.Open("/account/person")
	h.write("#person-address", "ada@guests.example")
	h.press("form[action='/account/person'] button", "#person-confirm")
	h.write("#person-confirm", "ada@guests.example")
	h.press("form[action$='/delete'] button", ".notice.good")
	h.write("#person-address", "ada@guests.example")
	h.press("form[action='/account/person'] button", ".empty")
}
