// Package data keeps everything AdmitOne knows, in SQLite or PostgreSQL, from
// one SQL text.
//
// It never decides who is admitted: it carries out, as single statements, the
// promises that the Store interfaces of the other packages state.
package data

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"admitone/rooms"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	sql    *sql.DB  // reads, and on PostgreSQL writes
	writer *batcher // the one writer of a SQLite file, nil on PostgreSQL
	lite   bool
	ids    *rooms.IDs    // of history rows
	queued chan struct{} // something was put into the outbox
	close  []func() error
}

// Options change how a database is opened.
type Options struct {
	// IDs makes the ids of history rows; shared with whoever makes others.
	IDs *rooms.IDs
	// Ungrouped commits every change by itself instead of together with those
	// that queued meanwhile. It exists to compare.
	Ungrouped bool
}

// Open opens the database that url names, "sqlite:PATH" or "postgres://…", and
// brings its schema up to date. It refuses a database of a newer version, and
// one that would not keep its promises of durability.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	var db *DB
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		db, err = openSQLite(ctx, strings.TrimPrefix(url, "sqlite:"), o)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		db, err = openPostgres(ctx, url)
	default:
		return nil, errors.New("is neither sqlite:PATH nor postgres://…")
	}
	if err == nil {
		db.ids, db.queued = o.IDs, make(chan struct{}, 1)
	}
	return db, err
}

// Close waits for what is being written and closes the database.
func (db *DB) Close() error {
	var errs []error
	for _, f := range db.close {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// Ping tells whether the database can be written to.
func (db *DB) Ping(ctx context.Context) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM sessions WHERE token = $1`, "")
		return err
	})
}

// Kind is "sqlite" or "postgres", for the log.
func (db *DB) Kind() string {
	if db.lite {
		return "sqlite"
	}
	return "postgres"
}

// executor is what *sql.DB, *sql.Conn and *sql.Tx have in common.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// tx is one transaction being written.
type tx struct {
	ctx  context.Context
	on   executor
	lite bool
}

// write is the only transaction boundary: fn's statements happen all or not at
// all, and when it returns nil they are on the disk. On SQLite fn shares its
// commit with whatever queued at the same time, but fails alone. The caller's
// cancellation counts until the change is queued, and no longer. PostgreSQL undoes
// one of two changes that wait for each other: that one runs once more, so that fn
// MUST set anew what it sets outside of itself.
func (db *DB) write(ctx context.Context, fn func(*tx) error) error {
	if db.writer != nil {
		return known(db.writer.do(ctx, fn))
	}
	if err := ctx.Err(); err != nil {
		return known(err)
	}
	ctx = context.WithoutCancel(ctx)
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := db.transact(ctx, fn)
	if crossed(err) {
		err = db.transact(ctx, fn)
	}
	return known(err)
}

func (db *DB) transact(ctx context.Context, fn func(*tx) error) error {
	t, err := db.sql.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // after a commit it does nothing
	if err := fn(&tx{ctx: ctx, on: t}); err != nil {
		return err
	}
	return t.Commit()
}

// writeTimeout bounds a transaction on PostgreSQL, so that a dead network does
// not hold a caller for ever.
const writeTimeout = 15 * time.Second

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.on.ExecContext(t.ctx, dialect(query, t.lite), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// one runs a statement that must change exactly one row; otherwise it returns none.
func (t *tx) one(none error, query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n != 1 {
		err = none
	}
	return err
}

func (t *tx) row(query string, args ...any) *sql.Row {
	return t.on.QueryRowContext(t.ctx, dialect(query, t.lite), args...)
}

// row asks for one row. On SQLite that takes microseconds and cannot be given up
// on the way: the driver would start a goroutine for each question to watch for it.
func (db *DB) row(ctx context.Context, query string, args ...any) *sql.Row {
	if db.lite {
		ctx = context.WithoutCancel(ctx)
	}
	return db.sql.QueryRowContext(ctx, dialect(query, db.lite), args...)
}

// rowScanner is a *sql.Row or *sql.Rows.
type rowScanner interface{ Scan(dest ...any) error }

// list reads all rows of a query.
func list[T any](ctx context.Context, db *DB, scan func(rowScanner) (T, error), query string, args ...any) ([]T, error) {
	out, err := scanned(ctx, db.sql, scan, dialect(query, db.lite), args...)
	return out, known(err)
}

// listed is list within a transaction.
func listed[T any](t *tx, scan func(rowScanner) (T, error), query string, args ...any) ([]T, error) {
	return scanned(t.ctx, t.on, scan, dialect(query, t.lite), args...)
}

func scanned[T any](ctx context.Context, on executor, scan func(rowScanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := on.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// storable tells whether a text can stand in a column at all. What cannot need
// not be looked for: PostgreSQL would refuse the question.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// none replaces the driver's "no rows" by a domain's own word for it.
func none(err, instead error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return instead
	}
	return known(err)
}

var rewritten sync.Map // our SQL text → SQLite's

// byBytes has PostgreSQL compare texts as SQLite does, whatever its own locale.
const byBytes = ` COLLATE "C"`

// dialect turns $1 into ?1 for SQLite, whose driver counts $1 by order of
// appearance and so would swap values without a word; and it leaves byBytes out.
func dialect(query string, lite bool) string {
	if !lite {
		return query
	}
	if s, ok := rewritten.Load(query); ok {
		return s.(string) //nolint:forcetypeassert // only strings are stored, three lines down
	}
	s := strings.NewReplacer("$", "?", byBytes, "").Replace(query)
	rewritten.Store(query, s)
	return s
}

// in writes ($n,$n+1,…) for a list of values and appends them to args.
func in[T any](args []any, values []T) (string, []any) {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		args = append(args, v)
		fmt.Fprintf(&b, "$%d", len(args))
	}
	return "(" + b.String() + ")", args
}
