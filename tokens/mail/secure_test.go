package mail_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms/outbox"
	post "admitone/tokens/mail"
)

// elsewhere is an address of this machine that is none of loopback's: a URL with
// it is treated as another machine's.
func elsewhere(url string) string { return strings.Replace(url, "127.0.0.1", "0.0.0.0", 1) }

// Somebody on the way, or a server that is set up badly, hears neither password
// nor mail.
func TestAnotherMachineHearsNothingInTheClear(t *testing.T) {
	t.Parallel()
	unknown := datatest.NewAuthority(t)
	cert := unknown.Certify(t, "0.0.0.0", "127.0.0.1")
	for name, tc := range map[string]struct {
		manners  datatest.Manners
		starttls string // the reply to it
		says     string
	}{
		"STARTTLS is not offered, or was taken out": {datatest.Manners{Auth: "PLAIN LOGIN CRAM-MD5", InTheClear: true}, "", "does not support STARTTLS"},
		"STARTTLS is refused":                       {datatest.Manners{Certificate: cert, Auth: "PLAIN LOGIN", InTheClear: true}, "454 4.7.0 not now", "454 4.7.0 not now"},
		"it goes on in the clear":                   {datatest.Manners{Certificate: cert, Auth: "PLAIN LOGIN", InTheClear: true}, "220 2.0.0 go on", "tls: "},
		"nobody vouches for its certificate":        {datatest.Manners{Certificate: cert, Auth: "PLAIN LOGIN"}, "", "certificate signed by unknown authority"},
		"nor for that of smtps":                     {datatest.Manners{Certificate: cert, Auth: "PLAIN LOGIN", Implicit: true}, "", "certificate signed by unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.manners.User = url.UserPassword("app", "tiger") // gitleaks:allow
			server := datatest.NewMannered(t, tc.manners, func(stage string, _ datatest.Mail) string {
				if stage == "STARTTLS" {
					return tc.starttls
				}
				return ""
			})
			s, err := post.ParseServer(elsewhere(server.URL), "meet.example")
			if err != nil {
				t.Fatal(err)
			}
			var away outbox.Away
			if err := s.Check(t.Context()); !errors.As(err, &away) || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "tiger") {
				t.Errorf("it says %v", err)
			}
			heard := server.Overheard()
			for _, no := range []string{"AUTH", "MAIL", "tiger", base64.StdEncoding.EncodeToString([]byte("\x00app\x00tiger"))} {
				if strings.Contains(heard, no) {
					t.Errorf("it heard %q", heard)
				}
			}
			// Nor is a connection left open behind.
			for until := time.Now().Add(10 * time.Second); server.Open() > 0; <-time.After(time.Millisecond) {
				if time.Now().After(until) {
					t.Fatal("the connection stays open")
				}
			}
		})
	}
}

// Some servers quote what they did not take.
func TestAServerThatQuotesThePasswordIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"PLAIN", "LOGIN"} {
		server := datatest.NewMannered(t, datatest.Manners{Auth: how, User: url.UserPassword("app", "t%ger/¡")}, func(_ string, m datatest.Mail) string { // gitleaks:allow
			return "535 5.7.8 " + m.From + " is not t%ger/¡ " // gitleaks:allow
		})
		s, err := post.ParseServer(server.URL, "meet.example")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "535 5.7.8 … is not …") {
			t.Errorf("%s: it says %v", how, err)
		}
	}
}

// What the operator must put right stands in the log, once until it changes, and
// the mail waits for it.
func TestTheLogTellsThatAServerLetsNobodyIn(t *testing.T) {
	t.Parallel()
	for stage, reply := range map[string]string{"AUTH": "454 4.7.0 not now", "MAIL": "553 5.7.1 not you"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			left := 2
			h := openMannered(t, datatest.SQLite(t), datatest.Manners{Auth: "PLAIN", User: url.UserPassword("app", "tiger")}, func(at string, _ datatest.Mail) string { // gitleaks:allow
				if at != stage || left == 0 {
					return ""
				}
				left--
				return reply
			})
			inv := h.mint("bo@guests.example")
			h.send(inv)
			if d := h.last(inv); d.State != outbox.Sent || d.Attempts != 3 {
				t.Errorf("the mail is %+v", d)
			}
			h.stop()
			log := h.log.String()
			if strings.Count(log, "level=WARN msg=outbox kind=mail") != 1 || !strings.Contains(log, reply) || strings.Count(log, "level=INFO") != 1 || strings.Contains(log, "bo@") {
				t.Errorf("the log says:\n%s", log)
			}
		})
	}
}
