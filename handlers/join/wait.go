package join

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/conference"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/views"
)

const (
	waitPath     = "/wait"
	admittedPath = "/admitted"
	// waitBeat is how often a waiting page's stream looks whether anything else
	// became of its invitation.
	waitBeat = 15 * time.Second
)

// Wait answers GET of a link's wait: the event stream of a page that waits for a
// host, which ends as soon as there is something else to see. Without a link in
// the address it is for whoever is in already.
func (p *Pages) Wait(c echo.Context) error {
	refused, err := p.waiting(c)
	if err != nil {
		return err
	}
	if !session.WantsStream(c) {
		return c.Redirect(http.StatusSeeOther, p.awaited(c))
	}
	ctx, room := c.Request().Context(), refused.Invitation.Room
	notices, deaf, err := p.Watcher.Watch(room.ID, p.party(c, "wait "+refused.Invitation.ID.Show(rooms.InvitationPrefix)))
	if err != nil {
		return err
	}
	defer deaf()
	// What changed before anybody watched is looked at once more.
	if refused.Reason == nil || p.Invitations.Held(ctx, refused.Invitation) == nil {
		notices = told()
	}
	return session.Follow(c, session.Stream{Notices: notices, Stop: p.Stop, Beat: waitBeat, Over: func(beat bool) bool {
		if !beat {
			return refused.Reason == nil || !p.Lobby.StillHeld(ctx, room)
		}
		now, err := p.waiting(c)
		return err == nil && now.Reason == nil
	}})
}

// party is whose page listens: this browser's, for what it is about.
func (p *Pages) party(c echo.Context, about string) rooms.Party {
	return rooms.Party{Person: about + " " + p.Doors.Browser(c), Address: hosts.Source(c.RealIP())}
}

// told is a notice that is there already.
func told() <-chan struct{} {
	now := make(chan struct{}, 1)
	now <- struct{}{}
	return now
}

// waiting is the refusal for which the page waits; one without a reason where
// there is nothing to wait for any more.
func (p *Pages) waiting(c echo.Context) (tokens.Refusal, error) {
	inv, err := p.awaiting(c)
	var refused tokens.Refusal
	switch {
	case errors.Is(err, tokens.ErrWaiting) && errors.As(err, &refused):
		return refused, nil
	case err == nil, errors.As(err, &refused):
		return tokens.Refusal{Invitation: inv}, nil
	}
	return tokens.Refusal{}, err
}

func (p *Pages) awaiting(c echo.Context) (tokens.Invitation, error) {
	if link(c) != "" {
		inv, _, err := p.show(c)
		return inv, err
	}
	in, err := p.reenter(c, false)
	if err == nil {
		err = p.Invitations.Held(c.Request().Context(), in.Invitation)
	}
	return in.Invitation, err
}

// wait is where a page that waits for a host listens, and where it looks anew.
func (p *Pages) wait(c echo.Context) (stream, again string) {
	u := *c.Request().URL
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, requestPath), admittedPath)
	return (&url.URL{Path: u.Path + waitPath, RawQuery: u.RawQuery}).RequestURI(), looked(c)
}

// awaited is the page that waits, for its stream's address.
func (p *Pages) awaited(c echo.Context) string {
	u := *c.Request().URL
	u.Path = strings.TrimSuffix(u.Path, waitPath)
	if link(c) == "" {
		u.Path += admittedPath
	}
	return u.RequestURI()
}

// unreached prepares the page that says that the conference does not answer: a
// press on it leads there, as on the page before.
func (p *Pages) unreached(c echo.Context, err error) error {
	if !errors.Is(err, conference.ErrUnreachable) {
		return err
	}
	if in, failed := p.reenter(c, false); failed == nil {
		if provider, failed := p.Backends.Provider(in.Invitation.Room); failed == nil && provider != nil {
			session.AllowForm(c, provider.Origin())
		}
	}
	return err
}

// ready in an address asks for the page of those who are in only once the
// conference answers.
const ready = "ready"

// tryAgain lets who is in already press once more where the conference did not
// answer; the page itself looks when it does.
func tryAgain(c echo.Context, v *views.Refusal) {
	u := *c.Request().URL
	if v.Status != http.StatusServiceUnavailable || !strings.HasSuffix(u.Path, admittedPath) {
		return
	}
	q := u.Query()
	q.Del(ready)
	u.RawQuery = q.Encode()
	v.Press = u.RequestURI()
	q.Set(ready, "")
	u.RawQuery = q.Encode()
	v.Again = u.RequestURI()
}
