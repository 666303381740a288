package main

import (
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
)

// mailing are the settings of a server that sends mails by this one.
func mailing(m *datatest.MailServer) []string {
	return []string{"SMTP_URL=" + m.URL + "?rate=500", "MAIL_FROM=Meetings <meet@meet.example>", "LOG_LEVEL=debug"}
}

// mailState waits for the invitation's latest mail to be one of these, and returns which.
func (s *server) mailState(t testing.TB, id string, states ...string) string {
	t.Helper()
	var got string
	until(t, "a mail that is "+strings.Join(states, " or "), func() bool {
		got = s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+id+"/mail", nil).Get("mail", "state")
		for _, state := range states {
			if got == state {
				return true
			}
		}
		<-time.After(20 * time.Millisecond)
		return false
	})
	return got
}

// A server that is killed while it talks to the mail server: what was not handed
// over is sent after it, what may have been is shown to the host and sent no
// second time by itself.
func TestAMailIsSentOnceAcrossAKill(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		stage string
		after string
	}{
		"before the text":  {"DATA", "sent"},
		"at the address":   {"RCPT", "sent"},
		"after the dot":    {".", "doubtful"},
		"while it answers": {"taken", "doubtful"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reached, dead := make(chan struct{}), make(chan struct{})
			var once sync.Once
			m := datatest.NewMailServer(t, func(stage string, _ datatest.Mail) string {
				if stage == tc.stage || stage == "." && tc.stage == "taken" {
					once.Do(func() { close(reached); <-dead })
				}
				return ""
			})
			s := startServer(t, mailing(m)...)
			room := s.createRoom(t, "Standup")
			inv := s.mint(t, room, members{"email": "ada@guests.example", "expires_in": "1h"})
			s.call(t, http.StatusAccepted, http.MethodPost, "/invitations/"+inv.ID+"/mail", members{})
			select {
			case <-reached:
			case <-time.After(patience):
				t.Fatalf("the mail server was not reached\n%s", s.Log())
			}
			s.Kill()
			close(dead)
			s.Restart()
			if got := s.mailState(t, inv.ID, "sent", "doubtful", "refused"); got != tc.after {
				t.Errorf("the mail is %s, want %s", got, tc.after)
			}
			if n := len(m.To("ada@guests.example")); n != 1 {
				t.Errorf("it arrived %d times", n)
			}
			events := string(s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID+"/events", nil).Body)
			if n := strings.Count(events, "invitation.mail_"+tc.after); n != 1 {
				t.Errorf("%d events: %s", n, events)
			}
			if tc.after == "doubtful" { // the host says so
				last := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID+"/mail", nil).Get("mail", "id")
				s.call(t, http.StatusAccepted, http.MethodPost, "/invitations/"+inv.ID+"/mail", members{"after": last})
				s.mailState(t, inv.ID, "sent")
			}
		})
	}
}

// Mails that a host stops do not arrive, neither does the one that is being talked
// about with the mail server; they can be sent later, once each.
func TestMailsThatAHostStopsDoNotArrive(t *testing.T) {
	t.Parallel()
	reached, stopped := make(chan struct{}), make(chan struct{})
	var once sync.Once
	m := datatest.NewMailServer(t, func(stage string, _ datatest.Mail) string {
		if stage == "DATA" {
			once.Do(func() { close(reached); <-stopped })
		}
		return ""
	})
	s := startServer(t, mailing(m)...)
	room := s.createRoom(t, "Standup")
	for i := range 5 {
		s.mint(t, room, members{"email": fmt.Sprintf("g%d@guests.example", i), "expires_in": "1h"})
	}
	b := &guestBrowser{s: s, cookie: s.signedIn(t, hostName)}
	send := func() {
		t.Helper()
		if a := b.visit(t, http.MethodPost, "/rooms/"+room+"/mail", url.Values{"unsent": {"true"}}); a.Status != http.StatusSeeOther || !strings.Contains(a.Header.Get("Location"), "n=5") {
			t.Fatalf("send: %v", a)
		}
	}
	send()
	select {
	case <-reached:
	case <-time.After(patience):
		t.Fatalf("the mail server was not reached\n%s", s.Log())
	}
	if a := b.visit(t, http.MethodPost, "/rooms/"+room+"/mail/stop", url.Values{}); a.Status != http.StatusSeeOther || !strings.Contains(a.Header.Get("Location"), "n=5") {
		t.Errorf("stop: %v", a)
	}
	close(stopped)
	if events := string(s.call(t, http.StatusOK, http.MethodGet, "/rooms/"+room+"/events", nil).Body); !strings.Contains(events, "mails.stopped") {
		t.Errorf("no event tells of it: %s", events)
	}
	send()
	m.Wait(t, 5)
	to := map[string]int{}
	for _, sent := range m.Taken() {
		to[sent.To]++
	}
	for at, n := range to {
		if n != 1 {
			t.Errorf("%s got %d mails", at, n)
		}
	}
}

// A storm of mails, and a server that is killed in the middle of it, and again:
// nobody gets two, and whoever got none is known.
func TestAStormOfMailsAcrossKills(t *testing.T) {
	t.Parallel()
	m := datatest.NewMailServer(t, nil)
	s := startServer(t, mailing(m)...)
	room := s.createRoom(t, "Conference")
	const many = 800
	for from := 0; from < many; from += 400 {
		var list []members
		for i := range 400 {
			list = append(list, members{"role": "guest", "name": fmt.Sprint("Guest ", from+i), "email": fmt.Sprintf("g%d@guests.example", from+i)})
		}
		s.call(t, http.StatusOK, http.MethodPost, "/rooms/"+room+"/invitations/bulk", members{"invitations": list})
	}
	if got := s.call(t, http.StatusAccepted, http.MethodPost, "/rooms/"+room+"/mail", members{"unsent": true}).Get("queued"); got != "800" {
		t.Fatalf("%s mails were queued", got)
	}
	for n := 100; n <= 500; n += 200 {
		m.Wait(t, n)
		s.Kill()
		s.Restart()
	}
	for n := 540; n < many-20; n += 40 { // each of which may take as long as a busy machine needs
		m.Wait(t, n)
	}
	db := readOnly(t, s.File())
	states := map[string]int{}
	until(t, "the storm to end", func() bool {
		<-time.After(100 * time.Millisecond)
		clear(states)
		rows, err := db.Query(`SELECT state, COUNT(*) FROM deliveries GROUP BY state`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var state string
			var n int
			if err := rows.Scan(&state, &n); err != nil {
				t.Fatal(err)
			}
			states[state] = n
		}
		return states["waiting"]+states["handing"] == 0 && rows.Err() == nil
	})
	to := map[string]int{}
	for _, sent := range m.Taken() {
		if to[sent.To]++; to[sent.To] > 1 {
			t.Errorf("%s got %d", sent.To, to[sent.To])
		}
	}
	if states["sent"]+states["doubtful"] != many || states["doubtful"] > 3 || len(to) < states["sent"] {
		t.Errorf("%v, and %d arrived", states, len(to))
	}
	r, err := http.NewRequest(http.MethodGet, s.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if metrics, err := s.send(r); err != nil || !strings.Contains(string(metrics.Body), "\nadmitone_outbox_pending 0\n") {
		t.Errorf("/metrics: %v, %v", err, metrics)
	}
	s.Stop() // in time, though a connection is open
}

// The mail as it arrives, in its guest's language, by the program as it ships.
func TestAMailSpeaksItsGuestsLanguage(t *testing.T) {
	t.Parallel()
	m := datatest.NewMailServer(t, nil)
	s := startServer(t, append(mailing(m), `HOST_USERS=[{"username":"host","password":"`+hostPassword+`","admin":true,"display_name":"Grace Hopper"}]`)...)
	room := s.createRoom(t, "Standup")
	for locale, subject := range map[string]string{"de-AT": "Grace Hopper lädt Sie ein: Standup", "zh-Hant-TW": "Grace Hopper 邀請您加入 Standup", "": "Grace Hopper invites you to Standup", "fi": "Grace Hopper invites you to Standup"} {
		more := members{"email": "ada@guests.example"}
		if locale != "" {
			more["locale"] = locale
		}
		inv := s.mint(t, room, more)
		s.call(t, http.StatusAccepted, http.MethodPost, "/invitations/"+inv.ID+"/mail", members{})
		s.mailState(t, inv.ID, "sent")
		all := m.Taken()
		got, err := mail.ReadMessage(strings.NewReader(all[len(all)-1].Text))
		if err != nil {
			t.Fatal(err)
		}
		if said := decoded(t, got.Header.Get("Subject")); said != subject {
			t.Errorf("%s: %q", locale, said)
		}
		if from := got.Header.Get("From"); from != `"Meetings" <meet@meet.example>` {
			t.Errorf("from %s", from)
		}
		known := secrets{}
		known.add("short code", inv.Code())
		for where, text := range files(t, s.Dir) {
			if found := known.in(text, ""); found != nil {
				t.Errorf("%s holds %q", where, found)
			}
		}
		if found := known.in(s.Log(), ""); found != nil {
			t.Errorf("the log holds %q", found)
		}
	}
}
