package data

import (
	"context"
	"time"
)

// Ahead is by how much the clock that now tells is ahead of PostgreSQL's own:
// negative where it is behind, and 0 on SQLite, which has none. Nothing is decided
// by PostgreSQL's clock but how fast instances together deliver; yet those that share
// it should agree.
func (db *DB) Ahead(ctx context.Context, now func() time.Time) (time.Duration, error) {
	if db.lite {
		return 0, nil
	}
	if err := db.sql.PingContext(ctx); err != nil { // so that connecting takes no part of what is measured
		return 0, known(err)
	}
	var there int64
	before := now()
	err := db.row(ctx, `SELECT CAST(EXTRACT(EPOCH FROM CLOCK_TIMESTAMP()) * 1000 AS BIGINT)`).Scan(&there)
	here := before.Add(now().Sub(before) / 2)
	return here.Sub(time.UnixMilli(there)), known(err)
}
