package dashboard

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens/keys"
	"admitone/views"
)

// SigningKeys answers GET /account/signing-keys. To hosts who are no admins
// there is no such page.
func (p *Pages) SigningKeys(c echo.Context, h host) error {
	if !h.Admin {
		return rooms.ErrNotFound
	}
	all, err := p.Ring.List(c.Request().Context())
	if err != nil {
		return err
	}
	v := views.SigningKeys{Page: p.frame(c, h, "")}
	for _, k := range all {
		from := instant(k.From)
		if k.State == keys.Next {
			v.Coming = from
		}
		v.Keys = append(v.Keys, views.SigningKey{ID: k.ID, Use: string(k.Use), Alg: k.Alg, State: string(k.State), From: from})
	}
	return session.Render(c, http.StatusOK, views.SigningKeysPage(v))
}

// RotateKeys answers POST /account/signing-keys/rotate.
func (p *Pages) RotateKeys(c echo.Context, h host) error {
	if !h.Admin {
		return rooms.ErrNotFound
	}
	_, done, err := p.Ring.Rotate(c.Request().Context(), h.Caller().Actor)
	if err != nil {
		return err
	}
	did := "rotating"
	if done {
		did = "rotated"
	}
	return c.Redirect(http.StatusSeeOther, "/account/signing-keys?did="+did)
}
