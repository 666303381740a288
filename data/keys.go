package data

import (
	"context"
	"encoding/base64"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/keys"
)

// Keys is the keys.Store of a database.
type Keys struct {
	db  *DB
	ids *rooms.IDs
}

// NewKeys returns the keys.Store of the database.
func NewKeys(db *DB, ids *rooms.IDs) *Keys { return &Keys{db, ids} }

// Keys implements keys.Store.
func (s *Keys) Keys(ctx context.Context) ([]keys.Sealed, error) {
	return list(ctx, s.db, func(row rowScanner) (k keys.Sealed, err error) {
		var box string
		if err := row.Scan(&k.ID, &k.Use, &k.Alg, &k.From, &k.Until, &box); err != nil {
			return k, err
		}
		k.Box, err = base64.StdEncoding.DecodeString(box)
		return k, err
	}, `SELECT id, used_for, alg, starts_at, ends_at, box FROM keys ORDER BY starts_at, id`)
}

// Add implements keys.Store.
func (s *Keys) Add(ctx context.Context, ks []keys.Sealed, after int64, ev audit.Event) (done bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		done = false
		if err := t.lockKeys(); err != nil {
			return err
		}
		for _, k := range ks {
			var n int
			if err := t.row(`SELECT COUNT(*) FROM keys WHERE used_for = $1 AND starts_at > $2`, string(k.Use), after).Scan(&n); err != nil || n > 0 {
				return err
			}
		}
		for _, k := range ks {
			if _, err := t.exec(`INSERT INTO keys (id, used_for, alg, starts_at, ends_at, box) VALUES ($1, $2, $3, $4, $5, $6)`,
				k.ID, string(k.Use), k.Alg, k.From, k.Until, base64.StdEncoding.EncodeToString(k.Box)); err != nil {
				return err
			}
		}
		done = true
		return t.record(s.ids, ev)
	})
	return done && err == nil, err
}

// AddFirst implements keys.Store.
func (s *Keys) AddFirst(ctx context.Context, k keys.Sealed) error {
	var n int
	if err := s.db.row(ctx, `SELECT COUNT(*) FROM keys WHERE used_for = $1`, string(k.Use)).Scan(&n); err != nil || n > 0 {
		return known(err)
	}
	return s.db.write(ctx, func(t *tx) error {
		if err := t.lockKeys(); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO keys (id, used_for, alg, starts_at, ends_at, box)
			SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS TEXT) WHERE NOT EXISTS (SELECT 1 FROM keys WHERE used_for = $2)`,
			k.ID, string(k.Use), k.Alg, k.From, k.Until, base64.StdEncoding.EncodeToString(k.Box))
		return err
	})
}

// lockKeys has instances that change the ring at once wait for each other.
func (t *tx) lockKeys() error {
	if t.lite {
		return nil
	}
	_, err := t.exec(`LOCK TABLE keys IN EXCLUSIVE MODE`)
	return err
}

// Reseal implements keys.Store.
func (s *Keys) Reseal(ctx context.Context, ks []keys.Sealed) error {
	return s.db.write(ctx, func(t *tx) error {
		for _, k := range ks {
			if err := t.one(rooms.ErrNotFound, `UPDATE keys SET box = $2 WHERE id = $1`, k.ID, base64.StdEncoding.EncodeToString(k.Box)); err != nil {
				return err
			}
		}
		return nil
	})
}
