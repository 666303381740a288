package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
	"admitone/tokens/mail"
	"admitone/tokens/oauth"
)

// delivery is a mail as calls show it.
type delivery struct {
	ID        string       `json:"id"`
	Word      audit.Word   `json:"word"`
	State     outbox.State `json:"state"`
	Reason    *string      `json:"reason"`
	Attempts  int          `json:"attempts"`
	DueAt     *string      `json:"due_at"`
	SettledAt *string      `json:"settled_at"`
}

type latestMail struct {
	Mail *delivery `json:"mail"`
}

// latest is the invitation's latest mail.
func (a *API) latest(ctx context.Context, inv tokens.Invitation) (out latestMail, err error) {
	all, err := a.Post.Store.Latest(ctx, "", []rooms.ID{inv.ID})
	d, ok := all[inv.ID]
	if err != nil || !ok {
		return out, err
	}
	out.Mail = &delivery{ID: d.ID.Show(rooms.DeliveryPrefix), Word: d.Word, State: d.State, Reason: text(d.Reason), Attempts: d.Attempts, SettledAt: moment(d.SettledAt)}
	if !d.State.Settled() {
		out.Mail.DueAt = moment(d.DueAt)
	}
	return out, nil
}

// LatestMail answers GET /invitations/{id}/mail.
func (a *API) LatestMail(c echo.Context) error {
	_, inv, err := a.one(c, oauth.InvitationsRead)
	if err != nil {
		return err
	}
	out, err := a.latest(c.Request().Context(), inv)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, out)
}

// Mail answers POST /invitations/{id}/mail: 202 where a mail was queued, 200
// where the one that after names had a successor already.
func (a *API) Mail(c echo.Context) error {
	caller, inv, err := a.one(c, oauth.InvitationsWrite)
	if err != nil {
		return err
	}
	var in struct {
		After string `json:"after"`
		Hosts bool   `json:"hosts"`
	}
	if err := decode(c, &in, true); err != nil {
		return err
	}
	after := rooms.ID(0)
	if in.After != "" {
		if after, err = rooms.ParseID(rooms.DeliveryPrefix, in.After); err != nil {
			return rooms.Invalid{Field: "after", Detail: "is no id of a mail"}
		}
	}
	ctx := c.Request().Context()
	queued, err := a.Post.Send(ctx, caller.Caller, inv, after, in.Hosts)
	if err != nil {
		return err
	}
	out, err := a.latest(ctx, inv)
	if err != nil {
		return err
	}
	if queued {
		return c.JSON(http.StatusAccepted, out)
	}
	return c.JSON(http.StatusOK, out)
}

// MailRoom answers POST /rooms/{room}/mail.
func (a *API) MailRoom(c echo.Context) error {
	caller, r, err := a.find(c, oauth.InvitationsWrite)
	if err != nil {
		return err
	}
	var in struct {
		IDs    []string `json:"ids"`
		Unsent bool     `json:"unsent"`
		Batch  string   `json:"batch"`
		Hosts  bool     `json:"hosts"`
	}
	if err := decode(c, &in, false); err != nil {
		return err
	}
	ctx := c.Request().Context()
	switch {
	case in.Unsent == (len(in.IDs) > 0):
		return rooms.Invalid{Field: "unsent", Detail: "say unsent, or which ids"}
	case in.Batch != "" && !in.Unsent:
		return rooms.Invalid{Field: "batch", Detail: "belongs to unsent"}
	case in.Hosts && !caller.May(oauth.InvitationsHost):
		return tokens.ErrRoleBarred
	}
	var out struct {
		Queued  int `json:"queued"`
		LeftOut int `json:"left_out"`
	}
	if in.Unsent {
		u := mail.Unsent{Hosts: in.Hosts}
		if in.Batch != "" {
			b, err := a.Invitations.Batch(ctx, r, in.Batch)
			if err != nil {
				return err
			}
			u.First, u.Last = b.ID, b.Last
		}
		out.Queued, err = a.Post.SendUnsent(ctx, caller.Caller, r, u)
	} else {
		var chosen []tokens.Invitation
		if chosen, err = a.selected(ctx, r, in.IDs); err == nil {
			out.Queued, out.LeftOut, err = a.Post.SendAll(ctx, caller.Caller, chosen, in.Hosts)
		}
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, out)
}

// selected are the room's invitations of these ids.
func (a *API) selected(ctx context.Context, r rooms.Room, texts []string) ([]tokens.Invitation, error) {
	ids, err := tokens.ParseSelection(texts)
	if err != nil {
		return nil, err
	}
	return a.Invitations.Select(ctx, r, ids)
}
