package session

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// CodeHeader is where scripts send the code of the second factor, and where they
// are told that one is needed.
const CodeHeader = "X-AdmitOne-OTP"

// Code is the code that a script sends, also under the names that scripts for
// PeerTube use.
func Code(header http.Header) string {
	for _, name := range []string{CodeHeader, "X-PeerTube-OTP", "X-PeerTube-TwoFactor"} {
		if code := header.Get(name); code != "" {
			return code
		}
	}
	return ""
}

// What a session holds between the password and the second factor. It has no
// hosts.SessionHost, and so is nobody's.
const (
	keyHalfway = "halfway"
	keyUntil   = "until" // Unix milliseconds, an int64
)

// halfwayLife is how long the page for the code is open.
const halfwayLife = 5 * time.Minute

// halfway begins the session in which the password was right and no more.
func (d *Doors) halfway(c echo.Context, h hosts.Host) error {
	ctx := c.Request().Context()
	if err := d.renew(ctx); err != nil {
		return err
	}
	until := d.Now().Add(halfwayLife)
	d.sessions.SetDeadline(ctx, until)
	d.sessions.Put(ctx, keyHalfway, h.Username)
	d.sessions.Put(ctx, keyVersion, h.Version)
	d.sessions.Put(ctx, keyUntil, until.UnixMilli())
	return d.save(c)
}

// Halfway is the host whose password this browser has just given, and who is to
// prove a second factor: ErrSignedOut where there is none, or it took too long.
func (d *Doors) Halfway(c echo.Context) (hosts.Host, error) {
	ctx := c.Request().Context()
	if d.Open || d.sessions.GetInt64(ctx, keyUntil) <= d.Now().UnixMilli() {
		return hosts.Host{}, ErrSignedOut
	}
	h, err := d.Directory.ByName(ctx, d.sessions.GetString(ctx, keyHalfway))
	if errors.Is(err, rooms.ErrNotFound) || err == nil && h.Version != d.sessions.GetString(ctx, keyVersion) {
		return hosts.Host{}, ErrSignedOut
	}
	return h, err
}

// SecondFactor signs in who is Halfway, with the code.
func (d *Doors) SecondFactor(c echo.Context, code string) error {
	h, err := d.Halfway(c)
	if err != nil {
		return err
	}
	if err := d.Gate.SecondFactor(c.Request().Context(), h, code, d.from(c)); err != nil {
		return err
	}
	return d.begin(c, h)
}

// Enrolling is Host for the pages on which a second factor is set up: also a
// host who must do that first.
func (d *Doors) Enrolling(c echo.Context) (hosts.Host, error) {
	h, err := d.Host(c)
	if errors.Is(err, hosts.ErrTwoFactorRequired) {
		return h, nil
	}
	return h, err
}

// Password asks who is signed in for the password once more.
func (d *Doors) Password(c echo.Context, h hosts.Host, password string) error {
	return d.Gate.Password(c.Request().Context(), h, password, d.from(c))
}

// GoOn keeps this browser signed in whose host has just ended all other sign-ins.
func (d *Doors) GoOn(c echo.Context, h hosts.Host) error {
	ctx := c.Request().Context()
	h, err := d.Directory.ByName(ctx, h.Username)
	if err != nil {
		return err
	}
	if err := d.sessions.RenewToken(ctx); err != nil {
		return err
	}
	d.sessions.Put(ctx, hosts.SessionNew, false) // its news were told when it began
	return d.know(c, h)
}

// Script is a host's own token, with which a script acts as the host in person.
type Script struct {
	hosts.Host
	Mark string // of the token
}

const scriptKey = "script"

// Personal reads the request's token for the routes behind it, which only a
// host's own opens: neither an API key nor an app's.
func (d *Doors) Personal(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if d.Open {
			return echo.ErrNotFound // there is no sign-in to secure
		}
		s, err := d.script(c.Request().Context(), c.Request().Header)
		if err != nil {
			return err
		}
		c.Set(scriptKey, s)
		return next(c)
	}
}

func (d *Doors) script(ctx context.Context, header http.Header) (Script, error) {
	kind, token, _ := strings.Cut(header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(kind, "Bearer") || token == "" {
		return Script{}, ErrNoBearer
	}
	if strings.HasPrefix(token, oauth.KeyPrefix) || oauth.IsAccess(token) {
		if _, err := d.bearer(ctx, token); err != nil {
			return Script{}, err
		}
		return Script{}, ErrScope
	}
	h, err := d.Tokens.Read(ctx, token)
	return Script{h, hosts.Mark(token)}, err
}

// Acting is who Personal found.
func Acting(c echo.Context) (Script, error) {
	s, ok := c.Get(scriptKey).(Script)
	if !ok {
		return s, ErrNoBearer
	}
	return s, nil
}
