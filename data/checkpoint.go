package data

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// checkpointer copies what was committed from SQLite's write-ahead log into the
// file, beside the writer, so that no change waits for it. Once it has caught up
// with the writer, the log begins anew.
type checkpointer struct {
	on      *sql.DB
	pace    time.Duration
	written <-chan struct{} // something was committed since
	stop    chan struct{}
	done    chan struct{}
}

// How often that is at most, and of how many pages (64 MiB) the writer does it
// itself, which under a load that never ends keeps the log from growing: mostly
// little is left to copy by then.
const (
	checkpointPace  = time.Second
	checkpointPages = 16000
)

func newCheckpointer(on *sql.DB, pace time.Duration, written <-chan struct{}) *checkpointer {
	c := &checkpointer{on: on, pace: pace, written: written, stop: make(chan struct{}), done: make(chan struct{})}
	go c.run()
	return c
}

func (c *checkpointer) run() {
	defer close(c.done)
	for {
		select {
		case <-c.written:
		case <-c.stop:
			return
		}
		c.copy()
		select {
		case <-time.After(c.pace):
		case <-c.stop:
			return
		}
	}
}

// copy fails where the disk does. Then the writer, which finds that out too, says so.
func (c *checkpointer) copy() {
	_, _ = c.on.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
}

// close ends it once a copy that goes on is complete. What is left in the log is
// copied when the last connection is closed.
func (c *checkpointer) close() error {
	close(c.stop)
	<-c.done
	return nil
}

// checkpointLate has the writer copy no sooner than at checkpointPages.
func checkpointLate(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, fmt.Sprint("PRAGMA wal_autocheckpoint=", checkpointPages))
	return err
}
