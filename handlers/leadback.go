package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
)

// leadBack tells where a browser belongs that comes by GET to an address of
// pages that takes only a form, as on reloading the page that answered it: the
// nearest page above. It is empty for programs, and where the refusal stands.
func leadBack(c echo.Context, row refusal) string {
	method, at := c.Request().Method, c.Request().URL.Path
	if row.status != http.StatusMethodNotAllowed || method != http.MethodGet && method != http.MethodHead || forPrograms(at) {
		return ""
	}
	return session.Above(c)
}
