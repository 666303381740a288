package data

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"admitone/rooms"
)

// known wraps what the database could not do for reasons that pass into
// rooms.ErrUnavailable; all other errors stay as they are.
func known(err error) error {
	if err == nil || errors.Is(err, rooms.ErrUnavailable) {
		return err
	}
	if passing(err) {
		return fmt.Errorf("%w: %w", rooms.ErrUnavailable, told(err))
	}
	return err
}

func passing(err error) bool {
	var lite sqlite3.Error
	var pg *pgconn.PgError
	var wire net.Error
	switch {
	case errors.As(err, &lite):
		switch lite.Code { //nolint:exhaustive // the others are our own mistakes
		case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrReadonly,
			sqlite3.ErrCantOpen, sqlite3.ErrNomem, sqlite3.ErrProtocol:
			return true
		}
		return false
	case errors.As(err, &pg):
		// Classes of SQLSTATE: 08 connection, 40 rolled back, 53 resources, 55 lock,
		// 57 operator, 58 system; and 25006, a server that has become a stand-by.
		return len(pg.Code) == 5 && (strings.Contains("08 40 53 55 57 58", pg.Code[:2]) || pg.Code == "25006")
	case errors.Is(err, context.Canceled):
		return false
	}
	var connect *pgconn.ConnectError
	return errors.Is(err, errClosed) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &wire) || errors.As(err, &connect) || strings.Contains(err.Error(), "unexpected EOF") ||
		strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "sql: database is closed")
}

// crossed tells that a transaction was undone for another's sake, and may do well
// when it runs again.
func crossed(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}

// duplicate tells which unique key an insert ran into: part of the
// constraint's or column's name.
func duplicate(err error, key string) bool {
	var lite sqlite3.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lite):
		return lite.Code == sqlite3.ErrConstraint && strings.Contains(lite.Error(), key) &&
			(lite.ExtendedCode == sqlite3.ErrConstraintUnique || lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey || lite.ExtendedCode == sqlite3.ErrConstraintRowID)
	case errors.As(err, &pg):
		// rooms.slug in SQLite is rooms_slug_key in PostgreSQL; rooms.id is rooms_pkey.
		name := strings.NewReplacer(".id", "_pkey", ".", "_").Replace(key)
		return pg.Code == "23505" && strings.HasPrefix(pg.ConstraintName, name)
	}
	return false
}
