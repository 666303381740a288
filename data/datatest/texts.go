package datatest

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
)

// Texts is all text in the whole database, in lower case, by "table.column".
func (b *Bench) Texts(t testing.TB) map[string]string {
	t.Helper()
	raw := b.Raw(t)
	query := `SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND p.type <> 'BIGINT' AND p.type <> 'INTEGER'`
	if b.DB.Kind() == "postgres" {
		query = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type <> 'bigint'`
	}
	columns := rowsOf(t, raw, query, 2)
	if len(columns) < 50 {
		t.Fatalf("only these columns were found: %v", columns)
	}
	all := map[string]string{}
	for _, c := range columns {
		var text strings.Builder
		for _, row := range rowsOf(t, raw, `SELECT COALESCE(CAST(`+c[1]+` AS TEXT), '') FROM `+c[0], 1) {
			text.WriteString(row[0] + "\n")
		}
		all[strings.Join(c, ".")] = strings.ToLower(text.String())
	}
	return all
}

// Holding are the columns in the whole database that hold the text, in any case,
// as "table.column".
func (b *Bench) Holding(t testing.TB, text string) (found []string) {
	t.Helper()
	for column, all := range b.Texts(t) {
		if strings.Contains(all, strings.ToLower(text)) {
			found = append(found, column)
		}
	}
	slices.Sort(found)
	return found
}

// rowsOf are the rows of a query that gives so many texts.
func rowsOf(t testing.TB, raw *sql.DB, query string, width int) (all [][]string) {
	t.Helper()
	rows, err := raw.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		row, into := make([]string, width), make([]any, width)
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
