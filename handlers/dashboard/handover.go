package dashboard

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/views"
)

// HandOver answers POST /rooms/{room}/owner.
func (p *Pages) HandOver(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	ctx, wished := c.Request().Context(), c.FormValue("owner")
	// Whether there is such a host is told to admins only: HandOver refuses others first.
	to, err := p.Doors.Directory.ByName(ctx, wished)
	if err != nil && !errors.Is(err, rooms.ErrNotFound) {
		return err
	}
	_, err = p.Rooms.HandOver(ctx, h.Caller(), r, to.Username)
	give := views.HandOver{Errors: views.Errors{}}
	if refused(err, give.Errors) {
		return p.edit(c, h, http.StatusUnprocessableEntity, r, p.formOf(r), give)
	}
	if err != nil {
		return err
	}
	return p.back(c, r, "handed-over")
}

// othersThan are the hosts to whom an admin can hand a room of the owner's over.
func (p *Pages) othersThan(c echo.Context, h host, owner string) (out []views.OtherHost, err error) {
	if !h.Admin {
		return nil, nil
	}
	all, err := p.Doors.Directory.All(c.Request().Context())
	for _, o := range all {
		if !strings.EqualFold(o.Username, owner) {
			out = append(out, views.OtherHost{Username: o.Username, Name: o.DisplayName})
		}
	}
	return out, err
}
