// Package api is AdmitOne for programs: rooms and invitations over REST.
//
// It decodes, asks and encodes; no rule about rooms or invitations lives here.
package api

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/mail"
	"admitone/tokens/oauth"
)

// API answers the calls under /api/v1.
type API struct {
	Rooms       *rooms.Registry
	Invitations *tokens.Invitations
	Invites     *session.Invites
	Apps        *oauth.Server
	Post        *mail.Post
	Gate        *hosts.Gate
	Tokens      *hosts.Tokens
	Factors     *hosts.SecondFactors
	Base        string
	Now         func() time.Time
	// Guesses slows down callers who offer links that were never ours.
	Guesses *hosts.Buckets

	// KeySecret opens the calls in MiroTalk's shape (API_KEY_SECRET), in which Doors
	// tells who a script's host is; the rooms that they make are held at Backend.
	KeySecret string
	Doors     *session.Doors
	Backend   string
}

//go:embed openapi.json
var document []byte

// Document is the OpenAPI 3.1 description of this API.
func Document() []byte { return document }

// OpenAPI answers GET /openapi.json.
func (a *API) OpenAPI(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "public, max-age=300")
	return c.JSONBlob(http.StatusOK, document)
}

// moment is an instant as JSON shows it: RFC 3339 in UTC, or null for none.
func moment(millis int64) *string {
	if millis == 0 {
		return nil
	}
	format := "2006-01-02T15:04:05Z"
	if millis%1000 != 0 {
		format = "2006-01-02T15:04:05.000Z"
	}
	s := time.UnixMilli(millis).UTC().Format(format)
	return &s
}

// text is null for nothing.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// number is null for nothing.
func number(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

type actor struct {
	Kind audit.ActorKind `json:"kind"`
	Name *string         `json:"name"`
	ID   string          `json:"id,omitempty"`
}

// actor is who did something; an app or key is told by its name and its id.
func (a *API) actor(ctx context.Context, who audit.Actor) actor {
	out := actor{Kind: who.Kind, Name: text(a.Apps.Called(ctx, who))}
	if who.Kind == audit.Client {
		out.ID = who.Name
	}
	return out
}

type page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next_cursor"`
}

// perPage reads limit.
func perPage(c echo.Context) (int, error) {
	s := c.QueryParam("limit")
	if s == "" {
		return 50, nil
	}
	limit, err := strconv.Atoi(s)
	if err != nil || limit < 1 || limit > 500 {
		return 0, rooms.Invalid{Field: "limit", Detail: "is 1 to 500"}
	}
	return limit, nil
}

// paging reads limit and cursor of a list that is always in one order.
func paging(c echo.Context) (before rooms.ID, limit int, err error) {
	if limit, err = perPage(c); err != nil {
		return 0, 0, err
	}
	if s := c.QueryParam("cursor"); s != "" {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || len(b) != 8 || b[0] > 127 {
			return 0, 0, rooms.Invalid{Field: "cursor", Detail: "is none of ours"}
		}
		before = rooms.ID(binary.BigEndian.Uint64(b)) //nolint:gosec // the sign was looked at
	}
	return before, limit, nil
}

// paged answers a page of a list that is always in one order, by id.
func paged[T, J any](c echo.Context, all []T, limit int, id func(T) rooms.ID, show func(T) J) error {
	return sorted(c, all, limit, func(v T) string {
		return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(id(v)))) //nolint:gosec // an id is never negative
	}, show)
}

// sorted answers a page. all holds one item more than limit where there is a
// next page; cursor tells after what that one begins.
func sorted[T, J any](c echo.Context, all []T, limit int, cursor func(T) string, show func(T) J) error {
	out := page[J]{Items: []J{}}
	if len(all) > limit {
		all = all[:limit]
		cursor := cursor(all[limit-1])
		out.Next = &cursor
		next := *c.Request().URL
		q := next.Query()
		q.Set("cursor", cursor)
		next.RawQuery = q.Encode()
		c.Response().Header().Set("Link", "<"+(&url.URL{Path: next.Path, RawQuery: next.RawQuery}).String()+`>; rel="next"`)
	}
	for _, v := range all {
		out.Items = append(out.Items, show(v))
	}
	return c.JSON(http.StatusOK, out)
}

type event struct {
	ID         string   `json:"id"`
	At         *string  `json:"at"`
	Kind       string   `json:"kind"`
	Actor      actor    `json:"actor"`
	Room       *roomRef `json:"room"`
	Invitation *string  `json:"invitation"`
	Detail     *string  `json:"detail"`
}

func (a *API) showEvent(ctx context.Context, room rooms.Room) func(audit.Event) event {
	return func(ev audit.Event) event {
		out := event{ID: rooms.ID(ev.ID).Show(rooms.EventPrefix), At: moment(ev.At), Kind: string(ev.Kind),
			Actor: a.actor(ctx, ev.Actor), Room: &roomRef{room.ID.Show(rooms.RoomPrefix), room.Slug}, Detail: text(ev.Detail)}
		if ev.Invitation != 0 {
			out.Invitation = text(rooms.ID(ev.Invitation).Show(rooms.InvitationPrefix))
		}
		return out
	}
}

func eventID(ev audit.Event) rooms.ID { return rooms.ID(ev.ID) }

// Token answers POST /users/token: a host's token for scripts.
func (a *API) Token(c echo.Context) error {
	var in struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if form := c.Request().Header.Get(echo.HeaderContentType); len(form) >= 33 && form[:33] == echo.MIMEApplicationForm {
		in.Username, in.Password = c.Request().PostFormValue("username"), c.Request().PostFormValue("password")
	} else if err := decode(c, &in, false); err != nil {
		return err
	}
	switch "" {
	case in.Username:
		return rooms.Invalid{Field: "username", Detail: "is needed"}
	case in.Password:
		return rooms.Invalid{Field: "password", Detail: "is needed"}
	}
	h, err := a.Gate.SignIn(c.Request().Context(), in.Username, in.Password, session.Code(c.Request().Header), hosts.From{Address: c.RealIP()})
	if err != nil {
		return err
	}
	token, err := a.Tokens.Mint(h)
	if err != nil {
		return err
	}
	scope := ""
	for _, s := range session.HostScopes() {
		scope += " " + string(s)
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer",
		"expires_in": int(hosts.TokenLife.Seconds()), "scope": scope[1:]})
}
