package data_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms"
)

func TestOpenSaysWhatToDoAboutABadDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := filepath.Join(dir, "good.db")
	db, err := data.Open(t.Context(), "sqlite:"+good, data.Options{IDs: &rooms.IDs{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	copy(whole[4096:], make([]byte, len(whole)-4096)) // the header is whole, all else is not
	for _, row := range []struct {
		name, url string
		says      []string
	}{
		{"nothing", "", []string{"sqlite:PATH", "postgres://"}},
		{"another database", "mysql://root:hunter22@localhost/x", []string{"sqlite:PATH", "postgres://"}},
		{"no file", "sqlite:", []string{"sqlite:PATH"}},
		{"a folder that cannot be made", "sqlite:" + filepath.Join(file("plain", "x"), "sub", "a.db"), []string{"data folder", "plain"}},
		{"a folder that cannot be written", "sqlite:/proc/self/a.db", []string{"/proc/self/a.db", "cannot write"}},
		{"a folder in the place of the file", "sqlite:" + dir, []string{dir, "is a directory"}},
		{"a text file", "sqlite:" + file("notes.txt", strings.Repeat("Dear diary, ", 1000)), []string{"notes.txt", "no AdmitOne database", "DATABASE_URL"}},
		{"a short text file", "sqlite:" + file("note.txt", "Dear diary"), []string{"note.txt", "no AdmitOne database", "DATABASE_URL"}},
		{"a damaged file", "sqlite:" + file("damaged.db", string(whole)), []string{"damaged.db", "backup", "DATABASE_URL"}},
		{"a URL that cannot be read", "postgres://u:hunter22@[::1/x", []string{"PostgreSQL URL"}},
		{"a port that is none", "postgres://u:hunter22@localhost:port/x", []string{"PostgreSQL URL"}},
		{"a setting that is none", "postgres://u:hunter22@127.0.0.1:1/x?sslmode=maybe", []string{"PostgreSQL URL"}},
		{"nobody there", "postgres://u:hunter22@127.0.0.1:1/x?sslmode=disable", []string{"PostgreSQL does not answer at 127.0.0.1:1: connection refused"}},
		{"nobody there, with and without TLS", "postgres://u:hunter22@127.0.0.1:1/x?sslmode=prefer", []string{"PostgreSQL does not answer at 127.0.0.1:1: connection refused"}},
		{"nobody at several", "postgres://u:hunter22@127.0.0.1:1,127.0.0.2:1/x", []string{"PostgreSQL does not answer at 127.0.0.1:1: connection refused"}},
		{"no such name", "postgres://u:hunter22@nowhere.invalid/x", []string{"PostgreSQL does not answer at nowhere.invalid:5432: "}},
		{"no socket", "postgres://u:hunter22@/x?host=/nowhere", []string{"PostgreSQL does not answer at /nowhere: no such file or directory"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			db, err := data.Open(t.Context(), row.url, data.Options{IDs: &rooms.IDs{}})
			if err == nil {
				_ = db.Close()
				t.Fatal("opened")
			}
			for _, part := range row.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "hunter22") {
				t.Errorf("the password is in %q", err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

func TestAWrongPasswordIsNotPrinted(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(datatest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("postgres", "hunter22") // gitleaks:allow
	_, err = data.Open(t.Context(), u.String(), data.Options{IDs: &rooms.IDs{}})
	if err == nil || strings.Contains(err.Error(), "hunter22") || err.Error() != fmt.Sprintf("PostgreSQL at %s refuses: password authentication failed for user \"postgres\"", u.Host) {
		t.Errorf("error %v", err)
	}
}

func TestADatabaseFileIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new folder", "per%20cent #1?.db")
	b := datatest.On(t, "sqlite:"+path)
	if err := b.DB.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, path + "-wal": 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

// urls are an empty database of each kind.
func urls(t *testing.T) map[string]func(*testing.T) string {
	t.Helper()
	return map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") },
		"postgres": func(t *testing.T) string { return datatest.Postgres(t) },
	}
}

func TestASchemaOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	for kind, fresh := range urls(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := datatest.On(t, fresh(t))
			if err := b.DB.Put(t.Context(), "kept"); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Raw(t).ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)"); err != nil {
				t.Fatal(err)
			}
			_, err := data.Open(t.Context(), b.URL, data.Options{IDs: b.IDs})
			if err == nil || !strings.Contains(err.Error(), "9999") || !strings.Contains(err.Error(), "newer program") {
				t.Errorf("error %v", err)
			}
			var n int
			if err := b.DB.Row(t.Context(), "SELECT COUNT(*) FROM sessions WHERE token = 'kept'").Scan(&n); err != nil || n != 1 {
				t.Errorf("what was there is not any more: %d, %v", n, err)
			}
		})
	}
}

func TestInstancesThatStartAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	for kind, fresh := range urls(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			url := fresh(t)
			var all sync.WaitGroup
			for n := range 4 {
				all.Go(func() {
					db, err := data.Open(t.Context(), url, data.Options{IDs: &rooms.IDs{}})
					if err != nil {
						t.Errorf("instance %d: %v", n, err)
						return
					}
					if err := db.Put(t.Context(), fmt.Sprint(n)); err != nil {
						t.Errorf("instance %d: %v", n, err)
					}
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			var applied, rows int
			raw := datatest.On(t, url).Raw(t)
			if err := raw.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM goose_db_version WHERE version_id = 1").Scan(&applied); err != nil {
				t.Fatal(err)
			}
			if err := raw.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sessions").Scan(&rows); err != nil {
				t.Fatal(err)
			}
			if applied != 1 || rows != 4 {
				t.Errorf("migrated %d times, %d of 4 instances wrote", applied, rows)
			}
		})
	}
}
