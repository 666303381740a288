package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// Before its time the page says when, in the guest's zone, and opens by itself;
// waiting uses nothing up.
func TestBrowserWaitsForTheLinkToOpen(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	room := s.createRoom(t, "Early")
	b := newBrowser(t, browserOptions{Server: s.URL, Width: 360, Timezone: "Asia/Tokyo"})
	early := func(wait time.Duration) (minted, time.Time) {
		opens := time.Now().Add(wait).UTC()
		return s.mint(t, room, members{"not_before": opens.Format(time.RFC3339Nano), "expires_in": "2h"}), opens
	}
	later, _ := early(time.Hour) // which does not open while it is looked at
	b.Open(later.Short)
	b.seen("guest-early")
	inv, opens := early(8 * time.Second)
	b.Open(inv.Short)
	if b.Status() != http.StatusForbidden || b.Count("form") != 0 {
		t.Fatalf("before its time: %d %s", b.Status(), b.Text("main"))
	}
	tokyo := opens.In(time.FixedZone("JST", 9*3600))
	if got := b.Text("main"); !strings.Contains(got, tokyo.Format(":04")) || !strings.Contains(got, "GMT+9") && !strings.Contains(got, "JST") {
		t.Errorf("the page does not say %s of Tokyo: %s", tokyo.Format("15:04"), got)
	}
	b.WaitVisible("main form button[type=submit]")
	if time.Now().Before(opens) {
		t.Error("it opened too early")
	}
	if got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID, nil).Get("uses"); got != "0" {
		t.Fatalf("waiting took %s uses", got)
	}
}

// A scanner loads the page with everything on it, runs its script, moves about,
// and presses nothing: nothing is used up.
func TestBrowserScannerUsesNothingUp(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	inv := s.mint(t, s.createRoom(t, "Scanned"), nil)
	for _, link := range []string{inv.Short, inv.URL, strings.ToUpper(inv.Short[len(s.URL):])} {
		b := newBrowser(t, browserOptions{Server: s.URL})
		b.Open(link)
		if b.Status() != http.StatusOK {
			t.Fatalf("%s answers %d", link, b.Status())
		}
		if _, err := eval[int](b, `(async () => {
			for (const e of document.querySelectorAll("*")) {
				for (const kind of ["mouseover", "mousemove", "focus", "blur", "scroll", "visibilitychange"]) e.dispatchEvent(new Event(kind, {bubbles: true}));
			}
			for (const method of ["GET", "HEAD", "OPTIONS"]) await fetch(location.href, {method});
			return 1;
		})()`); err != nil {
			t.Fatal(err)
		}
		b.Press(kb.Tab)
	}
	if got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID, nil); got.Get("uses") != "0" || got.Get("state") != "pending" {
		t.Fatalf("looking used it up: %v", got)
	}
}

// A triple click, a lost answer and the link's other spelling are still one
// person and one use.
func TestBrowserOnePersonOneUse(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	inv := s.mint(t, s.createRoom(t, "Twice"), members{"max_uses": 3})
	b := newBrowser(t, browserOptions{Server: s.URL, Width: 360, Mobile: true})
	b.Open(inv.Short)
	b.Loads(func() {
		if _, err := eval[int](b, `(() => { const f = document.querySelector("main form button[type=submit]"); f.click(); f.click(); f.click(); return 1 })()`); err != nil {
			t.Error(err)
		}
	})
	b.Open(inv.Short) // again, as after a lost answer
	b.Follow("main form button[type=submit]")
	b.Open(inv.URL) // the other spelling of the same link
	b.Follow("main form button[type=submit]")
	if b.Text("h1") != "You’re in" {
		t.Fatalf("not in: %s", b.Text("main"))
	}
	if got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID, nil).Get("uses"); got != "1" {
		t.Fatalf("one person took %s uses", got)
	}
}

// An admitted guest is handed to the room's conference by a press, with a fresh
// link that says who they are; the page's policy allows that place and no other.
func TestBrowserHandsOverToTheConference(t *testing.T) {
	t.Parallel()
	arrived := make(chan string, 10)
	conf := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/favicon.ico" {
			arrived <- r.URL.RequestURI() + " referer=" + r.Referer()
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Conference</title><link rel="icon" href="data:,"><h1>Conference</h1>`))
	}))
	defer conf.Close()
	s := startServer(t, `BACKENDS=[{"name":"main","kind":"url","template":"`+conf.URL+`/{room}?name={name}&role={role}&id={admission}"}]`)
	room := s.call(t, http.StatusCreated, http.MethodPost, "/rooms", members{"name": "Talk", "backend": "main"}).Get("slug")
	inv := s.mint(t, room, members{"name": "Ada & Co"})
	b := newBrowser(t, browserOptions{Server: s.URL})
	b.Expect(conf.URL)
	b.Open(inv.Short)
	b.Follow("main form button[type=submit]")
	b.seen("guest-door")
	for range 2 { // entering, and entering again
		b.Follow("main form button[type=submit]")
		got := <-arrived
		if !strings.HasPrefix(got, "/talk?name=Ada%20%26%20Co&role=guest&id=adm_") || !strings.HasSuffix(got, "referer=") {
			t.Fatalf("the conference was asked for %s", got)
		}
		b.Open("/join/" + room + "/admitted")
	}
}
