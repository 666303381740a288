package data

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPostgres opens a pool whose commits are durable whatever the server's
// own default is.
func openPostgres(ctx context.Context, url string) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The parser's error quotes the URL, which holds a password.
		return nil, errors.New("is no PostgreSQL URL that can be read")
	}
	config.RuntimeParams["synchronous_commit"] = "on"
	config.RuntimeParams["application_name"] = "admitone"
	config.RuntimeParams["lock_timeout"] = "5000"
	// As where nothing waits for a disk's arm: otherwise an index that holds all that a
	// list looks through is passed over for the rows themselves.
	config.RuntimeParams["random_page_cost"] = "1.1"
	// To compile a statement takes longer than any of ours runs.
	config.RuntimeParams["jit"] = "off"
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(32)
	pool.SetMaxIdleConns(32)
	if err := migrate(ctx, pool, false); err != nil {
		return nil, errors.Join(told(err), pool.Close())
	}
	if err := durableCommits(ctx, pool); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &DB{sql: pool, close: []func() error{pool.Close}}, nil
}

// unreached is a failure to connect, told in one sentence: the driver's own text
// has a line for each try, with the user and the database.
type unreached struct {
	says string
	error
}

func (u unreached) Error() string { return u.says }
func (u unreached) Unwrap() error { return u.error }

// told makes a failure to connect unreached; all other errors stay as they are.
func told(err error) error {
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) {
		return err
	}
	at := connect.Config.Host
	if !strings.HasPrefix(at, "/") { // a folder with a socket
		at = net.JoinHostPort(at, strconv.Itoa(int(connect.Config.Port)))
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return unreached{"PostgreSQL at " + at + " refuses: " + answer.Message, err}
	}
	why, _, _ := strings.Cut(errors.Unwrap(connect).Error(), "\n")
	var no syscall.Errno
	var name *net.DNSError
	var wire net.Error
	switch {
	case errors.As(err, &no):
		why = no.Error()
	case errors.As(err, &name):
		why = name.Err
	case errors.As(err, &wire) && wire.Timeout():
		why = "it takes too long"
	}
	return unreached{"PostgreSQL does not answer at " + at + ": " + why, err}
}

// durableCommits reads back that a commit waits for the disk.
func durableCommits(ctx context.Context, pool *sql.DB) error {
	for name, want := range map[string]string{"synchronous_commit": "on", "fsync": "on"} {
		var is string
		if err := pool.QueryRowContext(ctx, "SELECT current_setting($1)", name).Scan(&is); err != nil {
			return err
		}
		if is != want {
			return fmt.Errorf("PostgreSQL runs with %s=%s: commits might be lost with the power", name, is)
		}
	}
	return nil
}
