package api

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"path"
	"slices"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

type invitation struct {
	ID           string       `json:"id"`
	Room         roomRef      `json:"room"`
	Role         tokens.Role  `json:"role"`
	Name         *string      `json:"name"`
	Email        *string      `json:"email"`
	State        tokens.State `json:"state"`
	Uses         int          `json:"uses"`
	MaxUses      int          `json:"max_uses"`
	NotBefore    *string      `json:"not_before"`
	ExpiresAt    *string      `json:"expires_at"`
	CreatedAt    *string      `json:"created_at"`
	CreatedBy    actor        `json:"created_by"`
	RedeemedAt   *string      `json:"redeemed_at"`
	RevokedAt    *string      `json:"revoked_at"`
	SupersededBy *string      `json:"superseded_by"`
	ExternalID   *string      `json:"external_id"`
	Locale       *string      `json:"locale"`
	HasPIN       bool         `json:"has_pin"`
	Token        *string      `json:"token"`
	URL          *string      `json:"url"`
	ShortURL     *string      `json:"short_url"`
	QRPNG        string       `json:"qr_png"`
	QRSVG        string       `json:"qr_svg"`
}

// mayShow tells whether the caller may see the link: who may mint that role may.
func mayShow(c session.Caller, inv tokens.Invitation) bool {
	return c.May(oauth.InvitationsWrite) && (inv.Role == tokens.Guest || c.May(oauth.InvitationsHost))
}

func (a *API) invitation(ctx context.Context, c session.Caller, inv tokens.Invitation) invitation {
	return a.made(c, inv, a.actor(ctx, inv.CreatedBy))
}

// made is invitation where it is known how its maker is shown.
func (a *API) made(c session.Caller, inv tokens.Invitation, by actor) invitation {
	id := inv.ID.Show(rooms.InvitationPrefix)
	at := a.Base + "/api/v1/invitations/" + id
	out := invitation{ID: id, Room: roomRef{inv.Room.ID.Show(rooms.RoomPrefix), inv.Room.Slug}, Role: inv.Role, Name: text(inv.Name), Email: text(inv.Email),
		State: inv.State(a.Now().UnixMilli()), Uses: inv.Uses, MaxUses: inv.MaxUses, NotBefore: moment(inv.NotBefore), ExpiresAt: moment(inv.ExpiresAt),
		CreatedAt: moment(inv.CreatedAt), CreatedBy: by, RedeemedAt: moment(inv.RedeemedAt),
		RevokedAt: moment(inv.RevokedAt), ExternalID: text(inv.ExternalID), Locale: text(inv.Locale), HasPIN: inv.PIN != "", QRPNG: at + "/qr.png", QRSVG: at + "/qr.svg"}
	if inv.SupersededBy != 0 {
		out.SupersededBy = text(inv.SupersededBy.Show(rooms.InvitationPrefix))
	}
	if mayShow(c, inv) {
		out.ShortURL = text(a.Invitations.Links.Short(inv))
	}
	return out
}

// Show is the invitation as these calls show it to somebody who may see all of
// it, for the command line's JSON.
func (a *API) Show(ctx context.Context, by rooms.Caller, inv tokens.Invitation) (any, error) {
	return a.full(ctx, session.Caller{Caller: by, Scopes: session.HostScopes()}, inv)
}

// ShowRoom is the room as these calls show it.
func (a *API) ShowRoom(r rooms.Room) any { return a.room(r) }

// full is invitation with the JWT and its link too.
func (a *API) full(ctx context.Context, c session.Caller, inv tokens.Invitation) (invitation, error) {
	return a.signed(c, a.invitation(ctx, c, inv), inv)
}

// signed adds them to what is shown of the invitation.
func (a *API) signed(c session.Caller, out invitation, inv tokens.Invitation) (invitation, error) {
	if !mayShow(c, inv) {
		return out, nil
	}
	token, err := a.Invitations.Links.Token(inv)
	out.Token, out.URL = &token, text(a.Base+"/join/"+inv.Room.Slug+"?token="+token)
	return out, err
}

func (a *API) answer(c echo.Context, status int, caller session.Caller, inv tokens.Invitation) error {
	out, err := a.full(c.Request().Context(), caller, inv)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(status, out)
}

// wanted is what a call asks an invitation to be.
type wanted struct {
	Role       string          `json:"role"`
	Name       string          `json:"name"`
	Email      string          `json:"email"`
	ExpiresIn  json.RawMessage `json:"expires_in"`
	ExpiresAt  opt[string]     `json:"expires_at"`
	NotBefore  opt[string]     `json:"not_before"`
	MaxUses    *int            `json:"max_uses"`
	PIN        string          `json:"pin"`
	ExternalID string          `json:"external_id"`
	Locale     string          `json:"locale"`
}

// draft is what can be read of it; the rest is refused.
func (in wanted) draft() (tokens.Draft, error) {
	d := tokens.Draft{Role: tokens.Role(in.Role), Name: in.Name, Email: in.Email, MaxUses: 1, PIN: in.PIN, ExternalID: in.ExternalID, Locale: in.Locale}
	if in.MaxUses != nil {
		if d.MaxUses = *in.MaxUses; d.MaxUses == 0 {
			d.MaxUses = -1 // 0 is the draft's word for the default
		}
	}
	var bad [3]error
	d.ExpiresIn, bad[0] = span("expires_in", in.ExpiresIn)
	d.ExpiresAt, bad[1] = instant("expires_at", in.ExpiresAt)
	d.NotBefore, bad[2] = instant("not_before", in.NotBefore)
	return d, errors.Join(bad[:]...)
}

// Mint answers POST /rooms/{room}/invitations.
func (a *API) Mint(c echo.Context) error {
	caller, r, err := a.find(c, oauth.InvitationsWrite)
	if err != nil {
		return err
	}
	var in wanted
	if err := decode(c, &in, false); err != nil {
		return err
	}
	d, err := in.draft()
	if err != nil {
		return errors.Join(err, a.Invitations.Check(r, d))
	}
	inv, err := a.Invitations.Mint(c.Request().Context(), caller.Caller, r, d, caller.May(oauth.InvitationsHost))
	if err != nil {
		return err
	}
	session.Note(c, "minted", string(inv.Role))
	return a.answer(c, http.StatusCreated, caller, inv)
}

// ListInvitations answers GET /rooms/{room}/invitations.
func (a *API) ListInvitations(c echo.Context) error {
	caller, r, err := a.find(c, oauth.InvitationsRead)
	if err != nil {
		return err
	}
	limit, err := perPage(c)
	if err != nil {
		return err
	}
	sort, err := tokens.ParseSort(c.QueryParam("sort"))
	if err != nil {
		return err
	}
	after, err := tokens.ParsePosition(sort, c.QueryParam("cursor"))
	if err != nil {
		return err
	}
	q := tokens.Query{Room: r.ID, State: tokens.State(c.QueryParam("state")), Role: tokens.Role(c.QueryParam("role")), Text: c.QueryParam("q"),
		ExternalID: c.QueryParam("external_id"), Sort: sort, After: after, Limit: limit + 1, Now: a.Now().UnixMilli()}
	if q.State != "" && !slices.Contains(tokens.States(), q.State) {
		return rooms.Invalid{Field: "state", Detail: "is no state of an invitation"}
	}
	if q.Role != "" {
		if _, err := tokens.ParseRole(string(q.Role)); err != nil {
			return err
		}
	}
	all, err := a.Invitations.Store.List(c.Request().Context(), q)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return sorted(c, all, limit, func(inv tokens.Invitation) string { return inv.Position(sort).Cursor() }, func(inv tokens.Invitation) invitation { return a.invitation(c.Request().Context(), caller, inv) })
}

// one is the invitation of the address, if the caller has the scope and reaches it.
func (a *API) one(c echo.Context, need oauth.Scope) (session.Caller, tokens.Invitation, error) {
	caller, err := session.Asking(c, need)
	if err != nil {
		return caller, tokens.Invitation{}, err
	}
	inv, err := a.Invitations.Find(c.Request().Context(), caller.Caller, c.Param("id"))
	if err == nil && need == oauth.InvitationsWrite && inv.Role == tokens.Host && !caller.May(oauth.InvitationsHost) {
		return caller, inv, session.Lacking{Scope: oauth.InvitationsHost}
	}
	return caller, inv, err
}

// Invitation answers GET /invitations/{id}.
func (a *API) Invitation(c echo.Context) error {
	caller, inv, err := a.one(c, oauth.InvitationsRead)
	if err != nil {
		return err
	}
	return a.answer(c, http.StatusOK, caller, inv)
}

// ChangeInvitation answers PATCH /invitations/{id}.
func (a *API) ChangeInvitation(c echo.Context) error {
	caller, inv, err := a.one(c, oauth.InvitationsWrite)
	if err != nil {
		return err
	}
	var in struct {
		Name      opt[string] `json:"name"`
		Email     opt[string] `json:"email"`
		ExpiresAt opt[string] `json:"expires_at"`
		NotBefore opt[string] `json:"not_before"`
		MaxUses   opt[int]    `json:"max_uses"`
	}
	if err := decode(c, &in, false); err != nil {
		return err
	}
	change := tokens.Change{Name: in.Name.ptr(), Email: in.Email.ptr(), MaxUses: in.MaxUses.ptr()}
	var bad [2]error
	change.ExpiresAt, bad[0] = when("expires_at", in.ExpiresAt)
	change.NotBefore, bad[1] = when("not_before", in.NotBefore)
	if err := errors.Join(bad[:]...); err != nil {
		return err
	}
	if inv, err = a.Invitations.Change(c.Request().Context(), caller.Caller, inv, change); err != nil {
		return err
	}
	return a.answer(c, http.StatusOK, caller, inv)
}

type because struct {
	Reason string `json:"reason"`
}

// Revoke answers POST /invitations/{id}/revoke.
func (a *API) Revoke(c echo.Context) error {
	caller, err := session.Asking(c, oauth.InvitationsWrite)
	if err != nil {
		return err
	}
	// Taking a host's link away needs no right to make one.
	inv, err := a.Invitations.Find(c.Request().Context(), caller.Caller, c.Param("id"))
	if err != nil {
		return err
	}
	var in because
	if err := decode(c, &in, true); err != nil {
		return err
	}
	if inv, err = a.Invitations.Revoke(c.Request().Context(), caller.Caller, inv, in.Reason); err != nil {
		return err
	}
	return a.answer(c, http.StatusOK, caller, inv)
}

// Restore answers POST /invitations/{id}/restore.
func (a *API) Restore(c echo.Context) error {
	caller, inv, err := a.one(c, oauth.InvitationsWrite)
	if err != nil {
		return err
	}
	var in because
	if err := decode(c, &in, true); err != nil {
		return err
	}
	if inv, err = a.Invitations.Restore(c.Request().Context(), caller.Caller, inv, in.Reason); err != nil {
		return err
	}
	return a.answer(c, http.StatusOK, caller, inv)
}

// Reissue answers POST /invitations/{id}/reissue.
func (a *API) Reissue(c echo.Context) error {
	caller, inv, err := a.one(c, oauth.InvitationsWrite)
	if err != nil {
		return err
	}
	var in struct {
		KeepOld bool `json:"keep_old"`
	}
	if err := decode(c, &in, true); err != nil {
		return err
	}
	if inv, err = a.Invitations.Reissue(c.Request().Context(), caller.Caller, inv, in.KeepOld, caller.May(oauth.InvitationsHost)); err != nil {
		return err
	}
	return a.answer(c, http.StatusCreated, caller, inv)
}

// QR answers GET /invitations/{id}/qr.png and qr.svg.
func (a *API) QR(c echo.Context) error {
	_, inv, err := a.one(c, oauth.InvitationsWrite)
	if err != nil {
		return err
	}
	size, err := tokens.ParseSize(c.QueryParam("size"))
	if err != nil {
		return err
	}
	picture, err := a.Invitations.Links.Picture(inv, c.QueryParam("form"), path.Ext(c.Path()), size)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(http.StatusOK, mime.TypeByExtension(path.Ext(c.Path())), picture)
}

// Calendar answers GET /invitations/{id}/invite.ics, for a mail program.
func (a *API) Calendar(c echo.Context) error {
	caller, inv, err := a.one(c, oauth.InvitationsRead)
	if err != nil {
		return err
	}
	return a.Invites.Calendar(c, inv, mayShow(caller, inv), false)
}

// InvitationEvents answers GET /invitations/{id}/events.
func (a *API) InvitationEvents(c echo.Context) error {
	_, inv, err := a.one(c, oauth.InvitationsRead)
	if err != nil {
		return err
	}
	before, limit, err := paging(c)
	if err != nil {
		return err
	}
	all, err := a.Invitations.Store.Events(c.Request().Context(), inv.ID, before, limit+1)
	if err != nil {
		return err
	}
	return paged(c, all, limit, eventID, a.showEvent(c.Request().Context(), inv.Room))
}
