package tokens

import (
	"encoding/csv"
	"io"
	"strings"
)

// CSV writes a table for spreadsheets (RFC 4180): with a byte order mark, by
// which Excel knows UTF-8, and with every cell as text that nothing computes.
// Close it when the last row is written.
type CSV struct {
	to      io.Writer
	rows    *csv.Writer
	started bool
}

// NewCSV returns one that writes to w as rows come, and keeps none of them.
func NewCSV(w io.Writer) *CSV {
	rows := csv.NewWriter(w)
	rows.UseCRLF = true
	return &CSV{to: w, rows: rows}
}

const byteOrderMark = "\ufeff"

// Row writes one row.
func (c *CSV) Row(cells ...string) error {
	if !c.started {
		c.started = true
		if _, err := io.WriteString(c.to, byteOrderMark); err != nil {
			return err
		}
	}
	inert := make([]string, len(cells))
	for i, cell := range cells {
		inert[i] = inertCell(cell)
	}
	return c.rows.Write(inert)
}

// Close writes what is still held back. It does not close the writer below.
func (c *CSV) Close() error {
	c.rows.Flush()
	return c.rows.Error()
}

// inertCell puts an apostrophe before what a spreadsheet would take for a formula
// (OWASP, CSV Injection): at the beginning, and, where columns are told apart by
// another character than our comma, wherever a cell would begin there.
func inertCell(s string) string {
	if !strings.ContainsAny(s, formulas) {
		return s
	}
	var b strings.Builder
	begins := true
	for _, r := range s {
		if begins && strings.ContainsRune(formulas, r) {
			b.WriteByte('\'')
		}
		begins = strings.ContainsRune(";\t\r\n", r) || begins && r == ' '
		b.WriteRune(r)
	}
	return b.String()
}

// plainCell is a cell as it was before inertCell, but for what is within it.
func plainCell(s string) string {
	if rest, found := strings.CutPrefix(s, "'"); found && strings.IndexAny(rest, formulas) == 0 {
		return rest
	}
	return s
}

// formulas are the characters with which a formula begins, also in full width, and
// those that spreadsheets pass over before one.
const formulas = "=+-@\t\r\n＝＋－＠"
