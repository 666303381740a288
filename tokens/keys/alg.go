package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// Algs are the algorithms that tokens can be signed with (RFC 7518, RFC 8037).
// All but the first have a public half, which others can verify with.
func Algs() []string { return []string{"HS256", "EdDSA", "ES256", "RS256"} }

// errAlg is wrapped by what is wrong with a stored key or its algorithm.
var errAlg = errors.New("algorithm is not known here")

// newSecret makes the secret of a key: 32 random bytes, or a private key as
// PKCS #8 (RFC 5958).
func newSecret(alg string) ([]byte, error) {
	var private any
	var err error
	switch alg {
	case "HS256":
		secret := make([]byte, 32)
		_, err = rand.Read(secret)
		return secret, err
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		return nil, errAlg
	}
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(private)
}

// parse reads what newSecret made, once, so that signing need not. The method
// comes from the stored key, never from a token.
func (k *key) parse(secret []byte) error {
	if len(secret) == 0 || !slices.Contains(Algs(), k.Alg) {
		return errAlg
	}
	k.method = jwt.GetSigningMethod(k.Alg)
	if k.Alg == "HS256" {
		k.signs, k.verifies = secret, secret
		return nil
	}
	private, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		return fmt.Errorf("%w: the stored key cannot be read", errAlg)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return errAlg
	}
	k.signs, k.verifies = private, signer.Public()
	if k.jwk() == nil {
		return errAlg // a key of one kind under another's name
	}
	return nil
}

// JWK is the public half of a signing key (RFC 7517).
type JWK struct {
	KeyType string `json:"kty"`
	Curve   string `json:"crv,omitempty"`
	X       string `json:"x,omitempty"`
	Y       string `json:"y,omitempty"`
	N       string `json:"n,omitempty"`
	E       string `json:"e,omitempty"`
	Use     string `json:"use"`
	Alg     string `json:"alg"`
	ID      string `json:"kid"`
}

// jwk is the key's public half, nil where it has none of its algorithm.
func (k *key) jwk() *JWK {
	text := base64.RawURLEncoding.EncodeToString
	out := &JWK{Use: "sig", Alg: k.Alg, ID: k.ID}
	switch public := k.verifies.(type) {
	case ed25519.PublicKey:
		out.KeyType, out.Curve, out.X = "OKP", "Ed25519", text(public)
		return only(out, k.Alg == "EdDSA")
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, then x and y of 32 bytes each
		if err != nil || len(point) != 65 {
			return nil
		}
		out.KeyType, out.Curve, out.X, out.Y = "EC", "P-256", text(point[1:33]), text(point[33:])
		return only(out, k.Alg == "ES256")
	case *rsa.PublicKey:
		out.KeyType, out.N, out.E = "RSA", text(public.N.Bytes()), text(big.NewInt(int64(public.E)).Bytes())
		return only(out, k.Alg == "RS256")
	}
	return nil
}

func only(k *JWK, good bool) *JWK {
	if !good {
		return nil
	}
	return k
}
