package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"admitone/data/datatest"
)

// soon is how long a change may take to reach a screen or another instance: a second,
// and half of one more for measuring. Under the race detector, where all is slower and
// other tests run beside, nothing is timed but that it comes; so the tests named
// WithinASecond run without it too, by themselves.
func soon() time.Duration {
	if raceDetector() {
		return 30 * time.Second
	}
	return 1500 * time.Millisecond
}

// guestOver is a guest who comes in over plain HTTP and holds the page's stream.
type guestOver struct {
	client *http.Client
	resp   *http.Response
}

// enter opens the link, presses, and holds the stream of the page, as a browser does.
func enter(t testing.TB, s *server, room string, m minted, name string) *guestOver {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	g := &guestOver{client: &http.Client{Jar: jar, Transport: newClient().Transport}}
	at := s.URL + "/i/" + m.Code()
	resp, err := g.client.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	page := readAll(t, resp)
	nonce := formNonce.FindStringSubmatch(page)
	if nonce == nil {
		t.Fatalf("no form for %s: %s", name, page)
	}
	if resp, err = g.client.PostForm(at, url.Values{"nonce": {nonce[1]}, "name": {name}}); err != nil {
		t.Fatal(err)
	}
	if page = readAll(t, resp); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s came to %d %s", name, resp.StatusCode, page)
	}
	g.listen(t, s, room)
	return g
}

func (g *guestOver) listen(t testing.TB, s *server, room string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/join/"+room+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if g.resp, err = g.client.Do(req); err != nil {
		t.Fatal(err)
	}
	if g.resp.StatusCode != http.StatusOK {
		t.Fatalf("the stream answers %s", g.resp.Status)
	}
}

// Fifty guests come in while a host watches the room in one window and the list
// of guests in another; each is on both screens within a second, and so is each
// who leaves.
func TestBrowserHostSeesFiftyGuestsWithinASecond(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	room := s.createRoom(t, "Stand-up")
	host, list := newBrowser(t, browserOptions{Server: s.URL}), newBrowser(t, browserOptions{Server: s.URL})
	host.signIn()
	host.Open("/rooms/" + room)
	host.Fill("#mint-name", "half typed")
	list.signIn()
	list.Open("/rooms/" + room + "/attendance")
	var guests []*guestOver
	var slowest time.Duration
	var began time.Time
	shown := func(on *browserTab, what, script string) {
		t.Helper()
		on.do(what, chromedp.Poll[chromedp.Void](script))
		slowest = max(slowest, time.Since(began))
	}
	for i := range 50 {
		name := fmt.Sprintf("Guest number %02d", i+1)
		m := s.mint(t, room, members{"name": name})
		guests = append(guests, enter(t, s, room, m, name))
		began = time.Now()
		shown(host, name, fmt.Sprintf(`document.querySelectorAll("#people-here li").length === %d && document.querySelector("#people-here").innerText.includes(%q) && document.title.startsWith("(%d) ")`, i+1, name, i+1))
		shown(list, name, fmt.Sprintf(`document.querySelector("#turnout li:nth-child(2)").innerText.startsWith("%d ")`, i+1))
	}
	if got := host.Value("#mint-name"); got != "half typed" || !host.Focused("#mint-name") {
		t.Errorf("what was being typed is %q now", got)
	}
	for i, g := range guests[:5] {
		_ = g.resp.Body.Close()
		began = time.Now()
		shown(host, "somebody leaving", fmt.Sprintf(`document.querySelectorAll("#people-here li").length === %d`, 49-i))
	}
	t.Logf("the slowest change took %s to the screen", slowest)
	if slowest > soon() {
		t.Errorf("a change took %s to the screen", slowest)
	}
}

// A guest sees who is there, and is told at once when removed, or the link
// revoked; undo lets them back.
func TestBrowserLobbyChangesWithinASecond(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		room := s.createRoom(t, "Stand-up")
		host, guest := newBrowser(t, look), openBrowser(t, look)
		t.Cleanup(func() {
			// A page that asks anew just as it ends is told so, which the console calls a failure to load.
			found, _ := guest.found()
			for _, problem := range found {
				if !strings.Contains(problem, "410 (Gone)") {
					t.Errorf("in the browser: %s", problem)
				}
			}
		})
		host.signIn()
		host.Open("/rooms/" + room)
		inv := s.mint(t, room, members{"name": "Grace Hopper"})
		guest.Open("/i/" + inv.Code())
		guest.Follow("main form button[type=submit]")
		guest.WaitVisible("#people-here li")
		if got := guest.Text("#people"); !strings.Contains(got, "Grace Hopper") || !strings.Contains(got, "(you)") {
			t.Errorf("the guest sees %q", got)
		}
		enter(t, s, room, s.mint(t, room, nil), `Bo <b>"`)
		guest.WaitVisible("#people-here li:nth-child(2)")
		guest.seen(name + "-live-lobby")
		host.WaitVisible("#people-here li:nth-child(2)")
		host.seen(name + "-live-room")

		host.Click("#people-here li:first-child form button")
		guest.toldOff(t)
		if guest.Status() != http.StatusGone {
			t.Errorf("the removed guest's page answers %d", guest.Status())
		}
		host.WaitVisible("#people-here li.removed form button")
		host.seen(name + "-live-removed")
		host.Click("#people-here li.removed form button")
		host.WaitGone("#people-here li.removed")
		guest.Open("/join/" + room + "/admitted")
		guest.WaitVisible("#people-here li")

		s.call(t, http.StatusOK, http.MethodPost, "/invitations/"+inv.ID+"/revoke", members{})
		guest.toldOff(t)
		host.WaitGone("#row-" + inv.ID + ".redeemed")
	})
}

// toldOff waits until the guest's page says by itself that it is over.
func (b *browserTab) toldOff(t testing.TB) {
	t.Helper()
	began := time.Now()
	until(t, "the page to say that it is over", func() bool {
		// While the page changes to the next there is nobody to ask.
		over, err := eval[bool](b, `document.readyState === "complete" && document.querySelector("#people") === null`)
		return err == nil && over
	})
	if took := time.Since(began); took > soon() {
		t.Errorf("the guest was told after %s", took)
	}
}

// When the server comes back, so do the streams of open pages.
func TestBrowserStreamsComeBackWithTheServer(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	room := s.createRoom(t, "Stand-up")
	guest := openBrowser(t, browserOptions{Server: s.URL}) // its console may say that the server was away
	guest.Open("/i/" + s.mint(t, room, nil).Code())
	guest.Follow("main form button[type=submit]")
	guest.WaitVisible("#people-here li")
	began := time.Now()
	s.Stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("an open stream held the server for %s", took)
	}
	s.Restart()
	s.Kill()
	s.Restart()
	enter(t, s, room, s.mint(t, room, nil), "Ada")
	guest.WaitVisible("#people-here li:nth-child(2)")
}

// Two instances on one PostgreSQL see each other's guests.
func TestInstancesSeeEachOthersGuestsWithinASecond(t *testing.T) {
	t.Parallel()
	dsn := datatest.Postgres(t)
	env := []string{ladies, "DATABASE_URL=" + dsn, "JWT_KEY=Zx3vB8nM1kQ6wE9rT4yU7iO2pA5sD0fG"} // gitleaks:allow
	one, two := startServer(t, env...), startServer(t, env...)
	room := one.createRoom(t, "Stand-up")
	host := newBrowser(t, browserOptions{Server: one.URL})
	host.signIn()
	host.Open("/rooms/" + room)
	g := enter(t, two, room, two.mint(t, room, nil), "Grace")
	began := time.Now()
	host.WaitVisible("#people-here li")
	if took := time.Since(began); took > soon() {
		t.Errorf("the other instance's guest was seen after %s", took)
	}
	_ = g.resp.Body.Close()
	host.WaitGone("#people-here li")
}

// A thousand idle streams cost little memory each, and hold nobody up when the
// server stops.
func TestAThousandIdleStreams(t *testing.T) {
	t.Parallel()
	if raceDetector() {
		t.Skip("the race detector's own memory would be measured")
	}
	s := startServer(t, ladies)
	room := s.createRoom(t, "Stand-up")
	before := s.resident(t)
	for i := range 125 {
		g := enter(t, s, room, s.mint(t, room, nil), fmt.Sprint("guest ", i))
		for range 7 {
			g.listen(t, s, room)
		}
	}
	each := (s.resident(t) - before) / 1000
	t.Logf("%d KiB for each stream", each)
	if each > 128 {
		t.Errorf("each stream costs %d KiB", each)
	}
	began := time.Now()
	s.Stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a thousand streams held the server for %s", took)
	}
}

// resident is the server's memory, in KiB.
func (s *server) resident(t testing.TB) (kib int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		lacking(t, "there is no /proc to read the server's memory from")
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

func readAll(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
