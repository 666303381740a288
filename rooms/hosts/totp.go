package hosts

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

// What every authenticator app speaks (RFC 6238): SHA-1, six digits, a step of
// thirty seconds. A code is good one step early and one late.
const (
	digits    = otp.DigitsSix
	algorithm = otp.AlgorithmSHA1
	step      = 30 * time.Second
	skew      = 1
)

// secretSize is that of RFC 4226, 4: 160 bits.
const secretSize = 20

// recoveryCodes is how many a host gets.
const recoveryCodes = 10

var (
	plainBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)
	// spoken is Crockford's alphabet: no letter is mistaken for a digit.
	spoken = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)
)

// factorKey is what an authenticator app is given, with its address for a QR code.
func factorKey(site, username string, secret []byte) (*otp.Key, error) {
	return totp.Generate(totp.GenerateOpts{
		Issuer: "AdmitOne", AccountName: username + "@" + site, Secret: secret,
		Period: uint(step.Seconds()), Digits: digits, Algorithm: algorithm,
	})
}

// stepOf is the step whose code that is, of those that are good now.
func stepOf(secret []byte, code string, now time.Time) (int64, bool) {
	if len(code) != digits.Length() {
		return 0, false
	}
	text, at := plainBase32.EncodeToString(secret), now.Unix()/int64(step.Seconds())
	for n := at - skew; n <= at+skew; n++ {
		ok, err := hotp.ValidateCustom(code, uint64(n), text, hotp.ValidateOpts{Digits: digits, Algorithm: algorithm}) //nolint:gosec // no clock is before 1970
		if err == nil && ok {
			return n, true
		}
	}
	return 0, false
}

// stepHash is what is kept of a step that was used, recoveryHash of a recovery
// code. Both are keyed by the factor's own secret, which is sealed: the
// database alone tells nothing, and another root secret changes nothing.
func stepHash(secret []byte, step int64) string {
	return keyed(secret, "step "+strconv.FormatInt(step, 10))
}

func recoveryHash(secret []byte, code string) string { return keyed(secret, "recovery "+code) }

func keyed(secret []byte, text string) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// newRecovery makes recovery codes of 60 bits, as they are shown, and their hashes.
func newRecovery(secret []byte) (shown, hashes []string) {
	for range recoveryCodes {
		var b [10]byte
		_, _ = rand.Read(b[:])
		s := spoken.EncodeToString(b[:])
		code := s[:4] + "-" + s[4:8] + "-" + s[8:12]
		shown, hashes = append(shown, code), append(hashes, recoveryHash(secret, typedCode(code)))
	}
	return shown, hashes
}

// typedCode is a code as it is meant: without spaces and dashes, in any case, and
// with the letters that people read for a digit.
func typedCode(text string) string {
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(text))
}
