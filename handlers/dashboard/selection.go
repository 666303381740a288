package dashboard

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// selected are the room of the address and the invitations that were chosen.
func (p *Pages) selected(c echo.Context, h host) (rooms.Room, []rooms.ID, error) {
	r, err := p.room(c, h)
	if err != nil {
		return r, nil, err
	}
	values, err := c.FormParams()
	if err != nil {
		return r, nil, err
	}
	ids, err := tokens.ParseSelection(values["id"])
	return r, ids, err
}

// RevokeAll answers POST /rooms/{room}/revoke: all that were chosen, or none.
func (p *Pages) RevokeAll(c echo.Context, h host) error {
	r, ids, err := p.selected(c, h)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return p.back(c, r, "none-chosen")
	}
	n, at, err := p.Invitations.RevokeAll(c.Request().Context(), h.Caller(), r, ids)
	if err != nil {
		return err
	}
	return p.back(c, r, "revoked-all&n="+strconv.Itoa(n)+"&at="+strconv.FormatInt(at, 10))
}

// RestoreAll answers POST /rooms/{room}/restore: the undo of that.
func (p *Pages) RestoreAll(c echo.Context, h host) error {
	return p.undone(c, h, p.Invitations.RestoreAll, "restored-all")
}

// several is what became of a selection, told by the address it led to.
func (p *Pages) several(c echo.Context, h host) views.Notice {
	n, err := strconv.Atoi(c.QueryParam("n"))
	if err != nil || n < 0 || n > tokens.MaxSelection {
		return views.Notice{}
	}
	if c.QueryParam("did") == "restored-all" {
		return views.Notice{Tone: views.Good, Text: views.Says("did.restored-all", "n", n)}
	}
	v := views.Notice{Tone: views.Good, Text: views.Says("did.revoked-all", "n", n)}
	if r, err := p.room(c, h); err == nil && p.Backends.Can(r).Removes {
		v.Text = views.Says("did.revoked-all-asked", "n", n)
	} else if err == nil && r.Backend != "" {
		v.Text = views.Says("did.revoked-all-stay", "n", n)
	}
	v.UndoAction = p.undoing(c, n, "restore")
	return v
}
