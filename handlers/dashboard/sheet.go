package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// perSheet is how many invitations are put on paper at once.
const perSheet = 1000

// Sheet answers GET /rooms/{room}/sheet: invitations on paper that can still be
// used, those of hosts only where that is asked for. They are the ones with an
// id, those of a batch, or with all=true every one.
func (p *Pages) Sheet(c echo.Context, h host) error {
	r, ids, err := p.selected(c, h)
	if err != nil {
		return err
	}
	v := views.Sheet{Page: p.frame(c, h, ""), Room: r.Name, Slug: r.Slug, Chosen: url.Values{}, Layout: c.QueryParam("layout"), Paper: c.QueryParam("paper"),
		WithHosts: c.QueryParam("hosts") == "true", From: 1}
	if !slices.Contains(views.Layouts(), v.Layout) {
		v.Layout = views.Layouts()[0]
	}
	if !slices.Contains(views.Papers(), v.Paper) {
		v.Paper = usualPaper(c.Request().Header.Get("Accept-Language"))
	}
	for _, name := range []string{"id", "batch", "all"} {
		if values := c.QueryParams()[name]; len(values) > 0 {
			v.Chosen[name] = values
		}
	}
	chosen, err := p.onPaper(c, r, ids, &v)
	if err != nil {
		return err
	}
	var invs []tokens.Invitation
	for _, inv := range chosen {
		switch {
		case inv.State(p.Now().UnixMilli()) != tokens.Pending:
		case inv.Role == tokens.Host && !v.WithHosts:
			v.LeftOut++
		default:
			invs = append(invs, inv)
		}
	}
	codes, err := p.Invitations.Links.Codes(invs)
	if err != nil {
		return err
	}
	for i, inv := range invs {
		v.Cards = append(v.Cards, views.Card{Name: inv.Name, Invite: p.Invites.Of(c.Request().Context(), inv), Code: string(codes[i])})
	}
	return session.Render(c, http.StatusOK, views.SheetPage(v))
}

// onPaper are the invitations that the address names, and where they go on.
func (p *Pages) onPaper(c echo.Context, r rooms.Room, ids []rooms.ID, v *views.Sheet) (all []tokens.Invitation, err error) {
	ctx := c.Request().Context()
	q := tokens.Query{Room: r.ID, State: tokens.Pending, Sort: tokens.Oldest, Limit: perSheet + 1, Now: p.Now().UnixMilli()}
	switch batch := c.QueryParam("batch"); {
	case batch != "":
		if q.Batch, err = p.Invitations.Batch(ctx, r, batch); err != nil {
			return nil, err
		}
	case c.QueryParam("all") != "true":
		return p.Invitations.Select(ctx, r, ids)
	}
	if q.After, err = tokens.ParsePosition(q.Sort, c.QueryParam("cursor")); err != nil {
		return nil, rooms.ErrNotFound
	}
	if from, err := strconv.Atoi(c.QueryParam("from")); err == nil && from > 1 && from < 1e9 {
		v.From = from
	}
	if all, err = p.Invitations.Store.List(ctx, q); err != nil || len(all) <= perSheet {
		return all, err
	}
	all = all[:perSheet]
	next := url.Values{"layout": {v.Layout}, "paper": {v.Paper}, "cursor": {all[perSheet-1].Position(q.Sort).Cursor()}, "from": {strconv.Itoa(v.From + perSheet)}}
	if v.WithHosts {
		next.Set("hosts", "true")
	}
	for name, values := range v.Chosen {
		next[name] = values
	}
	v.Next = "/rooms/" + r.Slug + "/sheet?" + next.Encode()
	return all, nil
}

// usualPaper is what printers hold where the reader's language is spoken.
func usualPaper(accept string) string {
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return "a4"
	}
	if region, sure := tags[0].Region(); sure == language.Exact && slices.Contains([]string{"US", "CA", "MX", "PH"}, region.String()) {
		return "letter"
	}
	return "a4"
}
