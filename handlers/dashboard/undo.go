package dashboard

import (
	"context"
	"errors"
	"strconv"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/tokens"
)

// undone takes back what was done to several at the moment that the form names,
// and leads to the room's page, which tells of how many.
func (p *Pages) undone(c echo.Context, h host, undo func(context.Context, rooms.Caller, rooms.Room, int64) (int, error), did string) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	at, err := strconv.ParseInt(c.FormValue("at"), 10, 64)
	if err != nil {
		return rooms.ErrNotFound
	}
	n, err := undo(c.Request().Context(), h.Caller(), r, at)
	switch {
	case errors.Is(err, tokens.ErrConflict), errors.Is(err, rooms.ErrTooLate):
		return p.back(c, r, "toolate")
	case errors.Is(err, tokens.ErrRoomFull):
		return p.back(c, r, "full")
	case err != nil:
		return err
	}
	return p.back(c, r, did+"&n="+strconv.Itoa(n))
}

// undoing is the address that takes back what, as the page's own says, was done to n;
// it is empty where there is nothing to take back any more.
func (p *Pages) undoing(c echo.Context, n int, undo string) string {
	at, err := strconv.ParseInt(c.QueryParam("at"), 10, 64)
	if err != nil || n == 0 || !p.Invitations.Undoable(at) {
		return ""
	}
	return "/rooms/" + c.Param("room") + "/" + undo + "?at=" + strconv.FormatInt(at, 10)
}
