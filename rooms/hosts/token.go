package hosts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/rooms"
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

	mu   sync.Mutex
	read map[[sha256.Size]byte]genuine // by the token's hash
}

// genuine is what a token said that was found to be ours.
type genuine struct {
	username, version string
	expires           time.Time
}

// remembers bounds how many tokens need no second look at their signature.
const remembers = 1024

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
// over, ErrBadToken when it is none of ours or was withdrawn; any other error is
// the store's. A script sends one token many times: its signature is looked at
// once, and whether it still counts every time.
func (s *Tokens) Read(ctx context.Context, token string) (Host, error) {
	g, err := s.genuine(ctx, token)
	if err != nil {
		return Host{}, err
	}
	if !s.Now().Before(g.expires) {
		return Host{}, ErrTokenExpired
	}
	h, err := s.Directory.ByName(ctx, g.username)
	switch {
	case errors.Is(err, rooms.ErrNotFound), err == nil && h.Version != g.version && !h.spares(g.version, token):
		return Host{}, ErrBadToken
	case err != nil:
		return Host{}, err
	}
	return h, nil
}

// Mark is by what a token is told from others where it must not be kept itself.
func Mark(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// spares tells whether a token of an earlier version goes on, as the one with
// which its host ended all others.
func (h Host) spares(version, token string) bool {
	return h.spared != "" && h.former == version && h.spared == Mark(token)
}

func (s *Tokens) genuine(ctx context.Context, token string) (genuine, error) {
	sum := sha256.Sum256([]byte(token))
	s.mu.Lock()
	g, ok := s.read[sum]
	s.mu.Unlock()
	if ok {
		return g, nil
	}
	var c tokenClaims
	err := s.Ring.Verify(ctx, keys.HostIn, tokenType, token, &c,
		jwt.WithIssuer(s.Base), jwt.WithAudience(s.audience()), jwt.WithTimeFunc(s.Now))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return g, ErrTokenExpired
	case errors.Is(err, keys.ErrNotOurs):
		return g, ErrBadToken
	case err != nil:
		return g, err
	}
	g = genuine{c.Subject, c.Version, c.ExpiresAt.Time}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil || len(s.read) >= remembers {
		s.read = map[[sha256.Size]byte]genuine{} // all at once: whoever still calls is soon back
	}
	s.read[sum] = g
	return g, nil
}
