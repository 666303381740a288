package session

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

const browserLen = 26

// Browser is the value of the cookie by which guests' browsers are known, empty
// where this one has none of ours.
func (d *Doors) Browser(c echo.Context) string {
	k, err := c.Cookie(d.cookie("guest"))
	if err != nil || len(k.Value) != browserLen || strings.Trim(k.Value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return ""
	}
	return k.Value
}

// Introduce gives the browser its cookie, by which it is known when it comes
// back. It is random and says nothing.
func (d *Doors) Introduce(c echo.Context) string {
	value := rand.Text()
	c.SetCookie(&http.Cookie{ //nolint:gosec // Secure where there is TLS; without it browsers would drop the cookie
		Name: d.cookie("guest"), Value: value, Path: "/", Expires: d.Now().Add(400 * 24 * time.Hour), MaxAge: 400 * 24 * 3600,
		HttpOnly: true, Secure: d.Secure, SameSite: http.SameSiteLaxMode,
	})
	return value
}
