package tokens

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"

	"admitone/rooms"
)

// GuestList is a table of guests as people keep it: pasted from a spreadsheet, or
// a CSV file of one.
type GuestList struct {
	// Columns are the members of an invitation that the columns stand for, each
	// once at most, or givenName and familyName, which make the name together;
	// empty where a column is not used.
	Columns []string
	// Unused are the headings, or numbers, of the columns that are not used.
	Unused []string
	heads  []string // both, above all columns that hold something
	Rows   []GuestRow
	// Text is all of the list in UTF-8, as a form can carry it: what was broken
	// before is broken in it too.
	Text string
}

// GuestRow is one row of a list. Its draft is what could be read of it.
type GuestRow struct {
	Line  int      // of the text, from 1
	Cells []string // as in the list, without line breaks
	Draft Draft
	Err   error // rooms.Invalid for each cell that cannot be read, or nil

	unread [][]string // the rows of the list that this one swallowed, by lines
}

// MaxGuestList is how long a list may be, in bytes.
const MaxGuestList = 8 << 20

const maxColumns = 200

// The refusals of a whole list.
var (
	ErrListEmpty    = rooms.Invalid{Field: "invitations", Detail: "are none"}
	ErrListTooLarge = rooms.Invalid{Field: "invitations", Detail: "are more than 8 MiB"}
	ErrListColumns  = rooms.Invalid{Field: "invitations", Detail: "have more than 200 columns"}
	ErrListEncoding = rooms.Invalid{Field: "invitations", Detail: "are in no encoding that can be read: save the list as “CSV UTF-8”"}
)

// Reading is how a list is understood.
type Reading struct {
	// Zone is that of times without an offset, which are refused where it is nil.
	Zone *time.Location
	// Shown says that somebody looks at what was understood before it counts: roles
	// are read in six languages then, and are guest and host alone else.
	Shown bool
}

// ReadGuestList reads a table with columns told apart by commas, semicolons or
// tabs, in UTF-8 or UTF-16. A first row of headings is needed but where there are
// only names and addresses. Empty rows are passed over. A list that cannot be read
// at all, or of more than MaxBatch rows, is refused with rooms.Invalid; what is
// wrong with a row is in that row.
func ReadGuestList(raw []byte, how Reading) (GuestList, error) {
	text, err := decoded(raw)
	if err != nil {
		return GuestList{}, err
	}
	if len(text) > MaxGuestList {
		return GuestList{}, ErrListTooLarge
	}
	records, err := records(text)
	if err != nil {
		return GuestList{}, err
	}
	if len(records) == 0 {
		return GuestList{}, ErrListEmpty
	}
	records = untitled(records)
	l := GuestList{Columns: headings(records[0].Cells)}
	headed := l.Columns != nil
	if !headed {
		l.Columns, headed = guessed(records)
	}
	l.nameUnused(records, headed)
	if headed {
		records = records[1:]
	}
	if l.isRest() { // what was wrong with a row that was taken out is no guest
		records = slices.DeleteFunc(records, func(r GuestRow) bool { return r.Err == nil && blank(r.Cells[1:]) })
	}
	switch {
	case len(records) == 0:
		return GuestList{}, ErrListEmpty
	case len(records) > MaxBatch:
		return GuestList{}, ErrListTooLong
	}
	for i := range records {
		l.read(&records[i], how)
	}
	l.Rows = records
	l.Text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\ufffd"), "\ufffd")
	return l, nil
}

// Strict refuses, with rooms.Invalid, a list with columns that are not used: what
// nobody looks at should say nothing that nobody reads.
func (l GuestList) Strict() error {
	var errs []error
	for _, name := range l.Unused {
		errs = append(errs, rooms.Invalid{Field: name, Detail: "is no column of a guest list, which are name, email, role, expires_in, expires_at, not_before, max_uses, pin, external_id and locale"})
	}
	return errors.Join(errs...)
}

// decoded is the text in UTF-8 without its byte order mark. UTF-16 without one is
// known by its zero bytes, of which UTF-8 has none.
func decoded(raw []byte) (string, error) {
	order, wide := unicode.LittleEndian, false
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		wide = true
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		order, wide = unicode.BigEndian, true
	case len(raw)%2 == 0 && bytes.IndexByte(raw, 0) >= 0:
		zeros := [2]int{}
		for i, b := range raw {
			if b == 0 {
				zeros[i%2]++
			}
		}
		// Line ends, spaces and Latin letters have theirs on one side.
		wide = max(zeros[0], zeros[1]) > 8*min(zeros[0], zeros[1]) && max(zeros[0], zeros[1]) > len(raw)/20
		if zeros[0] > zeros[1] {
			order = unicode.BigEndian
		}
	}
	if !wide {
		return strings.TrimPrefix(string(raw), byteOrderMark), nil
	}
	if len(raw)%2 != 0 {
		return "", ErrListEncoding
	}
	text, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(raw)
	if err != nil {
		return "", ErrListEncoding
	}
	return string(text), nil
}

// records takes a text apart into rows that are not empty.
func records(text string) (all []GuestRow, err error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n") // as an old Macintosh ends lines
	}
	comma := separator(text)
	for line := range strings.Lines(text) {
		if strings.Count(line, string(comma)) >= maxColumns && outside(line, comma) >= maxColumns {
			return nil, ErrListColumns
		}
	}
	all = make([]GuestRow, 0, min(strings.Count(text, "\n")+1, MaxBatch+2))
	r := reader(text, comma)
	for line, from := 1, int64(0); ; {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		to := r.InputOffset()
		piece := text[from:to]
		if line := strings.TrimSpace(piece); err != nil && !strings.Contains(line, "\n") && strings.Count(line, `"`)%2 == 0 || errors.Is(err, csv.ErrBareQuote) {
			cells, err = loose(piece, comma)
		}
		if len(cells) > maxColumns { // with line breaks in them
			return nil, ErrListColumns
		}
		row := GuestRow{Line: line + strings.Count(piece, "\n") - strings.Count(strings.TrimLeft(piece, "\n"), "\n"), Cells: cells}
		if err != nil {
			row.Err = rooms.Invalid{Field: "", Detail: "has quotation marks that do not match; what follows up to the next one is not read"}
			row.Cells, row.unread = []string{firstLine(strings.TrimLeft(piece, "\n"))}, lined(piece, comma)
		}
		row.unbroken()
		line, from = line+strings.Count(piece, "\n"), to
		if err != nil || !blank(cells) {
			all = append(all, row)
		}
		if len(all) > MaxBatch+1 {
			return nil, ErrListTooLong
		}
	}
}

func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
}

func reader(text string, comma rune) *csv.Reader {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = comma, -1
	return r
}

// loose reads one row with quotation marks in the midst of a cell, as spreadsheets
// leave them in what they put on the clipboard.
func loose(piece string, comma rune) ([]string, error) {
	r := reader(piece, comma)
	r.LazyQuotes = true
	return r.Read()
}

// lined are the lines of a piece that cannot be read together, each by itself.
func lined(piece string, comma rune) (rows [][]string) {
	for line := range strings.Lines(strings.Trim(piece, "\n")) {
		if cells, err := loose(strings.TrimSuffix(line, "\n"), comma); err == nil && len(cells) <= maxColumns {
			rows = append(rows, cells)
		}
	}
	return rows
}

// unbroken puts a space in the place of a line break in a cell.
func (r *GuestRow) unbroken() {
	for i, c := range r.Cells {
		if strings.ContainsAny(c, "\r\n") {
			r.Cells[i] = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ").Replace(c)
		}
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	for len(line) > 200 || !utf8.ValidString(line) && line != "" {
		_, n := utf8.DecodeLastRuneInString(line)
		line = line[:len(line)-n]
	}
	return line
}

// separator is what tells the columns apart: of those that make headings of the
// first row the one that makes the most, else the first that is in every row,
// else the one that is there most often.
func separator(text string) rune {
	candidates := []rune{'\t', ';', ','}
	first, most := ',', 0
	for _, c := range candidates {
		cells, err := loose(strings.TrimLeft(text, "\n"), c)
		if n := known(headings(cells)); err == nil && n > most {
			first, most = c, n
		}
	}
	if most > 0 {
		return first
	}
	least, sum := [3]int{1 << 30, 1 << 30, 1 << 30}, [3]int{}
	lines := 0
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if lines++; lines > 50 {
			break
		}
		for i, c := range candidates {
			n := outside(line, c)
			least[i], sum[i] = min(least[i], n), sum[i]+n
		}
	}
	for i, c := range candidates {
		if lines > 0 && least[i] > 0 {
			return c
		}
	}
	for i, c := range candidates {
		if sum[i] > 0 && sum[i] == max(sum[0], sum[1], sum[2]) {
			return c
		}
	}
	return ','
}

// outside counts a character that is not within quotation marks.
func outside(line string, c rune) (n int) {
	quoted := false
	for _, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
		case r == c && !quoted:
			n++
		}
	}
	return n
}
