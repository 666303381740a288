package data

import (
	"context"
	"errors"
	"math"
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

// OAuth is the oauth.Store of a database.
type OAuth struct {
	db  *DB
	ids *rooms.IDs
}

// NewOAuth returns the oauth.Store of the database.
func NewOAuth(db *DB, ids *rooms.IDs) *OAuth { return &OAuth{db, ids} }

// change runs one statement, which may find nothing to change, with its event,
// which is stored only where it did.
func (s *OAuth) change(ctx context.Context, none error, ev audit.Event, query string, args ...any) error {
	return s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(query, args...)
		switch {
		case err != nil:
			return err
		case n == 0:
			return none
		}
		return t.record(s.ids, ev)
	})
}

// AddClient implements oauth.Store.
func (s *OAuth) AddClient(ctx context.Context, c oauth.Client, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error { return t.addClient(s.ids, c, ev) })
}

func (t *tx) addClient(ids *rooms.IDs, c oauth.Client, ev audit.Event) error {
	_, err := t.exec(`INSERT INTO oauth_clients (id, name, website, redirects, scopes, public, pkce, owner, credential, secret_hash, created_at, used_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		c.ID, c.Name, c.Website, strings.Join(c.Redirects, "\n"), c.Scopes.String(), flag(c.Public), flag(c.PKCE), c.Owner, c.Credential, c.SecretHash,
		c.CreatedAt, c.UsedAt, c.EndedAt)
	if err != nil {
		return err
	}
	return t.record(ids, ev)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

const clientColumns = `SELECT id, name, website, redirects, scopes, public, pkce, owner, credential, secret_hash, created_at, used_at, ended_at FROM oauth_clients`

func scanClient(row rowScanner) (c oauth.Client, err error) {
	var redirects, scopes string
	var public, pkce int64
	err = row.Scan(&c.ID, &c.Name, &c.Website, &redirects, &scopes, &public, &pkce, &c.Owner, &c.Credential, &c.SecretHash, &c.CreatedAt, &c.UsedAt, &c.EndedAt)
	if err != nil {
		return c, err
	}
	c.Public, c.PKCE = public != 0, pkce != 0
	if redirects != "" {
		c.Redirects = strings.Split(redirects, "\n")
	}
	c.Scopes, err = oauth.ParseScopes(scopes)
	return c, err
}

// Client implements oauth.Store.
func (s *OAuth) Client(ctx context.Context, id string) (oauth.Client, error) {
	if !storable(id) {
		return oauth.Client{}, rooms.ErrNotFound
	}
	c, err := scanClient(s.db.row(ctx, clientColumns+` WHERE id = $1`, id))
	return c, none(err, rooms.ErrNotFound)
}

// allowedBy are the apps that host $1 allowed under credential $2.
const allowedBy = `SELECT client FROM oauth_grants WHERE host = $1 AND credential = $2 AND ended_at = 0`

// ClientsOf implements oauth.Store.
func (s *OAuth) ClientsOf(ctx context.Context, host, credential string) ([]oauth.Client, error) {
	return list(ctx, s.db, scanClient, clientColumns+` WHERE ended_at = 0 AND $1 <> '' AND (owner = $1 OR id IN (`+allowedBy+`)) ORDER BY created_at DESC, id DESC`,
		host, credential)
}

// OtherClients implements oauth.Store.
func (s *OAuth) OtherClients(ctx context.Context, host, credential string, after oauth.Place, limit int) ([]oauth.Client, error) {
	made := after.MadeAt
	if after == (oauth.Place{}) {
		made = math.MaxInt64
	}
	return list(ctx, s.db, scanClient, clientColumns+` WHERE ended_at = 0 AND owner <> $1 AND id NOT IN (`+allowedBy+`)
		AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5`, host, credential, made, after.ID, limit)
}

// LimitClient implements oauth.Store.
func (s *OAuth) LimitClient(ctx context.Context, id string, scopes oauth.Scopes, ev audit.Event) error {
	return s.change(ctx, rooms.ErrNotFound, ev, `UPDATE oauth_clients SET scopes = $2 WHERE id = $1 AND ended_at = 0`, id, scopes.String())
}

// SetSecret implements oauth.Store.
func (s *OAuth) SetSecret(ctx context.Context, id, hash, credential string, ev audit.Event) error {
	return s.change(ctx, rooms.ErrNotFound, ev, `UPDATE oauth_clients SET secret_hash = $2, credential = $3 WHERE id = $1 AND ended_at = 0`, id, hash, credential)
}

// EndClient implements oauth.Store. Grants come before their client, as where
// tokens are added, so that neither waits for the other.
func (s *OAuth) EndClient(ctx context.Context, id string, at int64, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`UPDATE oauth_grants SET ended_at = $2 WHERE client = $1 AND ended_at = 0`, id, at); err != nil {
			return err
		}
		if err := t.one(rooms.ErrNotFound, `UPDATE oauth_clients SET ended_at = $2 WHERE id = $1 AND ended_at = 0`, id, at); err != nil {
			return err
		}
		return t.record(s.ids, ev)
	})
}

// AddGrant implements oauth.Store.
func (s *OAuth) AddGrant(ctx context.Context, g oauth.Grant, ev audit.Event) error {
	err := s.change(ctx, nil, ev, `INSERT INTO oauth_grants (id, client, host, credential, scopes, redirect, challenge, code_hash, code_until, created_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)`,
		int64(g.ID), g.Client, g.Host, g.Credential, g.Scopes.String(), g.Redirect, g.Challenge, g.CodeHash, g.CodeUntil, g.CreatedAt)
	return taken(err, "oauth_grants.id")
}

// taken is rooms.ErrIDTaken in place of what the database says of an id that is there.
func taken(err error, id string) error {
	if duplicate(err, id) {
		return rooms.ErrIDTaken
	}
	return err
}

const grantColumns = `g.id, g.client, g.host, g.credential, g.scopes, g.redirect, g.challenge, g.code_hash, g.code_until, g.created_at, g.ended_at`

func scanGrant(row rowScanner, before ...any) (g oauth.Grant, err error) {
	var scopes string
	err = row.Scan(append(before, &g.ID, &g.Client, &g.Host, &g.Credential, &scopes, &g.Redirect, &g.Challenge, &g.CodeHash, &g.CodeUntil, &g.CreatedAt, &g.EndedAt)...)
	if err == nil {
		g.Scopes, err = oauth.ParseScopes(scopes)
	}
	return g, err
}

// GrantByCode implements oauth.Store.
func (s *OAuth) GrantByCode(ctx context.Context, hash string) (oauth.Grant, error) {
	g, err := scanGrant(s.db.row(ctx, `SELECT `+grantColumns+` FROM oauth_grants g WHERE code_hash = $1`, hash))
	return g, none(err, rooms.ErrNotFound)
}

// Grants implements oauth.Store.
func (s *OAuth) Grants(ctx context.Context, host, client string) ([]oauth.Grant, error) {
	return list(ctx, s.db, func(row rowScanner) (oauth.Grant, error) { return scanGrant(row) },
		`SELECT `+grantColumns+` FROM oauth_grants g WHERE host = $1 AND ($2 = '' OR client = $2) AND ended_at = 0 ORDER BY id DESC`, host, client)
}

// EndGrant implements oauth.Store.
func (s *OAuth) EndGrant(ctx context.Context, id rooms.ID, at int64, ev audit.Event) error {
	return s.change(ctx, nil, ev, `UPDATE oauth_grants SET ended_at = $2 WHERE id = $1 AND ended_at = 0`, int64(id), at)
}

// Used implements oauth.Store.
func (s *OAuth) Used(ctx context.Context, use, hash string) (bool, error) {
	return s.db.used(ctx, use, hash)
}

// Exchange implements oauth.Store.
func (s *OAuth) Exchange(ctx context.Context, code string, access oauth.Access, refresh *oauth.Refreshed, ev audit.Event) (bool, error) {
	return s.useUp(ctx, oauth.CodeUse, code, access, refresh, ev)
}

// Rotate implements oauth.Store.
func (s *OAuth) Rotate(ctx context.Context, token string, access oauth.Access, refresh *oauth.Refreshed, ev audit.Event) (bool, error) {
	return s.useUp(ctx, oauth.RefreshUse, token, access, refresh, ev)
}

var errUsed = errors.New("used before")

func (s *OAuth) useUp(ctx context.Context, use, hash string, access oauth.Access, refresh *oauth.Refreshed, ev audit.Event) (bool, error) {
	err := s.db.write(ctx, func(t *tx) error {
		// Locks the grant, so that ending it comes before this or after.
		if err := t.one(errUsed, `UPDATE oauth_grants SET ended_at = 0 WHERE id = $1 AND ended_at = 0`, int64(access.Grant)); err != nil {
			return err
		}
		if first, err := t.once(use, hash, access.CreatedAt); err != nil {
			return err // which must not pass for a second use
		} else if !first {
			return errUsed
		}
		if refresh != nil {
			if _, err := t.exec(`INSERT INTO oauth_refresh (hash, grant_id, scopes, expires_at) VALUES ($1, $2, $3, $4)`,
				refresh.Hash, int64(refresh.Grant), refresh.Scopes.String(), refresh.ExpiresAt); err != nil {
				return err
			}
		}
		return t.addAccess(s.ids, access, ev)
	})
	if errors.Is(err, errUsed) {
		return false, nil
	}
	return err == nil, err
}

// Refresh implements oauth.Store.
func (s *OAuth) Refresh(ctx context.Context, hash string) (r oauth.Refreshed, g oauth.Grant, err error) {
	var scopes string
	g, err = scanGrant(s.db.row(ctx, `SELECT r.hash, r.scopes, r.expires_at, `+grantColumns+` FROM oauth_refresh r JOIN oauth_grants g ON g.id = r.grant_id WHERE r.hash = $1`, hash),
		&r.Hash, &scopes, &r.ExpiresAt)
	if err == nil {
		r.Grant = g.ID
		r.Scopes, err = oauth.ParseScopes(scopes)
	}
	return r, g, none(err, rooms.ErrNotFound)
}

// AddAccess implements oauth.Store.
func (s *OAuth) AddAccess(ctx context.Context, a oauth.Access, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error { return t.addAccess(s.ids, a, ev) })
}

func (t *tx) addAccess(ids *rooms.IDs, a oauth.Access, ev audit.Event) error {
	_, err := t.exec(`INSERT INTO oauth_access (id, grant_id, client, host, credential, scopes, created_at, expires_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		int64(a.ID), int64(a.Grant), a.Client, a.Host, a.Credential, a.Scopes.String(), a.CreatedAt, a.ExpiresAt)
	if err != nil {
		return taken(err, "oauth_access.id")
	}
	// A token that acts for nobody is no use: it keeps no stranger's app from Sweep.
	if _, err := t.exec(`UPDATE oauth_clients SET used_at = $2 WHERE id = $1 AND used_at + 60000 <= $2 AND $3 <> ''`, a.Client, a.CreatedAt, a.Host); err != nil {
		return err
	}
	return t.record(ids, ev)
}

// Access implements oauth.Store.
func (s *OAuth) Access(ctx context.Context, id rooms.ID) (a oauth.Access, err error) {
	var scopes, may string
	err = s.db.row(ctx, `SELECT a.id, a.grant_id, a.client, a.host, a.credential, a.scopes, c.scopes, a.created_at, a.expires_at,
			CASE WHEN a.ended_at <> 0 THEN a.ended_at WHEN COALESCE(g.ended_at, 0) <> 0 THEN g.ended_at ELSE c.ended_at END
		FROM oauth_access a JOIN oauth_clients c ON c.id = a.client LEFT JOIN oauth_grants g ON g.id = a.grant_id WHERE a.id = $1`, int64(id)).
		Scan(&a.ID, &a.Grant, &a.Client, &a.Host, &a.Credential, &scopes, &may, &a.CreatedAt, &a.ExpiresAt, &a.EndedAt)
	if err != nil {
		return a, none(err, rooms.ErrNotFound)
	}
	most, err := oauth.ParseScopes(may)
	if err != nil {
		return a, err
	}
	a.Scopes, err = oauth.ParseScopes(scopes)
	a.Scopes = a.Scopes.And(most)
	return a, err
}

// EndAccess implements oauth.Store.
func (s *OAuth) EndAccess(ctx context.Context, id rooms.ID, at int64, ev audit.Event) error {
	return s.change(ctx, nil, ev, `UPDATE oauth_access SET ended_at = $2 WHERE id = $1 AND ended_at = 0`, int64(id), at)
}

// EventsBy implements oauth.Store.
func (s *OAuth) EventsBy(ctx context.Context, id, host string, before rooms.ID, limit int) ([]audit.Event, error) {
	return list(ctx, s.db, scanEvent, eventColumns+` WHERE actor_kind = 'client' AND actor = $1 AND id < $2
		AND ($4 = '' OR room_id = 0 AND detail = $4 OR EXISTS (SELECT 1 FROM rooms r WHERE r.id = events.room_id AND r.owner = $4))
		ORDER BY id DESC LIMIT $3`, id, upTo(before), limit, host)
}

// Sweep implements oauth.Store. What was used once is kept as long as what it
// was, so that a second use is known for one. Each statement is a transaction of
// its own, so that nobody's admission waits for all of them.
func (s *OAuth) Sweep(ctx context.Context, unused, over int64) error {
	for _, q := range []struct {
		text string
		args []any
	}{
		{`DELETE FROM oauth_access WHERE expires_at < $1`, []any{over}},
		{`DELETE FROM oauth_access WHERE grant_id IN (SELECT id FROM oauth_grants WHERE ended_at <> 0 AND ended_at < $1)`, []any{over}},
		{`DELETE FROM oauth_refresh WHERE expires_at < $1`, []any{over}},
		{`DELETE FROM oauth_refresh WHERE grant_id IN (SELECT id FROM oauth_grants WHERE ended_at <> 0 AND ended_at < $1)`, []any{over}},
		{`DELETE FROM oauth_grants WHERE ended_at <> 0 AND ended_at < $1`, []any{over}},
		{`DELETE FROM oauth_grants WHERE code_until < $1 AND NOT EXISTS (SELECT 1 FROM once WHERE used_for = $2 AND hash = code_hash)`, []any{over, oauth.CodeUse}},
		// One that is left of an app and host is what remembers the consent.
		{`DELETE FROM oauth_grants WHERE code_until < $1 AND NOT EXISTS (SELECT 1 FROM oauth_refresh r WHERE r.grant_id = oauth_grants.id)
			AND NOT EXISTS (SELECT 1 FROM oauth_access a WHERE a.grant_id = oauth_grants.id)
			AND EXISTS (SELECT 1 FROM oauth_grants l WHERE l.client = oauth_grants.client AND l.host = oauth_grants.host AND l.ended_at = 0 AND l.id > oauth_grants.id)`, []any{over}},
		{`DELETE FROM once WHERE used_for = $1 AND NOT EXISTS (SELECT 1 FROM oauth_grants WHERE code_hash = once.hash)`, []any{oauth.CodeUse}},
		{`DELETE FROM once WHERE used_for = $1 AND NOT EXISTS (SELECT 1 FROM oauth_refresh WHERE oauth_refresh.hash = once.hash)`, []any{oauth.RefreshUse}},
		{`DELETE FROM oauth_clients WHERE owner = '' AND used_at < $1 AND created_at < $1 AND NOT EXISTS (SELECT 1 FROM oauth_grants WHERE client = oauth_clients.id)`, []any{unused}},
	} {
		if err := s.db.write(ctx, func(t *tx) error {
			_, err := t.exec(q.text, q.args...)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
