package dashboard

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/views"
)

// AskPasskey answers POST /signin/passkey/ask, what the browser is asked.
func (p *Pages) AskPasskey(c echo.Context) error { return asked(c)(p.Doors.AskPasskey(c)) }

// AskPasskeyCode answers POST /signin/code/passkey/ask.
func (p *Pages) AskPasskeyCode(c echo.Context) error { return asked(c)(p.Doors.AskPasskeyCode(c)) }

// asked has the script send the form as it is where nothing can be asked any
// more: the answer to that tells why.
func asked(c echo.Context) func([]byte, error) error {
	return func(options []byte, err error) error {
		if errors.Is(err, session.ErrSignedOut) {
			return c.NoContent(http.StatusUnauthorized)
		}
		if err != nil {
			return err
		}
		c.Response().Header().Set("Cache-Control", "no-store")
		return c.JSONBlob(http.StatusOK, options)
	}
}

// PasskeySignIn answers POST /signin/passkey.
func (p *Pages) PasskeySignIn(c echo.Context) error {
	v := p.wayIn(c.FormValue("next"))
	refused, err := p.letIn(c, v.Next, p.Doors.PasskeySignIn(c))
	if !refused.told() {
		return err
	}
	v.Refused, v.RetryAfter = refused.words, refused.wait
	return session.Render(c, refused.status, views.SignInPage(v))
}

// PasskeyCode answers POST /signin/code/passkey.
func (p *Pages) PasskeyCode(c echo.Context) error {
	err := p.Doors.PasskeyCode(c)
	if errors.Is(err, session.ErrSignedOut) {
		return p.late(c, c.FormValue("next"))
	}
	refused, err := p.letIn(c, c.FormValue("next"), err)
	if !refused.told() {
		return err
	}
	v, err := p.waysOn(c, c.FormValue("next"))
	if err != nil {
		return err
	}
	v.Refused, v.RetryAfter = refused.words, refused.wait
	return session.Render(c, refused.status, views.CodeStepPage(v))
}

// late leads back to the password a host who took too long for what comes after it.
func (p *Pages) late(c echo.Context, next string) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	v := p.wayIn(next)
	v.Late = true
	return session.Render(c, http.StatusUnauthorized, views.SignInPage(v))
}

// refusedKey is how a passkey was refused, for the page that asked for it.
type refusedKey struct {
	status int
	words  views.Message
	wait   time.Duration
}

func (r refusedKey) told() bool { return r.status != 0 }

// letIn leads on whom nothing refuses.
func (p *Pages) letIn(c echo.Context, next string, err error) (refusedKey, error) {
	p.Doors.LeadsOn(c, next)
	c.Response().Header().Set("Cache-Control", "no-store")
	var many hosts.TooMany
	switch {
	case err == nil:
		session.Note(c, "login", "ok")
		return refusedKey{}, c.Redirect(http.StatusSeeOther, local(next))
	case errors.As(err, &many):
		session.RetryAfter(c, many.Wait)
		session.Note(c, "login", "too_many")
		return refusedKey{status: http.StatusTooManyRequests, wait: many.Wait}, nil
	case errors.Is(err, hosts.ErrInvalidPasskey):
		session.Note(c, "login", "wrong")
		return refusedKey{status: http.StatusUnauthorized, words: views.Says("passkeys.wrong")}, nil
	case errors.Is(err, hosts.ErrPasskeyLate):
		return refusedKey{status: http.StatusUnauthorized, words: views.Says("passkeys.late")}, nil
	}
	return refusedKey{}, err
}

// wayIn is the page of the way in.
func (p *Pages) wayIn(next string) views.SignIn {
	return views.SignIn{Page: views.Page{Now: p.Now()}, Next: next, Passkeys: p.Doors.Passkeys.Offered() && !p.Doors.Open}
}

// waysOn is the page for who is halfway, with the ways on that the host has.
func (p *Pages) waysOn(c echo.Context, next string) (v views.CodeStep, err error) {
	h, err := p.Doors.Halfway(c)
	if err != nil {
		return v, err
	}
	ctx := c.Request().Context()
	keys, err := p.Doors.Passkeys.Of(ctx, h)
	if err != nil {
		return v, err
	}
	_, err = p.Factors.Store.Factor(ctx, strings.ToLower(h.Username))
	none := errors.Is(err, rooms.ErrNotFound)
	if none {
		err = nil
	}
	return views.CodeStep{Page: views.Page{Now: p.Now()}, Next: next, Passkey: len(keys) > 0 && p.Doors.Passkeys.Offered(), NoApp: none && len(keys) > 0}, err
}

// passkeysPage is where a host's passkeys are.
const passkeysPage = "/account/passkeys"

// Passkeys answers GET /account/passkeys.
func (p *Pages) Passkeys(c echo.Context, h host) error {
	v, err := p.passkeys(c, h)
	if err != nil {
		return err
	}
	return session.Render(c, http.StatusOK, views.PasskeysPage(v))
}

func (p *Pages) passkeys(c echo.Context, h host) (views.Passkeys, error) {
	v := views.Passkeys{Page: p.frame(c, h, ""), Must: h.MustEnrol, First: !h.TwoFactor, Offered: p.Doors.Passkeys.Offered()}
	all, err := p.Doors.Passkeys.Of(c.Request().Context(), h)
	for _, k := range all {
		v.Keys = append(v.Keys, views.Passkey{ID: k.ID.Show(hosts.PasskeyPrefix), Name: k.Name, Made: instant(k.CreatedAt), Used: instant(k.UsedAt)})
	}
	return v, err
}

// RequestPasskey answers POST /account/passkeys/request: the form for a new one,
// which the browser fills in.
func (p *Pages) RequestPasskey(c echo.Context, h host) error {
	return p.forPasskeys(c, h, "request", func() error {
		return p.newPasskey(c, h, http.StatusOK, "", views.Message{})
	})
}

func (p *Pages) newPasskey(c echo.Context, h host, status int, name string, wrong views.Message) error {
	options, err := p.Doors.AskNewPasskey(c, h)
	if err != nil {
		return err
	}
	v, err := p.passkeys(c, h)
	if err != nil {
		return err
	}
	v.New = &views.NewPasskey{Options: string(options), Name: name, Wrong: wrong}
	return session.Render(c, status, views.PasskeysPage(v))
}

// AddPasskey answers POST /account/passkeys.
func (p *Pages) AddPasskey(c echo.Context, h host) error {
	name := c.FormValue("name")
	err := p.Doors.AddPasskey(c, h, name)
	switch errs := (views.Errors{}); {
	case err == nil:
		return c.Redirect(http.StatusSeeOther, passkeysPage+"?did=passkey-added")
	case errors.Is(err, hosts.ErrInvalidPasskey), errors.Is(err, hosts.ErrPasskeyKnown), errors.Is(err, hosts.ErrPasskeyLate):
		return p.passkeyRefused(c, h, http.StatusUnprocessableEntity, "request", views.Says("passkeys.not-added"))
	case refused(err, errs):
		return p.passkeyRefused(c, h, http.StatusUnprocessableEntity, "request", errs["name"])
	}
	return err
}

// RemovePasskey answers POST /account/passkeys/{id}/remove.
func (p *Pages) RemovePasskey(c echo.Context, h host) error {
	id, err := rooms.ParseID(hosts.PasskeyPrefix, c.Param("passkey"))
	if err != nil {
		return rooms.ErrNotFound
	}
	return p.forPasskeys(c, h, id.Show(hosts.PasskeyPrefix), func() error {
		if err := p.Doors.Passkeys.Remove(c.Request().Context(), h, id); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, passkeysPage+"?did=passkey-removed")
	})
}

func (p *Pages) forPasskeys(c echo.Context, h host, form string, do func() error) error {
	return p.provingPassword(c, h, do, func(status int, wrong views.Message) error { return p.passkeyRefused(c, h, status, form, wrong) })
}

func (p *Pages) passkeyRefused(c echo.Context, h host, status int, form string, wrong views.Message) error {
	v, err := p.passkeys(c, h)
	if err != nil {
		return err
	}
	v.Asked, v.Wrong = form, wrong
	return session.Render(c, status, views.PasskeysPage(v))
}
