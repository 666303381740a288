package keys

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// ErrNotOurs is returned for whatever was not made with a key of this ring and
// use, or is not spelt as we spell it. It wraps nothing, and says no more.
var ErrNotOurs = errors.New("not made here")

// MaxToken is the length in bytes over which a token is refused unread.
const MaxToken = 2048

// Sign returns a compact JWS (RFC 7515) of the claims under the use's newest
// key, with exactly the header members alg, kid and typ.
func (r *Ring) Sign(use Use, typ string, claims jwt.Claims) (string, error) {
	now := r.now().UnixMilli()
	r.fresh(now)
	k, ok := r.at(use, now)
	if !ok {
		return "", fmt.Errorf("no key for %s", use)
	}
	head, err := r.head(k, typ)
	if err != nil {
		return "", err
	}
	said, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := head + base64.RawURLEncoding.EncodeToString(said)
	signature, err := k.method.Sign(text, k.signs)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// head is a token's first part with the point after it, the same for all of a key.
func (r *Ring) head(k key, typ string) (string, error) {
	name := k.ID + " " + typ
	if made, ok := r.heads.Load(name); ok {
		return made.(string), nil //nolint:forcetypeassert // only strings are stored, in this function
	}
	t := jwt.NewWithClaims(k.method, jwt.RegisteredClaims{})
	t.Header["kid"], t.Header["typ"] = k.ID, typ
	text, err := t.SigningString()
	head, _, _ := strings.Cut(text, ".")
	head += "."
	if err == nil {
		r.heads.Store(name, head)
	}
	return head, err
}

// Verify fills claims from a token made by Sign with the same use and typ.
// Every other token is ErrNotOurs: another or no algorithm, an unknown kid,
// any further header member (crit, jku, jwk, x5u …), base64 or JSON in another
// spelling, claims without exp, or claims that the options refuse. Whether an
// unknown kid is another instance's only the store can tell: its error is
// returned where it does not answer.
func (r *Ring) Verify(ctx context.Context, use Use, typ, token string, claims jwt.Claims, more ...jwt.ParserOption) error {
	// Go's base64 passes over line breaks, also in strict mode: look at the text.
	if len(token) > MaxToken || strings.ContainsAny(token, "\r\n") {
		return ErrNotOurs
	}
	opts := append([]jwt.ParserOption{
		jwt.WithValidMethods(Algs()),
		jwt.WithStrictDecoding(), jwt.WithExpirationRequired(),
	}, more...)
	unknown, seen := false, r.keys.Load()
	parsed, err := jwt.NewParser(opts...).ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		k, ok := r.byID(use, id)
		if !ok {
			unknown = true
			return nil, ErrNotOurs
		}
		if t.Method.Alg() != k.Alg || t.Header["typ"] != typ || len(t.Header) != 3 {
			return nil, ErrNotOurs
		}
		return k.verifies, nil
	})
	if unknown {
		again, err := r.readAgain(ctx, seen)
		switch {
		case err != nil:
			return err
		case again:
			return r.Verify(ctx, use, typ, token, claims, more...)
		}
	}
	switch {
	case err == nil && !spelt(parsed, token):
		return ErrNotOurs
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return fmt.Errorf("%w: %w", ErrNotOurs, jwt.ErrTokenExpired)
	}
	return ErrNotOurs
}

// spelt tells whether the token is written as Sign writes it. JSON says one thing
// in many ways: members twice, in capitals, unknown ones, white space, escapes.
func spelt(t *jwt.Token, token string) bool {
	text, err := t.SigningString()
	return err == nil && strings.HasPrefix(token, text+".")
}
