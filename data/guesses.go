package data

import (
	"context"
	"database/sql"
	"errors"
)

// Guessed implements hosts.GuessStore.
func (s *Hosts) Guessed(ctx context.Context, key string) (until int64, err error) {
	err = s.db.row(ctx, `SELECT weighs_until FROM guesses WHERE account = $1`, key).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return until, known(err)
}

// Guess implements hosts.GuessStore.
func (s *Hosts) Guess(ctx context.Context, key string, at, weight, most int64) error {
	return s.db.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO guesses (account, weighs_until) VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET weighs_until =
			CASE WHEN guesses.weighs_until < $3 THEN $2 WHEN guesses.weighs_until + $4 > $5 THEN $5 ELSE guesses.weighs_until + $4 END`,
			key, at+weight, at, weight, at+most)
		return err
	})
}
