package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
)

// ErrKey is the refusal of a caller who does not send API_KEY_SECRET.
var ErrKey = errors.New("the header authorization does not carry API_KEY_SECRET")

// MiroTalkError is a refusal of one of the calls below. Its answer tells it also
// in the member that scripts for MiroTalk look at.
type MiroTalkError struct{ err error }

func (e MiroTalkError) Error() string { return e.err.Error() }

// Unwrap lets errors.Is find the refusal.
func (e MiroTalkError) Unwrap() error { return e.err }

// keyActor is who did what a script asked for with API_KEY_SECRET alone.
const keyActor = "API_KEY_SECRET"

// Keyed lets those in who send API_KEY_SECRET, bare as MiroTalk has it or as a
// bearer, for the routes behind it. A wrong one is a guess of the caller's
// address; the right one never waits.
func (a *API) Keyed(next echo.HandlerFunc) echo.HandlerFunc {
	want := sha256.Sum256([]byte(a.KeySecret))
	return func(c echo.Context) error {
		sent := c.Request().Header.Get("Authorization")
		if kind, key, ok := strings.Cut(sent, " "); ok && strings.EqualFold(kind, "Bearer") {
			sent = strings.TrimSpace(key)
		}
		err := ErrKey
		if got := sha256.Sum256([]byte(sent)); subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			err = next(c)
		} else if from := hosts.Source(c.RealIP()); sent != "" {
			if many := a.Guesses.Allowed(from); many != nil {
				err = many
			} else {
				a.Guesses.Failed(from)
			}
		}
		if err != nil {
			return MiroTalkError{err}
		}
		return nil
	}
}

// credentials are a host's, with what the invitation made for them is to be.
type credentials struct {
	Username  string          `json:"username"`
	Password  string          `json:"password"`
	Presenter json.RawMessage `json:"presenter"`
	Expire    json.RawMessage `json:"expire"`
}

// Meeting answers POST /meeting: the address of a new room, which admits nobody
// by itself.
func (a *API) Meeting(c echo.Context) error {
	by, err := a.keyed(c)
	if err != nil {
		return err
	}
	r, err := a.Rooms.Create(c.Request().Context(), by, a.meeting())
	if err != nil {
		return err
	}
	return unkept(c, "meeting", a.Base+"/join/"+r.Slug)
}

// JoinLink answers POST /join: a link for one person to the room of that name,
// which is made where there is none.
func (a *API) JoinLink(c echo.Context) error {
	var in struct {
		Room     string          `json:"room"`
		Name     string          `json:"name"`
		Avatar   json.RawMessage `json:"avatar"`
		Audio    json.RawMessage `json:"audio"`
		Video    json.RawMessage `json:"video"`
		Screen   json.RawMessage `json:"screen"`
		Chat     json.RawMessage `json:"chat"`
		Hide     json.RawMessage `json:"hide"`
		Notify   json.RawMessage `json:"notify"`
		Duration json.RawMessage `json:"duration"`
		Token    json.RawMessage `json:"token"`
	}
	if err := lenient(c, &in); err != nil {
		return err
	}
	d := tokens.Draft{Name: in.Name}
	var badWish, badToken error
	d.Wishes, badWish = wished([]member{{"audio", in.Audio}, {"video", in.Video}, {"screen", in.Screen}, {"chat", in.Chat}, {"hide", in.Hide}, {"notify", in.Notify}},
		[]member{{"avatar", in.Avatar}, {"duration", in.Duration}})
	var by *credentials
	if !nothing(in.Token) {
		by = &credentials{}
		if badToken = blame("token", pick(in.Token, by), ""); badToken == nil {
			badToken = by.read(&d)
		}
	}
	if err := errors.Join(badWish, badToken); err != nil {
		return err
	}
	inv, err := a.invite(c, by, in.Room, d)
	if err != nil {
		return err
	}
	link, err := a.Invitations.Links.URL(inv)
	if err != nil {
		return err
	}
	return unkept(c, "join", link)
}

// JoinToken answers POST /token: the JWT of an invitation for one person.
func (a *API) JoinToken(c echo.Context) error {
	var in struct {
		Room string `json:"room"`
	}
	var by credentials
	if err := lenient(c, &in, &by); err != nil {
		return err
	}
	var d tokens.Draft
	if err := by.read(&d); err != nil {
		return err
	}
	inv, err := a.invite(c, &by, in.Room, d)
	if err != nil {
		return err
	}
	token, err := a.Invitations.Links.Token(inv)
	if err != nil {
		return err
	}
	return unkept(c, "token", token)
}

// invite mints what these calls ask for: for a host by name and password, or
// with nobody's, a guest's link to a room that belongs to the key's host. Without
// a room there is a new one.
func (a *API) invite(c echo.Context, by *credentials, room string, d tokens.Draft) (inv tokens.Invitation, err error) {
	if d.Role == "" {
		d.Role = tokens.Guest
	}
	if err := a.Invitations.Check(rooms.Room{}, d); err != nil {
		return inv, blame("expire", err, "expires_in", "expires_at")
	}
	ctx := c.Request().Context()
	var caller rooms.Caller
	if by == nil {
		caller, err = a.keyed(c)
	} else {
		var h hosts.Host
		h, err = a.Doors.ByPassword(c, by.Username, by.Password)
		caller = h.Caller()
	}
	if err != nil {
		return inv, err
	}
	asked := a.meeting()
	var r rooms.Room
	if room == "" {
		r, err = a.Rooms.Create(ctx, caller, asked)
	} else {
		asked.Name = room
		r, err = a.Rooms.Named(ctx, caller, asked)
	}
	if err != nil {
		return inv, blame("room", err, "name", "slug")
	}
	// A host may mint every role; who has the key alone asks for none.
	if inv, err = a.Invitations.Mint(ctx, caller, r, d, by != nil); err != nil {
		return inv, blame("expire", err, "expires_in", "expires_at")
	}
	session.Note(c, "invitation", inv.ID.Show(rooms.InvitationPrefix))
	session.Note(c, "minted", string(inv.Role))
	return inv, nil
}

// read puts what is asked for into the draft, and refuses a lack of credentials.
func (by *credentials) read(d *tokens.Draft) error {
	host, badPresenter := flag("presenter", by.Presenter)
	if host {
		d.Role = tokens.Host
	}
	var badExpire error
	d.ExpiresIn, badExpire = span("expire", by.Expire)
	return errors.Join(rooms.When(by.Username == "", rooms.Invalid{Field: "username", Detail: "is needed"}),
		rooms.When(by.Password == "", rooms.Invalid{Field: "password", Detail: "is needed"}), badPresenter, badExpire)
}

// keyed is on whose behalf the key alone acts: the first host's, in that host's
// own rooms, without reaching everybody's as an admin does.
func (a *API) keyed(c echo.Context) (rooms.Caller, error) {
	h, err := a.Doors.First(c.Request().Context())
	by := h.Caller()
	if by.Admin {
		by.Admin, by.Slugs = false, nil
	}
	by.Actor = audit.Actor{Kind: audit.Client, Name: keyActor}
	return by, err
}

// meeting is the room that these calls make where none is named.
func (a *API) meeting() rooms.Draft { return rooms.Draft{Name: "Meeting", Backend: a.Backend} }

// unkept answers with one member that nobody on the way may keep.
func unkept(c echo.Context, member, value string) error {
	return unshared(c, map[string]string{member: value})
}

// member is one of a JSON object's.
type member struct {
	name string
	raw  json.RawMessage
}

// wished is the query of how the guest comes in: each of the flags, which are
// false where nothing is said, as MiroTalk has it, and those of the texts that
// are there.
func wished(flags, texts []member) (string, error) {
	wishes, bad := url.Values{}, []error(nil)
	for _, m := range flags {
		on, err := flag(m.name, m.raw)
		bad = append(bad, err)
		wishes.Set(m.name, strconv.FormatBool(on))
	}
	for _, m := range texts {
		var value string
		if nothing(m.raw) {
			continue
		}
		bad = append(bad, rooms.When(json.Unmarshal(m.raw, &value) != nil, rooms.Invalid{Field: m.name, Detail: "is a text"}))
		wishes.Set(m.name, value)
	}
	return wishes.Encode(), errors.Join(bad...)
}

// nothing tells whether a member is absent, or one of the values that scripts
// send in the place of none.
func nothing(raw json.RawMessage) bool {
	switch strings.Trim(string(raw), `"`) {
	case "", "false", "0", "null":
		return true
	}
	return false
}

// flag reads a boolean, which comes also as text, and as 1 or 0.
func flag(field string, raw json.RawMessage) (bool, error) {
	switch strings.ToLower(strings.Trim(string(raw), `"`)) {
	case "true", "1":
		return true, nil
	case "", "false", "0", "null":
		return false, nil
	}
	return false, rooms.Invalid{Field: field, Detail: "is true or false"}
}

// blame is the refusal with the name that these calls have for the members of
// those names.
func blame(field string, err error, names ...string) error {
	all := rooms.Wrong(err)
	if len(all) == 0 {
		return err
	}
	var renamed []error
	for _, invalid := range all {
		if slices.Contains(names, invalid.Field) {
			invalid.Field = field
		}
		renamed = append(renamed, invalid)
	}
	return errors.Join(renamed...)
}
