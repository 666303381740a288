package data

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// Sessions keeps signed-in browsers; it is an scs.CtxStore whose tokens come
// hashed, and the hosts.SignIns of the database. Now is the clock by which
// sessions end.
type Sessions struct {
	db  *DB
	now func() time.Time
}

// NewSessions returns the session store of the database.
func NewSessions(db *DB, now func() time.Time) *Sessions { return &Sessions{db, now} }

// seenAgain is how exactly a session's last use is kept, so that looking at
// pages does not write.
const seenAgain = 5 * time.Minute

// FindCtx returns a session's content, or false when there is none or it is
// over. That it was used is noted every few minutes, and silently not where
// nothing can be written.
func (s *Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var text string
	var seen int64
	now := s.now().UnixMilli()
	err := s.db.row(ctx, `SELECT content, seen_at FROM sessions WHERE token = $1 AND expires_at > $2`, token, now).Scan(&text, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, known(err)
	}
	if since := now - seenAgain.Milliseconds(); seen <= since {
		_ = s.db.write(ctx, func(t *tx) error {
			_, err := t.exec(`UPDATE sessions SET seen_at = $2 WHERE token = $1 AND seen_at <= $3`, token, now, since)
			return err
		})
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil, err
}

// CommitCtx stores a session, and clears away those that are over. Of one that
// signs a host in it keeps whose it is, and notes it where the device is new.
func (s *Sessions) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	now := s.now().UnixMilli()
	in := readSignIn(b)
	return s.db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM sessions WHERE expires_at <= $1`, now); err != nil {
			return err
		}
		n, err := t.exec(`INSERT INTO sessions (token, content, expires_at, id, host, device, created_at, seen_at, fresh)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) ON CONFLICT (token) DO NOTHING`,
			token, base64.StdEncoding.EncodeToString(b), expiry.UnixMilli(), in.id, in.host, in.device, now, in.fresh)
		if err != nil {
			return err
		}
		if n == 0 {
			_, err := t.exec(`UPDATE sessions SET content = $2, expires_at = $3, id = $4, host = $5, device = $6 WHERE token = $1`,
				token, base64.StdEncoding.EncodeToString(b), expiry.UnixMilli(), in.id, in.host, in.device)
			return err
		}
		if in.fresh == 0 {
			return nil
		}
		return t.record(s.db.ids, audit.Event{At: now, Actor: audit.Actor{Kind: audit.Host, Name: in.name}, Kind: audit.HostNewDevice, Detail: in.device})
	})
}

// signIn is what a session's content says of whose it is; empty where it signs
// nobody in.
type signIn struct {
	id, fresh                   int64
	host, name, device, address string
}

func readSignIn(b []byte) (in signIn) {
	_, values, err := scs.GobCodec{}.Decode(b)
	if err != nil {
		return in
	}
	if in.name, _ = values[hosts.SessionHost].(string); in.name == "" {
		return signIn{}
	}
	in.host = strings.ToLower(in.name)
	in.id, _ = values[hosts.SessionID].(int64)
	in.device, _ = values[hosts.SessionDevice].(string)
	in.address, _ = values[hosts.SessionAddress].(string)
	if isNew, _ := values[hosts.SessionNew].(bool); isNew {
		in.fresh = 1
	}
	return in
}

// DeleteCtx forgets a session; one that is not there is forgotten already.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.db.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM sessions WHERE token = $1`, token)
		return err
	})
}

// SignIns implements hosts.SignIns.
func (s *Sessions) SignIns(ctx context.Context, host string) ([]hosts.SignIn, error) {
	return list(ctx, s.db, func(row rowScanner) (in hosts.SignIn, err error) {
		var device, content string
		err = row.Scan(&in.ID, &device, &content, &in.CreatedAt, &in.SeenAt, &in.New)
		in.Device = hosts.ParseDevice(device)
		if b, bad := base64.StdEncoding.DecodeString(content); bad == nil {
			in.Address = readSignIn(b).address
		}
		return in, err
	}, `SELECT id, device, content, created_at, seen_at, fresh <> 0 FROM sessions WHERE host = $1 AND host <> '' AND expires_at > $2 ORDER BY created_at DESC, id DESC LIMIT 100`,
		strings.ToLower(host), s.now().UnixMilli())
}

// EndSignIn implements hosts.SignIns.
func (s *Sessions) EndSignIn(ctx context.Context, host string, id rooms.ID) error {
	return s.db.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM sessions WHERE host = $1 AND host <> '' AND id = $2`, strings.ToLower(host), int64(id))
		return err
	})
}

// EndSignIns implements hosts.SignIns.
func (s *Sessions) EndSignIns(ctx context.Context, host string, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := s.db.endSignIns(t, strings.ToLower(host), hosts.Kept{}, ev); err != nil {
			return err
		}
		return t.record(s.db.ids, ev)
	})
}

// KnowSignIn implements hosts.SignIns.
func (s *Sessions) KnowSignIn(ctx context.Context, host string, id rooms.ID) error {
	return s.db.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE sessions SET fresh = 0 WHERE host = $1 AND host <> '' AND id = $2`, strings.ToLower(host), int64(id))
		return err
	})
}

// Find, Commit and Delete complete scs.Store for callers without a context.
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *Sessions) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx without a context.
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
