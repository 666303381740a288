package dashboard

import (
	"errors"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
	"admitone/views"
)

// Room answers GET /rooms/{room}: the room and its invitations.
func (p *Pages) Room(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	return p.roomPage(c, h, http.StatusOK, r, p.panel(r))
}

func (p *Pages) panel(r rooms.Room) views.Mint {
	now := p.Now().UnixMilli()
	state := r.State(now)
	zone := r.Timezone
	return views.Mint{Slug: r.Slug, CanHost: true, RoomEnds: r.EndsAt > now, Closed: state == rooms.Closed || state == rooms.Ended,
		Timezone: zone, Errors: views.Errors{}}
}

func (p *Pages) roomPage(c echo.Context, h host, status int, r rooms.Room, panel views.Mint) error {
	now := p.Now().UnixMilli()
	q := tokens.Query{Room: r.ID, State: tokens.State(c.QueryParam("state")), Text: c.QueryParam("q"), Limit: perPage + 1, Now: now}
	if !slices.Contains(tokens.States(), q.State) {
		q.State = ""
	}
	if mails := outbox.State(c.QueryParam("mail")); mails == outbox.Refused || mails == outbox.Doubtful {
		q.Mail = mails
	}
	var err error
	q.Sort, _ = tokens.ParseSort(c.QueryParam("sort")) // else it is the usual one
	if q.After, err = tokens.ParsePosition(q.Sort, c.QueryParam("cursor")); err != nil {
		return rooms.ErrNotFound
	}
	all, err := p.Invitations.Store.List(c.Request().Context(), q)
	if err != nil {
		return err
	}
	list := views.Invitations{Slug: r.Slug, State: string(q.State), Query: q.Text, Mail: string(q.Mail), Sort: string(q.Sort), Closed: panel.Closed}
	if len(all) > perPage {
		all = all[:perPage]
		list.Next = all[perPage-1].Position(q.Sort).Cursor()
	}
	for _, inv := range all {
		list.Items = append(list.Items, p.row(inv))
	}
	if err := errors.Join(p.callers(c, list.Items), p.mailed(c, list.Items)); err != nil {
		return err
	}
	if list.Mails, err = p.mails(c, r); err != nil {
		return err
	}
	list.Mails.Only = list.Mail
	guests := 0
	if r.Capacity > 0 {
		if guests, err = p.Lobby.Guests(c.Request().Context(), r.ID); err != nil {
			return err
		}
	}
	place, err := p.series(c, h, r)
	if err != nil {
		return err
	}
	people, err := p.people(c, r)
	if err != nil {
		return err
	}
	asking, err := p.requests(c, r)
	if err != nil {
		return err
	}
	return session.Render(c, status, views.RoomPage(views.Room{People: people, Requests: asking, Page: p.frame(c, h, r.Name), Mint: panel, List: list,
		Head: views.RoomHead{Name: r.Name, Slug: r.Slug, State: string(r.State(now)), StartsAt: instant(r.StartsAt), EndsAt: instant(r.EndsAt),
			Backend: r.Backend, Gone: r.Backend != "" && !p.Backends.Has(r.Backend), MayEnter: r.State(now) == rooms.Open, Owner: others(h, r), Guests: guests, Capacity: r.Capacity, MayChange: true, Tells: list.Mails.On && list.Mails.Sent+list.Mails.Doubtful > 0, Series: place}}))
}

// callers lets rows without a name say how whoever came in is called.
func (p *Pages) callers(c echo.Context, rows []views.Invitation) error {
	var unnamed []rooms.ID
	for _, row := range rows {
		if id, err := rooms.ParseID(rooms.InvitationPrefix, row.ID); err == nil && row.Name == "" && row.Uses > 0 {
			unnamed = append(unnamed, id)
		}
	}
	names, err := p.Invitations.Store.Callers(c.Request().Context(), unnamed)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if id, err := rooms.ParseID(rooms.InvitationPrefix, row.ID); err == nil {
			rows[i].Guest = names[id]
		}
	}
	return nil
}

func (p *Pages) row(inv tokens.Invitation) views.Invitation {
	now := p.Now()
	return views.Invitation{ID: inv.ID.Show(rooms.InvitationPrefix), Name: inv.Name, NameRemoved: inv.NamelessAt != 0, Email: inv.Email, Role: string(inv.Role), State: string(inv.State(now.UnixMilli())),
		Uses: inv.Uses, MaxUses: inv.MaxUses, ExpiresAt: instant(inv.ExpiresAt), CreatedAt: instant(inv.CreatedAt), RedeemedAt: instant(inv.RedeemedAt),
		ShortURL: p.Invitations.Links.Short(inv), MayRevoke: true, UndoUntil: instant(inv.UndoUntil()), Now: now}
}

// Mint answers POST /rooms/{room}/invitations.
func (p *Pages) Mint(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	panel := p.panel(r)
	panel.Role, panel.Name, panel.Expires, panel.ExpiresAt = c.FormValue("role"), c.FormValue("name"), c.FormValue("expires"), c.FormValue("expires_at")
	panel.Timezone, panel.MaxUses, panel.PIN, panel.Locale = c.FormValue("timezone"), c.FormValue("max_uses"), c.FormValue("pin"), c.FormValue("locale")
	d := p.typed(c, &panel)
	if len(panel.Errors) > 0 {
		refused(p.Invitations.Check(r, d), panel.Errors)
	} else {
		inv, err := p.Invitations.Mint(c.Request().Context(), h.Caller(), r, d, true)
		switch {
		case err == nil:
			return p.minted(c, panel, inv)
		case errors.Is(err, tokens.ErrRoomClosed):
			panel.Closed = true
		case !refused(err, panel.Errors):
			return err
		}
	}
	if wrong, ok := panel.Errors["expires_in"]; ok {
		panel.Errors["expires"] = wrong
	}
	if fragment(c) {
		return session.Render(c, http.StatusUnprocessableEntity, views.MintPanel(panel))
	}
	return p.roomPage(c, h, http.StatusUnprocessableEntity, r, panel)
}

// typed reads the mint form; what cannot be read goes into the panel's errors.
func (p *Pages) typed(c echo.Context, panel *views.Mint) tokens.Draft {
	d := tokens.Draft{Role: tokens.Role(panel.Role), Name: panel.Name, MaxUses: 1, PIN: panel.PIN, Locale: panel.Locale}
	if panel.MaxUses != "" {
		var err error
		if d.MaxUses, err = strconv.Atoi(panel.MaxUses); err != nil || d.MaxUses < 1 || d.MaxUses > tokens.MaxUses {
			panel.Errors["max_uses"] = views.Says("wrong.uses", "max", tokens.MaxUses)
		}
	}
	switch panel.Expires {
	case "custom":
		if d.ExpiresAt = typedTime(c, "expires_at", panel.Errors); d.ExpiresAt == 0 && !panel.Errors.Has("expires_at", "timezone") {
			panel.Errors["expires_at"] = views.Says("wrong.expires-at")
		}
	case "", "room":
	default:
		var err error
		if d.ExpiresIn, err = rooms.ParseDuration(panel.Expires); err != nil {
			panel.Errors["expires"] = views.Says("wrong.expires")
		}
	}
	return d
}

// minted answers with the new link, above a form that keeps what was chosen for
// the next one.
func (p *Pages) minted(c echo.Context, panel views.Mint, inv tokens.Invitation) error {
	session.Note(c, "minted", string(inv.Role))
	id := inv.ID.Show(rooms.InvitationPrefix)
	if !fragment(c) {
		return c.Redirect(http.StatusSeeOther, "/invitations/"+id+"?did=minted")
	}
	long, err := p.Invitations.Links.URL(inv)
	if err != nil {
		return err
	}
	form, err := p.mailForm(c, inv, nil)
	if err != nil {
		return err
	}
	panel.Name, panel.PIN = "", ""
	panel.Done = &views.Minted{ID: id, Name: inv.Name, Role: string(inv.Role), RoomName: inv.Room.Name, ExpiresAt: instant(inv.ExpiresAt), MaxUses: inv.MaxUses,
		Link: views.Link{Short: p.Invitations.Links.Short(inv), Full: long}, Send: p.send(c, inv), Mail: form, Now: p.Now()}
	return session.Render(c, http.StatusOK, views.MintResultFragment(views.MintResult{Panel: panel, Row: p.row(inv)}))
}

// invitation is the invitation of the address, if the host reaches it.
func (p *Pages) invitation(c echo.Context, h host) (tokens.Invitation, error) {
	return p.Invitations.Find(c.Request().Context(), h.Caller(), c.Param("id"))
}

// Invitation answers GET /invitations/{id}.
func (p *Pages) Invitation(c echo.Context, h host) error {
	inv, err := p.invitation(c, h)
	if err != nil {
		return err
	}
	return p.invitationPage(c, h, http.StatusOK, inv, nil, nil)
}

func (p *Pages) invitationPage(c echo.Context, h host, status int, inv tokens.Invitation, wrong *wrongAddress, rename *views.Rename) error {
	history, err := p.Invitations.Store.Events(c.Request().Context(), inv.ID, 0, 200)
	if err != nil {
		return err
	}
	long, err := p.Invitations.Links.URL(inv)
	if err != nil {
		return err
	}
	v := views.InvitationDetail{Page: p.frame(c, h, ""), RoomName: inv.Room.Name, RoomSlug: inv.Room.Slug, Invitation: p.row(inv),
		Link: views.Link{Short: p.Invitations.Links.Short(inv), Full: long}, Send: p.send(c, inv), NotBefore: instant(inv.NotBefore), RevokedAt: instant(inv.RevokedAt),
		CreatedBy: p.who(c, inv.CreatedBy), MayReissue: inv.SupersededBy == 0 && inv.Room.ClosedAt == 0, Why: p.why(c, inv),
		Moves: inv.Moves, MaxMoves: 1 + inv.MoreMoves}
	if v.Remaining, err = p.remaining(c, inv); err != nil {
		return err
	}
	if v.Mail, err = p.mailForm(c, inv, wrong); err != nil {
		return err
	}
	if v.Rename = rename; rename == nil && inv.SupersededBy == 0 {
		v.Rename = &views.Rename{Name: inv.Name, Email: inv.Email}
	}
	if inv.SupersededBy != 0 {
		v.ReplacedBy = inv.SupersededBy.Show(rooms.InvitationPrefix)
	}
	for _, ev := range history {
		if ev.Kind == audit.InvitationRevoked && v.RevokedBy == (views.Who{}) {
			v.RevokedBy = p.who(c, ev.Actor)
		}
		v.History = append(v.History, p.told(c, ev))
	}
	return session.Render(c, status, views.InvitationPage(v))
}

// Revoke answers POST /invitations/{id}/revoke.
func (p *Pages) Revoke(c echo.Context, h host) error {
	inv, err := p.invitation(c, h)
	if err != nil {
		return err
	}
	if inv, err = p.Invitations.Revoke(c.Request().Context(), h.Caller(), inv, c.FormValue("reason")); err != nil {
		return err
	}
	return p.changed(c, inv, "")
}

// Restore answers POST /invitations/{id}/restore.
func (p *Pages) Restore(c echo.Context, h host) error {
	inv, err := p.invitation(c, h)
	if err != nil {
		return err
	}
	after, err := p.Invitations.Restore(c.Request().Context(), h.Caller(), inv, "")
	switch {
	case errors.Is(err, tokens.ErrConflict):
		return p.changed(c, inv, "?did=toolate")
	case errors.Is(err, tokens.ErrRoomFull):
		return p.changed(c, inv, "?did=full")
	case err != nil:
		return err
	}
	return p.changed(c, after, "")
}

// changed answers a press on a row with the row anew, and one elsewhere with
// the invitation's page.
func (p *Pages) changed(c echo.Context, inv tokens.Invitation, did string) error {
	if fragment(c) {
		row := []views.Invitation{p.row(inv)}
		row[0].Focus = true
		if err := errors.Join(p.callers(c, row), p.mailed(c, row)); err != nil {
			return err
		}
		return session.Render(c, http.StatusOK, views.InvitationRow(row[0]))
	}
	return c.Redirect(http.StatusSeeOther, "/invitations/"+inv.ID.Show(rooms.InvitationPrefix)+did)
}

// Reissue answers POST /invitations/{id}/reissue.
func (p *Pages) Reissue(c echo.Context, h host) error {
	inv, err := p.invitation(c, h)
	if err != nil {
		return err
	}
	next, err := p.Invitations.Reissue(c.Request().Context(), h.Caller(), inv, c.FormValue("keep_old") == "true", true)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/invitations/"+next.ID.Show(rooms.InvitationPrefix)+"?did=reissued")
}

// Calendar answers GET /invitations/{id}/invite.ics, for the host to hand on.
func (p *Pages) Calendar(c echo.Context, h host) error {
	inv, err := p.invitation(c, h)
	if err != nil {
		return err
	}
	return p.Invites.Calendar(c, inv, true, true)
}

// send is the invitation as its host hands it on.
func (p *Pages) send(c echo.Context, inv tokens.Invitation) (v views.Send) {
	v.Invite = p.Invites.Of(c.Request().Context(), inv)
	if tokens.HasDate(inv.Room) {
		v.Calendar = "/invitations/" + inv.ID.Show(rooms.InvitationPrefix) + "/invite.ics"
	}
	return v
}

// QR answers GET /invitations/{id}/qr.png and qr.svg.
func (p *Pages) QR(c echo.Context, h host) error {
	inv, err := p.invitation(c, h)
	if err != nil {
		return err
	}
	size, err := tokens.ParseSize(c.QueryParam("size"))
	if err != nil {
		return err
	}
	picture, err := p.Invitations.Links.Picture(inv, c.QueryParam("form"), path.Ext(c.Path()), size)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, mime.TypeByExtension(path.Ext(c.Path())), picture)
}
