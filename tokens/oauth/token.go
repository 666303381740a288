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
	t, err := s.issue(ctx, c, g, g.Scopes, now)
	if err != nil {
		return Tokens{}, err
	}
	first, err := s.Store.Exchange(ctx, g.CodeHash, t.access, t.refresh, s.event(g, audit.ClientToken, now))
	if err == nil && !first {
		err = s.replayed(ctx, g, now)
	}
	return t.out(err)
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
// only for less.
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
	}
	scopes, err := r.Scopes.ask(scope)
	if err != nil {
		return Tokens{}, err
	}
	t, err := s.issue(ctx, c, g, scopes, now)
	if err != nil {
		return Tokens{}, err
	}
	if t.refresh != nil {
		t.refresh.Scopes = r.Scopes // less was asked for this access token alone
	}
	first, err := s.Store.Rotate(ctx, r.Hash, t.access, t.refresh, s.event(g, audit.ClientToken, now))
	if err == nil && !first {
		err = s.replayed(ctx, g, now)
	}
	return t.out(err)
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
	g := Grant{Client: c.ID, Host: c.Owner, Credential: c.Credential}
	now := s.Now().UnixMilli()
	t, err := s.issue(ctx, c, g, without(scopes, Offline), now)
	if err != nil {
		return Tokens{}, err
	}
	return t.out(s.Store.AddAccess(ctx, t.access, s.event(g, audit.ClientToken, now)))
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

// issued is a pair of tokens before it is stored.
type issued struct {
	Tokens
	access  Access
	refresh *Refreshed
}

func (t issued) out(err error) (Tokens, error) {
	if err != nil {
		return Tokens{}, err
	}
	return t.Tokens, nil
}

// issue makes tokens under the grant, whose host must still be who allowed it,
// and stores nothing.
func (s *Server) issue(ctx context.Context, c Client, g Grant, scopes Scopes, now int64) (t issued, err error) {
	if g.Host != "" {
		if _, err := s.acting(ctx, g.Host, g.Credential); errors.Is(err, rooms.ErrNotFound) {
			return t, ErrInvalidGrant.with("The host is no longer here, or has another password.")
		} else if err != nil {
			return t, err
		}
	}
	t.access = Access{ID: s.IDs.Next(now), Grant: g.ID, Client: c.ID, Host: g.Host, Credential: g.Credential, Scopes: scopes,
		CreatedAt: now, ExpiresAt: now/1000*1000 + AccessLife.Milliseconds()}
	t.Tokens = Tokens{Scopes: scopes, CreatedAt: now, ExpiresAt: t.access.ExpiresAt}
	if t.Access, err = s.sign(t.access); err != nil {
		return t, err
	}
	if g.ID != 0 && g.Scopes.Has(Offline) {
		t.Refresh = newSecret()
		t.refresh = &Refreshed{Hash: hash(t.Refresh), Grant: g.ID, Scopes: scopes, ExpiresAt: now + RefreshLife.Milliseconds()}
	}
	return t, nil
}

func (s *Server) event(g Grant, kind audit.Kind, now int64) audit.Event {
	return audit.Event{At: now, Actor: audit.Actor{Kind: audit.Client, Name: g.Client}, Kind: kind, Detail: g.Host}
}
