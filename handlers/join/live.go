package join

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// Live answers GET /join/{room}/live: the event stream of the page of those who
// are in. Holding it is being in the room. Who cannot hold one asks with ?poll
// instead, again and again, and is led to the page.
func (p *Pages) Live(c echo.Context) error {
	in, err := p.reenter(c, false)
	if err != nil {
		return err
	}
	ctx, room := c.Request().Context(), in.Invitation.Room
	if !session.WantsStream(c) || room.Backend != "" || !present(c.Request()) {
		if c.QueryParams().Has("poll") && room.Backend == "" && present(c.Request()) {
			if err := p.Lobby.Stay(ctx, in); err != nil {
				return err
			}
		}
		return c.Redirect(http.StatusSeeOther, "/join/"+room.Slug+"/admitted"+chosen(c))
	}
	notices, deaf, err := p.Watcher.Watch(room.ID, p.party(c, in.Admission.ID.Show(rooms.AdmissionPrefix)))
	if err != nil {
		return err
	}
	defer deaf()
	leave, err := p.Lobby.Arrive(ctx, in)
	if err != nil {
		return err
	}
	defer leave()
	return session.Follow(c, session.Stream{Notices: notices, Stop: p.Stop, Beat: tokens.Refresh, Over: func(beat bool) bool {
		now, err := p.reenter(c, false)
		if err != nil {
			return !errors.Is(err, rooms.ErrUnavailable) && !errors.Is(err, context.Canceled)
		}
		if beat && now.Admission.ID == in.Admission.ID {
			_ = p.Lobby.Stay(ctx, in) // the next beat tries again
		}
		return now.Admission.ID != in.Admission.ID
	}})
}

// present tells whether it is our own page that asks: what a browser fetches
// ahead, or another site has it fetch, is nobody's being here.
func present(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.Method == http.MethodGet && !prefetch(r) && (site == "" || site == "same-origin")
}

// chosen is the role chosen in the address, for another address of the same admission.
func chosen(c echo.Context) string {
	if c.QueryParam("as") == "host" {
		return "?as=host"
	}
	return ""
}

// people is who is in the room now, as the guest of that admission sees it; nil
// where the meeting is held elsewhere.
func (p *Pages) people(c echo.Context, in tokens.Admitted) (*views.People, error) {
	room := in.Invitation.Room
	if room.Backend != "" {
		return nil, nil //nolint:nilnil // there is no list, which is no error
	}
	here, _, err := p.Lobby.In(c.Request().Context(), room.ID)
	if err != nil {
		return nil, err
	}
	v := session.People(here, in.Admission.ID)
	if !slices.ContainsFunc(v.Here, func(one views.Person) bool { return one.You }) {
		// Who opens the page is in by that; the stream tells the others a moment later.
		a := in.Admission
		v.Here = append(v.Here, session.People([]tokens.Present{{Admission: a.ID, Invitation: a.Invitation, Role: a.Role, Name: a.Name,
			Since: p.Now().UnixMilli()}}, a.ID).Here...)
	}
	v.Live, v.Now = live(c, room), p.Now()
	return &v, nil
}

// live is the stream by which somebody is in the lobby; nil where the meeting is
// held elsewhere.
func live(c echo.Context, room rooms.Room) *views.Live {
	if room.Backend != "" {
		return nil
	}
	return &views.Live{Stream: "/join/" + room.Slug + "/live" + chosen(c), Page: "/join/" + room.Slug + "/admitted" + chosen(c)}
}
