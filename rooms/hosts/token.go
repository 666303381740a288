package hosts

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/tokens/keys"
)

// The refusals of a host's token.
var (
	ErrBadToken     = errors.New("this is no token of ours, or it was withdrawn")
	ErrTokenExpired = errors.New("the token has expired")
)

// TokenLife is how long a host's token for scripts is good.
const TokenLife = time.Hour

// Tokens makes and reads the tokens that hosts' scripts carry. They survive a
// restart and end with the host or the host's password.
type Tokens struct {
	Ring      *keys.Ring
	Directory *Directory
	Base      string // public origin
	Now       func() time.Time
}

const tokenType = "host+jwt"

type tokenClaims struct {
	jwt.RegisteredClaims
	Version string `json:"ver"`
}

// Mint returns a token for the host, good for TokenLife.
func (s *Tokens) Mint(h Host) (string, error) {
	now := s.Now()
	return s.Ring.Sign(keys.HostIn, tokenType, &tokenClaims{jwt.RegisteredClaims{
		Issuer: s.Base, Audience: jwt.ClaimStrings{s.audience()}, Subject: h.Username, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(TokenLife)),
	}, h.Version})
}

func (s *Tokens) audience() string { return s.Base + "/api/v1" }

// Read returns the host of a token: ErrTokenExpired when it was genuine and is
// over, ErrBadToken for all else.
func (s *Tokens) Read(ctx context.Context, token string) (Host, error) {
	var c tokenClaims
	err := s.Ring.Verify(ctx, keys.HostIn, tokenType, token, &c,
		jwt.WithIssuer(s.Base), jwt.WithAudience(s.audience()), jwt.WithTimeFunc(s.Now))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Host{}, ErrTokenExpired
	case err != nil:
		return Host{}, ErrBadToken
	}
	h, err := s.Directory.ByName(ctx, c.Subject)
	if err != nil || h.Version != c.Version {
		return Host{}, ErrBadToken
	}
	return h, nil
}
