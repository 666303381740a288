package data

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrator knows all migrations. They run one instance at a time: under an
// advisory lock on PostgreSQL; on SQLite each under the file's write lock.
func migrator(db *sql.DB, lite bool) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	dialect, options := goose.DialectPostgres, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if lite {
		dialect, files = goose.DialectSQLite3, liteFS{files}
	} else {
		// Asking every second, for five minutes: an instance that starts beside another soon goes on.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(dialect, db, files, options...)
}

// migrate brings the schema up to date. It refuses one that a newer program made.
func migrate(ctx context.Context, db *sql.DB, lite bool) error {
	p, err := migrator(db, lite)
	if err != nil {
		return err
	}
	for before := int64(-1); ; {
		is, newest, err := p.GetVersions(ctx)
		if err != nil {
			return err
		}
		if is > newest {
			return fmt.Errorf("the database has schema %d, and this program knows none above %d: use the newer program", is, newest)
		}
		_, err = p.Up(ctx)
		if err == nil || !lite || is == before {
			return err
		}
		// On SQLite another process may have migrated between our look and our
		// turn: look again, as long as that leads on.
		before = is
	}
}
