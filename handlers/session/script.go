package session

import (
	"context"

	"github.com/labstack/echo/v4"

	"admitone/rooms/hosts"
)

// ByPassword is the host of a script that sends name and password with each
// call, and a code in the header where there is a second factor: refused as any
// sign-in. It begins no session.
func (d *Doors) ByPassword(c echo.Context, username, password string) (hosts.Host, error) {
	if d.Open {
		return d.only(), nil
	}
	h, err := d.Gate.SignIn(c.Request().Context(), username, password, Code(c.Request().Header), hosts.From{Address: c.RealIP()})
	if err == nil && h.MustEnrol {
		err = hosts.ErrTwoFactorRequired
	}
	return h, err
}

// First is the host for whom a script acts that names none.
func (d *Doors) First(ctx context.Context) (hosts.Host, error) {
	if d.Open {
		return d.only(), nil
	}
	return d.Directory.First(ctx)
}
