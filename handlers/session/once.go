package session

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// ShowOnce hands a secret that was just made over to the next page that asks
// for it, and to this browser alone: no address holds it and no page shows it
// again. id is what it belongs to.
func (d *Doors) ShowOnce(c echo.Context, id, secret string) {
	d.handOver(c, id+":"+secret, 60)
}

// ShownOnce is the secret that ShowOnce handed over, which is gone with that, or
// nothing.
func (d *Doors) ShownOnce(c echo.Context) (id, secret string) {
	k, err := c.Cookie(d.cookie("once"))
	if err != nil || c.Request().Method != http.MethodGet {
		return "", ""
	}
	d.handOver(c, "", -1)
	id, secret, _ = strings.Cut(k.Value, ":")
	return id, secret
}

func (d *Doors) handOver(c echo.Context, value string, seconds int) {
	c.SetCookie(&http.Cookie{ //nolint:gosec // Secure where there is TLS; without it browsers would drop the cookie
		Name: d.cookie("once"), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: d.Secure, SameSite: http.SameSiteStrictMode,
	})
}
