package session

import (
	"errors"

	"github.com/labstack/echo/v4"

	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
)

// Guessed runs ask for a link that was made here. Any other is a guess of the
// caller's, wherever it comes from; who guesses too often waits, but not with
// genuine links.
func Guessed[T any](c echo.Context, guesses *hosts.Buckets, links *tokens.Links, by audit.Actor, link string, ask func() (T, error)) (T, error) {
	var none T
	_, _, err := links.Read(c.Request().Context(), link)
	if !errors.Is(err, tokens.ErrInvalidLink) {
		return ask()
	}
	from := "caller " + string(by.Kind) + " " + by.Name
	if err := guesses.Allowed(from); err != nil {
		return none, err
	}
	guesses.Failed(from)
	return none, err
}
