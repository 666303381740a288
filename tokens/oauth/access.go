package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/keys"
)

// Access is an access token as it is stored. The row decides whether it is
// good; the JWT names it (RFC 9068).
type Access struct {
	ID         rooms.ID
	Grant      rooms.ID // 0 for an app that acts by itself
	Client     string
	Host       string // username of the host acted for, empty for nobody
	Credential string // the host's when it was made
	Scopes     Scopes
	CreatedAt  int64
	ExpiresAt  int64
	EndedAt    int64 // also when its grant or its app ended
}

const accessType = "at+jwt"

// accessPrefix begins an access token's jti.
const accessPrefix = "at_"

// accessClaims are the claims of RFC 9068, 2.2, and no others.
type accessClaims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Client   string `json:"client_id"`
	Scope    string `json:"scope"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// GetExpirationTime and those below implement jwt.Claims.
func (c *accessClaims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires) }

// GetIssuedAt implements jwt.Claims.
func (c *accessClaims) GetIssuedAt() (*jwt.NumericDate, error) { return date(c.IssuedAt) }

// GetNotBefore implements jwt.Claims.
func (c *accessClaims) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil } //nolint:nilnil // there is none

// GetIssuer implements jwt.Claims.
func (c *accessClaims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject implements jwt.Claims.
func (c *accessClaims) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience implements jwt.Claims.
func (c *accessClaims) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{c.Audience}, nil
}

func date(seconds int64) (*jwt.NumericDate, error) {
	if seconds == 0 {
		return nil, nil //nolint:nilnil // there is none
	}
	return jwt.NewNumericDate(time.Unix(seconds, 0)), nil
}

func (s *Server) audience() string { return s.Base + "/api/v1" }

// subject is whom the token speaks for: the host, or the app itself, whose id
// no host's name can be.
func (a Access) subject() string {
	if a.Grant == 0 || a.Host == "" {
		return a.Client
	}
	return a.Host
}

func (s *Server) sign(a Access) (string, error) {
	return s.Ring.Sign(keys.Access, accessType, &accessClaims{
		Issuer: s.Base, Audience: s.audience(), Subject: a.subject(), Client: a.Client, Scope: a.Scopes.String(),
		ID: a.ID.Show(accessPrefix), IssuedAt: a.CreatedAt / 1000, Expires: a.ExpiresAt / 1000,
	})
}

// IsAccess tells whether a text is written as an access token is; whether it is
// good is for Read.
func IsAccess(token string) bool {
	head, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	var h struct {
		Type string `json:"typ"`
	}
	return err == nil && json.Unmarshal(raw, &h) == nil && h.Type == accessType
}

// seen is a token that was found to be ours, and what its row last said.
type seen struct {
	access Access
	at     int64
}

const (
	remembers = 4096                   // tokens whose signature needs no second look
	fresh     = 500 * time.Millisecond // for which a row counts as it was read
)

// Read returns who sent this access token: ErrTokenExpired when it was good and
// is over, ErrInvalidToken when it is none of ours, was withdrawn, or its host is
// gone; any other error is the store's. What is withdrawn anywhere is refused
// here within half a second.
func (s *Server) Read(ctx context.Context, token string) (Bearer, error) {
	a, err := s.access(ctx, token)
	if err != nil {
		return Bearer{}, err
	}
	b := Bearer{Client: a.Client, Scopes: a.Scopes, Nobody: a.Host == ""}
	if b.Nobody {
		b.Actor = audit.Actor{Kind: audit.Client, Name: a.Client}
		return b, nil
	}
	h, err := s.acting(ctx, a.Host, a.Credential)
	if errors.Is(err, rooms.ErrNotFound) {
		return Bearer{}, ErrInvalidToken
	}
	b.Caller = as(a.Client, h)
	return b, err
}

// signed is the id of the row that a token names which we signed, ErrTokenExpired
// where that is over and ErrInvalidToken for any other text.
func (s *Server) signed(ctx context.Context, token string) (rooms.ID, error) {
	var c accessClaims
	err := s.Ring.Verify(ctx, keys.Access, accessType, token, &c, jwt.WithIssuer(s.Base), jwt.WithAudience(s.audience()), jwt.WithTimeFunc(s.Now))
	id, bad := rooms.ParseID(accessPrefix, c.ID)
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return 0, ErrTokenExpired
	case errors.Is(err, keys.ErrNotOurs), err == nil && bad != nil:
		return 0, ErrInvalidToken
	}
	return id, err
}

// access is the token's row if it is good by itself, whoever its host is.
func (s *Server) access(ctx context.Context, token string) (Access, error) {
	sum, now := sha256.Sum256([]byte(token)), s.Now().UnixMilli()
	s.mu.Lock()
	known, ok := s.seen[sum]
	s.mu.Unlock()
	if !ok {
		id, err := s.signed(ctx, token)
		if err != nil {
			return Access{}, err
		}
		known.access.ID = id
	}
	if age := now - known.at; !ok || age < 0 || age >= fresh.Milliseconds() {
		a, err := s.Store.Access(ctx, known.access.ID)
		if errors.Is(err, rooms.ErrNotFound) {
			return Access{}, ErrInvalidToken
		} else if err != nil {
			return Access{}, err
		}
		known = seen{a, now}
		s.mu.Lock()
		if s.seen == nil || len(s.seen) >= remembers {
			s.seen = map[[sha256.Size]byte]seen{} // all at once: whoever still calls is soon back
		}
		s.seen[sum] = known
		s.mu.Unlock()
	}
	switch {
	case known.access.EndedAt != 0:
		return Access{}, ErrInvalidToken
	case now >= known.access.ExpiresAt:
		return Access{}, ErrTokenExpired
	}
	return known.access, nil
}

// forget has every token's row read anew, here, at once.
func (s *Server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sum, known := range s.seen {
		known.at = 0
		s.seen[sum] = known
	}
}
