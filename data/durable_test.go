package data

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

func TestAConnectionIsTakenOnlyIfItsCommitsAreDurable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, options string
		good          bool
	}{
		{"FULL", "?_synchronous=FULL", true},
		{"EXTRA", "?_synchronous=EXTRA", true},
		{"NORMAL", "?_synchronous=NORMAL", false},
		{"OFF", "?_synchronous=OFF", false},
		{"the driver's own default", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			db, err := sql.Open("sqlite3", "file:"+filepath.Join(t.TempDir(), "test.db")+row.options)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			err = durable(t.Context(), db)
			if (err == nil) != row.good {
				t.Errorf("error %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "lost") {
				t.Errorf("does not say what might happen: %v", err)
			}
		})
	}
}

func TestTheWriterOfAFileIsDurable(t *testing.T) {
	t.Parallel()
	db := lite(t, Options{})
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "5000"} {
		var is string
		err := db.write(t.Context(), func(x *tx) error { return x.row("PRAGMA " + pragma).Scan(&is) })
		if err != nil || is != want {
			t.Errorf("%s is %q, want %q (%v)", pragma, is, want, err)
		}
	}
}

func TestReadersCanChangeNothing(t *testing.T) {
	t.Parallel()
	db := lite(t, Options{})
	for _, statement := range []string{"DELETE FROM rooms", "DROP TABLE rooms", "PRAGMA user_version = 1"} {
		if _, err := db.sql.ExecContext(context.Background(), statement); err == nil {
			t.Errorf("a reader ran %q", statement)
		}
	}
}

func TestDialect(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, query, lite string }{
		{"one", "SELECT $1", "SELECT ?1"},
		{"two digits", "SELECT $1, $10, $11", "SELECT ?1, ?10, ?11"},
		{"out of order", "SELECT $2, $1, $2", "SELECT ?2, ?1, ?2"},
		{"none", "SELECT 1", "SELECT 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := dialect(row.query, true); got != row.lite {
				t.Errorf("for SQLite %q, want %q", got, row.lite)
			}
			if got := dialect(row.query, false); got != row.query {
				t.Errorf("for PostgreSQL %q, want it as it is", got)
			}
		})
	}
}
