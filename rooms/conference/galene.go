package conference

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/rooms"
)

// galene is what both ways of the kind "galene" share. Groups are made at the
// server: a room meets in the group of its slug; or with "group", which has
// auto-subgroups there, in a subgroup that nobody can guess and that comes and goes
// by itself.
type galene struct {
	asker
	url   *url.URL
	group string
}

// galeneKey signs tokens that the group's authKeys verify.
type galeneKey struct {
	galene
	method jwt.SigningMethod
	key    any
	kid    string
}

var groupShape = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)

func newGalene(raw json.RawMessage) (Provider, error) {
	var c struct {
		head
		URL        string          `json:"url"`
		Key        json.RawMessage `json:"key"`
		AdminToken string          `json:"admin_token"`
		Username   string          `json:"username"`
		Password   string          `json:"password"`
		Group      string          `json:"group"`
	}
	if err := members(raw, &c); err != nil {
		return nil, err
	}
	u, err := address("url", c.URL, "https")
	if err != nil {
		return nil, err
	}
	if u.Path != "" {
		return nil, errors.New("url has no path: the server knows its groups below /group/ alone")
	}
	if c.Group != "" && !groupShape.MatchString(c.Group) {
		return nil, errors.New("group is a path of letters, digits, dots, hyphens and underscores, no part of which begins with a dot")
	}
	p := galene{newAsker(), u, c.Group}
	byName := c.Username != "" || c.Password != ""
	switch {
	case c.Key != nil && c.AdminToken == "" && !byName:
		method, key, kid, err := jwk(c.Key)
		if err != nil {
			return nil, err
		}
		return &galeneKey{p, method, key, kid}, nil
	case c.Key == nil && c.AdminToken != "" && !byName:
		return &galeneAdmin{p, "Bearer " + c.AdminToken}, nil
	case c.Key == nil && c.AdminToken == "" && c.Username != "" && c.Password != "":
		return &galeneAdmin{p, "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Password))}, nil
	}
	return nil, errors.New("one of key, admin_token, and username with password is needed, and one alone")
}

func (p *galene) Origin() string { return origin(p.url) }

func (p *galene) Lasts(Visit) time.Duration { return linkLife }

// meets is the name of the group in which the room meets.
func (p *galene) meets(v Visit) string {
	if p.group == "" {
		return v.Room.Slug
	}
	return path.Join(p.group, v.Place)
}

// page is the address of the room's group. Its last slash is part of the name by
// which tokens speak of it.
func (p *galene) page(v Visit) string { return origin(p.url) + "/group/" + p.meets(v) + "/" }

// permissions are what the server asks for one by one. A host's lack "token",
// by which people would be let in past us.
func permissions(v Visit) []string {
	if v.Role == "host" {
		return []string{"op", "present", "message"}
	}
	return []string{"present", "message"}
}

func (p *galeneKey) JoinLink(_ context.Context, v Visit) (string, error) {
	claims := jwt.MapClaims{
		"aud": p.page(v), "permissions": permissions(v),
		"iat": time.UnixMilli(v.At).Add(-behind).Unix(), "exp": expiry(v),
	}
	// Without sub the page asks for a name.
	if v.Name != "" {
		claims["sub"] = v.Name
	}
	token, err := sign(p.method, p.key, p.kid, claims)
	if err != nil {
		return "", err
	}
	return p.page(v) + "?token=" + token, nil
}

// Check sees whether the server answers and has the group. Nobody but one who
// comes in could tell whether the key is good.
func (p *galeneKey) Check(ctx context.Context) error {
	page := origin(p.url) + "/"
	if p.group != "" {
		page += "group/" + p.group + "/"
	}
	got, err := p.ask(ctx, http.MethodGet, page, nil, nil)
	if err != nil {
		return err
	}
	if got.Status == http.StatusNotFound && p.group != "" {
		return errors.New("there is no such group on that server")
	}
	if got.Status != http.StatusOK {
		return got.unexpected()
	}
	return nil
}

// galeneAdmin lets the server make and keep the tokens (galene-api.md), so that
// one can be revoked.
type galeneAdmin struct {
	galene
	authorization string // the value of that header
}

// api asks the administrative API about something of which the path says what.
func (p *galeneAdmin) api(ctx context.Context, method, about, etag string, body any) (answer, error) {
	header := http.Header{"Authorization": {p.authorization}}
	var text []byte
	if body != nil {
		header.Set("Content-Type", "application/json")
		var err error
		if text, err = json.Marshal(body); err != nil {
			return answer{}, err
		}
	}
	if etag != "" {
		header.Set("If-Match", etag)
	}
	return p.ask(ctx, method, origin(p.url)+"/galene-api/v0/.groups/"+about, header, text)
}

// statefulToken is what we say of a token that is to be made.
type statefulToken struct {
	Username    string    `json:"username,omitempty"`
	Permissions []string  `json:"permissions"`
	Expires     time.Time `json:"expires"`
	IssuedAt    time.Time `json:"issuedAt"`
	IssuedBy    string    `json:"issuedBy"`
}

// issuer is whom the server notes as the maker of this visit's tokens.
func issuer(v Visit) string { return "AdmitOne " + v.Admission.Show(rooms.AdmissionPrefix) }

func (p *galeneAdmin) JoinLink(ctx context.Context, v Visit) (string, error) {
	got, err := p.api(ctx, http.MethodPost, p.meets(v)+"/.tokens/", "", statefulToken{
		v.Name, permissions(v), time.Unix(expiry(v), 0).UTC(), time.UnixMilli(v.At).UTC(), issuer(v),
	})
	if err != nil {
		return "", err
	}
	if got.Status != http.StatusCreated {
		return "", got.unexpected()
	}
	// The name alone or a whole address, as RFC 9110, 10.2.2 allows either.
	where, err := url.Parse(got.Header.Get("Location"))
	if err != nil || where.Path == "" || where.Path[len(where.Path)-1] == '/' {
		return "", fmt.Errorf("%w: it does not say which token it made", ErrUnreachable)
	}
	return p.page(v) + "?token=" + encode(path.Base(where.Path)), nil
}

// Remove revokes the tokens of this admission, as the server's own tool does it:
// they expire. The server looks at a token only when somebody comes in and has no
// call that sends people away, so whoever is inside by then stays until they leave
// or a host there kicks them, but does not come in again.
func (p *galeneAdmin) Remove(ctx context.Context, v Visit) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	names, err := p.names(ctx, p.meets(v)+"/.tokens/")
	if err != nil {
		return err
	}
	// The server lists last what expires last.
	for _, name := range slices.Backward(names) {
		if err := p.revoke(ctx, v, p.meets(v)+"/.tokens/"+url.PathEscape(name)); err != nil {
			return err
		}
	}
	return nil
}

// names are those of the groups, or of the tokens of one.
func (p *galeneAdmin) names(ctx context.Context, about string) (names []string, err error) {
	got, err := p.api(ctx, http.MethodGet, about, "", nil)
	if err != nil {
		return nil, err
	}
	if got.Status != http.StatusOK {
		return nil, got.unexpected()
	}
	if json.Unmarshal(got.Body, &names) != nil {
		return nil, fmt.Errorf("%w: its list cannot be read", ErrUnreachable)
	}
	return names, nil
}

// revoke lets the token expire if it is one of this admission. Who changes it
// at the same time makes it look again.
func (p *galeneAdmin) revoke(ctx context.Context, v Visit, about string) error {
	for {
		got, err := p.api(ctx, http.MethodGet, about, "", nil)
		if err != nil {
			return err
		}
		if got.Status == http.StatusNotFound {
			return nil
		}
		if got.Status != http.StatusOK {
			return got.unexpected()
		}
		// Whatever else a token has stays as it is.
		var token map[string]json.RawMessage
		var known statefulToken
		if json.Unmarshal(got.Body, &token) != nil || json.Unmarshal(got.Body, &known) != nil {
			return fmt.Errorf("%w: one of its tokens cannot be read", ErrUnreachable)
		}
		over := time.UnixMilli(v.At).Add(-behind).UTC()
		if known.IssuedBy != issuer(v) || !known.Expires.After(over) {
			return nil
		}
		if token["expires"], err = json.Marshal(over); err != nil {
			return err
		}
		put, err := p.api(ctx, http.MethodPut, about, got.Header.Get("ETag"), token)
		if err != nil {
			return err
		}
		switch put.Status {
		case http.StatusNoContent, http.StatusNotFound:
			return nil
		case http.StatusPreconditionFailed:
		default:
			return put.unexpected()
		}
	}
}

// Check asks for what an administrator alone may see.
func (p *galeneAdmin) Check(ctx context.Context) error {
	if p.group == "" {
		_, err := p.names(ctx, "")
		return err
	}
	got, err := p.api(ctx, http.MethodGet, p.group, "", nil)
	switch {
	case err != nil:
		return err
	case got.Status == http.StatusNotFound:
		return errors.New("there is no such group on that server")
	case got.Status != http.StatusOK:
		return got.unexpected()
	}
	var group map[string]json.RawMessage
	if json.Unmarshal(got.Body, &group) != nil {
		return fmt.Errorf("%w: its group cannot be read", ErrUnreachable)
	}
	for _, name := range []string{"auto-subgroups", "allow-subgroups"} { // as newer and older versions have it
		if bytes.Equal(group[name], []byte("true")) {
			return nil
		}
	}
	return errors.New("group has no auto-subgroups on that server, so no room could meet in it")
}
