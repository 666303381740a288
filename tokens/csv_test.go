package tokens_test

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"

	"admitone/tokens"
)

func written(t *testing.T, rows ...[]string) string {
	t.Helper()
	var b strings.Builder
	w := tokens.NewCSV(&b)
	for _, r := range rows {
		if err := w.Row(r...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestASpreadsheetComputesNothing(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"Ada": "Ada", "": "", "a-b": "a-b", "me@mail.example": "me@mail.example", "2026-11-22T10:00:00+01:00": "2026-11-22T10:00:00+01:00",
		"=1+1": "'=1+1", "+49 30": "'+49 30", "-5": "'-5", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t'=1", "\r=1": "''=1",
		" =1": " '=1", "＝1": "'＝1", `=HYPERLINK("http://x";"y")`: `'=HYPERLINK("http://x";"y")`,
		// Where the semicolon tells columns apart, as in much of Europe, a cell begins there too.
		"a;=1+1": "a;'=1+1", "a; @x": "a; '@x", "a;b": "a;b", "a\n=1": "a\n'=1",
	} {
		text, bom := strings.CutPrefix(written(t, []string{cell, "x"}), "\ufeff")
		if !bom {
			t.Errorf("%q: no byte order mark", cell)
		}
		got, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(got) != 1 || got[0][0] != want || got[0][1] != "x" {
			t.Errorf("%q became %q (%v), want %q", cell, got, err, want)
		}
	}
}

func TestATableReadsBackAsItWas(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"name", "email"}, {`Ada "the first", Lovelace`, "ada@mail.example"}, {"王小明", "a;b"}, {"two\nlines", ""}}
	text := strings.TrimPrefix(written(t, rows...), "\ufeff")
	if strings.Count(text, "\r\n") != 5 {
		t.Errorf("lines end otherwise than RFC 4180 says: %q", text)
	}
	got, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !slices.EqualFunc(got, rows, slices.Equal[[]string]) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAFailedWriteIsTold(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	w := tokens.NewCSV(broken{gone})
	if err := errors.Join(w.Row("a"), w.Close()); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }
