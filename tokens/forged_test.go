package tokens_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/tokens"
)

// forgery is one token that must not pass, made by hand with all the secrets a
// forger could wish for.
type forgery struct{ name, token string }

// hand makes tokens from raw bytes, without the product.
type hand struct {
	use, kid, alg, typ string
	secret             []byte                   // as the ring keeps it: 32 bytes, or PKCS #8
	by                 func(text string) []byte // the right signature
	header, claim      string                   // what the product writes, as JSON
}

var raw64 = base64.RawURLEncoding

// handOf is a hand that knows everything about the invitation's token.
func handOf(t testing.TB, b *datatest.Bench, inv tokens.Invitation) hand {
	t.Helper()
	genuine, err := b.Invitations.Links.Token(inv)
	must(t, err)
	return handFor(t, b, "invite", genuine)
}

// handFor is a hand that knows everything about a token of that use of keys.
func handFor(t testing.TB, b *datatest.Bench, use, genuine string) hand {
	t.Helper()
	part := strings.Split(genuine, ".")
	header, err := raw64.DecodeString(part[0])
	must(t, err)
	claim, err := raw64.DecodeString(part[1])
	must(t, err)
	var h struct{ Kid, Alg, Typ string }
	must(t, json.Unmarshal(header, &h))
	secret := secrets(t, b, use)[h.Kid]
	return hand{use, h.Kid, h.Alg, h.Typ, secret, signer(t, h.Alg, secret), string(header), string(claim)}
}

func hs256(secret []byte, text string) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// signer signs as RFC 7518 and RFC 8037 say, with a secret of the ring.
func signer(t testing.TB, alg string, secret []byte) func(text string) []byte {
	t.Helper()
	if alg == "HS256" {
		return func(text string) []byte { return hs256(secret, text) }
	}
	switch key := private(t, secret).(type) {
	case ed25519.PrivateKey:
		return func(text string) []byte { return ed25519.Sign(key, []byte(text)) }
	case *ecdsa.PrivateKey:
		return func(text string) []byte {
			sum := sha256.Sum256([]byte(text))
			r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
			must(t, err)
			return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case *rsa.PrivateKey:
		return func(text string) []byte {
			sum := sha256.Sum256([]byte(text))
			sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
			must(t, err)
			return sig
		}
	}
	t.Fatalf("no hand for %s", alg)
	return nil
}

func private(t testing.TB, secret []byte) crypto.Signer {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(secret)
	must(t, err)
	return key.(crypto.Signer)
}

// sign signs header and claims, whatever they say, with the right key.
func (h hand) sign(header, claim string) string { return h.signText(h.text(header, claim)) }

func (h hand) text(header, claim string) string {
	return raw64.EncodeToString([]byte(header)) + "." + raw64.EncodeToString([]byte(claim))
}

func (h hand) signText(text string) string { return text + "." + raw64.EncodeToString(h.by(text)) }

// The header's members as the product writes them.
func (h hand) algMember() string { return `"alg":"` + h.alg + `"` }
func (h hand) kidMember() string { return `"kid":"` + h.kid + `"` }
func (h hand) typMember() string { return `"typ":"` + h.typ + `"` }
