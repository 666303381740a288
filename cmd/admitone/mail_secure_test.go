package main

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"admitone/data/datatest"
)

// mailUser signs in at a mail server with all that a URL treats as special.
var mailUser = url.UserPassword("app@meet.example", "p@ss/w:rd %&#?é+") // gitleaks:allow

// passwordless fails where a text holds mailUser's password, in any form that it has on its way.
func passwordless(t *testing.T, where, text string) {
	t.Helper()
	password, _ := mailUser.Password()
	_, escaped, _ := strings.Cut(mailUser.String(), ":")
	wire := base64.StdEncoding
	for _, form := range []string{password, escaped, wire.EncodeToString([]byte(password)), wire.EncodeToString([]byte("\x00" + mailUser.Username() + "\x00" + password))} {
		if strings.Contains(text, form) {
			t.Errorf("%s holds the password:\n%s", where, text)
		}
	}
}

// elsewhere is an address of this machine that is none of loopback's: a URL with
// it is treated as another machine's.
func elsewhere(url string) string { return strings.Replace(url, "127.0.0.1", "0.0.0.0", 1) }

// doctor is what the doctor says of that server's mail.
func (s *server) doctor(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), "doctor")
	cmd.Dir, cmd.Env = s.Dir, s.env
	out, err := cmd.Output()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "  mail  ") {
			return line
		}
	}
	t.Fatalf("the doctor says nothing of mail: %v\n%s", err, out)
	return ""
}

// The program as it ships, told by SSL_CERT_FILE whom to trust, sends under TLS.
func TestMailsGoOutUnderTLS(t *testing.T) {
	t.Parallel()
	private := datatest.NewAuthority(t)
	cert := private.Certify(t, "localhost", "127.0.0.1", "0.0.0.0")
	const greeting = "EHLO localhost\r\nSTARTTLS\r\n"
	for name, tc := range map[string]struct {
		manners datatest.Manners
		at      func(url string) string
		clear   string // what is said in it
	}{
		"smtps":                     {datatest.Manners{Implicit: true, Auth: "PLAIN"}, func(url string) string { return url }, ""},
		"smtps, by name":            {datatest.Manners{Implicit: true, Auth: "LOGIN"}, func(url string) string { return strings.Replace(url, "127.0.0.1", "localhost", 1) }, ""},
		"STARTTLS":                  {datatest.Manners{Auth: "PLAIN LOGIN"}, elsewhere, greeting},
		"STARTTLS, signed in so":    {datatest.Manners{Auth: "XOAUTH2 LOGIN", InTheClear: true}, elsewhere, greeting},
		"words slipped in before":   {datatest.Manners{Auth: "PLAIN", Behind: "\r\n250-mail.example\r\n250 AUTH CRAM-MD5\r\n334 PDE+"}, elsewhere, greeting},
		"in the clear, on loopback": {datatest.Manners{Auth: "PLAIN"}, func(url string) string { return url }, "*"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.manners.User = mailUser
			if tc.clear != "*" {
				tc.manners.Certificate = cert
			}
			m := datatest.NewMannered(t, tc.manners, nil)
			s := startServer(t, append(mailing(m), "SMTP_URL="+tc.at(m.URL), "SSL_CERT_FILE="+private.File)...)
			inv := s.mint(t, s.createRoom(t, "Standup"), members{"email": "ada@guests.example"})
			s.call(t, http.StatusAccepted, http.MethodPost, "/invitations/"+inv.ID+"/mail", members{})
			s.mailState(t, inv.ID, "sent", "refused")
			if got := m.To("ada@guests.example"); len(got) != 1 || got[0].Secret != (tc.clear != "*") {
				t.Errorf("%d mails came, under TLS: %v\n%s", len(got), len(got) == 1 && got[0].Secret, s.Log())
			}
			if heard := m.Overheard(); tc.clear != "*" && heard != tc.clear {
				t.Errorf("in the clear it heard %q", heard)
			}
			passwordless(t, "the log", s.Log())
			if said := s.doctor(t); !strings.HasPrefix(said, "ok ") {
				t.Error(said)
			}
		})
	}
}

// A mail server that is not who it should be, or lets us in no more: the operator
// reads why, in the log and from the doctor, the host on the invitation's page, and
// the mail waits.
func TestAMailWaitsForAServerThatCanBeTrusted(t *testing.T) {
	t.Parallel()
	private := datatest.NewAuthority(t)
	trust := "SSL_CERT_FILE=" + private.File
	for name, tc := range map[string]struct {
		manners datatest.Manners
		trust   string
		says    string
	}{
		"of another name":          {datatest.Manners{Auth: "PLAIN", Certificate: private.Certify(t, "mail.example")}, trust, "tls: failed to verify certificate: x509: "},
		"of another name, smtps":   {datatest.Manners{Auth: "PLAIN", Certificate: private.Certify(t, "mail.example"), Implicit: true}, trust, "tls: failed to verify certificate: x509: "},
		"of an authority unknown":  {datatest.Manners{Auth: "PLAIN", Certificate: private.Certify(t, "0.0.0.0")}, "SSL_CERT_FILE=", "x509: certificate signed by unknown authority"},
		"stripped of its STARTTLS": {datatest.Manners{Auth: "PLAIN", InTheClear: true}, trust, "does not support STARTTLS"},
		"with another password":    {datatest.Manners{Auth: "PLAIN", Certificate: private.Certify(t, "0.0.0.0")}, trust, "535 5.7.8 … is wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.manners.User = mailUser
			m := datatest.NewMannered(t, tc.manners, func(stage string, m datatest.Mail) string {
				if stage == "AUTH" {
					return "535 5.7.8 " + m.From + " is wrong"
				}
				return ""
			})
			s := startServer(t, append(mailing(m), "SMTP_URL="+elsewhere(m.URL), tc.trust)...)
			logged := s.stderr.next(`"level":"WARN","msg":"outbox","kind":"mail","error":"the mail server cannot be used: `)
			inv := s.mint(t, s.createRoom(t, "Standup"), members{"email": "ada@guests.example"})
			s.call(t, http.StatusAccepted, http.MethodPost, "/invitations/"+inv.ID+"/mail", members{})
			if why := <-logged; !strings.Contains(why, tc.says) {
				t.Errorf("the log says %s", why)
			}
			s.mailState(t, inv.ID, "waiting")
			if heard := m.Overheard(); strings.Contains(heard, "AUTH") || strings.Contains(heard, "MAIL") || len(m.Taken()) != 0 {
				t.Errorf("it heard %q", heard)
			}
			said := s.doctor(t)
			if !strings.HasPrefix(said, "FAIL ") || !strings.Contains(said, tc.says) {
				t.Error(said)
			}
			passwordless(t, "the log", s.Log())
			passwordless(t, "the doctor", said)
			passwordless(t, "the API", string(s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID+"/mail", nil).Body))
		})
	}
}
