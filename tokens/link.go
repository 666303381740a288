package tokens

import (
	"context"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/rooms"
	"admitone/tokens/keys"
)

// Links builds the two spellings of an invitation's link and reads them back.
// It is safe for concurrent use.
type Links struct {
	Ring *keys.Ring
	Base string // public origin, without a path or a slash at its end
}

const typ = "invite+jwt"

// claims are the invitation's JWT claims, and there are no others.
type claims struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	ID        string `json:"jti"`
	Room      string `json:"room"`
	Role      Role   `json:"role"`
	IssuedAt  int64  `json:"iat"`
	Expires   int64  `json:"exp"`
	NotBefore int64  `json:"nbf,omitempty"`
}

// Token is the invitation's JWT. It is made anew each time, from the row.
func (l *Links) Token(inv Invitation) (string, error) {
	return l.Ring.Sign(keys.Invite, typ, &claims{
		Issuer: l.Base, Audience: l.audience(inv.Room.Slug), ID: inv.ID.Show(rooms.InvitationPrefix),
		Room: inv.Room.Slug, Role: inv.Role, IssuedAt: inv.CreatedAt / 1000,
		Expires: (inv.ExpiresAt + 999) / 1000, NotBefore: inv.NotBefore / 1000,
	})
}

func (l *Links) audience(slug string) string { return l.Base + "/join/" + slug }

// URL is the link that carries the JWT.
func (l *Links) URL(inv Invitation) (string, error) {
	token, err := l.Token(inv)
	return l.audience(inv.Room.Slug) + "?token=" + token, err
}

// Short is the short link. It needs no row of its own: the code is the id and
// its authentication, so wrong guesses are refused before any query.
func (l *Links) Short(inv Invitation) string { return l.Base + "/i/" + l.Code(inv.ID) }

var codeText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// codeLen is 16 bytes in base32.
const codeLen = 26

// Code is the short link's code, 26 characters of Crockford's base32.
func (l *Links) Code(id rooms.ID) string {
	b := make([]byte, 8, 16)
	binary.BigEndian.PutUint64(b, uint64(id)) //nolint:gosec // an id is never negative
	return codeText.EncodeToString(append(b, l.Ring.CodeMAC(id.Millis(), b)...))
}

// Read returns the invitation id that a JWT, a short code or a whole link
// names, and the room's slug where the text says one. Anything that was not
// made here is ErrInvalidLink; nothing is looked up but keys that are not known
// yet, and where that fails it is the store's error. A genuine JWT in another
// room's address is ErrWrongRoom, with the id it names.
func (l *Links) Read(ctx context.Context, text string) (rooms.ID, string, error) {
	text = strings.TrimSpace(text)
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		if token := u.Query().Get("token"); token != "" {
			slug, found := strings.CutPrefix(u.Path, "/join/")
			id, inside, err := l.readToken(ctx, token)
			if err == nil && (!found || slug != inside) {
				return id, inside, ErrWrongRoom
			}
			return id, inside, err
		}
		if len(u.Path) < 3 || !strings.EqualFold(u.Path[:3], "/i/") {
			return 0, "", ErrInvalidLink
		}
		text = u.Path[3:]
	}
	if strings.Count(text, ".") == 2 {
		return l.readToken(ctx, text)
	}
	id, err := l.readCode(ctx, text)
	return id, "", err
}

func (l *Links) readCode(ctx context.Context, code string) (rooms.ID, error) {
	if len(code) != codeLen {
		return 0, ErrInvalidLink
	}
	// What a person copies by hand: any case, and the letters that look like digits.
	code = strings.NewReplacer("o", "0", "i", "1", "l", "1").Replace(strings.ToLower(code))
	b, err := codeText.DecodeString(code)
	if err != nil || len(b) != 16 || codeText.EncodeToString(b) != code {
		return 0, ErrInvalidLink
	}
	id := rooms.ID(binary.BigEndian.Uint64(b)) //nolint:gosec // the sign is looked at in the next line
	if id <= 0 {
		return 0, ErrInvalidLink
	}
	if err := l.Ring.CheckCode(ctx, id.Millis(), b[:8], b[8:]); err != nil {
		return 0, notOurs(err)
	}
	return id, nil
}

// notOurs is the ring's refusal as a link's; where the ring could not tell, its error.
func notOurs(err error) error {
	if errors.Is(err, keys.ErrNotOurs) {
		return ErrInvalidLink
	}
	return err
}

func (l *Links) readToken(ctx context.Context, token string) (rooms.ID, string, error) {
	var c claims
	// The row decides when an invitation is valid, so that moving it works for
	// links already sent: exp must be there, for others, but does not bind us.
	err := l.Ring.Verify(ctx, keys.Invite, typ, token, &c,
		jwt.WithIssuer(l.Base), jwt.WithTimeFunc(func() time.Time { return time.Unix(0, 0) }))
	if err != nil {
		return 0, "", notOurs(err)
	}
	if !rooms.ValidSlug(c.Room) || c.Audience != l.audience(c.Room) {
		return 0, "", ErrInvalidLink
	}
	id, err := rooms.ParseID(rooms.InvitationPrefix, c.ID)
	if err != nil {
		return 0, "", ErrInvalidLink
	}
	return id, c.Room, nil
}

// The methods of jwt.Claims. Audience is compared as the plain string it must be.

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) {
	if c.Expires == 0 {
		return nil, nil //nolint:nilnil // absent, which the parser refuses
	}
	return jwt.NewNumericDate(time.Unix(c.Expires, 0)), nil
}
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)  { return nil, nil } //nolint:nilnil // not judged
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil } //nolint:nilnil // the row decides
func (c *claims) GetIssuer() (string, error)              { return c.Issuer, nil }
func (c *claims) GetSubject() (string, error)             { return "", nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{c.Audience}, nil
}
