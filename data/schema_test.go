package data_test

import (
	"reflect"
	"testing"

	"admitone/data/datatest"
)

// columns is every table's columns in order, with SQLite's names of types.
func columns(t *testing.T, b *datatest.Bench) map[string][]string {
	t.Helper()
	query := `SELECT m.name, p.name, p.type FROM sqlite_master m JOIN pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose%' ORDER BY m.name, p.cid`
	if b.DB.Kind() == "postgres" {
		query = `SELECT table_name, column_name, UPPER(data_type) FROM information_schema.columns
			WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%' ORDER BY table_name, ordinal_position`
	}
	rows, err := b.Raw(t).QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string][]string{}
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		if kind == "INTEGER" {
			kind = "BIGINT" // the row's own number, in SQLite
		}
		out[table] = append(out[table], column+" "+kind)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBothDatabasesHaveOneSchema(t *testing.T) {
	t.Parallel()
	lite, pg := columns(t, datatest.SQLite(t)), columns(t, datatest.On(t, datatest.Postgres(t)))
	if !reflect.DeepEqual(lite, pg) {
		t.Errorf("SQLite\n%v\nPostgreSQL\n%v", lite, pg)
	}
	if len(lite) < 8 {
		t.Errorf("only these tables were compared: %v", lite)
	}
}

func TestInSQLiteAnIDIsTheRowsOwnNumber(t *testing.T) {
	t.Parallel()
	raw := datatest.SQLite(t).Raw(t)
	for _, table := range []string{"rooms", "invitations", "admissions", "events"} {
		var kind string
		var indices int
		if err := raw.QueryRowContext(t.Context(), "SELECT type FROM pragma_table_info($1) WHERE pk = 1 AND name = 'id'", table).Scan(&kind); err != nil {
			t.Fatal(err)
		}
		// A primary key that is no alias of the row's number has an index of its own.
		if err := raw.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM pragma_index_list($1) WHERE origin = 'pk'", table).Scan(&indices); err != nil {
			t.Fatal(err)
		}
		if kind != "INTEGER" || indices != 0 {
			t.Errorf("%s.id is %s with %d indices", table, kind, indices)
		}
	}
}

func TestPlaceholdersNameTheirValue(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		args := []any{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}
		var got string
		err := b.DB.Row(t.Context(), `SELECT CAST($11 AS TEXT) || $10 || $2 || $1 || $9 || $3 || $8 || $4 || $7 || $5 || $6 || $1`, args...).Scan(&got)
		if err != nil || got != "kjbaichdgefa" {
			t.Errorf("%q, %v", got, err)
		}
	})
}
