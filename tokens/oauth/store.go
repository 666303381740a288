package oauth

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Store keeps apps, what hosts allowed them, tokens and API keys. Every changing
// method is one transaction that also stores the event. Implementations MUST be
// safe for concurrent use and answer rooms.ErrUnavailable when the database
// cannot be reached.
type Store interface {
	KeyStore

	// AddClient adds an app.
	AddClient(ctx context.Context, c Client, ev audit.Event) error
	// Client returns one app, also one that has ended, or rooms.ErrNotFound.
	Client(ctx context.Context, id string) (Client, error)
	// ClientsOf returns those that the host made, and those that it allowed under
	// that credential; that have not ended, the latest first.
	ClientsOf(ctx context.Context, host, credential string) ([]Client, error)
	// OtherClients returns all that are not among ClientsOf and have not ended, the
	// latest first, from the one after that place on.
	OtherClients(ctx context.Context, host, credential string, after Place, limit int) ([]Client, error)
	// AddStranger adds an app without an owner. Where there are already so many
	// that nobody allows and that have not ended, the oldest of them goes in its
	// stead: one that was made before idle, got no token for a host and was never
	// allowed. It reports false, and has changed nothing, where there is none.
	AddStranger(ctx context.Context, c Client, most int, idle int64, ev audit.Event) (bool, error)
	// LimitClient stores the app's scopes; one that is not there, or has ended, is
	// rooms.ErrNotFound.
	LimitClient(ctx context.Context, id string, scopes Scopes, ev audit.Event) error
	// SetSecret stores the hash of the app's secret with the credential under which
	// it acts for its owner; one that is not there, or has ended, is rooms.ErrNotFound.
	SetSecret(ctx context.Context, id, hash, credential string, ev audit.Event) error
	// EndClient ends an app and its grants; its access tokens end with it. One that
	// is not there, or has ended, is rooms.ErrNotFound.
	EndClient(ctx context.Context, id string, at int64, ev audit.Event) error

	// AddGrant adds what a host allowed, with its code: rooms.ErrIDTaken when its id
	// was used.
	AddGrant(ctx context.Context, g Grant, ev audit.Event) error
	// GrantByCode returns the grant of that code's hash, or rooms.ErrNotFound.
	GrantByCode(ctx context.Context, hash string) (Grant, error)
	// Grants returns a host's that have not ended, the latest first: of that app, or
	// for an empty one of all.
	Grants(ctx context.Context, host, client string) ([]Grant, error)
	// EndGrant ends a grant with all tokens that came of it; one that has ended
	// stays as it is, without an event.
	EndGrant(ctx context.Context, id rooms.ID, at int64, ev audit.Event) error

	// Used tells whether something that works once was used, of that use and hash.
	Used(ctx context.Context, use, hash string) (bool, error)
	// Exchange uses up the code of that hash and adds the tokens that it gives, in
	// one transaction. It reports false, and has added nothing, when the code was
	// used up before or its grant has ended; it is rooms.ErrIDTaken, and the code as
	// good as before, when the access token's id was used. refresh may be nil.
	Exchange(ctx context.Context, code string, access Access, refresh *Refreshed, ev audit.Event) (bool, error)
	// Rotate is Exchange for the refresh token of that hash.
	Rotate(ctx context.Context, token string, access Access, refresh *Refreshed, ev audit.Event) (bool, error)
	// Refresh returns a refresh token with its grant, or rooms.ErrNotFound.
	Refresh(ctx context.Context, hash string) (Refreshed, Grant, error)

	// AddAccess adds an access token that comes of no grant: rooms.ErrIDTaken when
	// its id was used.
	AddAccess(ctx context.Context, a Access, ev audit.Event) error
	// Access returns one access token, or rooms.ErrNotFound. EndedAt is set also
	// where its grant or its app has ended; what its app may no longer do is not
	// among its scopes.
	Access(ctx context.Context, id rooms.ID) (Access, error)
	// EndAccess ends one access token; one that has ended stays as it is.
	EndAccess(ctx context.Context, id rooms.ID, at int64, ev audit.Event) error

	// EventsBy returns what the app or key of that id did, the latest first, before
	// the given event's id, 0 for the first page: for that host and in that host's
	// rooms, or all of it for an empty one.
	EventsBy(ctx context.Context, id, host string, before rooms.ID, limit int) ([]audit.Event, error)
	// Sweep removes apps without an owner that were made before unused, got no token
	// for a host since, and are allowed by nobody; and the tokens, codes and uses of what ended
	// before over.
	Sweep(ctx context.Context, unused, over int64) error
}

// KeyStore keeps API keys.
type KeyStore interface {
	// AddKey adds a key: rooms.ErrIDTaken when its id was used, and ErrKeyMade where
	// that wish, not empty, was granted before.
	AddKey(ctx context.Context, k APIKey, wish string, ev audit.Event) error
	// Key returns the key of that hash, also one that has ended, or rooms.ErrNotFound.
	Key(ctx context.Context, hash string) (APIKey, error)
	// KeyByID returns one key, also one that has ended, or rooms.ErrNotFound.
	KeyByID(ctx context.Context, id rooms.ID) (APIKey, error)
	// Keys returns a host's that have not ended, the latest first.
	Keys(ctx context.Context, host string) ([]APIKey, error)
	// UsedKey notes when a key was last used.
	UsedKey(ctx context.Context, id rooms.ID, at int64) error
	// EndKey ends one of the host's keys; one that is not there, or has ended, is
	// rooms.ErrNotFound.
	EndKey(ctx context.Context, host string, id rooms.ID, at int64, ev audit.Event) error
}
