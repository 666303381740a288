package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens/oauth"
)

type roomRef struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
}

type room struct {
	roomRef
	Name       string      `json:"name"`
	Owner      string      `json:"owner"`
	StartsAt   *string     `json:"starts_at"`
	EndsAt     *string     `json:"ends_at"`
	Timezone   *string     `json:"timezone"`
	Backend    *string     `json:"backend"`
	ExternalID *string     `json:"external_id"`
	Locale     *string     `json:"locale"`
	Capacity   *int        `json:"capacity"`
	State      rooms.State `json:"state"`
	CreatedAt  *string     `json:"created_at"`
	ClosedAt   *string     `json:"closed_at"`
}

func (a *API) room(r rooms.Room) room {
	return room{roomRef{r.ID.Show(rooms.RoomPrefix), r.Slug}, r.Name, r.Owner, moment(r.StartsAt), moment(r.EndsAt), text(r.Timezone),
		text(r.Backend), text(r.ExternalID), text(r.Locale), number(r.Capacity), r.State(a.Now().UnixMilli()), moment(r.CreatedAt), moment(r.ClosedAt)}
}

// capacity reads how many guests a room takes; null or absent is any number, 0
// is a mistake and not the same.
func capacity(o opt[int]) (int, error) {
	if o.given && !o.null && o.value == 0 {
		return 0, rooms.Invalid{Field: "capacity", Detail: "is at least 1; null means any number"}
	}
	return o.value, nil
}

// CreateRoom answers POST /rooms.
func (a *API) CreateRoom(c echo.Context) error {
	caller, err := session.Asking(c, oauth.RoomsWrite)
	if err != nil {
		return err
	}
	var in struct {
		Name       string      `json:"name"`
		Slug       string      `json:"slug"`
		StartsAt   opt[string] `json:"starts_at"`
		EndsAt     opt[string] `json:"ends_at"`
		Timezone   string      `json:"timezone"`
		Backend    string      `json:"backend"`
		ExternalID string      `json:"external_id"`
		Locale     string      `json:"locale"`
		Capacity   opt[int]    `json:"capacity"`
	}
	if err := decode(c, &in, false); err != nil {
		return err
	}
	d := rooms.Draft{Name: in.Name, Slug: in.Slug, Timezone: in.Timezone, Backend: in.Backend, ExternalID: in.ExternalID, Locale: in.Locale}
	var bad [3]error
	d.Capacity, bad[0] = capacity(in.Capacity)
	d.StartsAt, bad[1] = instant("starts_at", in.StartsAt)
	d.EndsAt, bad[2] = instant("ends_at", in.EndsAt)
	if err := errors.Join(bad[:]...); err != nil {
		return errors.Join(err, a.Rooms.Check(d))
	}
	r, err := a.Rooms.Create(c.Request().Context(), caller.Caller, d)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, a.room(r))
}

// Rooms answers GET /rooms.
func (a *API) ListRooms(c echo.Context) error {
	caller, err := session.Asking(c, oauth.RoomsRead)
	if err != nil {
		return err
	}
	before, limit, err := paging(c)
	if err != nil {
		return err
	}
	all, err := a.Rooms.Store.List(c.Request().Context(), rooms.Query{Caller: caller.Caller, ExternalID: c.QueryParam("external_id"),
		Before: before, Limit: limit + 1, Now: a.Now().UnixMilli()})
	if err != nil {
		return err
	}
	return paged(c, all, limit, func(l rooms.Listed) rooms.ID { return l.ID }, func(l rooms.Listed) room { return a.room(l.Room) })
}

// find is the room of the address, if the caller has the scope and reaches it.
func (a *API) find(c echo.Context, need oauth.Scope) (session.Caller, rooms.Room, error) {
	caller, err := session.Asking(c, need)
	if err != nil {
		return caller, rooms.Room{}, err
	}
	r, err := a.Rooms.Find(c.Request().Context(), caller.Caller, c.Param("room"))
	return caller, r, err
}

// Room answers GET /rooms/{room}.
func (a *API) Room(c echo.Context) error {
	_, r, err := a.find(c, oauth.RoomsRead)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, a.room(r))
}

// ChangeRoom answers PATCH /rooms/{room}.
func (a *API) ChangeRoom(c echo.Context) error {
	caller, r, err := a.find(c, oauth.RoomsWrite)
	if err != nil {
		return err
	}
	var in struct {
		Name            opt[string] `json:"name"`
		StartsAt        opt[string] `json:"starts_at"`
		EndsAt          opt[string] `json:"ends_at"`
		Timezone        opt[string] `json:"timezone"`
		Backend         opt[string] `json:"backend"`
		ExternalID      opt[string] `json:"external_id"`
		Locale          opt[string] `json:"locale"`
		Capacity        opt[int]    `json:"capacity"`
		MoveInvitations *bool       `json:"move_invitations"`
		TellGuests      *bool       `json:"tell_guests"`
	}
	if err := decode(c, &in, false); err != nil {
		return err
	}
	change := rooms.Change{Name: in.Name.ptr(), Timezone: in.Timezone.ptr(), Backend: in.Backend.ptr(), ExternalID: in.ExternalID.ptr(),
		Locale: in.Locale.ptr(), KeepInvitations: in.MoveInvitations != nil && !*in.MoveInvitations,
		Silent: in.TellGuests != nil && !*in.TellGuests}
	var bad [3]error
	if in.Capacity.given {
		change.Capacity = new(int)
		*change.Capacity, bad[0] = capacity(in.Capacity)
	}
	change.StartsAt, bad[1] = when("starts_at", in.StartsAt)
	change.EndsAt, bad[2] = when("ends_at", in.EndsAt)
	if err := errors.Join(bad[:]...); err != nil {
		return err
	}
	if r, err = a.Rooms.Change(c.Request().Context(), caller.Caller, r, change); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, a.room(r))
}

// CloseRoom answers DELETE /rooms/{room}.
func (a *API) CloseRoom(c echo.Context) error {
	caller, r, err := a.find(c, oauth.RoomsWrite)
	if err != nil {
		return err
	}
	if _, err := a.Rooms.SetClosed(c.Request().Context(), caller.Caller, r, true); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// ReopenRoom answers POST /rooms/{room}/reopen.
func (a *API) ReopenRoom(c echo.Context) error {
	caller, r, err := a.find(c, oauth.RoomsWrite)
	if err != nil {
		return err
	}
	if r, err = a.Rooms.SetClosed(c.Request().Context(), caller.Caller, r, false); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, a.room(r))
}

// RoomEvents answers GET /rooms/{room}/events.
func (a *API) RoomEvents(c echo.Context) error {
	_, r, err := a.find(c, oauth.RoomsRead)
	if err != nil {
		return err
	}
	before, limit, err := paging(c)
	if err != nil {
		return err
	}
	all, err := a.Rooms.Store.Events(c.Request().Context(), r.ID, before, limit+1)
	if err != nil {
		return err
	}
	return paged(c, all, limit, eventID, a.showEvent(c.Request().Context(), r))
}
