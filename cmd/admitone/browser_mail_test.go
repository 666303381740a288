package main

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
)

func decoded(t *testing.T, header string) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// From a new invitation to a mail that is seen as sent, and one whose refusal is shown.
func TestBrowserMail(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		m := datatest.NewMailServer(t, func(stage string, m datatest.Mail) string {
			if stage == "RCPT" && strings.HasPrefix(m.To, "nobody@") {
				return "550 5.1.1 <nobody@guests.example>: Recipient address rejected: User unknown"
			}
			return ""
		})
		s := startServer(t, append(mailing(m), ladies)...)
		look.Server = s.URL
		host := newBrowser(t, look)
		host.signIn()
		room := s.createRoom(t, "Standup")

		host.Open("/rooms/" + room)
		host.Fill("#mint-name", "Ada Lovelace")
		host.Click("#mint button.big")
		host.WaitVisible(".minted")
		host.Fill(".minted #mail-to", "ada@guests.example")
		host.seen(name + "-mail-minted")
		host.Follow(".minted form[action$='/mail'] button")
		host.WaitVisible("#mail form button")
		if text := host.Text("#mail"); !strings.Contains(text, "Sent by mail") || !strings.Contains(text, "Send again") {
			t.Errorf("the mail: %s", text)
		}
		host.seen(name + "-mail-sent")
		sent := m.Wait(t, 1)[0]
		if sent.To != "ada@guests.example" {
			t.Errorf("to %s", sent.To)
		}

		host.Fill("#mail-to", "nobody@guests.example")
		host.Follow("#mail form button")
		host.WaitVisible("#mail b")
		if text := host.Text("#mail"); !strings.Contains(text, "The mail was refused") || !strings.Contains(text, "User unknown") {
			t.Errorf("the refusal: %s", text)
		}
		host.seen(name + "-mail-refused")
		host.Open("/rooms/" + room)
		if text := host.Text("#invitations"); !strings.Contains(text, "mail refused") {
			t.Errorf("the list: %s", text)
		}

		for _, guest := range []string{"Bo", "Cy"} {
			s.mint(t, room, members{"name": guest, "email": strings.ToLower(guest) + "@guests.example"})
		}
		host.Open("/rooms/" + room)
		host.Follow("#mails form button")
		host.WaitVisible(".notice.good")
		m.Wait(t, 3)
		until(t, "the list to tell of three mails", func() bool {
			// In one step: the page puts a new one in its place as mails go out.
			text, err := eval[string](host, `document.querySelector("#mails")?.innerText ?? ""`)
			return err == nil && strings.Contains(text, "2 mails sent")
		})
		host.seen(name + "-mail-list")

		s.call(t, http.StatusOK, http.MethodPatch, "/rooms/"+room, members{"starts_at": time.Now().Add(time.Hour).Format(time.RFC3339), "tell_guests": false})
		host.Open("/rooms/" + room + "/edit")
		host.WaitVisible("input[name='tell']")
		host.seen(name + "-mail-edit")
	})
}

// TestBrowserReadsTheMail shows what programs that show mails are given.
func TestBrowserReadsTheMail(t *testing.T) {
	t.Parallel()
	m := datatest.NewMailServer(t, nil)
	s := startServer(t, append(mailing(m), ladies)...)
	begins := time.Now().Add(48 * time.Hour).Truncate(time.Hour)
	room := s.call(t, http.StatusCreated, http.MethodPost, "/rooms", members{"name": "Quarterly review 季度会议", "starts_at": begins.Format(time.RFC3339),
		"ends_at": begins.Add(time.Hour).Format(time.RFC3339), "timezone": "Asia/Shanghai"}).Get("slug")
	inv := s.mint(t, room, members{"name": "Ada Lovelace", "email": "ada@guests.example"})
	s.call(t, http.StatusAccepted, http.MethodPost, "/invitations/"+inv.ID+"/mail", members{})
	sent, err := mail.ReadMessage(strings.NewReader(m.Wait(t, 1)[0].Text))
	if err != nil {
		t.Fatal(err)
	}
	leaves := map[string]string{}
	leavesOf(t, textproto.MIMEHeader(sent.Header), sent.Body, leaves)
	picture := "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(leaves["image/png"]))
	shown := strings.Replace(leaves["text/html"], "cid:qr", picture, 1)
	if !strings.Contains(shown, inv.Short) || !strings.Contains(shown, picture) {
		t.Errorf("the mail: %s", shown)
	}
	reader := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, shown)
	}))
	t.Cleanup(reader.Close)
	looks(t, func(t *testing.T, look browserOptions, name string) {
		look.Server = reader.URL
		b := newBrowser(t, look)
		b.Open("/")
		b.Screenshot(name + "-mail-html")
	})
}

// leavesOf are the parts of a mail by their types.
func leavesOf(t *testing.T, h textproto.MIMEHeader, body io.Reader, into map[string]string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		if h.Get("Content-Transfer-Encoding") == "base64" {
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		into[kind] = string(b)
		return
	}
	for r := multipart.NewReader(body, params["boundary"]); ; {
		part, err := r.NextPart() // which reads quoted-printable
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		leavesOf(t, part.Header, part, into)
	}
}
