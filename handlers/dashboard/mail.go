package dashboard

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
	"admitone/tokens/mail"
	"admitone/views"
)

// Mail answers POST /invitations/{id}/mail: it sends the invitation by mail, to
// the address that was typed.
func (p *Pages) Mail(c echo.Context, h host) error {
	inv, err := p.invitation(c, h)
	if err != nil {
		return err
	}
	after := rooms.ID(0)
	if s := c.FormValue("after"); s != "" {
		if after, err = rooms.ParseID(rooms.DeliveryPrefix, s); err != nil {
			return rooms.ErrNotFound
		}
	}
	ctx := c.Request().Context()
	to := c.FormValue("email")
	if c.Request().PostForm.Has("email") && to != inv.Email && p.Post.On {
		changed, err := p.Invitations.Change(ctx, h.Caller(), inv, tokens.Change{Email: &to})
		if wrong := rooms.Wrong(err); len(wrong) > 0 {
			return p.invitationPage(c, h, http.StatusUnprocessableEntity, inv, &wrongAddress{to, views.Invalid(wrong[0].Detail)}, nil)
		}
		if err != nil {
			return err
		}
		inv = changed
	}
	queued, err := p.Post.Send(ctx, h.Caller(), inv, after, c.FormValue("hosts") == "true")
	var refusal tokens.Refusal
	wrong := rooms.Wrong(err)
	switch {
	case len(wrong) > 0:
		return p.invitationPage(c, h, http.StatusUnprocessableEntity, inv, &wrongAddress{to, views.Invalid(wrong[0].Detail)}, nil)
	case errors.Is(err, mail.ErrOff):
		return p.toInvitation(c, inv, "?did=mail-off")
	case errors.As(err, &refusal):
		return p.toInvitation(c, inv, "?did=mail-not")
	case err != nil:
		return err
	case !queued:
		return p.toInvitation(c, inv, "?did=mail-before")
	}
	return p.toInvitation(c, inv, "?did=mailed")
}

func (p *Pages) toInvitation(c echo.Context, inv tokens.Invitation, did string) error {
	return c.Redirect(http.StatusSeeOther, "/invitations/"+inv.ID.Show(rooms.InvitationPrefix)+did)
}

// MailAll answers POST /rooms/{room}/mail: to those that were chosen, or to all
// of the room, or of a batch in it, that got none yet.
func (p *Pages) MailAll(c echo.Context, h host) error {
	r, ids, err := p.selected(c, h)
	if err != nil {
		return err
	}
	ctx, hosts := c.Request().Context(), c.FormValue("hosts") == "true"
	queued, left := 0, 0
	if c.FormValue("unsent") == "true" {
		var u mail.Unsent
		if u, err = p.unsent(c, r, c.FormValue("batch")); err == nil {
			u.Hosts = hosts
			queued, err = p.Post.SendUnsent(ctx, h.Caller(), r, u)
		}
	} else {
		if len(ids) == 0 {
			return p.back(c, r, "none-chosen")
		}
		var chosen []tokens.Invitation
		if chosen, err = p.Invitations.Select(ctx, r, ids); err == nil {
			queued, left, err = p.Post.SendAll(ctx, h.Caller(), chosen, hosts)
		}
	}
	if errors.Is(err, mail.ErrOff) {
		return p.back(c, r, "mail-off")
	}
	if err != nil {
		return err
	}
	return p.back(c, r, "mailed-all&n="+strconv.Itoa(queued)+"&left="+strconv.Itoa(left))
}

// StopMail answers POST /rooms/{room}/mail/stop: invitations that wait to be sent are not.
func (p *Pages) StopMail(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	n, err := p.Post.Stop(c.Request().Context(), h.Caller(), r)
	if err != nil {
		return err
	}
	return p.back(c, r, "mails-stopped&n="+strconv.Itoa(n))
}

// mailsStopped is how many were, told by the address it led to.
func (p *Pages) mailsStopped(c echo.Context) views.Notice {
	n, err := strconv.Atoi(c.QueryParam("n"))
	switch {
	case err != nil || n < 0:
		return views.Notice{}
	case n == 0:
		return views.Notice{Tone: views.Warn, Text: views.Says("did.mails-stopped-none")}
	}
	return views.Notice{Tone: views.Good, Text: views.Says("did.mails-stopped", "n", n)}
}

// unsent asks for what got no mail yet, of a batch or of all the room.
func (p *Pages) unsent(c echo.Context, r rooms.Room, batch string) (mail.Unsent, error) {
	if batch == "" {
		return mail.Unsent{}, nil
	}
	b, err := p.Invitations.Batch(c.Request().Context(), r, batch)
	return mail.Unsent{First: b.ID, Last: b.Last}, err
}

// mailedAll is what became of the mails to several, told by the address it led to.
func (p *Pages) mailedAll(c echo.Context) views.Notice {
	n, err := strconv.Atoi(c.QueryParam("n"))
	left, bad := strconv.Atoi(c.QueryParam("left"))
	switch {
	case err != nil || bad != nil || n < 0 || left < 0:
		return views.Notice{}
	case n == 0:
		return views.Notice{Tone: views.Warn, Text: views.Says("did.mailed-none")}
	case left > 0:
		return views.Notice{Tone: views.Good, Text: views.Says("did.mailed-some", "n", n, "left", left)}
	}
	return views.Notice{Tone: views.Good, Text: views.Says("did.mailed-all", "n", n)}
}

// mailWaits says with what can be undone that mails will tell of it, while they wait.
func (p *Pages) mailWaits(c echo.Context, h host, v views.Notice) views.Notice {
	if v.UndoAction == "" || !p.Post.On {
		return v
	}
	r, err := p.room(c, h)
	if err != nil {
		return v
	}
	if tally, err := p.Post.Store.Tally(c.Request().Context(), r.ID); err == nil && tally[outbox.Waiting] > 0 {
		v.Then = views.Says("did.told-by-mail")
	}
	return v
}

// wrongAddress is an address as typed, and why it was refused.
type wrongAddress struct {
	typed string
	why   views.Message
}

// mailForm sends the invitation, and tells how its latest mail stands.
func (p *Pages) mailForm(c echo.Context, inv tokens.Invitation, wrong *wrongAddress) (views.MailForm, error) {
	last, err := p.Post.Store.Latest(c.Request().Context(), "", []rooms.ID{inv.ID})
	v := views.MailForm{Invitation: inv.ID.Show(rooms.InvitationPrefix), Role: string(inv.Role), To: inv.Email,
		On: p.Post.On && inv.State(p.Now().UnixMilli()) == tokens.Pending && inv.Room.ClosedAt == 0}
	if d, ok := last[inv.ID]; ok {
		v.Last = shownMail(d)
	}
	if v.On {
		invite := p.Invites.Of(c.Request().Context(), inv)
		v.Letter = mail.Letter{Word: audit.Invited, Invitation: inv, Host: invite.Host, Link: invite.Link, Calendar: tokens.HasDate(inv.Room)}
	}
	if wrong != nil {
		v.To, v.Wrong = wrong.typed, wrong.why
	}
	return v, err
}

func shownMail(d outbox.Delivery) views.Mail {
	m := views.Mail{ID: d.ID.Show(rooms.DeliveryPrefix), State: string(d.State), Word: string(d.Word), At: instant(d.SettledAt), Attempts: d.Attempts, Reason: d.Reason}
	if !d.State.Settled() {
		m.At = instant(d.DueAt)
	}
	return m
}

// mailed puts into each row how its latest mail stands.
func (p *Pages) mailed(c echo.Context, rows []views.Invitation) error {
	ids := make([]rooms.ID, 0, len(rows))
	for _, row := range rows {
		if id, err := rooms.ParseID(rooms.InvitationPrefix, row.ID); err == nil {
			ids = append(ids, id)
		}
	}
	latest, err := p.Post.Store.Latest(c.Request().Context(), "", ids)
	for i, row := range rows {
		if id, err := rooms.ParseID(rooms.InvitationPrefix, row.ID); err == nil {
			if d, ok := latest[id]; ok {
				rows[i].Mail = shownMail(d)
			}
		}
	}
	return err
}

// mails tell how the room's mails stand.
func (p *Pages) mails(c echo.Context, r rooms.Room) (views.Mails, error) {
	ctx := c.Request().Context()
	tally, err := p.Post.Store.Tally(ctx, r.ID)
	if err != nil {
		return views.Mails{}, err
	}
	stoppable := tally[outbox.Waiting] > 0
	if stoppable {
		if stoppable, err = p.Post.Store.Stoppable(ctx, r.ID); err != nil {
			return views.Mails{}, err
		}
	}
	n, err := p.Post.CountUnsent(ctx, r, mail.Unsent{})
	return views.Mails{On: p.Post.On && r.ClosedAt == 0, Stoppable: stoppable, Unsent: views.UnsentMails{Slug: r.Slug, N: n, Bound: mail.Many}, Waiting: tally[outbox.Waiting] + tally[outbox.Handing],
		Sent: tally[outbox.Sent], Refused: tally[outbox.Refused], Doubtful: tally[outbox.Doubtful]}, err
}
