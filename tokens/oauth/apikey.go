package oauth

import (
	"context"
	"errors"
	"strings"

	"crypto/rand"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// APIKey lets what runs unattended act for the host who made it, within its
// scopes, until it is removed or the host's password changes. Instants are Unix
// milliseconds, 0 for never.
type APIKey struct {
	ID         rooms.ID
	Name       string
	Host       string
	Credential string
	Scopes     Scopes
	Hash       string // of the whole text
	CreatedAt  int64
	UsedAt     int64 // to the minute
	EndedAt    int64
}

// How a key is written, and how its id is shown.
const (
	KeyPrefix   = "ao_"
	KeyIDPrefix = "key_"
)

// ErrKeyMade refuses a wish for a key that was granted before.
var ErrKeyMade = errors.New("that key was made already, and cannot be shown again")

// MakeKey adds a key for the host. Its text is returned once and kept nowhere.
// A bad name is rooms.Invalid, no scope ErrInvalidScope.
func (s *Server) MakeKey(ctx context.Context, h hosts.Host, name string, scopes Scopes) (APIKey, string, error) {
	return s.MakeKeyOnce(ctx, h, name, scopes, "")
}

// MakeKeyOnce is MakeKey where the host's same wish, if it is not empty, is granted
// once: again it is ErrKeyMade.
func (s *Server) MakeKeyOnce(ctx context.Context, h hosts.Host, name string, scopes Scopes, wish string) (k APIKey, text string, err error) {
	if wish != "" {
		wish = hash(h.Username + "\n" + wish)
	}
	if name, err = rooms.CleanText("name", name, maxName); err != nil {
		return APIKey{}, "", err
	}
	if name == "" {
		return APIKey{}, "", rooms.Invalid{Field: "name", Detail: "must not be empty"}
	}
	scopes = without(scopes, Offline)
	if len(scopes) == 0 {
		return APIKey{}, "", ErrInvalidScope.with("A key without any right is of no use.")
	}
	now := s.Now().UnixMilli()
	text = KeyPrefix + strings.ToLower(rand.Text() + rand.Text())[:40]
	k = APIKey{Name: name, Host: h.Username, Credential: h.Credential, Scopes: scopes, Hash: hash(text), CreatedAt: now}
	err = s.withID(now, func(id rooms.ID) error {
		k.ID = id
		return s.Store.AddKey(ctx, k, wish, audit.Event{At: now, Actor: h.Caller().Actor, Kind: audit.KeyMade, Detail: id.Show(KeyIDPrefix)})
	})
	if err != nil {
		return APIKey{}, "", err
	}
	return k, text, nil
}

// Keys are the host's keys that still count, the latest first.
func (s *Server) Keys(ctx context.Context, h hosts.Host) ([]APIKey, error) {
	all, err := s.Store.Keys(ctx, h.Username)
	var out []APIKey
	for _, k := range all {
		if k.EndedAt == 0 && k.Credential == h.Credential {
			out = append(out, k)
		}
	}
	return out, err
}

// RemoveKey ends one of the host's keys; one that is not there is rooms.ErrNotFound.
func (s *Server) RemoveKey(ctx context.Context, h hosts.Host, id rooms.ID) error {
	now := s.Now().UnixMilli()
	return s.Store.EndKey(ctx, h.Username, id, now, audit.Event{At: now, Actor: h.Caller().Actor, Kind: audit.KeyRemoved, Detail: id.Show(KeyIDPrefix)})
}

// ReadKey returns who sent this key, or ErrInvalidToken; any other error is the
// store's.
func (s *Server) ReadKey(ctx context.Context, text string) (Bearer, error) {
	k, err := s.Store.Key(ctx, hash(text))
	if errors.Is(err, rooms.ErrNotFound) || err == nil && k.EndedAt != 0 {
		return Bearer{}, ErrInvalidToken
	} else if err != nil {
		return Bearer{}, err
	}
	h, err := s.acting(ctx, k.Host, k.Credential)
	if errors.Is(err, rooms.ErrNotFound) {
		return Bearer{}, ErrInvalidToken
	} else if err != nil {
		return Bearer{}, err
	}
	if now := s.Now().UnixMilli(); now-k.UsedAt >= 60_000 {
		// Told to nobody but its host; a use that could not be noted is none the less one.
		_ = s.Store.UsedKey(context.WithoutCancel(ctx), k.ID, now)
	}
	id := k.ID.Show(KeyIDPrefix)
	return Bearer{Caller: as(id, h), Client: id, Scopes: k.Scopes}, nil
}
