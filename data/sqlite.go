package data

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// openSQLite opens the file, for as many readers as there are and one writer.
func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	if path == "" {
		return nil, errors.New("names no file; write sqlite:PATH")
	}
	if err := makeFile(path); err != nil {
		return nil, err
	}
	// Both pools wait 5 s for a lock of another process, such as the command
	// line beside a server. A reader can change nothing, whatever it is asked.
	const common = "_busy_timeout=5000&_foreign_keys=on&_stmt_cache_size=64"
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + "?"
	// A list of thousands is one change, whose pages the writer keeps until it commits them.
	writers, err := sql.Open("sqlite3", file+common+"&_cache_size=-16384&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	writers.SetMaxOpenConns(1)
	writers.SetConnMaxLifetime(0)
	if err := prepare(ctx, writers); err != nil {
		_ = writers.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	conn, err := writers.Conn(ctx)
	if err != nil {
		_ = writers.Close()
		return nil, err
	}
	readers, err := sql.Open("sqlite3", file+common+"&_query_only=on")
	if err != nil {
		return nil, errors.Join(err, conn.Close(), writers.Close())
	}
	readers.SetMaxOpenConns(maxReaders)
	readers.SetMaxIdleConns(maxReaders)
	most := groupSize
	if o.Ungrouped {
		most = 1
	}
	db := &DB{sql: readers, writer: newBatcher(conn, most), lite: true}
	db.close = []func() error{readers.Close, db.writer.close, writers.Close}
	return db, nil
}

const maxReaders = 16

// makeFile makes the file, readable by its owner alone, and its folder. SQLite
// gives the files beside it the same mode.
func makeFile(path string) error {
	if dir := filepath.Dir(path); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("cannot make the data folder: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("cannot write the database file: %w", err)
	}
	return f.Close()
}

// prepare migrates, and reads back that the file keeps what we promise: the
// driver's own default for synchronous is NORMAL, which may lose the last
// commits when the power fails.
func prepare(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return explain(err)
	}
	if !strings.EqualFold(mode, "wal") {
		return fmt.Errorf("cannot use write-ahead logging here (journal mode %s); is this a network file system?", mode)
	}
	// A checkpoint every 16 MiB instead of 4 rewrites scattered pages less often.
	if _, err := db.ExecContext(ctx, "PRAGMA wal_autocheckpoint=4000"); err != nil {
		return explain(err)
	}
	if err := migrate(ctx, db, true); err != nil {
		return explain(err)
	}
	return durable(ctx, db)
}

// durable refuses a connection whose commits might not survive a power loss.
func durable(ctx context.Context, db *sql.DB) error {
	var sync int
	if err := db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&sync); err != nil {
		return err
	}
	if sync < 2 {
		return fmt.Errorf("synchronous is %d, not FULL: commits might be lost with the power", sync)
	}
	return nil
}

// explain turns what SQLite says about a file into what to do about it.
func explain(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code { //nolint:exhaustive // the others speak for themselves
	case sqlite3.ErrNotADB, sqlite3.ErrCorrupt:
		return fmt.Errorf("%w; the file is damaged or no AdmitOne database: put a backup in its place, or name another file in DATABASE_URL", err)
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm:
		return fmt.Errorf("%w; the file and its folder must be writable for this user", err)
	}
	return err
}

// liteFS shows the migrations as SQLite should read them. BIGINT PRIMARY KEY
// becomes INTEGER PRIMARY KEY, which to SQLite is the row's own number: one tree
// to search and to grow instead of two. Texts it compares by their bytes anyway.
type liteFS struct{ fs.FS }

func (l liteFS) Open(name string) (fs.File, error) {
	f, err := l.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(l.FS, name)
	if err != nil {
		return nil, err
	}
	return &liteFile{strings.NewReader(strings.NewReplacer("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY", byBytes, "").Replace(string(text))), info}, nil
}

type liteFile struct {
	*strings.Reader
	info fs.FileInfo
}

func (f *liteFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *liteFile) Close() error               { return nil }
