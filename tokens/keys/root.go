// Package keys holds the secrets that make a link genuine: the root secret,
// and the ring of signing keys sealed under it.
//
// It never decides who is admitted, and no key leaves it except sealed.
package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// MinRoot is the least length of the root secret in bytes.
const MinRoot = 32

// Root is the secret from which others are derived and under which the ring is
// sealed. It is safe for concurrent use.
type Root struct{ secret []byte }

// NewRoot accepts a root secret of at least MinRoot bytes that is neither
// repetitive nor well known. Errors never quote it.
func NewRoot(secret string) (Root, error) {
	if len(secret) < MinRoot {
		return Root{}, fmt.Errorf("is shorter than %d bytes", MinRoot)
	}
	if repetitive(secret) {
		return Root{}, errors.New("is repetitive; make one with: openssl rand -base64 48")
	}
	if wellKnown(secret) {
		return Root{}, errors.New("is a well-known example; make one with: openssl rand -base64 48")
	}
	return Root{[]byte(secret)}, nil
}

// NewSecret is a fresh random root secret, printable.
func NewSecret() string { return rand.Text() + rand.Text() }

// Derive returns 32 bytes for one purpose (HKDF-SHA256, RFC 5869).
func (r Root) Derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, r.secret, nil, "admitone "+purpose, 32)
	if err != nil {
		panic(err) // only for a length beyond 255 hashes
	}
	return key
}

// Seal encrypts a secret under the root and binds it to its label (AES-256-GCM).
func (r Root) Seal(label string, plain []byte) []byte {
	aead := r.aead()
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, []byte(label))
}

// ErrWrongRoot is returned when something was sealed under another root secret.
var ErrWrongRoot = errors.New("sealed under another JWT_KEY")

// Open returns what Seal sealed under the same root and label, else ErrWrongRoot.
func (r Root) Open(label string, box []byte) ([]byte, error) {
	aead := r.aead()
	if len(box) < aead.NonceSize() {
		return nil, ErrWrongRoot
	}
	plain, err := aead.Open(nil, box[:aead.NonceSize()], box[aead.NonceSize():], []byte(label))
	if err != nil {
		return nil, ErrWrongRoot
	}
	return plain, nil
}

func (r Root) aead() cipher.AEAD {
	block, err := aes.NewCipher(r.Derive("seal"))
	if err != nil {
		panic(err) // only for a key that is not 16, 24 or 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// repetitive tells a secret that is long but says little: few different
// characters, a short unit over and over, or a run up or down the alphabet.
func repetitive(s string) bool {
	distinct := map[byte]bool{}
	runs := 0
	for i := range len(s) {
		distinct[s[i]] = true
		if i > 0 && (s[i] == s[i-1] || s[i] == s[i-1]+1 || s[i]+1 == s[i-1]) {
			runs++
		}
	}
	if len(distinct) < 10 || runs*2 > len(s) {
		return true
	}
	// In a random text hardly any four characters come twice in this order.
	fours := map[string]bool{}
	for i := range len(s) - 3 {
		fours[s[i:i+4]] = true
	}
	return len(fours)*3 < len(s)*2
}

// wellKnown tells a secret copied out of documentation: the defaults of
// products that speak JWT, and phrases that only placeholders hold.
func wellKnown(s string) bool {
	plain := strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(strings.ToLower(s))
	for _, phrase := range []string{
		"changeme", "changethis", "replaceme", "replacethis", "replacewith", "insertyour", "yourjwt", "yoursuper",
		"yourown", "your256bit", "mysuper", "secret", "jwtkey", "mirotalk", "placeholder", "insecure", "password",
		"default", "example", "donotuse", "keyboardcat", "correcthorse", "loremipsum", "qwertyuiop", "testtest",
		"reallyreally",
		// Keys that look random, and stand in RFC 7515 and in the tutorials of FastAPI, Flask and Spring.
		"aym1sysppbydfgzld3umj1qzkobwvmkoqqestjqlrt1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caow", // gitleaks:allow
		"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",                    // gitleaks:allow
		"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",                    // gitleaks:allow
		"404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",                    // gitleaks:allow
	} {
		if strings.Contains(plain, phrase) {
			return true
		}
	}
	return false
}
