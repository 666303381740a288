package data

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
)

func TestWhatWasCommittedComesIntoTheFileBesideTheWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := Open(t.Context(), "sqlite:"+path, Options{IDs: &rooms.IDs{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, name := range []string{"first", "second"} {
		if err := db.Put(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(20 * time.Second)
		for !inFile(t, path, name) {
			if time.Now().After(until) {
				t.Fatalf("%q is in the log alone", name)
			}
		}
	}
}

// inFile tells whether the file without its log has the row.
func inFile(t *testing.T, path, name string) bool {
	t.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(copied, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+copied)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var n int
	// A copy made meanwhile may be torn; then the next one tells.
	return db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sessions WHERE token = ?", name).Scan(&n) == nil && n == 1
}

func TestTheLogStaysSmallUnderALoadThatNeverEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := Open(t.Context(), "sqlite:"+path, Options{IDs: &rooms.IDs{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const page = 4096
	for i := range 5 * checkpointPages / 500 {
		if err := db.Put(t.Context(), fmt.Sprint(i, strings.Repeat("x", 250*page))); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(checkpointPages+checkpointPages/2) * page; log.Size() > most {
		t.Errorf("the log has %d bytes, more than %d", log.Size(), most)
	}
}
