package dashboard

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/tokens"
	"admitone/views"
)

// Person answers GET /account/person. The address that is looked for comes by POST
// alone, so that it stands in no address and no log.
func (p *Pages) Person(c echo.Context, h host) error {
	return session.Render(c, http.StatusOK, views.PersonPage(p.personForm(c, h)))
}

// FindPerson answers POST /account/person: what is kept about whoever has that
// mail address.
func (p *Pages) FindPerson(c echo.Context, h host) error {
	address, wrong, err := p.address(c, h)
	if wrong {
		return err
	}
	return p.kept(c, h, http.StatusOK, address, views.Errors{})
}

// ExportPerson answers POST /account/person/export: the same as JSON, whole.
func (p *Pages) ExportPerson(c echo.Context, h host) error {
	address, wrong, err := p.address(c, h)
	if wrong {
		return err
	}
	person, err := p.Invitations.Person(c.Request().Context(), h.Caller(), address)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="person.json"`)
	return c.JSONPretty(http.StatusOK, person, "  ")
}

// DeletePerson answers POST /account/person/delete, where the address was typed
// once more.
func (p *Pages) DeletePerson(c echo.Context, h host) error {
	address, wrong, err := p.address(c, h)
	if wrong {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(c.FormValue("confirm")), address) {
		return p.kept(c, h, http.StatusUnprocessableEntity, address, views.Errors{"confirm": views.Says("person.confirm-wrong")})
	}
	if _, _, err := p.Invitations.RemovePerson(c.Request().Context(), h.Caller(), address); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/account/person?did=person-removed")
}

func (p *Pages) personForm(c echo.Context, h host) views.PersonData {
	return views.PersonData{Page: p.frame(c, h, ""), Everywhere: h.Admin, Errors: views.Errors{}}
}

// address is the form's; where it is none, the answer says so.
func (p *Pages) address(c echo.Context, h host) (address string, wrong bool, err error) {
	if address, err = tokens.ParseAddress(c.FormValue("address")); err == nil {
		return address, false, nil
	}
	v := p.personForm(c, h)
	v.Typed = c.FormValue("address")
	if !refused(err, v.Errors) {
		return "", true, err
	}
	return "", true, session.Render(c, http.StatusUnprocessableEntity, views.PersonPage(v))
}

func (p *Pages) kept(c echo.Context, h host, status int, address string, errs views.Errors) error {
	v := p.personForm(c, h)
	v.Address, v.Typed, v.Errors = address, address, errs
	now := p.Now().UnixMilli()
	err := p.Invitations.OfPerson(c.Request().Context(), h.Caller(), address, func(all []tokens.Invitation) error {
		for _, inv := range all {
			row := p.row(inv)
			v.Invitations = append(v.Invitations, views.PersonInvitation{ID: row.ID, Name: row.Name, State: row.State, Room: inv.Room.Name, RoomSlug: inv.Room.Slug,
				Made: row.CreatedAt, Came: row.RedeemedAt})
			if inv.Lives(now) {
				v.Live++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return session.Render(c, status, views.PersonPage(v))
}
