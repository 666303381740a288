package mail_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
	post "admitone/tokens/mail"
)

// house is a room with what sends its invitations.
type house struct {
	*testing.T
	*datatest.Bench
	server *datatest.MailServer
	post   *post.Post
	by     rooms.Caller
	room   rooms.Room
	log    *bytes.Buffer
	stop   func()
}

// open begins to send, from a database to a server that answers so; rate is in mails a second.
func open(t *testing.T, b *datatest.Bench, answer func(stage string, m datatest.Mail) string) *house {
	t.Helper()
	return openMannered(t, b, datatest.Manners{}, answer)
}

func openMannered(t *testing.T, b *datatest.Bench, manners datatest.Manners, answer func(stage string, m datatest.Mail) string) *house {
	t.Helper()
	h := &house{T: t, Bench: b, server: datatest.NewMannered(t, manners, answer), by: rooms.Caller{Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Owner: "ada", Admin: true}}
	h.post = &post.Post{Store: b.Outbox, Invitations: b.Invitations, Now: b.Clock.Now, On: true}
	var err error
	start := b.Clock.Now().Add(24 * time.Hour).UnixMilli()
	h.room, err = b.Rooms.Create(t.Context(), h.by, rooms.Draft{Name: "Standup", StartsAt: start, EndsAt: start + 3_600_000})
	h.must(err)
	h.work(b, 1000)
	return h
}

// work sends what is in the Bench's database until the test ends or stop is called.
func (h *house) work(b *datatest.Bench, rate int) {
	h.Helper()
	server, err := post.ParseServer(fmt.Sprintf("%s?rate=%d", h.server.URL, rate), "meet.example")
	h.must(err)
	h.log = &bytes.Buffer{}
	w := &outbox.Worker{Store: b.Outbox, Kind: outbox.Mail, Now: b.Clock.Now, Pace: server.Pace, Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Backoff: func(int) time.Duration { return 0 },
		Courier: &post.Courier{Server: server, From: mail.Address{Name: "Meetings", Address: "meet@meet.example"}, Site: "meet.example", Invitations: b.Invitations.Store,
			Links: b.Invitations.Links, Now: b.Clock.Now, Describe: func(_ context.Context, _ post.Letter, link string) string { return link }, Host: func(_ context.Context, owner string) string { return owner },
			Write: func(_ context.Context, l post.Letter) (post.Words, error) {
				return post.Words{Subject: string(l.Word) + " " + l.Invitation.Name + " " + l.Invitation.Room.Name, Plain: "plain " + l.Link,
					HTML: `<p>` + l.Link + `</p><img src="` + l.Picture + `">`}, nil
			}}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	h.stop = func() { cancel(); running.Wait() }
	h.Cleanup(h.stop)
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) mint(to string, change ...func(*tokens.Draft)) tokens.Invitation {
	h.Helper()
	d := tokens.Draft{Role: tokens.Guest, Name: "Bo", Email: to}
	for _, c := range change {
		c(&d)
	}
	inv, err := h.Invitations.Mint(h.Context(), h.by, h.room, d, true)
	h.must(err)
	return inv
}

func (h *house) send(inv tokens.Invitation) {
	h.Helper()
	queued, err := h.post.Send(h.Context(), h.by, inv, 0, false)
	h.must(err)
	if !queued {
		h.Fatal("was not queued")
	}
}

// last waits until the invitation's latest mail is settled, and returns it.
func (h *house) last(inv tokens.Invitation) outbox.Delivery {
	h.Helper()
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); {
		latest, err := h.Outbox.Latest(h.Context(), "", []rooms.ID{inv.ID})
		h.must(err)
		if d := latest[inv.ID]; d.State.Settled() && d.ID != 0 {
			return d
		}
		<-time.After(10 * time.Millisecond)
	}
	h.Fatal("the mail is not settled")
	return outbox.Delivery{}
}

func (h *house) events(inv tokens.Invitation, kind audit.Kind) (all []audit.Event) {
	h.Helper()
	evs, err := h.Invitations.Store.Events(h.Context(), inv.ID, 0, 100)
	h.must(err)
	for _, ev := range evs {
		if ev.Kind == kind {
			all = append(all, ev)
		}
	}
	return all
}

// parts are a mail's leaves by their types.
func parts(t *testing.T, kind string, body io.Reader, into map[string][]byte) {
	t.Helper()
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(media, "multipart/") {
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		into[media] = b
		return
	}
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var content io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "base64" {
			content = decoder(p)
		}
		if p.Header.Get("Content-Id") != "" {
			into["cid"] = []byte(p.Header.Get("Content-Id") + " " + p.Header.Get("Content-Disposition"))
		}
		parts(t, p.Header.Get("Content-Type"), content, into)
	}
}

// secret shows that neither rows nor the log hold the link.
func (h *house) secret(inv tokens.Invitation) {
	h.Helper()
	code := h.Invitations.Links.Code(inv.ID)
	rows, err := h.Raw(h.T).QueryContext(h.Context(), `SELECT send_key || reason || lease FROM deliveries UNION ALL SELECT detail FROM events`)
	h.must(err)
	defer func() { _ = rows.Close() }()
	text := h.log.String()
	for rows.Next() {
		var s string
		h.must(rows.Scan(&s))
		text += s
	}
	h.must(rows.Err())
	if strings.Contains(strings.ToLower(text), code[14:]) {
		h.Errorf("the link stands in: %s", text)
	}
}

// subject waits for the nth mail, whose subject begins with that word.
func (h *house) subject(n int, word string) {
	h.Helper()
	all := h.server.Wait(h.T, n)
	m, err := mail.ReadMessage(strings.NewReader(all[n-1].Text))
	h.must(err)
	if got := m.Header.Get("Subject"); !strings.HasPrefix(got, word+" ") || len(all) != n {
		h.Errorf("mail %d of %d is %q", n, len(all), got)
	}
}
