package data

import "context"

// Row lets tests outside ask one question in our dialect.
func (db *DB) Row(ctx context.Context, query string, args ...any) interface{ Scan(dest ...any) error } {
	return db.row(ctx, query, args...)
}

// Put lets tests outside store one row, past all rules.
func (db *DB) Put(ctx context.Context, name string) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO sessions (token, content, expires_at) VALUES ($1, '', 0)`, name)
		return err
	})
}

// Once lets tests outside use up what works once.
func (db *DB) Once(ctx context.Context, use, hash string) (first bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		first, err = t.once(use, hash, 1)
		return err
	})
	return first, err
}
