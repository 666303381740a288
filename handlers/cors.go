package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// share lets pages of those origins call what programs call, with tokens and
// never with cookies (the CORS protocol of the Fetch standard). Pages of ours,
// where a host says yes, are never shared.
func share(origins []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if len(origins) == 0 || !shared(r.URL.Path) {
				return next(c)
			}
			h := c.Response().Header()
			h.Add("Vary", "Origin")
			origin := r.Header.Get("Origin")
			if !slices.Contains(origins, origin) {
				return next(c)
			}
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "ETag, Link, Location, Retry-After, WWW-Authenticate, X-AdmitOne-OTP, X-Request-Id")
			if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
				return next(c)
			}
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-AdmitOne-OTP")
			h.Set("Access-Control-Max-Age", "600")
			return c.NoContent(http.StatusNoContent)
		}
	}
}

// shared tells whether programs call that address, and no cookie opens it.
func shared(path string) bool {
	return strings.HasPrefix(path, "/api/v1/") ||
		slices.Contains([]string{"/oauth/token", "/oauth/revoke", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"}, path)
}
