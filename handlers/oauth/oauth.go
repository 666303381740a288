// Package oauth is where apps ask hosts for leave and get their tokens (OAuth 2).
//
// It decodes, asks and encodes: who an app is, what it may, and when a token is
// good is for tokens/oauth. It never sees a password.
package oauth

import (
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// Endpoints answers the authorization server's addresses.
type Endpoints struct {
	Apps        *oauth.Server
	Invitations *tokens.Invitations
	Doors       *session.Doors
	Base        string // public origin, the issuer
	Now         func() time.Time

	// Guesses counts what failed at the token endpoint, by client and address;
	// Registered counts the apps that were registered from an address, Sites those
	// from a site of many, and Unowned the tokens of apps that act for nobody.
	Guesses, Registered, Sites, Unowned *hosts.Buckets
}

// Guard refuses all of it where the issuer's address is neither https nor this
// machine: codes, secrets and tokens would cross the network in the open. Where
// there is no sign-in nobody gives leave, and there is none of it.
func (e *Endpoints) Guard(next echo.HandlerFunc) echo.HandlerFunc {
	u, err := url.Parse(e.Base)
	safe := err == nil && (u.Scheme == "https" || local(u.Hostname()))
	if e.Doors.Open {
		return echo.NotFoundHandler
	}
	return func(c echo.Context) error {
		if !safe {
			return oauth.Fault{Code: oauth.ErrInvalidRequest.Code, Reason: "unsupported_over_http",
				Detail: "Apps are authorized over https only; this server's BASE_URL is http and not this machine."}
		}
		return next(c)
	}
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// noStore is for answers that hold a secret (RFC 6749, 5.1).
func noStore(c echo.Context) {
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Pragma", "no-cache")
}

func invalid(detail string) oauth.Fault {
	return oauth.Fault{Code: oauth.ErrInvalidRequest.Code, Detail: detail}
}

func absent(name string) oauth.Fault {
	return oauth.Fault{Code: oauth.ErrInvalidRequest.Code, Detail: name + " is missing.", Reason: "parameter_absent"}
}
