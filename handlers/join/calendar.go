package join

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/tokens"
)

// Calendar answers GET of a link's calendar file, for the guest to keep. It uses
// nothing up. Also where the link is used, for telephones fetch the file without
// the browser's cookies. Where the room lost its date the page itself comes.
func (p *Pages) Calendar(c echo.Context) error {
	inv, _, err := p.show(c)
	var refused tokens.Refusal
	if errors.As(err, &refused) && (errors.Is(err, tokens.ErrNotYet) || errors.Is(err, tokens.ErrUsed) || errors.Is(err, tokens.ErrWaiting)) {
		inv, err = refused.Invitation, nil
	}
	if err != nil {
		return err
	}
	if !tokens.HasDate(inv.Room) {
		return c.Redirect(http.StatusSeeOther, p.short(inv))
	}
	return p.Invites.Calendar(c, inv, true, true)
}

// calendar is the address of the invitation's calendar file, empty where there is
// none.
func (p *Pages) calendar(inv tokens.Invitation) string {
	if !tokens.HasDate(inv.Room) {
		return ""
	}
	return p.short(inv) + "/invite.ics"
}

// short is the path of the invitation's short link.
func (p *Pages) short(inv tokens.Invitation) string { return "/i/" + p.Invitations.Links.Code(inv.ID) }
