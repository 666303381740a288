package data_test

import (
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"admitone/data/datatest"
)

// noneLooksThroughAll holds statements to SQLite's plans of them: none reads all of
// a table that has a row for each thing that ever happened. A partial index is as
// small as its condition.
func noneLooksThroughAll(t *testing.T, statements []string) {
	t.Helper()
	raw := datatest.SQLite(t).Raw(t)
	partial := texts(t, raw, `SELECT i.name FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.partial = 1`)
	scan := regexp.MustCompile(`^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?$`)
	value := regexp.MustCompile(`\?\d+`)
	for _, statement := range statements {
		statement = strings.Join(strings.Fields(statement), " ")
		highest := 0
		for _, v := range value.FindAllString(statement, -1) {
			n, err := strconv.Atoi(v[1:])
			if err != nil {
				t.Fatal(err)
			}
			highest = max(highest, n)
		}
		for _, step := range texts(t, raw, `EXPLAIN QUERY PLAN `+statement, make([]any, highest)...) {
			found := scan.FindStringSubmatch(step)
			if found == nil || slices.Contains(partial, found[2]) {
				continue
			}
			for _, table := range []string{"rooms", "invitations", "admissions", "events", "requests", "moves", "presence", "deliveries", "batches", "sessions"} {
				if table == found[1] || strings.Contains(statement, table+" "+found[1]+" ") {
					t.Errorf("%s:\n%s", step, statement)
				}
			}
		}
	}
}

// texts is the last column of each row.
func texts(t *testing.T, raw *sql.DB, query string, args ...any) (out []string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // which ends before the test cleans up
	rows, err := raw.QueryContext(ctx, query, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, query)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		into, text := make([]any, len(columns)), ""
		for i := range into {
			into[i] = new(any)
		}
		into[len(into)-1] = &text
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
