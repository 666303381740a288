package data

import (
	"context"
	"errors"

	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

// strangers counts, up to $1, the apps that nobody made and nobody allows.
const strangers = `(SELECT COUNT(*) FROM (SELECT 1 FROM oauth_clients c WHERE owner = '' AND ended_at = 0
	AND NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE g.client = c.id AND g.ended_at = 0) LIMIT $1) n)`

var errCrowd = errors.New("as many apps as there may be")

// AddStranger implements oauth.Store. Some that come at the same moment may be
// let in besides.
func (s *OAuth) AddStranger(ctx context.Context, c oauth.Client, most int, idle int64, ev audit.Event) (bool, error) {
	err := s.db.write(ctx, func(t *tx) error {
		gone, err := t.exec(`DELETE FROM oauth_clients WHERE id = (SELECT id FROM oauth_clients c WHERE owner = '' AND ended_at = 0 AND used_at = 0 AND created_at < $2
			AND NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE g.client = c.id) ORDER BY created_at, id LIMIT 1) AND `+strangers+` >= $1`, most, idle)
		if err != nil {
			return err
		}
		if gone == 0 {
			var n int
			if err := t.row(`SELECT `+strangers, most).Scan(&n); err != nil {
				return err
			}
			if n >= most {
				return errCrowd
			}
		}
		return t.addClient(s.ids, c, ev)
	})
	if errors.Is(err, errCrowd) {
		return false, nil
	}
	return err == nil, err
}
