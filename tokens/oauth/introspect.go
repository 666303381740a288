package oauth

import (
	"context"
	"errors"
	"strings"

	"admitone/rooms"
)

// Introspection is what an app may know of a token (RFC 7662, 2.2). Where it is
// not active, nothing else is set. Instants are Unix seconds.
type Introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	Client    string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	NotBefore int64  `json:"nbf,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ID        string `json:"jti,omitempty"`

	// Of an invitation's token.
	Room string `json:"room,omitempty"` // its slug
	Role string `json:"role,omitempty"`
}

// Introspect tells an app about an access or refresh token: about its own, and
// about those that act for the host who made the app. Of all others it knows
// nothing. A public app, which is whoever says so, is ErrUnauthorizedClient.
func (s *Server) Introspect(ctx context.Context, c Client, token string) (Introspection, error) {
	if c.Public {
		return Introspection{}, ErrUnauthorizedClient.with("An app without a secret cannot ask about tokens.")
	}
	if strings.Count(token, ".") == 2 {
		return s.introspectAccess(ctx, c, token)
	}
	r, g, err := s.Store.Refresh(ctx, hash(token))
	switch {
	case errors.Is(err, rooms.ErrNotFound):
		return Introspection{}, nil
	case err != nil:
		return Introspection{}, err
	case g.EndedAt != 0, s.Now().UnixMilli() >= r.ExpiresAt:
		return Introspection{}, nil
	}
	if may, err := s.maySee(ctx, c, g.Client, g.Host); !may || err != nil {
		return Introspection{}, err
	}
	used, err := s.Store.Used(ctx, RefreshUse, r.Hash)
	if err != nil || used {
		return Introspection{}, err
	}
	if gone, err := s.gone(ctx, g.Host, g.Credential); gone || err != nil {
		return Introspection{}, err
	}
	owner, err := s.Store.Client(ctx, g.Client)
	if err != nil || !owner.Scopes.Has(Offline) {
		return Introspection{}, err
	}
	return Introspection{Active: true, Scope: r.Scopes.And(owner.Scopes).String(), Client: g.Client, Username: g.Host, TokenType: "refresh_token",
		Expires: r.ExpiresAt / 1000, Subject: g.Host, Issuer: s.Base}, nil
}

// Knows tells whether a text is an access or refresh token that was made here,
// also one that ended; whatever else looks like one may be a guess.
func (s *Server) Knows(ctx context.Context, token string) (bool, error) {
	var err error
	if strings.Count(token, ".") == 2 {
		_, err = s.signed(ctx, token)
	} else {
		_, _, err = s.Store.Refresh(ctx, hash(token))
	}
	switch {
	case err == nil, err == ErrTokenExpired: //nolint:errorlint // the other of its code is a forgery
		return true, nil
	case errors.Is(err, ErrInvalidToken), errors.Is(err, rooms.ErrNotFound):
		return false, nil
	}
	return false, err
}

func (s *Server) introspectAccess(ctx context.Context, c Client, token string) (Introspection, error) {
	a, err := s.access(ctx, token)
	switch {
	case errors.Is(err, ErrInvalidToken):
		return Introspection{}, nil
	case err != nil:
		return Introspection{}, err
	}
	if may, err := s.maySee(ctx, c, a.Client, a.Host); !may || err != nil {
		return Introspection{}, err
	}
	if gone, err := s.gone(ctx, a.Host, a.Credential); gone || err != nil {
		return Introspection{}, err
	}
	return Introspection{Active: true, Scope: a.Scopes.String(), Client: a.Client, Username: a.Host, TokenType: "Bearer",
		Expires: a.ExpiresAt / 1000, IssuedAt: a.CreatedAt / 1000, Subject: a.subject(), Audience: s.audience(), Issuer: s.Base, ID: a.ID.Show(accessPrefix)}, nil
}

// maySee tells whether the app may know of a token of that app and host: of its
// own, and of those that act for its owner while it does so itself.
func (s *Server) maySee(ctx context.Context, c Client, client, host string) (bool, error) {
	if client == c.ID {
		return true, nil
	}
	if c.Owner == "" || host != c.Owner {
		return false, nil
	}
	gone, err := s.gone(ctx, c.Owner, c.Credential)
	return !gone, err
}

// gone tells whether the host for whom something acts is not who gave the right.
func (s *Server) gone(ctx context.Context, host, credential string) (bool, error) {
	if host == "" {
		return false, nil
	}
	_, err := s.acting(ctx, host, credential)
	if errors.Is(err, rooms.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// Acts returns on whose behalf an app asks by its own id and secret: its owner's,
// or ErrUnauthorizedClient where it acts for nobody.
func (s *Server) Acts(ctx context.Context, c Client) (rooms.Caller, error) {
	if c.Owner == "" || c.Public {
		return rooms.Caller{}, ErrUnauthorizedClient.with("The app acts for nobody.")
	}
	h, err := s.acting(ctx, c.Owner, c.Credential)
	if errors.Is(err, rooms.ErrNotFound) {
		return rooms.Caller{}, ErrUnauthorizedClient.with("The host who made the app is gone, or has another password.")
	}
	return as(c.ID, h), err
}
