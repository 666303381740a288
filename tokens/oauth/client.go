package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// maxName is how long an app's name may be, in characters.
const maxName = 100

// What strangers may have stored here, 20 MB in all: how many apps that nobody
// made and nobody allows there may be, and how long all texts of one may be
// together, in bytes.
const (
	MaxStrangers = 5000
	maxStranger  = 4096
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
	UsedAt    int64 // when it last got a token that acts for a host, to the minute
	EndedAt   int64

	// Credential is the owner's when the secret was made: with another password
	// the app acts for its owner no more until its secret is made anew.
	Credential string
	// SecretHash is what is kept of the secret, empty for a public app.
	SecretHash string
}

// StrangerWait is how long an app that nobody made may be unused before another
// may take its place.
const StrangerWait = 10 * time.Minute

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
// ErrInvalidRedirect, ErrInvalidMetadata or ErrInvalidScope. Where there are
// MaxStrangers, nobody's takes the place of one that has waited unused for
// StrangerWait, and is hosts.TooMany while there is none.
func (s *Server) Register(ctx context.Context, by *hosts.Host, d Draft) (c Client, secret string, err error) {
	now := s.Now().UnixMilli()
	c = Client{ID: ClientPrefix + strings.ToLower(rand.Text()), Redirects: d.Redirects, Public: d.Public, PKCE: d.PKCE || d.Public, CreatedAt: now}
	if c.Name, err = rooms.CleanText("client_name", d.Name, maxName); err != nil || c.Name == "" {
		return Client{}, "", ErrInvalidMetadata.with("client_name is 1 to 100 characters.")
	}
	if c.Website, err = website(d.Website); err != nil {
		return Client{}, "", err
	}
	switch {
	case len(d.Redirects) > maxRedirects:
		return Client{}, "", ErrInvalidRedirect.with("There may be 20 redirect addresses.")
	case len(d.Redirects) == 0 && c.Public:
		return Client{}, "", ErrNoRedirect
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
	} else if len(c.Name)+len(c.Website)+len(strings.Join(c.Redirects, "\n")) > maxStranger {
		return Client{}, "", ErrInvalidMetadata.with("All of it is longer than 4096 bytes.")
	}
	if !c.Public {
		secret = newSecret()
		c.SecretHash = hash(secret)
	}
	ev := audit.Event{At: now, Actor: actor, Kind: audit.ClientRegistered, Detail: c.ID}
	if by != nil {
		return c, secret, s.Store.AddClient(ctx, c, ev)
	}
	added, err := s.Store.AddStranger(ctx, c, MaxStrangers, now-StrangerWait.Milliseconds(), ev)
	if err == nil && !added {
		err = hosts.TooMany{Wait: StrangerWait}
	}
	if err != nil {
		return Client{}, "", err
	}
	return c, secret, nil
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
