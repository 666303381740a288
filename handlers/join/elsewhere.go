package join

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// elsewhere is the invitation's link for another device or browser.
func (p *Pages) elsewhere(id rooms.ID) *views.Elsewhere {
	code := p.Invitations.Links.Code(id)
	return &views.Elsewhere{Link: p.Invitations.Links.Base + "/i/" + code, QR: "/i/" + code + "/qr.svg"}
}

// LinkQR answers with the picture of a short link. It looks nothing up, and
// draws no link that was not made here.
func (p *Pages) LinkQR(c echo.Context) error {
	id, err := p.genuine(c)
	if err != nil {
		return err
	}
	qr, err := tokens.ShortQR(p.elsewhere(id).Link)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "image/svg+xml", qr.SVG())
}
