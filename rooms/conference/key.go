package conference

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// rsaKey reads the private key that a PEM text holds and RS256 may sign with
// (RFC 7518, 3.3). Errors quote nothing, here and below.
func rsaKey(text string) (*rsa.PrivateKey, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(text))
	if err != nil || key.N.BitLen() < 2048 {
		return nil, errors.New("private_key is an RSA key in PEM, of 2048 bits or more")
	}
	return key, nil
}

// jwk reads a key that signs (RFC 7517) as Galene takes it: with its algorithm,
// and an octet key exactly as long as the algorithm's hash.
func jwk(raw json.RawMessage) (method jwt.SigningMethod, key any, kid string, err error) {
	var k struct {
		Kty string `json:"kty"`
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Crv string `json:"crv"`
		K   string `json:"k"`
		D   string `json:"d"`
	}
	if json.Unmarshal(raw, &k) != nil {
		return nil, nil, "", errors.New("key is a JSON object, a JWK, all of whose members that we read are texts")
	}
	octets := map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}[k.Alg]
	switch {
	case k.Kty == "oct" && octets != 0:
		secret, err := base64.RawURLEncoding.DecodeString(k.K)
		if err != nil || len(secret) != octets {
			return nil, nil, "", errors.New("key has a k that is not base64url of as many bytes as its alg has")
		}
		return jwt.GetSigningMethod(k.Alg), secret, k.Kid, nil
	case k.Kty == "EC" && k.Crv == "P-256" && k.Alg == "ES256":
		secret, err := base64.RawURLEncoding.DecodeString(k.D)
		if err != nil {
			return nil, nil, "", errors.New("key has a d that is no base64url")
		}
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
		if err != nil {
			return nil, nil, "", errors.New("key has no private part d of its curve")
		}
		return jwt.SigningMethodES256, key, k.Kid, nil
	}
	return nil, nil, "", errors.New("key is a JWK of kty oct with alg HS256, HS384 or HS512, or of kty EC with crv P-256 and alg ES256")
}
