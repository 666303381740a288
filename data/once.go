package data

import "context"

// once uses up what works once, exactly once: among any number at once, one is
// told that it was the first. at is when, in Unix milliseconds.
func (t *tx) once(use, hash string, at int64) (first bool, err error) {
	n, err := t.exec(`INSERT INTO once (used_for, hash, at) VALUES ($1, $2, $3) ON CONFLICT (used_for, hash) DO NOTHING`, use, hash, at)
	return n == 1, err
}

// used tells whether it was.
func (db *DB) used(ctx context.Context, use, hash string) (bool, error) {
	var n int
	err := db.row(ctx, `SELECT COUNT(*) FROM once WHERE used_for = $1 AND hash = $2`, use, hash).Scan(&n)
	return n > 0, known(err)
}
