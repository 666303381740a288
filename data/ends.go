package data

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// endSignIns ends all sign-ins of a host but the one kept, and begins the host's
// next epoch, in which no token of before is good but the one kept. What let the
// host into rooms with one press is withdrawn. host is in lower case, ev what
// became of the host.
func (db *DB) endSignIns(t *tx, host string, keep hosts.Kept, ev audit.Event) error {
	if _, err := t.exec(`DELETE FROM sessions WHERE host = $1 AND host <> '' AND (id <> $2 OR id = 0)`, host, int64(keep.SignIn)); err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO host_epochs (host, epoch, spared) VALUES ($1, 1, $2)
		ON CONFLICT (host) DO UPDATE SET epoch = host_epochs.epoch + 1, spared = excluded.spared`, host, keep.Token); err != nil {
		return err
	}
	if err := t.forgetEntries(host, ev.At); err != nil {
		return err
	}
	return db.withdrawEntries(t, entries{host, keep.SignIn, math.MaxInt64}, ev)
}

// Settle implements hosts.Store.
func (s *Hosts) Settle(ctx context.Context, secrets map[string]string, named bool, ev func(host string) audit.Event) (ended, left []string, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		ended, left = nil, nil
		for _, host := range slices.Sorted(maps.Keys(secrets)) {
			changed, err := t.settle(host, secrets[host], named)
			if err == nil && changed {
				ended = append(ended, host)
				err = s.end(t, host, ev(host))
			}
			if err != nil {
				return err
			}
		}
		away, err := listed(t, func(row rowScanner) (host string, err error) { return host, row.Scan(&host) },
			`SELECT host FROM host_secrets WHERE secret <> '' AND (named = 1 OR CAST($1 AS BIGINT) = 1) ORDER BY host`, flag(named))
		if err != nil {
			return err
		}
		for _, host := range away {
			if _, there := secrets[host]; there && named {
				continue
			}
			if !named {
				left = append(left, host)
				continue
			}
			n, err := t.exec(`UPDATE host_secrets SET secret = '' WHERE host = $1 AND secret <> ''`, host)
			if err == nil && n == 1 {
				ended = append(ended, host)
				err = s.end(t, host, ev(host))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return ended, left, err
}

// settle tells whether another secret than this one was kept of the host, and keeps
// this one. A generated host's takes no named one's place.
func (t *tx) settle(host, secret string, named bool) (changed bool, err error) {
	n, err := t.exec(`INSERT INTO host_secrets (host, secret, named) VALUES ($1, $2, $3) ON CONFLICT (host) DO NOTHING`, host, secret, flag(named))
	if err != nil || n == 1 {
		return false, err
	}
	n, err = t.exec(`UPDATE host_secrets SET secret = $2, named = $3 WHERE host = $1 AND secret <> $2 AND (named <= $3 OR secret = '')`, host, secret, flag(named))
	if err != nil || n == 1 {
		return n == 1, err
	}
	_, err = t.exec(`UPDATE host_secrets SET named = 1 WHERE host = $1 AND secret = $2 AND named < $3`, host, secret, flag(named))
	return false, err
}

// end ends all that a host is signed in with, and all that the host gave to apps
// and keys. An app that the host made stays, and needs a new secret.
func (s *Hosts) end(t *tx, host string, ev audit.Event) error {
	if err := s.db.endSignIns(t, host, hosts.Kept{}, ev); err != nil {
		return err
	}
	written, err := t.spellings(host)
	if err != nil {
		return err
	}
	for _, name := range written {
		for _, query := range []string{
			`UPDATE api_keys SET ended_at = $2 WHERE host = $1 AND ended_at = 0`,
			`UPDATE oauth_grants SET ended_at = $2 WHERE host = $1 AND ended_at = 0`,
			`UPDATE oauth_access SET ended_at = $2 WHERE host = $1 AND ended_at = 0`,
		} {
			if _, err := t.exec(query, name, ev.At); err != nil {
				return err
			}
		}
		if _, err := t.exec(`UPDATE oauth_clients SET credential = '' WHERE owner = $1`, name); err != nil {
			return err
		}
	}
	return t.record(s.db.ids, ev)
}

// spellings are how the host's name stands on what the host gave. They are compared
// here: what LOWER makes of I is for the database's locale to say.
func (t *tx) spellings(host string) ([]string, error) {
	all, err := listed(t, func(row rowScanner) (name string, err error) { return name, row.Scan(&name) },
		`SELECT host FROM api_keys WHERE ended_at = 0 UNION SELECT host FROM oauth_grants WHERE ended_at = 0
			UNION SELECT host FROM oauth_access WHERE ended_at = 0 UNION SELECT owner FROM oauth_clients WHERE credential <> ''`)
	return slices.DeleteFunc(all, func(name string) bool { return name == "" || !strings.EqualFold(name, host) }), err
}
