package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"admitone/data/datatest"
)

// meetings is a conference on this machine whose door is MiroTalk's: it tells
// who came, by which address.
func meetings(t testing.TB) (origin string, came <-chan url.Values) {
	t.Helper()
	arrived := make(chan url.Values, 20)
	conf := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/join" {
			q := r.URL.Query()
			q.Set("referer", r.Referer())
			arrived <- q
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Conference</title><link rel="icon" href="data:,"><h1>Conference</h1>`))
	}))
	t.Cleanup(conf.Close)
	return conf.URL, arrived
}

// mirotalk is the setting for it, under the name "main".
func mirotalk(origin string) string {
	return `BACKENDS=[{"name":"main","kind":"mirotalk","url":"` + origin + `","jwt_key":"k7Q2vT9xL4mZ","username":"admitone","password":"p4Wd8sRn1c"}]` // gitleaks:allow
}

// A guest waits until a host has entered, is let on by the page itself, comes
// back with a fresh link each time, and is refused once the link is revoked.
func TestBrowserWaitsForTheHost(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		origin, came := meetings(t)
		s := startServer(t, mirotalk(origin))
		look.Server = s.URL
		room := s.call(t, http.StatusCreated, http.MethodPost, "/rooms", members{"name": "Talk", "backend": "main"}).Get("slug")
		inv := s.mint(t, room, members{"name": "Ada & Co"})
		guest, host := newBrowser(t, look), newBrowser(t, look)
		guest.Expect(origin)
		host.Expect(origin)

		guest.Open(inv.Short)
		if guest.Status() != http.StatusForbidden || guest.Count("form") != 0 {
			t.Fatalf("before the host: %d %s", guest.Status(), guest.Text("main"))
		}
		guest.seen(name + "-wait-guest")
		host.signIn()
		host.Open("/rooms/" + room)
		host.seen(name + "-wait-host-room")
		host.Follow("form[action$='/enter'] button")
		if !strings.HasSuffix(host.URL(), "/join/"+room+"/admitted?as=host") {
			t.Fatalf("the host came to %s", host.URL())
		}
		host.seen(name + "-wait-host-in")
		guest.Loads(func() {
			host.Follow("main form button[type=submit]")
			if q := <-came; q.Get("name") != hostName {
				t.Errorf("the host came as %v", q)
			}
		})
		guest.WaitVisible("main form button[type=submit]")
		if got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID, nil).Get("uses"); got != "0" {
			t.Fatalf("waiting took %s uses", got)
		}
		guest.Follow("main form button[type=submit]")
		if got := guest.Text("main form button"); got != "Enter \u2068main\u2069" && got != "Enter main" {
			t.Errorf("the button says %q", got)
		}
		seen := map[string]bool{}
		for i := range 3 {
			guest.Follow("main form button[type=submit]")
			q := <-came
			if q.Get("name") != "Ada & Co" || q.Get("referer") != "" || !strings.HasPrefix(q.Get("room"), room+"-") || seen[q.Get("token")] {
				t.Fatalf("the guest came, %d times before, as %v", i, q)
			}
			seen[q.Get("token")] = true
			if i == 0 {
				_, _ = eval[int](guest, `(() => { history.back(); return 1 })()`)
				until(t, "the page of before", func() bool { return strings.HasSuffix(guest.URL(), "/join/"+room+"/admitted") })
				guest.do("reload", chromedp.Reload())
			} else {
				guest.Open("/join/" + room + "/admitted")
			}
			if got := guest.Text("main form button"); !strings.HasPrefix(got, "Rejoin") {
				t.Errorf("the button says %q", got)
			}
		}
		guest.seen(name + "-wait-rejoin")
		second := newBrowser(t, look)
		second.Open(inv.Short)
		if second.Status() != http.StatusConflict {
			t.Errorf("a second browser is told %d", second.Status())
		}
		host.Open("/rooms/" + room)
		if got := host.Text("#people"); !strings.Contains(got, "Ada & Co") || !strings.Contains(got, "entered at") {
			t.Errorf("the host sees %q", got)
		}
		host.seen(name + "-wait-entered")
		host.Open("/invitations/" + inv.ID)
		host.Follow("form[action$='/revoke'] button")
		if got := host.Text("main"); !strings.Contains(got, "stay until they leave") {
			t.Errorf("the host is told %q", got)
		}
		host.seen(name + "-wait-revoked")
		guest.Follow("main form button[type=submit]") // on the page of before
		if guest.Status() != http.StatusGone || len(came) != 0 {
			t.Errorf("after the revocation: %d, %d more came", guest.Status(), len(came))
		}
	})
}

// Where the conference does not answer, a press uses nothing up, the page says
// so, offers the press again, and finds by itself when it answers.
func TestBrowserTriesTheConferenceAgain(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		conf := datatest.NewLiveKit(t)
		s := startServer(t, "BACKENDS=["+conf.Backend("main")+"]")
		look.Server = s.URL
		room := s.call(t, http.StatusCreated, http.MethodPost, "/rooms", members{"name": "Talk", "backend": "main"}).Get("slug")
		inv := s.mint(t, room, members{"name": "Ada"})
		guest := newBrowser(t, look)
		guest.Expect(conf.URL)
		guest.Expect("503")
		conf.Down(true)
		guest.Open(inv.Short)
		guest.Follow("main form button[type=submit]")
		if guest.Status() != http.StatusServiceUnavailable {
			t.Fatalf("pressing answers %d", guest.Status())
		}
		if got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID, nil).Get("uses"); got != "0" {
			t.Fatalf("%s uses were taken", got)
		}
		conf.Down(false)
		guest.Open(inv.Short)
		guest.Follow("main form button[type=submit]")
		conf.Down(true)
		guest.Follow("main form button[type=submit]")
		guest.seen(name + "-unreached")
		if got := guest.Text("main form button"); guest.Status() != http.StatusServiceUnavailable || got != "Try again" {
			t.Fatalf("entering answers %d and offers %q", guest.Status(), got)
		}
		conf.Down(false)
		until(t, "the page to look again", func() bool {
			found, err := eval[bool](guest, `document.readyState === "complete" && document.querySelector("main form button").innerText.startsWith("Enter")`)
			return err == nil && found
		})
		guest.Follow("main form button[type=submit]")
		if !strings.HasPrefix(guest.URL(), conf.URL+"/page?") {
			t.Errorf("came to %s", guest.URL())
		}
	})
}

// A revocation on one instance ends entering on the other, within a second, and
// the conference is asked to remove the guest.
func TestRevokingEndsEnteringOnEveryInstanceWithinASecond(t *testing.T) {
	t.Parallel()
	conf := datatest.NewLiveKit(t)
	env := []string{"DATABASE_URL=" + datatest.Postgres(t), "JWT_KEY=Zx3vB8nM1kQ6wE9rT4yU7iO2pA5sD0fG", "BACKENDS=[" + conf.Backend("main") + "]"} // gitleaks:allow
	one, two := startServer(t, env...), startServer(t, env...)
	room := one.call(t, http.StatusCreated, http.MethodPost, "/rooms", members{"name": "Talk", "backend": "main"}).Get("slug")
	inv := one.mint(t, room, nil)
	redeemed := two.call(t, http.StatusOK, http.MethodPost, "/invitations/redeem", members{"token": inv.Code(), "nonce": "a-nonce-of-the-gate"})
	conf.Enter(t, redeemed.Get("join_url"))
	one.call(t, http.StatusOK, http.MethodPost, "/invitations/"+inv.ID+"/revoke", members{})
	began := time.Now()
	two.call(t, http.StatusGone, http.MethodPost, "/invitations/redeem", members{"token": inv.Code(), "nonce": "a-nonce-of-the-gate"})
	until(t, "the conference to remove the guest", func() bool { return len(conf.Inside()) == 0 })
	if took := time.Since(began); took > soon() {
		t.Errorf("it took %s", took)
	}
}

// The command line ends when the conference has removed the guest, and not before.
func TestTheCommandLineWaitsForTheConference(t *testing.T) {
	t.Parallel()
	conf := datatest.NewLiveKit(t)
	s := startServer(t, "BACKENDS=["+conf.Backend("main")+"]")
	room := s.call(t, http.StatusCreated, http.MethodPost, "/rooms", members{"name": "Talk", "backend": "main"}).Get("slug")
	inv := s.mint(t, room, nil)
	conf.Enter(t, s.call(t, http.StatusOK, http.MethodPost, "/invitations/redeem", members{"token": inv.Token, "nonce": "a-nonce-of-the-gate"}).Get("join_url"))
	cmd := exec.CommandContext(t.Context(), binary(t), "revoke", inv.ID)
	cmd.Dir, cmd.Env = s.Dir, s.env
	if out, err := cmd.CombinedOutput(); err != nil || len(conf.Inside()) != 0 {
		t.Errorf("inside are %v; %v %s", conf.Inside(), err, out)
	}
	if got := string(s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID+"/events", nil).Body); !strings.Contains(got, "conference.removed") {
		t.Errorf("the history says %s", got)
	}
}
