package data

import (
	"context"
	"encoding/base64"
	"errors"

	"admitone/rooms"
	"admitone/rooms/hosts"
)

// Hosts is the hosts.Store of a database.
type Hosts struct{ db *DB }

// NewHosts returns the hosts.Store of the database.
func NewHosts(db *DB) *Hosts { return &Hosts{db} }

// Generated implements hosts.Store.
func (s *Hosts) Generated(ctx context.Context) (g hosts.Generated, err error) {
	err = s.db.row(ctx, `SELECT username, password_hash FROM generated_hosts`).Scan(&g.Username, &g.Hash)
	return g, none(err, rooms.ErrNotFound)
}

// SetGenerated implements hosts.Store.
func (s *Hosts) SetGenerated(ctx context.Context, g hosts.Generated, at int64, keep bool) (done bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		then := "DO UPDATE SET password_hash = excluded.password_hash, created_at = excluded.created_at"
		if keep {
			then = "DO NOTHING"
		} else if _, err := t.exec(`DELETE FROM generated_hosts WHERE username <> $1`, g.Username); err != nil {
			return err
		}
		n, err := t.exec(`INSERT INTO generated_hosts (username, password_hash, created_at) SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT)
			WHERE NOT EXISTS (SELECT 1 FROM generated_hosts WHERE username <> $1) ON CONFLICT (username) `+then, g.Username, g.Hash, at)
		done = n == 1
		return err
	})
	return done && err == nil, err
}

// Epochs implements hosts.Store.
func (s *Hosts) Epochs(ctx context.Context) (map[string]int64, error) {
	type row struct {
		host  string
		epoch int64
	}
	rows, err := list(ctx, s.db, func(r rowScanner) (x row, err error) { return x, r.Scan(&x.host, &x.epoch) }, `SELECT host, epoch FROM host_epochs`)
	epochs := make(map[string]int64, len(rows))
	for _, r := range rows {
		epochs[r.host] = r.epoch
	}
	return epochs, err
}

// KnowsAddress implements hosts.Store.
func (s *Hosts) KnowsAddress(ctx context.Context, address string) (is bool, err error) {
	err = s.db.row(ctx, `SELECT EXISTS (SELECT 1 FROM known_addresses WHERE address = $1)`, address).Scan(&is)
	return is, known(err)
}

// RememberAddress implements hosts.Store. It writes only what is new, or a day old.
func (s *Hosts) RememberAddress(ctx context.Context, host, address string, at int64) error {
	const day = 24 * 60 * 60 * 1000
	var n int
	err := s.db.row(ctx, `SELECT COUNT(*) FROM known_addresses WHERE host = $1 AND address = $2 AND seen_at > $3`, host, address, at-day).Scan(&n)
	if err != nil || n > 0 {
		return known(err)
	}
	return s.db.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO known_addresses (host, address, seen_at) VALUES ($1, $2, $3)
			ON CONFLICT (host, address) DO UPDATE SET seen_at = excluded.seen_at`, host, address, at)
		return err
	})
}

// Sealed implements hosts.Store.
func (s *Hosts) Sealed(ctx context.Context, name string, fresh []byte) (box []byte, err error) {
	const query = `SELECT value FROM settings WHERE name = $1`
	var text string
	err = none(s.db.row(ctx, query, name).Scan(&text), rooms.ErrNotFound)
	if errors.Is(err, rooms.ErrNotFound) {
		err = s.db.write(ctx, func(t *tx) error {
			if _, err := t.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, base64.StdEncoding.EncodeToString(fresh)); err != nil {
				return err
			}
			return t.row(query, name).Scan(&text)
		})
	}
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

// SealAgain implements hosts.Store.
func (s *Hosts) SealAgain(ctx context.Context, name string, box []byte) error {
	return s.db.write(ctx, func(t *tx) error {
		return t.one(rooms.ErrNotFound, `UPDATE settings SET value = $2 WHERE name = $1`, name, base64.StdEncoding.EncodeToString(box))
	})
}
