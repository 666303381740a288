package tokens

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// CheckNonce refuses what is no nonce of a gate or a door.
func CheckNonce(nonce string) error {
	if len(nonce) < 16 || len(nonce) > 128 {
		return rooms.Invalid{Field: "nonce", Detail: "is 16 to 128 characters, the same for a retry and another for another person"}
	}
	return nil
}

// PageNonce is the nonce that the page of an invitation gives to a browser:
// HMAC-SHA256 of the invitation under the browser's cookie. Who lacks the
// cookie cannot make it, and one browser always gets the same.
func PageNonce(browser string, invitation rooms.ID) string {
	h := hmac.New(sha256.New, []byte(browser))
	h.Write([]byte(invitation.Show(rooms.InvitationPrefix)))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// GoodPageNonce tells, in constant time, whether the nonce is that browser's.
func GoodPageNonce(browser, nonce string, invitation rooms.ID) bool {
	return browser != "" && hmac.Equal([]byte(nonce), []byte(PageNonce(browser, invitation)))
}

// hashNonce is what the database keeps of a nonce: 16 bytes of SHA-256 over it
// and, for the API, over who sent it, so that callers cannot meet each other's.
func hashNonce(by audit.Actor, browser, nonce string) string {
	who := ""
	if browser == "" {
		who = string(by.Kind) + "\x00" + by.Name
	}
	sum := sha256.Sum256([]byte(who + "\x00" + nonce))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// BrowserHash is what the database keeps of a browser's cookie; empty for none.
func BrowserHash(browser string) string {
	if browser == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("browser\x00" + browser))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
