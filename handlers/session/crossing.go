package session

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Calls refuses, for the routes behind it, which neither token nor cookie opens,
// what a page elsewhere makes a visitor's browser send: its guesses would count as
// the visitor's. Programs send nothing that tells where a page is from. Origins
// are those of pages that may call us.
func Calls(origins []string) echo.MiddlewareFunc {
	crossing := http.NewCrossOriginProtection()
	for _, origin := range origins {
		_ = crossing.AddTrustedOrigin(origin) // one that is none is nobody's
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if crossing.Check(c.Request()) != nil {
				return ErrCrossSite
			}
			return next(c)
		}
	}
}
