package data

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// challengeUse is what the claims of passkeys' challenges are used for.
const challengeUse = "passkey"

// Handle implements hosts.PasskeyStore.
func (s *Hosts) Handle(ctx context.Context, host string, fresh []byte) ([]byte, error) {
	const query = `SELECT handle FROM passkey_handles WHERE host = $1`
	var text string
	err := none(s.db.row(ctx, query, host).Scan(&text), rooms.ErrNotFound)
	switch {
	case err == nil:
		return base64.StdEncoding.DecodeString(text)
	case !errors.Is(err, rooms.ErrNotFound):
		return nil, err
	}
	err = s.db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO passkey_handles (host, handle) VALUES ($1, $2) ON CONFLICT (host) DO NOTHING`,
			host, base64.StdEncoding.EncodeToString(fresh)); err != nil {
			return err
		}
		return t.row(query, host).Scan(&text)
	})
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

// HandleOf implements hosts.PasskeyStore.
func (s *Hosts) HandleOf(ctx context.Context, handle []byte) (host string, err error) {
	err = s.db.row(ctx, `SELECT host FROM passkey_handles WHERE handle = $1`, base64.StdEncoding.EncodeToString(handle)).Scan(&host)
	return host, none(err, rooms.ErrNotFound)
}

// Passkeys implements hosts.PasskeyStore.
func (s *Hosts) Passkeys(ctx context.Context, host string) ([]hosts.Passkey, error) {
	return list(ctx, s.db, func(row rowScanner) (k hosts.Passkey, err error) {
		var credential, public string
		if err = row.Scan(&k.ID, &k.Host, &k.Name, &credential, &public, &k.Flags, &k.Count, &k.CreatedAt, &k.UsedAt); err != nil {
			return k, err
		}
		if k.Credential, err = base64.StdEncoding.DecodeString(credential); err != nil {
			return k, err
		}
		k.PublicKey, err = base64.StdEncoding.DecodeString(public)
		return k, err
	}, `SELECT id, host, name, credential, public_key, flags, sign_count, created_at, used_at FROM passkeys WHERE host = $1 ORDER BY id`, host)
}

// challenge uses a passkey's challenge up, and forgets those that are long over.
func (t *tx) challenge(hash string, at int64) error {
	if _, err := t.exec(`DELETE FROM once WHERE used_for = $1 AND at < $2`, challengeUse, at-stepsKept.Milliseconds()); err != nil {
		return err
	}
	first, err := t.once(challengeUse, hash, at)
	if err == nil && !first {
		err = fmt.Errorf("%w: %w", hosts.ErrInvalidPasskey, hosts.ErrReplayed)
	}
	return err
}

// AddPasskey implements hosts.PasskeyStore.
func (s *Hosts) AddPasskey(ctx context.Context, k hosts.Passkey, challenge string, keep hosts.Kept, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := t.challenge(challenge, ev.At); err != nil {
			return err
		}
		var on bool
		if err := t.row(`SELECT EXISTS (SELECT 1 FROM second_factors WHERE host = $1) OR EXISTS (SELECT 1 FROM passkeys WHERE host = $1)`, k.Host).Scan(&on); err != nil {
			return err
		}
		if err := t.one(hosts.ErrPasskeyKnown, `INSERT INTO passkeys (id, host, name, credential, public_key, flags, sign_count, created_at, used_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT (credential) DO NOTHING`, int64(k.ID), k.Host, k.Name,
			base64.StdEncoding.EncodeToString(k.Credential), base64.StdEncoding.EncodeToString(k.PublicKey), int64(k.Flags), int64(k.Count), k.CreatedAt); err != nil {
			return err
		}
		if !on {
			if err := s.db.endSignIns(t, k.Host, keep, ev); err != nil {
				return err
			}
		}
		return t.record(s.db.ids, ev)
	})
}

// UsePasskey implements hosts.PasskeyStore.
func (s *Hosts) UsePasskey(ctx context.Context, use hosts.PasskeyUse, copied audit.Event) error {
	rose := false
	err := s.db.write(ctx, func(t *tx) error {
		// Locks the row, so that of two signatures with one count the later is told so.
		if err := t.one(hosts.ErrInvalidPasskey, `UPDATE passkeys SET used_at = used_at WHERE id = $1`, int64(use.ID)); err != nil {
			return err
		}
		if err := t.challenge(use.Challenge, use.At); err != nil {
			return err
		}
		n, err := t.exec(`UPDATE passkeys SET sign_count = $2, used_at = $3 WHERE id = $1 AND (sign_count < $2 OR sign_count = 0 AND $2 = 0)`,
			int64(use.ID), int64(use.Count), use.At)
		if rose = n == 1; err != nil || rose {
			return err
		}
		return t.record(s.db.ids, copied)
	})
	if err == nil && !rose {
		err = hosts.ErrPasskeyCopied
	}
	return err
}

// RemovePasskey implements hosts.PasskeyStore.
func (s *Hosts) RemovePasskey(ctx context.Context, host string, id rooms.ID, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := t.one(rooms.ErrNotFound, `DELETE FROM passkeys WHERE host = $1 AND id = $2`, host, int64(id)); err != nil {
			return err
		}
		return t.record(s.db.ids, ev)
	})
}

// removePasskeys takes all of a host's away, and by what they knew the host.
func (t *tx) removePasskeys(host string) (int64, error) {
	if _, err := t.exec(`DELETE FROM passkey_handles WHERE host = $1`, host); err != nil {
		return 0, err
	}
	return t.exec(`DELETE FROM passkeys WHERE host = $1`, host)
}
