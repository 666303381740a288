package data

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

// AddKey implements oauth.KeyStore.
func (s *OAuth) AddKey(ctx context.Context, k oauth.APIKey, wish string, ev audit.Event) error {
	err := s.db.write(ctx, func(t *tx) error {
		if wish != "" {
			if first, err := t.once(keyUse, wish, k.CreatedAt); err != nil {
				return err
			} else if !first {
				return oauth.ErrKeyMade
			}
		}
		_, err := t.exec(`INSERT INTO api_keys (id, name, host, credential, scopes, hash, created_at, used_at, ended_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`, int64(k.ID), k.Name, k.Host, k.Credential, k.Scopes.String(), k.Hash, k.CreatedAt)
		if err != nil {
			return err
		}
		return t.record(s.ids, ev)
	})
	return taken(err, "api_keys.id")
}

// keyUse is the use of a wish for a key.
const keyUse = "api key"

const keyColumns = `SELECT id, name, host, credential, scopes, hash, created_at, used_at, ended_at FROM api_keys`

func scanKey(row rowScanner) (k oauth.APIKey, err error) {
	var scopes string
	err = row.Scan(&k.ID, &k.Name, &k.Host, &k.Credential, &scopes, &k.Hash, &k.CreatedAt, &k.UsedAt, &k.EndedAt)
	if err == nil {
		k.Scopes, err = oauth.ParseScopes(scopes)
	}
	return k, err
}

// Key implements oauth.KeyStore.
func (s *OAuth) Key(ctx context.Context, hash string) (oauth.APIKey, error) {
	k, err := scanKey(s.db.row(ctx, keyColumns+` WHERE hash = $1`, hash))
	return k, none(err, rooms.ErrNotFound)
}

// KeyByID implements oauth.KeyStore.
func (s *OAuth) KeyByID(ctx context.Context, id rooms.ID) (oauth.APIKey, error) {
	k, err := scanKey(s.db.row(ctx, keyColumns+` WHERE id = $1`, int64(id)))
	return k, none(err, rooms.ErrNotFound)
}

// Keys implements oauth.KeyStore.
func (s *OAuth) Keys(ctx context.Context, host string) ([]oauth.APIKey, error) {
	return list(ctx, s.db, scanKey, keyColumns+` WHERE host = $1 AND ended_at = 0 ORDER BY id DESC`, host)
}

// UsedKey implements oauth.KeyStore.
func (s *OAuth) UsedKey(ctx context.Context, id rooms.ID, at int64) error {
	return s.db.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE api_keys SET used_at = $2 WHERE id = $1 AND used_at < $2`, int64(id), at)
		return err
	})
}

// EndKey implements oauth.KeyStore.
func (s *OAuth) EndKey(ctx context.Context, host string, id rooms.ID, at int64, ev audit.Event) error {
	return s.change(ctx, rooms.ErrNotFound, ev, `UPDATE api_keys SET ended_at = $3 WHERE id = $1 AND host = $2 AND ended_at = 0`, int64(id), host, at)
}
