package dashboard

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/views"
)

// Account answers GET /account: where the host is signed in.
func (p *Pages) Account(c echo.Context, h host) error {
	v := views.Account{Page: p.frame(c, h, ""), TwoFactor: h.TwoFactor}
	if !p.Doors.Open {
		all, err := p.Accounts.SignIns.SignIns(c.Request().Context(), h.Username)
		if err != nil {
			return err
		}
		own := p.Doors.Own(c)
		for _, s := range all {
			in := signedIn(s)
			in.This = s.ID == own
			v.SignIns = append(v.SignIns, in)
		}
	}
	return session.Render(c, http.StatusOK, views.AccountPage(v))
}

func signedIn(s hosts.SignIn) views.SignedIn {
	return views.SignedIn{ID: s.ID.Show(rooms.SignInPrefix), Browser: s.Device.Browser, System: s.Device.System, Address: s.Address,
		Since: instant(s.CreatedAt), Seen: instant(s.SeenAt), New: s.New}
}

// news are the new devices that the host is to be told of with every page.
// Where they cannot be read the page is drawn without.
func (p *Pages) news(c echo.Context, h host) (out []views.SignedIn) {
	if p.Doors.Open {
		return nil
	}
	all, err := p.Accounts.News(c.Request().Context(), h, p.Doors.Own(c))
	if err != nil {
		return nil
	}
	for _, s := range all {
		out = append(out, signedIn(s))
	}
	return out
}

// EndSignIn answers POST /account/sessions/{id}/end.
func (p *Pages) EndSignIn(c echo.Context, h host) error {
	return p.onSignIn(c, "/account?did=ended", func(id rooms.ID) error {
		return p.Accounts.End(c.Request().Context(), h, id)
	})
}

// KnowSignIn answers POST /account/sessions/{id}/known: that was me.
func (p *Pages) KnowSignIn(c echo.Context, h host) error {
	return p.onSignIn(c, "/", func(id rooms.ID) error {
		return p.Accounts.Know(c.Request().Context(), h, p.Doors.Own(c), id)
	})
}

func (p *Pages) onSignIn(c echo.Context, to string, do func(rooms.ID) error) error {
	id, err := rooms.ParseID(rooms.SignInPrefix, c.Param("signin"))
	if err != nil {
		return rooms.ErrNotFound
	}
	if err := do(id); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// EndSignIns answers POST /account/sessions/end: sign out everywhere.
func (p *Pages) EndSignIns(c echo.Context, h host) error {
	if p.Doors.Open {
		return rooms.ErrNotFound
	}
	if err := p.Accounts.EndAll(c.Request().Context(), h); err != nil {
		return err
	}
	return p.SignOut(c)
}
