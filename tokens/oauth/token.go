package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"regexp"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Tokens are what the token endpoint answers (RFC 6749, 5.1).
type Tokens struct {
	Access    string
	Refresh   string // empty without offline_access
	Scopes    Scopes
	CreatedAt int64 // Unix milliseconds
	ExpiresAt int64
}

var verifierShape = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// Exchange gives the tokens for a code (RFC 6749, 4.1.3). redirect and verifier
// are as they came, empty for none. A code works once: its second use ends the
// grant and all that came of it, and is ErrInvalidGrant, as everything is that
// is wrong with the code.
func (s *Server) Exchange(ctx context.Context, c Client, code, redirect, verifier string) (Tokens, error) {
	g, err := s.Store.GrantByCode(ctx, hash(code))
	switch {
	case errors.Is(err, rooms.ErrNotFound):
		return Tokens{}, ErrInvalidGrant
	case err != nil:
		return Tokens{}, err
	case g.Client != c.ID:
		return Tokens{}, ErrInvalidGrant
	}
	now := s.Now().UnixMilli()
	used, err := s.Store.Used(ctx, CodeUse, g.CodeHash)
	switch {
	case err != nil:
		return Tokens{}, err
	case used:
		return Tokens{}, s.replayed(ctx, g, now)
	case g.EndedAt != 0:
		return Tokens{}, ErrInvalidGrant
	case now >= g.CodeUntil:
		return Tokens{}, ErrInvalidGrant.with("The code has expired.").known("token_expired")
	case redirect != g.Redirect && (g.Redirect != "" || len(c.Redirects) != 1 || redirect != c.Redirects[0]):
		return Tokens{}, ErrInvalidGrant.with("redirect_uri is not the one of the request.").known("invalid_callback")
	case !proves(verifier, g.Challenge):
		return Tokens{}, ErrInvalidGrant.with("code_verifier does not match the request.")
	}
	return s.issue(ctx, g, g.Scopes.And(c.Scopes), g.Scopes, now, func(a Access, r *Refreshed) error {
		first, err := s.Store.Exchange(ctx, g.CodeHash, a, r, s.event(g, audit.ClientToken, now))
		if err == nil && !first {
			err = s.replayed(ctx, g, now)
		}
		return err
	})
}

// proves tells whether the verifier is the challenge's (RFC 7636, 4.6); where
// there was no challenge there may be no verifier.
func proves(verifier, challenge string) bool {
	if challenge == "" || verifier == "" {
		return challenge == verifier
	}
	sum := sha256.Sum256([]byte(verifier))
	return verifierShape.MatchString(verifier) &&
		subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// replayed ends a grant whose code or refresh token came a second time: one of
// the two who sent it is a thief, and nobody knows which.
func (s *Server) replayed(ctx context.Context, g Grant, now int64) error {
	if err := s.Store.EndGrant(ctx, g.ID, now, s.event(g, audit.ClientReplayed, now)); err != nil {
		return err
	}
	s.forget()
	return ErrInvalidGrant
}

// Refreshed is a refresh token as it is stored.
type Refreshed struct {
	Hash      string
	Grant     rooms.ID
	Scopes    Scopes
	ExpiresAt int64
}

// Refresh gives new tokens for a refresh token, which works once (RFC 6749, 6;
// RFC 9700, 4.14): its second use ends the grant. scope may ask for less, and
// only for less; the next refresh token is for as much as this one.
func (s *Server) Refresh(ctx context.Context, c Client, token, scope string) (Tokens, error) {
	r, g, err := s.Store.Refresh(ctx, hash(token))
	switch {
	case errors.Is(err, rooms.ErrNotFound):
		return Tokens{}, ErrInvalidGrant
	case err != nil:
		return Tokens{}, err
	case g.Client != c.ID:
		return Tokens{}, ErrInvalidGrant
	}
	now := s.Now().UnixMilli()
	used, err := s.Store.Used(ctx, RefreshUse, r.Hash)
	switch {
	case err != nil:
		return Tokens{}, err
	case used:
		return Tokens{}, s.replayed(ctx, g, now)
	case g.EndedAt != 0:
		return Tokens{}, ErrInvalidGrant
	case now >= r.ExpiresAt:
		return Tokens{}, ErrInvalidGrant.with("The refresh token has expired.").known("token_expired")
	case !c.Scopes.Has(Offline):
		return Tokens{}, ErrInvalidGrant.with("The app may no longer go on without its host.")
	}
	scopes, err := r.Scopes.And(c.Scopes).ask(scope)
	if err != nil {
		return Tokens{}, err
	}
	return s.issue(ctx, g, scopes, r.Scopes, now, func(a Access, next *Refreshed) error {
		first, err := s.Store.Rotate(ctx, r.Hash, a, next, s.event(g, audit.ClientToken, now))
		if err == nil && !first {
			err = s.replayed(ctx, g, now)
		}
		return err
	})
}

// ForItself gives an access token to an app that acts by itself (RFC 6749,
// 4.4): for the host who made it, or for nobody.
func (s *Server) ForItself(ctx context.Context, c Client, scope string) (Tokens, error) {
	if c.Public {
		return Tokens{}, ErrUnauthorizedClient.with("An app without a secret cannot act by itself.")
	}
	scopes, err := c.Scopes.ask(scope)
	if err != nil {
		return Tokens{}, err
	}
	if c.Owner != "" {
		if _, err := s.Acts(ctx, c); err != nil {
			return Tokens{}, err
		}
	}
	g := Grant{Client: c.ID, Host: c.Owner, Credential: c.Credential}
	now := s.Now().UnixMilli()
	return s.issue(ctx, g, without(scopes, Offline), nil, now, func(a Access, _ *Refreshed) error {
		return s.Store.AddAccess(ctx, a, s.event(g, audit.ClientToken, now))
	})
}

func without(scopes Scopes, one Scope) (out Scopes) {
	for _, s := range scopes {
		if s != one {
			out = append(out, s)
		}
	}
	return out
}

// Uses of the one claim that things which work once go through.
const (
	CodeUse    = "oauth code"
	RefreshUse = "oauth refresh"
)

// issue makes tokens under the grant, whose host must still be who allowed it,
// and has them stored. scopes are the access token's, keeps the refresh token's.
func (s *Server) issue(ctx context.Context, g Grant, scopes, keeps Scopes, now int64, store func(Access, *Refreshed) error) (Tokens, error) {
	if gone, err := s.gone(ctx, g.Host, g.Credential); err != nil {
		return Tokens{}, err
	} else if gone {
		return Tokens{}, ErrInvalidGrant.with("The host is no longer here, or has another password.")
	}
	t := Tokens{Scopes: scopes, CreatedAt: now, ExpiresAt: now/1000*1000 + AccessLife.Milliseconds()}
	var r *Refreshed
	if keeps.Has(Offline) {
		t.Refresh = newSecret()
		r = &Refreshed{Hash: hash(t.Refresh), Grant: g.ID, Scopes: keeps, ExpiresAt: now + RefreshLife.Milliseconds()}
	}
	err := s.withID(now, func(id rooms.ID) (err error) {
		a := Access{ID: id, Grant: g.ID, Client: g.Client, Host: g.Host, Credential: g.Credential, Scopes: scopes, CreatedAt: now, ExpiresAt: t.ExpiresAt}
		if t.Access, err = s.sign(a); err != nil {
			return err
		}
		return store(a, r)
	})
	if err != nil {
		return Tokens{}, err
	}
	return t, nil
}

func (s *Server) event(g Grant, kind audit.Kind, now int64) audit.Event {
	return audit.Event{At: now, Actor: audit.Actor{Kind: audit.Client, Name: g.Client}, Kind: kind, Detail: g.Host}
}
