package data

import (
	"context"
	"database/sql"

	"admitone/rooms"
	"admitone/rooms/audit"
)

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

// counted counts the statements that run through it.
type counted struct {
	executor
	n int
}

func (c *counted) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	c.n++
	return c.executor.ExecContext(ctx, query, args...)
}

func (c *counted) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.n++
	return c.executor.QueryContext(ctx, query, args...)
}

func (c *counted) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	c.n++
	return c.executor.QueryRowContext(ctx, query, args...)
}

// Tells lets tests outside tell of an event, and counts the statements.
func (db *DB) Tells(ctx context.Context, ids *rooms.IDs, ev audit.Event) (n int, err error) {
	err = db.write(ctx, func(t *tx) error {
		c := &counted{executor: t.on}
		err := (&tx{ctx: t.ctx, on: c, lite: t.lite}).tell(ids, ev)
		n = c.n
		return err
	})
	return n, err
}

// Remigrate takes the schema of an open database back to that version, and forth again.
func Remigrate(ctx context.Context, raw *sql.DB, lite bool, to int64) error {
	p, err := migrator(raw, lite)
	if err == nil {
		_, err = p.DownTo(ctx, to)
	}
	if err == nil {
		_, err = p.Up(ctx)
	}
	return err
}

// Asked are all statements that were put to SQLite files since it was last called.
func Asked() (statements []string) {
	rewritten.Range(func(_, s any) bool {
		statements = append(statements, s.(string))
		return true
	})
	rewritten.Clear()
	return statements
}
