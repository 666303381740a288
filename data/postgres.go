package data

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
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
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(32)
	pool.SetMaxIdleConns(32)
	if err := migrate(ctx, pool, false); err != nil {
		return nil, errors.Join(fmt.Errorf("PostgreSQL: %w", err), pool.Close())
	}
	if err := durableCommits(ctx, pool); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &DB{sql: pool, close: []func() error{pool.Close}}, nil
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
