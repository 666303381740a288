package session

import (
	"github.com/labstack/echo/v4"

	"admitone/tokens"
)

const togetherKey = "minted together"

// NoteTogether tells the metrics what was minted in one go.
func NoteTogether(c echo.Context, results []tokens.Result) {
	n := map[tokens.Role]int{}
	for _, r := range results {
		if r.Err == nil {
			n[r.Invitation.Role]++
		}
	}
	c.Set(togetherKey, n)
}

// MintedTogether is how many of each role NoteTogether told.
func MintedTogether(c echo.Context) map[tokens.Role]int {
	n, _ := c.Get(togetherKey).(map[tokens.Role]int)
	return n
}
