package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// OOB is the redirect address of an app that has none: the code is shown.
const OOB = "urn:ietf:wg:oauth:2.0:oob"

// The most that one app may name, and how long its texts may be in characters.
const (
	maxRedirects = 20
	maxRedirect  = 2000
	maxName      = 100
)

// Client is an app. Instants are Unix milliseconds, 0 for never.
type Client struct {
	ID        string // begins with ClientPrefix, which no host's name can hold
	Name      string
	Website   string
	Redirects []string
	Scopes    Scopes // the most it may ask for
	Public    bool   // can keep no secret
	PKCE      bool   // has to bind its codes (RFC 7636); a public one always does
	Owner     string // username of the host who made it and for whom it may act by itself; empty for nobody
	CreatedAt int64
	UsedAt    int64 // when it last got a token, to the minute
	EndedAt   int64

	// Credential is the owner's when the secret was made: with another password
	// the app acts for its owner no more until its secret is made anew.
	Credential string
	// SecretHash is what is kept of the secret, empty for a public app.
	SecretHash string
}

// ClientPrefix begins an app's id. A tilde stands in no host's name.
const ClientPrefix = "app~"

// Draft is what an app is to be. Redirects may be empty for one that only acts
// for its owner.
type Draft struct {
	Name, Website string
	Redirects     []string
	Scopes        string // empty for all but offline_access and invitations:host
	Public, PKCE  bool
}

// Register adds an app. by is the host who makes it, or nil for nobody. The
// secret is returned once, and empty for a public app. Refused input is
// ErrInvalidRedirect, ErrInvalidMetadata or ErrInvalidScope.
func (s *Server) Register(ctx context.Context, by *hosts.Host, d Draft) (c Client, secret string, err error) {
	now := s.Now().UnixMilli()
	c = Client{ID: ClientPrefix + strings.ToLower(rand.Text()), Redirects: d.Redirects, Public: d.Public, PKCE: d.PKCE || d.Public, CreatedAt: now}
	if c.Name, err = rooms.CleanText("client_name", d.Name, maxName); err != nil || c.Name == "" {
		return Client{}, "", ErrInvalidMetadata.with("client_name is 1 to 100 characters.")
	}
	if c.Website, err = website(d.Website); err != nil {
		return Client{}, "", err
	}
	if len(d.Redirects) > maxRedirects {
		return Client{}, "", ErrInvalidRedirect.with("There may be 20 redirect addresses.")
	}
	for _, r := range d.Redirects {
		if err := goodRedirect(r); err != nil {
			return Client{}, "", err
		}
	}
	if c.Scopes, err = ParseScopes(d.Scopes); err != nil {
		return Client{}, "", err
	}
	if len(c.Scopes) == 0 {
		c.Scopes = slices.DeleteFunc(All(), func(s Scope) bool { return s == Offline || s == InvitationsHost })
	}
	actor := audit.Actor{Kind: audit.Client, Name: c.ID}
	if by != nil {
		c.Owner, c.Credential, actor = by.Username, by.Credential, by.Caller().Actor
	}
	if !c.Public {
		secret = newSecret()
		c.SecretHash = hash(secret)
	}
	ev := audit.Event{At: now, Actor: actor, Kind: audit.ClientRegistered, Detail: c.ID}
	return c, secret, s.Store.AddClient(ctx, c, ev)
}

// newSecret is 260 random bits, which need no slow hash.
func newSecret() string { return strings.ToLower(rand.Text() + rand.Text()) }

// hash is what is kept of a secret, a code or a token.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func website(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || !utf8.ValidString(text) || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(text) > maxRedirect {
		return "", ErrInvalidMetadata.with("The website is an absolute http or https address.")
	}
	return u.String(), nil
}

// A scheme of an app's own has a dot in it (RFC 8252, 7.1), as a reversed
// domain name has, and none that a browser would run.
var ownScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/`)

// goodRedirect refuses an address to which no code may be sent: all but https,
// http on this very machine, an app's own scheme, and OOB.
func goodRedirect(text string) error {
	if text == OOB {
		return nil
	}
	u, err := url.Parse(text)
	plain := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\^{}|`+"`*", r) }) < 0
	switch {
	case err != nil || !plain || len(text) > maxRedirect || u.User != nil || strings.Contains(text, "#") || strings.ContainsFunc(u.Host, odd):
		return ErrInvalidRedirect.with("A redirect address is an absolute address in ASCII without a name, a fragment or a placeholder.")
	case u.Scheme == "https" && u.Hostname() != "":
	case u.Scheme == "http" && loopback(u.Hostname()):
	case ownScheme.MatchString(text):
	default:
		return ErrInvalidRedirect.with("A redirect address is https, or http on this machine itself, or an app's own scheme such as com.example.app:/back.")
	}
	return nil
}

// odd tells a character that a host can only hold in another spelling.
func odd(r rune) bool { return r > '~' || r == '%' }

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Authenticate returns the app of that id whose secret this is, ErrInvalidClient
// otherwise. A public app has no secret and is whoever says so.
func (s *Server) Authenticate(ctx context.Context, id, secret string) (Client, error) {
	c, err := s.client(ctx, id)
	if errors.Is(err, rooms.ErrNotFound) {
		return Client{}, ErrInvalidClient
	} else if err != nil {
		return Client{}, err
	}
	if c.Public {
		if secret != "" {
			return Client{}, ErrInvalidClient.known("invalid_client_secret")
		}
		return c, nil
	}
	if subtle.ConstantTimeCompare([]byte(hash(secret)), []byte(c.SecretHash)) != 1 {
		return Client{}, ErrInvalidClient.known("invalid_client_secret")
	}
	return c, nil
}

// client is the app of that id, or rooms.ErrNotFound, also for one that was removed.
func (s *Server) client(ctx context.Context, id string) (Client, error) {
	if !strings.HasPrefix(id, ClientPrefix) || len(id) > 64 {
		return Client{}, rooms.ErrNotFound
	}
	c, err := s.Store.Client(ctx, id)
	if err == nil && c.EndedAt != 0 {
		return Client{}, rooms.ErrNotFound
	}
	return c, err
}
