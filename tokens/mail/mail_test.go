package mail_test

import (
	"bytes"
	"fmt"
	"image/png"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
	post "admitone/tokens/mail"
)

func TestAMailSaysAndShowsTheLink(t *testing.T) {
	t.Parallel()
	h := open(t, datatest.SQLite(t), nil)
	inv := h.mint("bo@guests.example", func(d *tokens.Draft) { d.Name = "Zoë 李雷 👩🏽‍🚀" })
	h.send(inv)
	if d := h.last(inv); d.State != outbox.Sent {
		t.Fatalf("the mail is %+v", d)
	}
	sent := h.server.Wait(t, 1)[0]
	m, err := mail.ReadMessage(strings.NewReader(sent.Text))
	h.must(err)
	to, err := m.Header.AddressList("To")
	h.must(err)
	if *to[0] != (mail.Address{Name: "Zoë 李雷 👩🏽‍🚀", Address: "bo@guests.example"}) || sent.To != "bo@guests.example" || sent.From != "meet@meet.example" {
		t.Errorf("to %v, %s, from %s", to, sent.To, sent.From)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	h.must(err)
	if subject != "invited Zoë 李雷 👩🏽‍🚀 Standup" {
		t.Errorf("subject %q", subject)
	}
	if got := m.Header.Get("Auto-Submitted"); got != "auto-generated" {
		t.Errorf("Auto-Submitted %q", got)
	}
	if _, err := m.Header.Date(); err != nil {
		t.Error(err)
	}
	if id := m.Header.Get("Message-Id"); id != "<"+h.last(inv).ID.Show(rooms.DeliveryPrefix)+"@meet.example>" {
		t.Errorf("message id %s", id)
	}
	leaves := map[string][]byte{}
	parts(t, m.Header.Get("Content-Type"), m.Body, leaves)
	link := h.Invitations.Links.Short(inv)
	if got := string(leaves["text/plain"]); !strings.Contains(got, "plain "+link) {
		t.Errorf("the text is %q", got)
	}
	if got := string(leaves["text/html"]); !strings.Contains(got, `src="cid:qr"`) || !strings.Contains(got, link) {
		t.Errorf("the page is %q", got)
	}
	if got := string(leaves["cid"]); !strings.HasPrefix(got, "<qr> inline") {
		t.Errorf("the picture is %q", got)
	}
	if got := string(leaves["text/calendar"]); !strings.Contains(got, "METHOD:REQUEST") || !strings.Contains(got, "bo@guests.example") {
		t.Errorf("the calendar file is %q", got)
	}
	img, err := png.Decode(bytes.NewReader(leaves["image/png"]))
	h.must(err)
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	h.must(err)
	code, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	h.must(err)
	if !strings.EqualFold(code.GetText(), link) {
		t.Errorf("the code says %s, want %s", code.GetText(), link)
	}
	if got := h.events(inv, audit.MailSent); len(got) != 1 || got[0].Detail != "invited" || got[0].Actor.Kind != audit.System {
		t.Errorf("events %+v", got)
	}
	if got := h.events(inv, audit.InvitationMailed); len(got) != 1 || got[0].Actor.Name != "ada" {
		t.Errorf("events %+v", got)
	}
}

func TestNamesAddNoHeader(t *testing.T) {
	t.Parallel()
	h := open(t, datatest.SQLite(t), nil)
	for i, name := range []string{"Bo\r\nBcc: eve@evil.example", "Bo\nSubject: pay", "\u2028X: y", "=?utf-8?q?a=0D=0ABcc:_eve?=", `"<eve@evil.example>`, strings.Repeat("长", 200)} {
		inv := h.mint(fmt.Sprintf("g%d@guests.example", i), func(d *tokens.Draft) { d.Name = name })
		h.send(inv)
		if d := h.last(inv); d.State != outbox.Sent {
			t.Errorf("%q: %+v", name, d)
		}
	}
	for _, sent := range h.server.Taken() {
		m, err := mail.ReadMessage(strings.NewReader(sent.Text))
		h.must(err)
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != sent.To {
			t.Errorf("to %v, %v", to, err)
		}
		for key := range m.Header {
			if !slices.Contains([]string{"From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Auto-Submitted", "Content-Type"}, key) {
				t.Errorf("a header %q", key)
			}
		}
	}
}

func TestWhatBecomesOfAMail(t *testing.T) {
	t.Parallel()
	spoilt := "" // filled with the link that the server quotes
	for name, tc := range map[string]struct {
		stage  string
		reply  string
		times  int // how often the server answers so
		state  outbox.State
		reason string // part of it
		taken  int
		tried  int
	}{
		"accepted":                     {"", "", 0, outbox.Sent, "", 1, 1},
		"deferred at the address":      {"RCPT", "451 4.7.1 greylisted", 2, outbox.Sent, "", 1, 3},
		"deferred at the end":          {".", "452 4.3.1 no room", 1, outbox.Sent, "", 1, 2},
		"refused at the address":       {"RCPT", "550 5.1.1 no such user", 9, outbox.Refused, "550 5.1.1 no such user", 0, 1},
		"refused at the end":           {".", "554 5.7.1 I dislike LINK", 9, outbox.Refused, "554 5.7.1 I dislike …", 0, 1},
		"the sender refused, at first": {"MAIL", "553 5.7.1 not you", 1, outbox.Sent, "", 1, 1},
		"cut before the text":          {"DATA", datatest.Cut, 2, outbox.Sent, "", 1, 3},
		"cut at the address":           {"RCPT", datatest.Cut, 1, outbox.Sent, "", 1, 2},
		"busy":                         {"RCPT", "421 4.3.2 later", 1, outbox.Sent, "", 1, 2},
		"cut after the dot":            {".", datatest.Cut, 1, outbox.Doubtful, "EOF", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			left, link := tc.times, spoilt
			h := open(t, datatest.SQLite(t), func(stage string, m datatest.Mail) string {
				mu.Lock()
				defer mu.Unlock()
				if stage != tc.stage || left == 0 {
					return ""
				}
				left--
				return strings.ReplaceAll(tc.reply, "LINK", link)
			})
			inv := h.mint("bo@guests.example")
			mu.Lock()
			link = strings.ToUpper(h.Invitations.Links.Short(inv))
			mu.Unlock()
			h.send(inv)
			d := h.last(inv)
			if d.State != tc.state || !strings.Contains(d.Reason, tc.reason) {
				t.Errorf("the mail is %+v", d)
			}
			if got := h.server.To("bo@guests.example"); len(got) != tc.taken {
				t.Errorf("it was taken %d times", len(got))
			}
			if got := h.server.Tried("bo@guests.example"); got != tc.tried {
				t.Errorf("it was tried %d times", got)
			}
			kind := map[outbox.State]audit.Kind{outbox.Sent: audit.MailSent, outbox.Refused: audit.MailRefused, outbox.Doubtful: audit.MailDoubtful}[tc.state]
			if got := h.events(inv, kind); len(got) != 1 {
				t.Errorf("events %+v", got)
			}
			h.stop()
			h.secret(inv)
		})
	}
}

func TestADoubleClickSendsOnce(t *testing.T) {
	t.Parallel()
	h := open(t, datatest.SQLite(t), nil)
	inv := h.mint("bo@guests.example")
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := h.post.Send(t.Context(), h.by, inv, 0, false); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	first := h.last(inv)
	if queued, err := h.post.Send(t.Context(), h.by, inv, 0, false); queued || err != nil {
		t.Errorf("from an old page: %v, %v", queued, err)
	}
	if n := len(h.server.Taken()); n != 1 {
		t.Fatalf("%d mails", n)
	}
	if queued, err := h.post.Send(t.Context(), h.by, inv, first.ID, false); !queued || err != nil {
		t.Errorf("again: %v, %v", queued, err)
	}
	h.server.Wait(t, 2)
	if n, left, err := h.post.SendAll(t.Context(), h.by, []tokens.Invitation{inv, h.mint(""), h.mint("cy@guests.example")}, false); n != 1 || left != 2 || err != nil {
		t.Errorf("chosen: %d, %d, %v", n, left, err)
	}
	h.server.Wait(t, 3)
}

func TestWhatIsNotSent(t *testing.T) {
	t.Parallel()
	h := open(t, datatest.SQLite(t), nil)
	host := h.mint("bo@guests.example", func(d *tokens.Draft) { d.Role = tokens.Host })
	revoked := h.mint("cy@guests.example")
	_, err := h.Invitations.Revoke(t.Context(), h.by, revoked, "")
	h.must(err)
	revoked, err = h.Invitations.Store.ByID(t.Context(), revoked.ID)
	h.must(err)
	for name, tc := range map[string]struct {
		inv  tokens.Invitation
		want string
	}{
		"a host's link":   {host, post.ErrHostLink.Error()},
		"no address":      {h.mint(""), "email: is needed to send a mail"},
		"a revoked one's": {revoked, tokens.ErrRevoked.Error()},
	} {
		if _, err := h.post.Send(t.Context(), h.by, tc.inv, 0, false); err == nil || err.Error() != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if queued, err := h.post.Send(t.Context(), h.by, host, 0, true); !queued || err != nil {
		t.Errorf("asked for: %v, %v", queued, err)
	}
	if n, err := h.post.SendUnsent(t.Context(), h.by, h.room, post.Unsent{}); n != 0 || err != nil {
		t.Errorf("unsent: %d, %v", n, err)
	}
	h.server.Wait(t, 1)
}

func TestChangesAreToldByMail(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := open(t, b, nil)
		told, silent := h.mint("bo@guests.example"), h.mint("cy@guests.example")
		h.send(told)
		h.server.Wait(t, 1)
		h.last(told)
		later := h.room.StartsAt + 3_600_000
		end := later + 3_600_000
		var err error
		h.room, err = h.Rooms.Change(t.Context(), h.by, h.room, rooms.Change{StartsAt: &later, EndsAt: &end})
		h.must(err)
		h.subject(2, "moved")
		h.last(told)
		name := "Sit-down"
		h.room, err = h.Rooms.Change(t.Context(), h.by, h.room, rooms.Change{Name: &name}) // which is no news
		h.must(err)
		start := later + 1000
		h.room, err = h.Rooms.Change(t.Context(), h.by, h.room, rooms.Change{StartsAt: &start, Silent: true})
		h.must(err)
		h.room, err = h.Rooms.SetClosed(t.Context(), h.by, h.room, true)
		h.must(err)
		h.room, err = h.Rooms.SetClosed(t.Context(), h.by, h.room, false)
		h.must(err)
		h.Clock.Add(2 * time.Minute)
		if d := h.last(told); d.State != outbox.Dropped || d.Reason != "restored" {
			t.Errorf("an undone closing: %+v", d)
		}
		_, err = h.Invitations.Revoke(t.Context(), h.by, told, "")
		h.must(err)
		_, err = h.Invitations.Revoke(t.Context(), h.by, silent, "")
		h.must(err)
		h.Clock.Add(2 * time.Minute)
		h.subject(3, "called_off")
		off := h.server.Taken()[2].Text
		leaves := map[string][]byte{}
		m, err := mail.ReadMessage(strings.NewReader(off))
		h.must(err)
		parts(t, m.Header.Get("Content-Type"), m.Body, leaves)
		if got := string(leaves["text/calendar"]); !strings.Contains(got, "METHOD:CANCEL") {
			t.Errorf("the calendar file is %q", got)
		}
	})
}

func TestTwoServersSendEachMailOnceAtOnePace(t *testing.T) {
	t.Parallel()
	url := datatest.Postgres(t)
	const many, rate = 80, 40
	var begun atomic.Int32
	bothAreAtIt := datatest.Together(2)
	h := open(t, datatest.On(t, url), func(stage string, _ datatest.Mail) string {
		if stage == "RCPT" && begun.Add(1) <= 2 {
			bothAreAtIt()
		}
		return ""
	})
	h.stop()
	for i := range many {
		h.mint(fmt.Sprintf("g%d@guests.example", i))
	}
	if n, err := h.post.SendUnsent(t.Context(), h.by, h.room, post.Unsent{}); n != many || err != nil {
		t.Fatal(n, err)
	}
	h.work(h.Bench, rate)
	h.work(datatest.On(t, url), rate)
	all := h.server.Wait(t, many)
	for i := range many {
		if who := fmt.Sprintf("g%d@guests.example", i); len(h.server.To(who)) != 1 || h.server.Tried(who) != 1 {
			t.Errorf("%s was tried %d times, and got %d", who, h.server.Tried(who), len(h.server.To(who)))
		}
	}
	if c := h.server.Connections(); c < 2 {
		t.Errorf("%d connections: they did not share the work", c)
	}
	if took := all[many-1].At.Sub(all[0].At); took < (many-3)*time.Second/rate*9/10 {
		t.Errorf("%d mails in %s", many, took)
	}
}

func TestAStormIsPacedOnOneConnection(t *testing.T) {
	t.Parallel()
	h := open(t, datatest.SQLite(t), nil)
	h.stop()
	const many, rate = 300, 200
	for i := range many {
		h.mint(fmt.Sprintf("g%d@guests.example", i))
	}
	if n, err := h.post.SendUnsent(t.Context(), h.by, h.room, post.Unsent{}); n != many || err != nil {
		t.Fatal(n, err)
	}
	before := h.server.Connections()
	h.work(h.Bench, rate)
	all := h.server.Wait(t, many)
	if took := all[many-1].At.Sub(all[0].At); took < (many-1)*time.Second/rate*9/10 {
		t.Errorf("%d mails in %s", many, took)
	}
	if c := h.server.Connections() - before; c != 1 {
		t.Errorf("%d connections", c)
	}
}
