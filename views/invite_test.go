package views

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
)

func invite() Invite {
	return Invite{Room: "Stand-up & Co", Host: "Ada", Role: RoleGuest, Link: "https://meet.example/i/abc", MaxUses: 1, Zone: "Europe/Berlin",
		Window: Window{time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC)}}
}

func TestInvitesTellTheTimeInTheRoomsZone(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		got, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, row := range []struct {
		name, zone, start, end, want string
	}{
		{"over the hour that comes twice", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "Sun 25 Oct 2026, 02:30 – 02:30 CET (Europe/Berlin)"},
		{"in summer", "Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-01T13:00:00Z", "Wed 1 Jul 2026, 14:00 – 15:00 CEST (Europe/Berlin)"},
		{"over midnight", "Asia/Shanghai", "2026-07-01T15:00:00Z", "2026-07-01T17:00:00Z", "Wed 1 Jul 2026, 23:00 CST (Asia/Shanghai) – Thu 2 Jul 2026, 01:00 CST (Asia/Shanghai)"},
		{"a zone without letters", "America/Sao_Paulo", "2026-07-01T12:00:00Z", "2026-07-01T13:00:00Z", "Wed 1 Jul 2026, 09:00 – 10:00 UTC-03 (America/Sao_Paulo)"},
		{"no zone", "", "2026-07-01T12:00:00Z", "2026-07-01T13:00:00Z", "Wed 1 Jul 2026, 12:00 – 13:00 UTC"},
		{"a zone that nobody knows", "Nowhere/Else", "2026-07-01T12:00:00Z", "2026-07-01T13:00:00Z", "Wed 1 Jul 2026, 12:00 – 13:00 UTC"},
	} {
		v := invite()
		v.Zone, v.Window = row.zone, Window{at(row.start), at(row.end)}
		if got := v.when(context.Background()); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	v := invite()
	v.Window.EndsAt = time.Time{}
	if got := v.when(context.Background()); got != "From Sun 25 Oct 2026, 02:30 CEST (Europe/Berlin)" {
		t.Errorf("no end: %q", got)
	}
	v.Window, v.Until = Window{}, at("2026-07-01T12:00:00Z")
	if got := v.when(context.Background()); got != "The link is good until Wed 1 Jul 2026, 14:00 CEST (Europe/Berlin)." {
		t.Errorf("no window: %q", got)
	}
}

func TestInvitesSpeakTheirOwnLanguage(t *testing.T) {
	t.Parallel()
	v := invite()
	for _, row := range []struct {
		locales []string
		tag     string
		opens   string
	}{
		{[]string{"", "de-AT"}, "de", "Ada lädt Sie"},
		{[]string{"fr", "de"}, "fr", "Ada vous invite"},
		{[]string{"ja"}, "zh-CN", "Ada 邀请您"},
		{nil, "zh-CN", "Ada 邀请您"},
	} {
		v.Locales = row.locales
		ctx, tag := v.Language(WithLanguage(context.Background(), language.SimplifiedChinese))
		if tag != row.tag || !strings.HasPrefix(v.Text(ctx), row.opens) {
			t.Errorf("%q: %s, %q", row.locales, tag, v.Text(ctx))
		}
	}
}

func TestInvitesAreWholeWithAndWithoutALink(t *testing.T) {
	t.Parallel()
	ctx, v := context.Background(), invite()
	v.AsksPIN = true
	if got, want := v.Describe(ctx, v.Link), "Ada invites you to Stand-up & Co.\n\nOpen your link and press the button to come in:\nhttps://meet.example/i/abc\n\n"+
		"The link admits one person, once, who can come back in the same browser.\nIt asks for a PIN, which your host gives you apart from the link."; got != want {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	v.Host, v.AsksPIN, v.MaxUses = "", false, 3
	if got, want := v.Describe(ctx, ""), "You are invited to Stand-up & Co.\n\nThe link admits 3 people, once each, who can come back in the same browser."; got != want {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	v.Withdrawn = true
	if got := v.Describe(ctx, v.Link); got != "This invitation is not valid any more." {
		t.Errorf("%q", got)
	}
}

func TestMailAddressesKeepWhatIsInThem(t *testing.T) {
	t.Parallel()
	v := invite()
	v.Room, v.Email = "1 + 1 = 2? &body=#\"'<b>\r会议 🎟", "o'brien+list@guests.example"
	u, err := url.Parse(v.Mail(context.Background()))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(u.RawQuery, "+") {
		t.Errorf("a plus, which mail programs do not take for a space: %s", u.RawQuery)
	}
	to, err := url.PathUnescape(u.Opaque)
	q := u.Query()
	if err != nil || to != v.Email || q.Get("subject") != v.Subject(context.Background()) || strings.ReplaceAll(q.Get("body"), "\r\n", "\n") != v.Text(context.Background()) || len(q) != 2 {
		t.Errorf("%s", u)
	}
}
