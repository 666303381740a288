// Package session is what every audience shares: who is asking, be it a host
// signed in with a browser or a script with a token, and how a page is sent.
//
// It never decides what they may do.
package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// The refusals of this package.
var (
	ErrSignedOut = errors.New("sign in first")
	ErrNoBearer  = errors.New("send an access token: Authorization: Bearer …")
	ErrScope     = errors.New("the token does not have the scope this call needs")
	ErrCrossSite = errors.New("this request did not come from our page")
)

// Doors are the ways in for hosts.
type Doors struct {
	Directory *hosts.Directory
	Gate      *hosts.Gate
	Tokens    *hosts.Tokens
	Passkeys  *hosts.Passkeys
	Apps      *oauth.Server
	// Open is set where HOST_USER_AUTH=false: everybody on this machine is the
	// one host, and an admin.
	Open   bool
	Secure bool // whether BASE_URL is https
	Now    func() time.Time
	IDs    *rooms.IDs // of sign-ins

	sessions *scs.SessionManager
	crossing *http.CrossOriginProtection
}

// How long a browser stays signed in, and is known as one that was.
const (
	stay   = 14 * 24 * time.Hour
	device = 390 * 24 * time.Hour
)

// New completes the doors with a store of sessions.
func New(d Doors, store scs.CtxStore) *Doors {
	s := scs.New()
	s.Store = store
	s.HashTokenInStore = true
	s.Lifetime = stay
	s.Cookie.Name = d.cookie("session")
	s.Cookie.HttpOnly, s.Cookie.Secure, s.Cookie.Path, s.Cookie.SameSite = true, d.Secure, "/", http.SameSiteLaxMode
	s.ErrorFunc = func(http.ResponseWriter, *http.Request, error) {} // Load reports it
	d.sessions = s
	d.crossing = http.NewCrossOriginProtection()
	return &d
}

// cookie is a cookie's name; over TLS it is bound to the host (RFC 6265bis).
func (d *Doors) cookie(name string) string {
	if d.Secure {
		return "__Host-" + name
	}
	return name
}

// Load reads the browser's session for the routes behind it.
func (d *Doors) Load(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := d.crossing.Check(c.Request()); err != nil {
			return ErrCrossSite
		}
		token := ""
		if k, err := c.Cookie(d.sessions.Cookie.Name); err == nil {
			token = k.Value
		}
		ctx, err := d.sessions.Load(c.Request().Context(), token)
		if err != nil {
			return err
		}
		c.SetRequest(c.Request().WithContext(ctx))
		c.Response().Header().Add("Vary", "Cookie")
		return next(c)
	}
}

// save writes the session and its cookie; it is called before the answer begins.
func (d *Doors) save(c echo.Context) error {
	ctx := c.Request().Context()
	switch d.sessions.Status(ctx) {
	case scs.Modified:
		token, expiry, err := d.sessions.Commit(ctx)
		if err != nil {
			return err
		}
		d.sessions.WriteSessionCookie(ctx, c.Response(), token, expiry)
	case scs.Destroyed:
		d.sessions.WriteSessionCookie(ctx, c.Response(), "", time.Time{})
	case scs.Unmodified:
	}
	return nil
}

const keyVersion = "version"

// Host returns who is signed in, or ErrSignedOut: also where the host was
// removed or has another password since, and until the second factor is through.
// It is hosts.ErrTwoFactorRequired, with the host, for one who must set one up.
func (d *Doors) Host(c echo.Context) (hosts.Host, error) {
	if d.Open {
		return d.only(), nil
	}
	return d.signedIn(c.Request().Context())
}

func (d *Doors) signedIn(ctx context.Context) (hosts.Host, error) {
	name := d.sessions.GetString(ctx, hosts.SessionHost)
	if name == "" {
		return hosts.Host{}, ErrSignedOut
	}
	h, err := d.Directory.ByName(ctx, name)
	if errors.Is(err, rooms.ErrNotFound) || err == nil && h.Version != d.sessions.GetString(ctx, keyVersion) {
		return hosts.Host{}, ErrSignedOut
	}
	if err == nil && h.MustEnrol {
		return h, hosts.ErrTwoFactorRequired
	}
	return h, err
}

// Still is Host for an answer that goes on: who is signed in by now, as if the
// request came again.
func (d *Doors) Still(c echo.Context) (hosts.Host, error) {
	if d.Open {
		return d.only(), nil
	}
	k, err := c.Cookie(d.sessions.Cookie.Name)
	if err != nil {
		return hosts.Host{}, ErrSignedOut
	}
	ctx, err := d.sessions.Load(anew{c.Request().Context()}, k.Value)
	if err != nil {
		return hosts.Host{}, err
	}
	return d.signedIn(ctx)
}

// anew is a request's context without the session as it was when that came.
type anew struct{ context.Context } //nolint:containedctx // it is one itself

// Value implements context.Context: there is none.
func (anew) Value(any) any { return nil }

// Visitor is the host who is signed in with this browser, on a page that is for
// everybody. It changes nothing, and nobody is what it says where it cannot tell.
func (d *Doors) Visitor(c echo.Context) (hosts.Host, bool) {
	if d.Open {
		return hosts.Host{}, false // everybody would be one
	}
	h, err := d.Visiting(c)
	return h, err == nil
}

// Visiting is Host where Load was not asked to read the session.
func (d *Doors) Visiting(c echo.Context) (hosts.Host, error) {
	if d.Open {
		return d.only(), nil
	}
	k, err := c.Cookie(d.sessions.Cookie.Name)
	if err != nil {
		return hosts.Host{}, ErrSignedOut
	}
	ctx, err := d.sessions.Load(c.Request().Context(), k.Value)
	if err != nil {
		return hosts.Host{}, err
	}
	return d.signedIn(ctx)
}

func (d *Doors) only() hosts.Host { return hosts.Host{Username: "host", Admin: true} }

// SignIn checks the password and begins a new session, so that a cookie known
// before is worth nothing after. Where the host has a second factor it is
// hosts.ErrMissingTwoFactor, and the session is nobody's until SecondFactor.
func (d *Doors) SignIn(c echo.Context, username, password string) (hosts.Host, error) {
	h, err := d.Gate.SignIn(c.Request().Context(), username, password, "", d.from(c))
	switch {
	case errors.Is(err, hosts.ErrMissingTwoFactor):
		if bad := d.halfway(c, h); bad != nil {
			return h, bad
		}
		return h, err
	case err != nil:
		return h, err
	}
	return h, d.begin(c, h)
}

// from is where the browser's sign-in comes from, with the mark of an earlier one.
func (d *Doors) from(c echo.Context) hosts.From {
	from := hosts.From{Address: c.RealIP()}
	if k, err := c.Cookie(d.cookie("device")); err == nil {
		from.Device = k.Value
	}
	return from
}

// begin signs the host in, of whom nothing more is to be proved.
func (d *Doors) begin(c echo.Context, h hosts.Host) error {
	ctx := c.Request().Context()
	if err := d.renew(ctx); err != nil {
		return err
	}
	d.sessions.Put(ctx, hosts.SessionHost, h.Username)
	d.sessions.Put(ctx, hosts.SessionID, int64(d.IDs.Next(d.Now().UnixMilli())))
	d.sessions.Put(ctx, hosts.SessionDevice, hosts.ReadDevice(c.Request().UserAgent()).String())
	d.sessions.Put(ctx, hosts.SessionAddress, c.RealIP())
	d.sessions.Put(ctx, hosts.SessionNew, d.from(c).Device != d.Gate.Device(h))
	return d.know(c, h)
}

// renew leaves nothing of the session as it was, and gives it another cookie.
func (d *Doors) renew(ctx context.Context) error {
	if err := d.sessions.RenewToken(ctx); err != nil {
		return err
	}
	return d.sessions.Clear(ctx)
}

// know binds the session and the device to the host as of now.
func (d *Doors) know(c echo.Context, h hosts.Host) error {
	d.sessions.Put(c.Request().Context(), keyVersion, h.Version)
	c.SetCookie(&http.Cookie{ //nolint:gosec // Secure where there is TLS; without it browsers would drop the cookie
		Name: d.cookie("device"), Value: d.Gate.Device(h), Path: "/", Expires: d.Now().Add(device),
		HttpOnly: true, Secure: d.Secure, SameSite: http.SameSiteLaxMode,
	})
	return d.save(c)
}

// Own is this browser's own sign-in, 0 where it has none.
func (d *Doors) Own(c echo.Context) rooms.ID {
	if d.Open {
		return 0
	}
	return rooms.ID(d.sessions.GetInt64(c.Request().Context(), hosts.SessionID))
}

// SignOut ends the session.
func (d *Doors) SignOut(c echo.Context) error {
	if err := d.sessions.Destroy(c.Request().Context()); err != nil {
		return err
	}
	return d.save(c)
}

// Note tells the log and the metrics what a request was about. Values are ids
// and outcomes, never links, tokens or names.
func Note(c echo.Context, key, value string) { c.Set("note "+key, value) }

// Noted is what Note told, or "".
func Noted(c echo.Context, key string) string {
	s, _ := c.Get("note " + key).(string)
	return s
}
