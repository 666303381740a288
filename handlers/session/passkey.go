package session

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/hosts"
)

// bind is the session as of now, also where there is none: what is asked in one
// is not to be answered in another.
func (d *Doors) bind(c echo.Context) string {
	sum := sha256.Sum256([]byte(d.sessions.Token(c.Request().Context())))
	return hex.EncodeToString(sum[:])
}

// ask has this browser bring the question back with the answer.
func (d *Doors) ask(c echo.Context, q hosts.Question) []byte {
	d.question(c, q.Seal, 300)
	return q.Options
}

func (d *Doors) question(c echo.Context, value string, seconds int) {
	c.SetCookie(&http.Cookie{ //nolint:gosec // Secure where there is TLS; without it browsers would drop the cookie
		Name: d.cookie("passkey"), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: d.Secure, SameSite: http.SameSiteStrictMode,
	})
}

// answer is what the form carries, with the question, which is gone with that.
func (d *Doors) answer(c echo.Context) hosts.Answer {
	a := hosts.Answer{Credential: []byte(c.FormValue("credential")), Bind: d.bind(c)}
	if k, err := c.Cookie(d.cookie("passkey")); err == nil {
		a.Seal = k.Value
	}
	d.question(c, "", -1)
	return a
}

// AskPasskey asks a browser in which nobody is signed in for a passkey.
func (d *Doors) AskPasskey(c echo.Context) ([]byte, error) {
	if d.Open {
		return nil, rooms.ErrNotFound
	}
	q, err := d.Passkeys.AskSignIn(d.bind(c))
	return d.ask(c, q), err
}

// PasskeySignIn signs in whose passkey answers AskPasskey: both factors at once.
func (d *Doors) PasskeySignIn(c echo.Context) error {
	if d.Open {
		return rooms.ErrNotFound
	}
	h, err := d.Passkeys.SignIn(c.Request().Context(), d.answer(c), d.from(c))
	if err != nil {
		return err
	}
	return d.begin(c, h)
}

// AskPasskeyCode asks who is Halfway for a passkey in the place of a code.
func (d *Doors) AskPasskeyCode(c echo.Context) ([]byte, error) {
	h, err := d.Halfway(c)
	if err != nil {
		return nil, err
	}
	q, err := d.Passkeys.AskCode(c.Request().Context(), h, d.bind(c))
	return d.ask(c, q), err
}

// PasskeyCode is SecondFactor, by the answer to AskPasskeyCode.
func (d *Doors) PasskeyCode(c echo.Context) error {
	h, err := d.Halfway(c)
	if err != nil {
		return err
	}
	if err := d.Passkeys.SecondFactor(c.Request().Context(), h, d.answer(c), d.from(c)); err != nil {
		return err
	}
	return d.begin(c, h)
}

// AskNewPasskey asks the browser of a host, who has just given the password, for
// a new passkey.
func (d *Doors) AskNewPasskey(c echo.Context, h hosts.Host) ([]byte, error) {
	q, err := d.Passkeys.AskNew(c.Request().Context(), h, d.bind(c))
	return d.ask(c, q), err
}

// AddPasskey adds the answer to AskNewPasskey. This browser stays signed in.
func (d *Doors) AddPasskey(c echo.Context, h hosts.Host, name string) error {
	if err := d.Passkeys.Add(c.Request().Context(), h, name, d.answer(c), hosts.Kept{SignIn: d.Own(c)}); err != nil {
		return err
	}
	return d.GoOn(c, h)
}
