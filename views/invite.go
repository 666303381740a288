package views

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// Invite is an invitation in plain text, as its guest reads it in a message, a mail or a calendar. It speaks the language
// of the context, see Invite.Language.
type Invite struct {
	// Room is the room's name, Host who invites, or empty.
	Room, Host string
	// Role is RoleGuest or RoleHost.
	Role string
	// Link is empty for who may not see it.
	Link string
	// Window is when the room is open; without a beginning, Until is when the link ends.
	Window Window
	Until  time.Time
	// Zone is the IANA name of the zone in which times are told; empty is UTC.
	Zone    string
	MaxUses int
	AsksPIN bool
	// Withdrawn says that it was revoked, or the room closed.
	Withdrawn bool
	// Email is the guest's address, or empty.
	Email string
	// Locales are BCP 47 tags of the language it should be in; the first that there is counts, else the context's.
	Locales []string
}

// Language is the context in which the invite speaks, and its language.
func (v Invite) Language(ctx context.Context) (context.Context, string) {
	for _, wish := range v.Locales {
		if tag, ok := MatchLanguage(wish); ok {
			return WithLanguage(ctx, tag), tag.String()
		}
	}
	return ctx, speaks(ctx).tag.String()
}

// Describe is what a calendar says about its entry. link is empty where the reader may not see it.
func (v Invite) Describe(ctx context.Context, link string) string {
	if v.Link = link; v.Withdrawn {
		return t(ctx, "ics.withdrawn")
	}
	return strings.Join(append([]string{v.invites(ctx), ""}, v.how(ctx)...), "\n")
}

// Text is all that a guest needs, to be copied into a message.
func (v Invite) Text(ctx context.Context) string {
	v.Room, v.Host = undirected(v.Room), undirected(v.Host)
	return strings.Join(append([]string{v.invites(ctx), v.when(ctx), ""}, v.how(ctx)...), "\n")
}

// Subject is what a mail with that text is about.
func (v Invite) Subject(ctx context.Context) string {
	return t(ctx, "share.subject", "room", undirected(v.Room))
}

// Mail is the address (RFC 6068) by which the host's own mail program begins a mail with that text.
func (v Invite) Mail(ctx context.Context) string {
	lines := strings.ReplaceAll(v.Text(ctx), "\n", "\r\n")
	return "mailto:" + url.PathEscape(v.Email) + "?subject=" + percent(v.Subject(ctx)) + "&body=" + percent(lines)
}

// percent is a text in a query whose reader takes a plus for a plus.
func percent(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func (v Invite) invites(ctx context.Context) string {
	if v.Host == "" {
		return t(ctx, "ics.invited", "room", v.Room)
	}
	return t(ctx, "ics.invites", "host", v.Host, "room", v.Room)
}

func (v Invite) how(ctx context.Context) (lines []string) {
	if v.Link != "" {
		lines = append(lines, t(ctx, "ics.enter."+role(v.Role)), v.Link, "")
	}
	lines = append(lines, t(ctx, "ics.once", "n", v.MaxUses))
	if v.AsksPIN {
		lines = append(lines, t(ctx, "ics.pin"))
	}
	return lines
}

// when tells the room's time, or how long the link is good, as the clocks of the room's zone show it.
func (v Invite) when(ctx context.Context) string {
	loc, err := time.LoadLocation(v.Zone)
	if err != nil {
		loc = time.UTC
	}
	start, end := v.Window.StartsAt.In(loc), v.Window.EndsAt.In(loc)
	switch {
	case v.Window.StartsAt.IsZero():
		return t(ctx, "share.until", "time", zoned(ctx, v.Until.In(loc)))
	case v.Window.EndsAt.IsZero():
		return t(ctx, "share.from", "start", zoned(ctx, start))
	case start.Format(time.DateOnly) == end.Format(time.DateOnly):
		return t(ctx, "time.at-no-zone", "day", day(ctx, start), "clock", start.Format(clock)) + " – " +
			t(ctx, "time.clock", "clock", end.Format(clock), "zone", zoneName(end))
	}
	return zoned(ctx, start) + " – " + zoned(ctx, end)
}

func zoned(ctx context.Context, at time.Time) string {
	return t(ctx, "time.at", "day", day(ctx, at), "clock", at.Format(clock), "zone", zoneName(at))
}

// zoneName is how the zone is called then: "CET (Europe/Berlin)".
func zoneName(at time.Time) string {
	short := at.Format("MST")
	if strings.HasPrefix(short, "+") || strings.HasPrefix(short, "-") {
		short = "UTC" + short
	}
	if name := at.Location().String(); name != short {
		short += " (" + name + ")"
	}
	return short
}
