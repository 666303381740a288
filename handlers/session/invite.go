package session

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/views"
)

// Invites tells invitations in the words of their guests: as calendar files, and
// as text to send.
type Invites struct {
	Links     *tokens.Links
	Directory *hosts.Directory
	From      string // mail address in whose name hosts invite, or empty
	Now       func() time.Time
}

// Of is the invitation with its link, in its own language or else its room's.
func (s *Invites) Of(ctx context.Context, inv tokens.Invitation) views.Invite {
	at := func(millis int64) time.Time {
		if millis == 0 {
			return time.Time{}
		}
		return time.UnixMilli(millis)
	}
	room := inv.Room
	return views.Invite{Room: room.Name, Host: s.Directory.Called(ctx, room.Owner), Role: string(inv.Role), Link: s.Links.Short(inv),
		Window: views.Window{StartsAt: at(room.StartsAt), EndsAt: at(room.EndsAt)}, Until: at(inv.ExpiresAt), Zone: room.Timezone, MaxUses: inv.MaxUses,
		AsksPIN: inv.PIN != "", Withdrawn: inv.Withdrawn() != nil, Email: inv.Email, Locales: []string{inv.Locale, room.Locale}}
}

// Calendar answers with the invitation's calendar file; linked and saved are
// those of tokens.Appointment. It speaks the invitation's language or, to guests,
// theirs.
func (s *Invites) Calendar(c echo.Context, inv tokens.Invitation, linked, saved bool) error {
	words := s.Of(c.Request().Context(), inv)
	if c.Get(guestsKey) != nil {
		Speak(c, words.Locales...)
		words.Locales = nil
	}
	ctx, tag := words.Language(views.WithLanguage(c.Request().Context(), reader(c)))
	f, err := s.Links.Calendar(inv, tokens.Appointment{Host: words.Host, From: s.From, Linked: linked, Saved: saved,
		Describe: func(link string) string { return words.Describe(ctx, link) }}, s.Now())
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Language", tag)
	// Not as an attachment: telephones then put it into the calendar with one press.
	h.Set("Content-Disposition", `inline; filename="invite.ics"`)
	return c.Blob(http.StatusOK, f.MediaType(), f.Content)
}
