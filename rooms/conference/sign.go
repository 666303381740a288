package conference

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// linkLife is how long the token in a join link is good at most: long enough to
// find the camera on the page before the meeting, short enough for a link that got
// about.
const linkLife = 5 * time.Minute

// behind is by how much tokens are dated back, for servers whose clock is behind
// ours and that allow for no difference.
const behind = time.Minute

// life is for how long the token of this visit's link is good: linkLife, and never
// longer than the admission, if that has an end.
func life(v Visit) time.Duration {
	if v.Until == 0 {
		return linkLife
	}
	return max(0, min(linkLife, time.Duration(v.Until-v.At)*time.Millisecond))
}

// expiry is the moment at which the token of this visit's link ends, as a JWT has
// it: in whole Unix seconds.
func expiry(v Visit) int64 { return time.UnixMilli(v.At).Add(life(v)).Unix() }

// sign is the claims as a JWT. Claims are a map so that each has exactly the
// shape its reader asks for: an audience alone as text, and nothing null.
func sign(method jwt.SigningMethod, key any, kid string, claims jwt.MapClaims) (string, error) {
	t := jwt.NewWithClaims(method, claims)
	if kid != "" {
		t.Header["kid"] = kid
	}
	text, err := t.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("%w: its token cannot be signed", ErrUnreachable)
	}
	return text, nil
}
