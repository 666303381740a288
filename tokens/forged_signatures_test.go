package tokens_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"

	"admitone/tokens/keys"
)

// signatures are tokens that say what a genuine one says, under signatures that
// are no signature of it, or of another scheme of the same key.
func signatures(t *testing.T, h hand) (rows []forgery) {
	t.Helper()
	text := h.text(h.header, h.claim)
	right := h.by(text)
	add := func(name string, sig []byte) {
		rows = append(rows, forgery{"signature: " + name, text + "." + raw64.EncodeToString(sig)})
	}
	add("none", nil)
	add("zeros", make([]byte, len(right)))
	add("ones", bytes.Repeat([]byte{0xff}, len(right)))
	add("half of it", right[:len(right)/2])
	add("a byte less", right[:len(right)-1])
	add("a byte more", append(slices.Clone(right), 0))
	add("a zero before it", append([]byte{0}, right...))
	add("twice", append(slices.Clone(right), right...))
	for _, at := range []int{0, len(right) / 2, len(right) - 1} {
		flipped := slices.Clone(right)
		flipped[at] ^= 1
		add("a bit changed", flipped)
	}
	add("of other claims", h.by(h.text(h.header, h.claim+" ")))
	add("of the claims alone", h.by(raw64.EncodeToString([]byte(h.claim))))
	add("of nothing", h.by(""))
	if h.alg == "HS256" {
		return rows
	}
	switch key := private(t, h.secret).(type) {
	case ed25519.PrivateKey:
		edwards(t, key, text, right, add)
	case *ecdsa.PrivateKey:
		curve(t, key, text, right, add)
	case *rsa.PrivateKey:
		modulus(t, key, text, right, add)
	}
	return append(rows, confused(t, h)...)
}

// edwards: RFC 8032, 5.1.7 and 8.4.
func edwards(t *testing.T, key ed25519.PrivateKey, text string, right []byte, add func(string, []byte)) {
	t.Helper()
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := slices.Clone(right[32:])
	slices.Reverse(s)
	more := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(more)
	add("S and the order of the curve", append(slices.Clone(right[:32]), more...))
	add("the neutral point", append(append([]byte{1}, make([]byte, 31)...), make([]byte, 32)...))
	add("its halves changed over", append(slices.Clone(right[32:]), right[:32]...))
	sum := sha512.Sum512([]byte(text))
	for name, o := range map[string]*ed25519.Options{"Ed25519ph": {Hash: crypto.SHA512}, "Ed25519ctx": {Context: "jwt"}} {
		message := []byte(text)
		if o.Hash != 0 {
			message = sum[:]
		}
		sig, err := key.Sign(nil, message, o)
		must(t, err)
		add(name, sig)
	}
}

// curve: r and s from 1 to the order less 1, 32 bytes each (RFC 7518, 3.4).
func curve(t *testing.T, key *ecdsa.PrivateKey, text string, right []byte, add func(string, []byte)) {
	t.Helper()
	n, p := key.Params().N, key.Params().P
	r, s := new(big.Int).SetBytes(right[:32]), new(big.Int).SetBytes(right[32:])
	pair := func(r, s *big.Int) []byte {
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	zero, one := new(big.Int), big.NewInt(1)
	less := new(big.Int).Sub(n, one)
	for name, sig := range map[string][]byte{"r of 0": pair(zero, s), "s of 0": pair(r, zero), "r of the order": pair(n, s), "s of the order": pair(r, n), "both of the order": pair(n, n),
		"r of the field": pair(p, s), "1 and 1": pair(one, one), "the order less 1, twice": pair(less, less), "r for s": pair(s, r), "r twice": pair(r, r), "s twice": pair(s, s),
		"r of 0 and s of 1": pair(zero, one), "r less": pair(new(big.Int).Sub(n, r), s), "33 bytes each": append(append([]byte{0}, right[:32]...), append([]byte{0}, right[32:]...)...)} {
		add(name, sig)
	}
	sum, wide := sha256.Sum256([]byte(text)), sha512.Sum512([]byte(text))
	der, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	must(t, err)
	add("in DER", der)
	r, s, err = ecdsa.Sign(rand.Reader, key, wide[:])
	must(t, err)
	add("of SHA-512", pair(r, s))
}

// modulus: PKCS #1 v1.5 with SHA-256 and no other (RFC 8017, 8.2).
func modulus(t *testing.T, key *rsa.PrivateKey, text string, right []byte, add func(string, []byte)) {
	t.Helper()
	size, one := key.Size(), big.NewInt(1)
	add("one", one.FillBytes(make([]byte, size)))
	add("the modulus", key.N.FillBytes(make([]byte, size)))
	add("the modulus less 1", new(big.Int).Sub(key.N, one).FillBytes(make([]byte, size)))
	add("and the modulus", new(big.Int).Add(new(big.Int).SetBytes(right), key.N).FillBytes(make([]byte, size+1)))
	sum, wide := sha256.Sum256([]byte(text)), sha512.Sum512([]byte(text))
	for name, scheme := range map[string]func() ([]byte, error){
		"PSS":                   func() ([]byte, error) { return rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], nil) },
		"of SHA-512":            func() ([]byte, error) { return rsa.SignPKCS1v15(nil, key, crypto.SHA512, wide[:]) },
		"without a hash's name": func() ([]byte, error) { return rsa.SignPKCS1v15(nil, key, 0, sum[:]) },
	} {
		sig, err := scheme()
		must(t, err)
		add(name, sig)
	}
}

// confused are tokens of a sibling algorithm under the right private key, and of
// HS256 with whatever everybody can know of the public one for a secret.
func confused(t *testing.T, h hand) (rows []forgery) {
	t.Helper()
	key := private(t, h.secret)
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	must(t, err)
	jwk, err := json.Marshal(key.Public())
	must(t, err)
	known := map[string][]byte{"DER": spki, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), "JSON": jwk}
	known["PEM without its line break"] = bytes.TrimSpace(known["PEM"])
	switch public := key.Public().(type) {
	case ed25519.PublicKey:
		known["bytes"], known["base64"] = public, []byte(raw64.EncodeToString(public))
	case *ecdsa.PublicKey:
		known["bytes"], err = public.Bytes()
		must(t, err)
	case *rsa.PublicKey:
		known["PKCS #1"], known["modulus"] = x509.MarshalPKCS1PublicKey(public), public.N.Bytes()
		known["PKCS #1 as PEM"] = pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: known["PKCS #1"]})
	}
	text := h.text(swap(h.header, h.algMember(), `"alg":"HS256"`), h.claim)
	for name, secret := range known {
		rows = append(rows, forgery{"HS256 with the public key in " + name, text + "." + raw64.EncodeToString(hs256(secret, text))})
	}
	for _, alg := range append(keys.Algs(), "HS384", "HS512", "ES256K", "ES384", "ES512", "RS384", "RS512", "PS256", "PS384", "Ed25519", "Ed448") {
		if alg != h.alg {
			rows = append(rows, forgery{h.alg + " called " + alg, h.sign(swap(h.header, h.algMember(), `"alg":"`+alg+`"`), h.claim)})
		}
	}
	return rows
}
