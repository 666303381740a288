package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"regexp"
	"slices"
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// Request is what an app asks of a host (RFC 6749, 4.1.1; RFC 7636, 4.3), as it
// came. Who hands it in has seen that no parameter comes twice.
type Request struct {
	ClientID, Redirect, ResponseType, Scope, State string
	Challenge, Method                              string
}

// Asked is a request that may be put before the host. Redirect is where the
// answer goes; it is set as soon as it can be trusted, also beside an error.
type Asked struct {
	Client   Client
	Redirect string
	State    string
	Scopes   Scopes

	said      string // the redirect address as the request said it, empty where it did not
	challenge string
}

var challengeShape = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Ask looks at a request. While Asked.Redirect is empty the error MUST be shown
// here and sent nowhere; after that it is for the app. An unknown app is
// ErrInvalidClient, a redirect address that is none of the app's ErrInvalidRedirect.
func (s *Server) Ask(ctx context.Context, r Request) (Asked, error) {
	c, err := s.client(ctx, r.ClientID)
	if errors.Is(err, rooms.ErrNotFound) {
		return Asked{}, ErrInvalidClient
	} else if err != nil {
		return Asked{}, err
	}
	a := Asked{Client: c, State: r.State, said: r.Redirect, challenge: r.Challenge}
	to := r.Redirect
	if to == "" && len(c.Redirects) == 1 {
		to = c.Redirects[0]
	}
	if to == "" || !c.hasRedirect(to) {
		return Asked{Client: c}, ErrInvalidRedirect.with("The redirect address is not one that the app is registered with.")
	}
	a.Redirect = to
	switch {
	case r.ResponseType == "":
		return a, ErrInvalidRequest.with("response_type is missing.").known("parameter_absent")
	case r.ResponseType != "code":
		return a, ErrUnsupportedResponseType
	case r.Challenge == "" && r.Method != "":
		return a, ErrInvalidRequest.with("code_challenge is missing.").known("parameter_absent")
	case r.Challenge == "" && c.PKCE:
		return a, ErrInvalidRequest.with("This app has to send a code_challenge (PKCE, S256).").known("parameter_absent")
	case r.Challenge != "" && r.Method != "S256":
		return a, ErrInvalidRequest.with("code_challenge_method is S256.").known("invalid_param")
	case r.Challenge != "" && !challengeShape.MatchString(r.Challenge):
		return a, ErrInvalidRequest.with("code_challenge is a SHA-256 in base64url, 43 characters.").known("invalid_param")
	}
	a.Scopes, err = c.Scopes.ask(r.Scope)
	return a, err
}

// Remembered tells whether the host allowed this app all of this before. A
// public app has to be allowed each time: anybody can say to be it.
func (s *Server) Remembered(ctx context.Context, h hosts.Host, a Asked) (bool, error) {
	if a.Client.Public || a.Redirect == OOB {
		return false, nil
	}
	return s.allowed(ctx, h, a.Client, a.Scopes)
}

// Known tells whether the host allowed this app anything before, public or not.
func (s *Server) Known(ctx context.Context, h hosts.Host, c Client) (bool, error) {
	return s.allowed(ctx, h, c, nil)
}

// allowed tells whether a grant of the host's to the app holds all of these scopes.
func (s *Server) allowed(ctx context.Context, h hosts.Host, c Client, scopes Scopes) (bool, error) {
	all, err := s.Store.Grants(ctx, h.Username, c.ID)
	return slices.ContainsFunc(all, func(g Grant) bool {
		return g.Credential == h.Credential && scopes.Within(g.Scopes)
	}), err
}

// Grant is what a host allowed an app at one time. Everything that came of it
// ends with it. Instants are Unix milliseconds, 0 for not yet.
type Grant struct {
	ID         rooms.ID
	Client     string
	Host       string // username
	Credential string // the host's at that time
	Scopes     Scopes
	Redirect   string // as the request said it
	Challenge  string // S256, empty for none
	CodeHash   string
	CodeUntil  int64
	CreatedAt  int64
	EndedAt    int64
}

// Allow notes that the host allows it and returns the code, which is good for
// CodeLife, once.
func (s *Server) Allow(ctx context.Context, h hosts.Host, a Asked) (code string, err error) {
	now := s.Now().UnixMilli()
	code = rand.Text() + rand.Text()
	g := Grant{Client: a.Client.ID, Host: h.Username, Credential: h.Credential, Scopes: a.Scopes, Redirect: a.said,
		Challenge: a.challenge, CodeHash: hash(code), CodeUntil: now + CodeLife.Milliseconds(), CreatedAt: now}
	ev := audit.Event{At: now, Actor: h.Caller().Actor, Kind: audit.ClientAllowed, Detail: a.Client.ID + " " + strings.ReplaceAll(g.Scopes.String(), " ", ",")}
	err = s.withID(now, func(id rooms.ID) error {
		g.ID = id
		return s.Store.AddGrant(ctx, g, ev)
	})
	if err != nil {
		return "", err
	}
	return code, nil
}
