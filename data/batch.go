package data

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// batcher is the one writer of a SQLite file. It commits in groups: while one
// commit waits for the disk, changes queue; then all that queued run, each in a
// savepoint, and share the next commit. Nobody waits for a timer, so a lone
// caller pays for one commit, and a crowd pays for one together.
//
// The idea is that of bbolt's DB.Batch; unlike there, no change is run twice.
type batcher struct {
	conn  *sql.Conn
	most  int // changes in one commit
	queue chan *change
	done  chan struct{}

	mu     sync.RWMutex // held for reading while queueing, for writing to close
	closed bool
}

type change struct {
	fn    func(*tx) error
	err   error
	done  chan struct{}
	panic any
}

// A queue longer than a group lets the next group gather while one commits.
const (
	groupSize = 512
	queueSize = 4096
)

func newBatcher(conn *sql.Conn, most int) *batcher {
	b := &batcher{conn: conn, most: most, queue: make(chan *change, queueSize), done: make(chan struct{})}
	go b.run()
	return b
}

// do queues the change and waits until it is committed or has failed.
func (b *batcher) do(ctx context.Context, fn func(*tx) error) error {
	c := &change{fn: fn, done: make(chan struct{})}
	if err := b.enqueue(ctx, c); err != nil {
		return err
	}
	<-c.done
	if c.panic != nil {
		panic(c.panic)
	}
	return c.err
}

func (b *batcher) enqueue(ctx context.Context, c *change) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return errClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case b.queue <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errClosed = errors.New("the database is closed")

// close commits what is queued, then stops.
func (b *batcher) close() error {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		close(b.queue)
	}
	b.mu.Unlock()
	<-b.done
	return b.conn.Close()
}

func (b *batcher) run() {
	defer close(b.done)
	group := make([]*change, 0, b.most)
	for first := range b.queue {
		group = append(group[:0], first)
	gather:
		for len(group) < b.most {
			select {
			case c, ok := <-b.queue:
				if !ok {
					break gather
				}
				group = append(group, c)
			default:
				break gather
			}
		}
		b.commit(group)
		for i, c := range group {
			close(c.done)
			group[i] = nil
		}
	}
}

// commit runs the group in one transaction. A change that fails is undone
// alone; a failure of the transaction itself fails them all.
func (b *batcher) commit(group []*change) {
	ctx := context.Background()
	err := b.plain(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		for _, c := range group {
			if err = b.apply(ctx, c, len(group) > 1); err != nil {
				break
			}
		}
		if err == nil {
			err = b.plain(ctx, "COMMIT")
		}
		if err != nil {
			// The outcome of a failed commit is a rollback; when SQLite has done
			// that itself already, this says so and no more.
			_ = b.plain(ctx, "ROLLBACK")
		}
	}
	if err != nil {
		for _, c := range group {
			if c.err == nil && c.panic == nil {
				c.err = err
			}
		}
	}
}

// apply runs one change. Its own failure is put into the change; the error that
// apply returns means that the transaction as a whole is lost.
func (b *batcher) apply(ctx context.Context, c *change, several bool) error {
	if several {
		if err := b.plain(ctx, "SAVEPOINT change"); err != nil {
			return err
		}
	}
	b.guard(ctx, c)
	failed := c.err != nil || c.panic != nil
	if !several {
		if failed {
			return errUndone
		}
		return nil
	}
	if failed {
		if err := b.plain(ctx, "ROLLBACK TO change"); err != nil {
			return fmt.Errorf("%w, and its savepoint is gone: %w", c.err, err)
		}
	}
	return b.plain(ctx, "RELEASE change")
}

var errUndone = errors.New("undone")

// guard keeps a panic in one change from taking the others with it; do raises
// it again where it belongs.
func (b *batcher) guard(ctx context.Context, c *change) {
	defer func() {
		if p := recover(); p != nil {
			c.panic = p
		}
	}()
	c.err = c.fn(&tx{ctx: ctx, on: b.conn, lite: true})
}

func (b *batcher) plain(ctx context.Context, statement string) error {
	_, err := b.conn.ExecContext(ctx, statement)
	return err
}
