package data

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"

	"admitone/rooms"
)

func lite(t *testing.T, o Options) *DB {
	t.Helper()
	o.IDs = &rooms.IDs{}
	db, err := Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "test.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// One test has closed the writer before; then there is nothing to say.
		if err := db.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
			t.Error(err)
		}
	})
	return db
}

// add is a change that leaves one row of that name.
func add(name string) func(*tx) error {
	return func(t *tx) error {
		_, err := t.exec(`INSERT INTO sessions (token, content, expires_at) VALUES ($1, '', 0)`, name)
		return err
	}
}

func names(t *testing.T, db *DB) []string {
	t.Helper()
	all, err := list(context.Background(), db, func(row rowScanner) (s string, err error) { return s, row.Scan(&s) }, `SELECT token FROM sessions ORDER BY token`)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// commits counts the writer's commits that change something.
func commits(t *testing.T, db *DB) *atomic.Int32 {
	t.Helper()
	var n atomic.Int32
	err := db.writer.conn.Raw(func(c any) error {
		c.(*sqlite3.SQLiteConn).RegisterCommitHook(func() int { n.Add(1); return 0 })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return &n
}

type outcome struct {
	err   error
	panic any
}

// crowd queues all changes while the writer is held up by one that changes
// nothing, and returns how each ended. meanwhile runs when all are queued.
func crowd(db *DB, meanwhile func(), changes ...func(*tx) error) []outcome {
	held, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_ = db.write(context.Background(), func(*tx) error { close(held); <-release; return nil })
	})
	<-held
	out := make([]outcome, len(changes))
	for i, change := range changes {
		all.Go(func() {
			defer func() { out[i].panic = recover() }()
			out[i].err = db.write(context.Background(), change)
		})
	}
	for len(db.writer.queue) < len(changes) {
		runtime.Gosched()
	}
	if meanwhile != nil {
		meanwhile()
	}
	close(release)
	all.Wait()
	return out
}

func eachGrouping(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Helper()
	for name, ungrouped := range map[string]bool{"grouped": false, "ungrouped": true} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, lite(t, Options{Ungrouped: ungrouped})) })
	}
}

func TestOneFailingChangeFailsAlone(t *testing.T) {
	t.Parallel()
	eachGrouping(t, func(t *testing.T, db *DB) {
		errMine := errors.New("mine")
		if err := db.write(t.Context(), add("taken")); err != nil {
			t.Fatal(err)
		}
		out := crowd(db, nil,
			add("before"),
			func(x *tx) error { _ = add("half done")(x); return errMine },
			func(x *tx) error { _ = add("half panicked")(x); panic("at the disco") },
			add("between"),
			func(x *tx) error { _, err := x.exec(`INSERT INTO nowhere VALUES ($1)`, 1); return err },
			add("taken"),
			func(x *tx) error { _ = add("again")(x); return add("again")(x) },
			add("after"),
		)
		for i, fails := range []bool{false, true, false, false, true, true, true, false} {
			if (out[i].err != nil) != fails {
				t.Errorf("change %d: error %v", i, out[i].err)
			}
			want := any(nil)
			if i == 2 {
				want = "at the disco"
			}
			if out[i].panic != want {
				t.Errorf("change %d panicked with %v, want %v", i, out[i].panic, want)
			}
		}
		if !errors.Is(out[1].err, errMine) {
			t.Errorf("a change's own error came back as %v", out[1].err)
		}
		if got, want := names(t, db), []string{"after", "before", "between", "taken"}; !slices.Equal(got, want) {
			t.Errorf("kept %q, want %q", got, want)
		}
		if err := db.write(t.Context(), add("later")); err != nil {
			t.Errorf("the writer did not go on: %v", err)
		}
	})
}

func TestAFailedCommitFailsItsWholeGroup(t *testing.T) {
	t.Parallel()
	db := lite(t, Options{})
	out := crowd(db, nil, add("first"), func(x *tx) error {
		if _, err := x.exec("PRAGMA defer_foreign_keys = ON"); err != nil {
			return err
		}
		_, err := x.exec(`INSERT INTO admissions (id, invitation_id, nonce, room_id, role, name, browser, created_at, ended_at) VALUES (1, 404, '', 0, '', '', '', 0, 0)`)
		return err
	}, add("last"))
	for i, o := range out {
		if o.err == nil {
			t.Errorf("change %d was acknowledged by a commit that failed", i)
		}
	}
	if got := names(t, db); got != nil {
		t.Errorf("kept %q", got)
	}
	if err := db.write(t.Context(), add("later")); err != nil {
		t.Errorf("the writer did not go on: %v", err)
	}
}

func TestACrowdSharesItsCommits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		ungrouped bool
		crowd     int
		want      int32
	}{
		{"two hundred, one commit", false, 200, 1},
		{"more than a group, two commits", false, groupSize + 1, 2},
		{"ungrouped, a commit each", true, 200, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			db := lite(t, Options{Ungrouped: row.ungrouped})
			n := commits(t, db)
			var changes []func(*tx) error
			for i := range row.crowd {
				changes = append(changes, add(fmt.Sprint(i)))
			}
			for i, o := range crowd(db, nil, changes...) {
				if o.err != nil {
					t.Errorf("change %d: %v", i, o.err)
				}
			}
			if got := n.Load() - 1; got != row.want { // one was that of the change that held them up
				t.Errorf("%d commits, want %d", got, row.want)
			}
			if got := len(names(t, db)); got != row.crowd {
				t.Errorf("%d rows, want %d", got, row.crowd)
			}
		})
	}
}

func TestALoneWriteWaitsForNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// In here time only passes when everybody waits for it.
		db := lite(t, Options{})
		n := commits(t, db)
		began := time.Now()
		for i := range 5 {
			err := db.write(t.Context(), func(x *tx) error {
				if _, err := x.exec("RELEASE change"); err == nil {
					t.Error("a lone change ran in a savepoint")
				}
				return add(fmt.Sprint(i))(x)
			})
			if err != nil {
				t.Error(err)
			}
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %s for a timer", waited)
		}
		if got := n.Load(); got != 5 {
			t.Errorf("%d commits for 5 writes, one after the other", got)
		}
	})
}

func TestCancellationCountsUntilAChangeIsQueued(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		db := lite(t, Options{})
		err := db.write(cancelled, func(*tx) error { t.Error("a cancelled change ran"); return nil })
		if !errors.Is(err, context.Canceled) || errors.Is(err, rooms.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("while there is no place in the queue", func(t *testing.T) {
		t.Parallel()
		full := &batcher{queue: make(chan *change)}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- full.do(ctx, func(*tx) error { return nil }) }()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("after", func(t *testing.T) {
		t.Parallel()
		db := lite(t, Options{})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var mine error
		var all sync.WaitGroup
		crowd(db, func() {
			all.Go(func() { mine = db.write(ctx, add("queued")) })
			for len(db.writer.queue) < 1 {
				runtime.Gosched()
			}
			cancel()
		})
		all.Wait()
		if mine != nil {
			t.Errorf("a queued change failed when its caller left: %v", mine)
		}
		if got := names(t, db); !slices.Equal(got, []string{"queued"}) {
			t.Errorf("kept %q", got)
		}
	})
}

func TestCloseCommitsWhatIsQueued(t *testing.T) {
	t.Parallel()
	eachGrouping(t, func(t *testing.T, db *DB) {
		n := commits(t, db)
		closed := make(chan error, 1)
		out := crowd(db, func() {
			go func() { closed <- db.writer.close() }()
			for isClosed := false; !isClosed; runtime.Gosched() {
				db.writer.mu.Lock()
				isClosed = db.writer.closed
				db.writer.mu.Unlock()
			}
		}, add("one"), add("two"), add("three"))
		for i, o := range out {
			if o.err != nil {
				t.Errorf("queued change %d: %v", i, o.err)
			}
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if n.Load() == 0 {
			t.Error("nothing was committed")
		}
		if got := names(t, db); len(got) != 3 {
			t.Errorf("kept %q", got)
		}
		err := db.write(t.Context(), func(*tx) error { t.Error("a change ran after the end"); return nil })
		if !errors.Is(err, rooms.ErrUnavailable) || !strings.Contains(err.Error(), "closed") {
			t.Errorf("error %v", err)
		}
	})
}
