package session

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// HostScopes is what a host's own token may do: all that the host may.
func HostScopes() oauth.Scopes {
	return slices.DeleteFunc(oauth.All(), func(s oauth.Scope) bool { return s == oauth.Offline })
}

// Caller is a script on whose behalf something is asked.
type Caller struct {
	rooms.Caller
	Scopes oauth.Scopes
	// Nobody is set for an app that acts for nobody: it reaches no room.
	Nobody bool
}

// May tells whether the caller's token has the scope.
func (c Caller) May(s oauth.Scope) bool { return !c.Nobody && c.Scopes.Has(s) }

const callerKey = "caller"

// Bearer reads the request's token for the routes behind it.
func (d *Doors) Bearer(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if d.Open && d.crossing.Check(c.Request()) != nil {
			return ErrCrossSite // without a token, only this keeps other sites' pages out
		}
		caller, err := d.caller(c.Request().Context(), c.Request().Header)
		if err != nil {
			return err
		}
		c.Set(callerKey, caller)
		return next(c)
	}
}

func (d *Doors) caller(ctx context.Context, header http.Header) (Caller, error) {
	if d.Open {
		return Caller{Caller: d.only().Caller(), Scopes: HostScopes()}, nil
	}
	kind, token, _ := strings.Cut(header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") || token == "" {
		return Caller{}, ErrNoBearer
	}
	return d.bearer(ctx, strings.TrimSpace(token))
}

// bearer is who sent this token: an API key, an app's access token, or a host's.
func (d *Doors) bearer(ctx context.Context, token string) (Caller, error) {
	var b oauth.Bearer
	var err error
	switch {
	case strings.HasPrefix(token, oauth.KeyPrefix):
		b, err = d.Apps.ReadKey(ctx, token)
	case oauth.IsAccess(token):
		b, err = d.Apps.Read(ctx, token)
	default:
		h, err := d.Tokens.Read(ctx, token)
		if err == nil && h.MustEnrol {
			err = hosts.ErrTwoFactorRequired
		}
		return Caller{Caller: h.Caller(), Scopes: HostScopes()}, err
	}
	var fault oauth.Fault
	if errors.As(err, &fault) {
		if fault == oauth.ErrTokenExpired {
			return Caller{}, hosts.ErrTokenExpired
		}
		return Caller{}, hosts.ErrBadToken
	}
	return Caller{Caller: b.Caller, Scopes: b.Scopes, Nobody: b.Nobody}, err
}

// Lacking is ErrScope for a call that needs that scope.
type Lacking struct{ Scope oauth.Scope }

func (l Lacking) Error() string { return ErrScope.Error() }

// Unwrap lets errors.Is find ErrScope.
func (l Lacking) Unwrap() error { return ErrScope }

// Asking returns the caller that Bearer found, if the token has the scope;
// otherwise it is Lacking.
func Asking(c echo.Context, need oauth.Scope) (Caller, error) {
	caller, ok := c.Get(callerKey).(Caller)
	if !ok {
		return Caller{}, ErrNoBearer
	}
	if !caller.May(need) {
		return Caller{}, Lacking{need}
	}
	return caller, nil
}
