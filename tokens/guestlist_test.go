package tokens_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"admitone/rooms"
	"admitone/tokens"
)

func wide(text string, big, mark bool) string {
	if mark {
		text = "\ufeff" + text
	}
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		if big {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

func TestAListIsReadInEveryDialect(t *testing.T) {
	t.Parallel()
	const ada, zhang = "Ada Lovelace|ada@mail.example", "张伟|zhang@mail.example"
	plain := "name,email\nAda Lovelace,ada@mail.example\n张伟,zhang@mail.example\n"
	for name, text := range map[string]string{
		"commas":                       plain,
		"semicolons":                   strings.ReplaceAll(plain, ",", ";"),
		"tabs":                         strings.ReplaceAll(plain, ",", "\t"),
		"CRLF":                         strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR":                           strings.ReplaceAll(plain, "\n", "\r"),
		"no line end at the end":       strings.TrimSuffix(plain, "\n"),
		"UTF-8 with its mark":          "\ufeff" + plain,
		"UTF-16 little-endian":         wide(plain, false, true),
		"UTF-16 big-endian":            wide(plain, true, true),
		"UTF-16 without a mark":        wide(plain, false, false),
		"UTF-16 big without a mark":    wide(plain, true, false),
		"UTF-16 with tabs, as Excel's": wide(strings.ReplaceAll(plain, ",", "\t"), false, true),
		"quoted":                       "\"name\",\"email\"\n\"Ada Lovelace\",\"ada@mail.example\"\n\"张伟\",\"zhang@mail.example\"",
		"a quoted line break":          "name,email\n\"Ada\nLovelace\",ada@mail.example\n张伟,zhang@mail.example",
		"a quoted CRLF":                "name,email\r\n\"Ada\r\nLovelace\",ada@mail.example\r\n张伟,zhang@mail.example",
		"empty rows":                   "\n\nname,email\n,\nAda Lovelace,ada@mail.example\n\n  ,\t\n张伟,zhang@mail.example\n,,\n",
		"other order, other headings":  "E-Mail;Telefon;Full name\nada@mail.example;1;Ada Lovelace\nzhang@mail.example;2;张伟",
		"Chinese headings":             "姓名,邮箱\nAda Lovelace,ada@mail.example\n张伟,zhang@mail.example",
		"halves of names":              "First name,Last name,E-mail\nAda,Lovelace,ada@mail.example\n伟,张,zhang@mail.example",
		"German halves":                "Nachname;Vorname;E-Mail-Adresse\nLovelace;Ada;ada@mail.example\n张;伟;zhang@mail.example",
		"both halves in one heading":   "Firma;Vorname Nachname;E-Mail\nX;Ada Lovelace;ada@mail.example\nY;张伟;zhang@mail.example",
		"a family's name as the name":  "Name;Vorname;E-Mail\nLovelace;Ada;ada@mail.example\n张;伟;zhang@mail.example",
		"a whole name and its half":    "Name;Vorname;E-Mail\nAda Lovelace;Ada;ada@mail.example\n张伟;伟;zhang@mail.example",
		"a title above":                "Guests of our autumn meeting;;\n\nName;E-Mail;Firma\nAda Lovelace;ada@mail.example;X\n张伟;zhang@mail.example;Y",
		"numbered, no headings":        "1;Ada Lovelace;ada@mail.example\n2;张伟;zhang@mail.example",
		"no headings":                  "Ada Lovelace,ada@mail.example\n张伟,zhang@mail.example",
		"no headings, address first":   "ada@mail.example\tAda Lovelace\nzhang@mail.example\t张伟",
		"headings nobody knows":        "Wer;Wohin\nAda Lovelace;ada@mail.example\n张伟;zhang@mail.example",
		"as mail programs write":       "Ada Lovelace <ada@mail.example>\n\"张伟\" <zhang@mail.example>",
		"a comma in a semicolon list":  "Ada Lovelace;ada@mail.example;London, England\n张伟;zhang@mail.example;x",
		"spaces around":                " Name , Email \n  Ada Lovelace  , ada@mail.example\n张伟 ,zhang@mail.example ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := tokens.ReadGuestList([]byte(text), tokens.Reading{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range l.Rows {
				if row.Err != nil {
					t.Errorf("line %d: %v", row.Line, row.Err)
				}
				got = append(got, row.Draft.Name+"|"+row.Draft.Email)
			}
			if strings.Join(got, "\n") != ada+"\n"+zhang {
				t.Errorf("read as %q with columns %q", got, l.Columns)
			}
		})
	}
}

func TestAListSaysEverythingThatMintTakes(t *testing.T) {
	t.Parallel()
	l, err := tokens.ReadGuestList([]byte("name,email,role,expires_in,expires_at,not_before,max_uses,pin,external_id,locale\n"+
		"Ada,ada@mail.example,Host,2h,,2031-01-01T10:00:00+01:00,3,2468,b-1,de\n"+
		"Bo,,,,2031-01-02T10:00:00Z,,,,,\n"), tokens.Reading{})
	if err != nil {
		t.Fatal(err)
	}
	want := []tokens.Draft{
		{Role: tokens.Host, Name: "Ada", Email: "ada@mail.example", ExpiresIn: 2 * time.Hour, NotBefore: time.Date(2031, 1, 1, 9, 0, 0, 0, time.UTC).UnixMilli(),
			MaxUses: 3, PIN: "2468", ExternalID: "b-1", Locale: "de"},
		{Role: tokens.Guest, Name: "Bo", ExpiresAt: time.Date(2031, 1, 2, 10, 0, 0, 0, time.UTC).UnixMilli(), MaxUses: 1},
	}
	for i, row := range l.Rows {
		if row.Draft != want[i] || row.Err != nil || row.Line != i+2 {
			t.Errorf("line %d: %+v, %v", row.Line, row.Draft, row.Err)
		}
	}
}

// A spreadsheet writes times without an offset, and people their own words.
func TestAListIsReadAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	summer, twice := time.Date(2031, 7, 1, 14, 5, 0, 0, time.UTC).UnixMilli(), time.Date(2031, 10, 26, 0, 30, 0, 0, time.UTC).UnixMilli()
	for cell, want := range map[string]int64{
		"2031-07-01 16:05": summer, "2031-07-01T16:05:00": summer, "01.07.2031 16:05": summer, "\"1.7.2031, 16:05:00\"": summer, "2031/7/1 16:05": summer,
		"2031-07-01T16:05:00+02:00": summer, "2031-07-01T14:05:00Z": summer, "26.10.2031 02:30": twice,
		"7/1/2031 16:05": 0, "2031-07-01": 0, "16:05": 0, "31.02.2031 10:00": 0, "46204.67": 0,
	} {
		l, err := tokens.ReadGuestList([]byte("name,expires_at\nAda,"+cell+"\n"), tokens.Reading{Zone: berlin, Shown: true})
		if err != nil {
			t.Fatal(err)
		}
		if row := l.Rows[0]; row.Draft.ExpiresAt != want || (row.Err == nil) != (want != 0) {
			t.Errorf("%s is read as %d, %v; want %d", cell, row.Draft.ExpiresAt, row.Err, want)
		}
	}
	for cell, want := range map[string]tokens.Role{"Gast": tokens.Guest, "INVITÉE": tokens.Guest, "来宾": tokens.Guest, "Gastgeberin": tokens.Host, "anfitrión": tokens.Host, "主持人": tokens.Host} {
		l, err := tokens.ReadGuestList([]byte("name,role\nAda,"+cell+"\n"), tokens.Reading{Shown: true})
		if err != nil || l.Rows[0].Err != nil || l.Rows[0].Draft.Role != want {
			t.Errorf("%s is read as %v, %v", cell, l.Rows, err)
		}
		if l, err = tokens.ReadGuestList([]byte("name,role\nAda,"+cell+"\n"), tokens.Reading{}); err != nil || l.Rows[0].Err == nil || l.Rows[0].Draft.Role != tokens.Guest {
			t.Errorf("%s is read as %v, %v, where nobody looks", cell, l.Rows, err)
		}
	}
}

// Whoever mends the rest of a list in a spreadsheet and gives it back finds it read as before.
func TestTheRestOfAListIsReadAgain(t *testing.T) {
	t.Parallel()
	const long = "Wie sind Sie auf uns aufmerksam geworden und was erwarten Sie von diesem Abend?"
	l, err := tokens.ReadGuestList([]byte("Name,Mail,Fragen an info@firm.example,"+long+"\n"+
		"'=Ada,ada@mail.example,why,flyer\nBo,+bo@mail.example,,\nCy,cy@mail.example,,\n"), tokens.Reading{Zone: time.UTC, Shown: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var results []tokens.Result
		for _, row := range l.Rows[:2] {
			row.Err = rooms.Invalid{Field: "email", Detail: "is not a mail address"}
			results = append(results, tokens.Result{GuestRow: row, Row: len(results) + 1})
		}
		var rest strings.Builder
		if err := l.WriteRest(&rest, results, tokens.Result.Says); err != nil {
			t.Fatal(err)
		}
		if l, err = tokens.ReadGuestList([]byte(rest.String()), tokens.Reading{Zone: time.UTC, Shown: true}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(rest.String(), "problem"); n != 1 || len(l.Rows) != 2 || !slices.Equal(l.Columns, []string{"", "name", "email", "", ""}) {
			t.Fatalf("%v of\n%s", l.Columns, rest.String())
		}
		if ada, bo := l.Rows[0].Draft, l.Rows[1].Draft; ada.Name != "=Ada" || ada.Email != "ada@mail.example" || bo.Name != "Bo" || bo.Email != "+bo@mail.example" {
			t.Errorf("%+v, %+v of\n%s", ada, bo, rest.String())
		}
	}
}

// A quotation mark that nothing matches swallows rows: the rest has them all, line by line.
func TestTheRestHasWhatAQuotationMarkSwallowed(t *testing.T) {
	t.Parallel()
	l, err := tokens.ReadGuestList([]byte("name,email,Team\n\"Ada,ada@mail.example,A\nBo,bo@mail.example,B\nCy,cy@mail.example,C\n"), tokens.Reading{})
	if err != nil || len(l.Rows) != 1 || l.Rows[0].Err == nil {
		t.Fatalf("%+v, %v", l.Rows, err)
	}
	var rest strings.Builder
	if err := l.WriteRest(&rest, []tokens.Result{{GuestRow: l.Rows[0]}}, tokens.Result.Says); err != nil {
		t.Fatal(err)
	}
	if l, err = tokens.ReadGuestList([]byte(rest.String()), tokens.Reading{}); err != nil || len(l.Rows) != 3 || l.Rows[1].Draft.Email != "bo@mail.example" || l.Rows[2].Draft.Name != "Cy" {
		t.Errorf("%+v, %v of\n%s", l.Rows, err, rest.String())
	}
	if !slices.Equal(l.Unused, []string{"Team"}) {
		t.Errorf("not used: %q", l.Unused)
	}
	// Who was mended out of it is no guest without a name.
	if l, err = tokens.ReadGuestList([]byte("problem,name,email\nno address,,\nwas wrong,Ada,ada@mail.example\nsomething"), tokens.Reading{}); err != nil || len(l.Rows) != 1 || l.Rows[0].Draft.Name != "Ada" {
		t.Errorf("%+v, %v", l.Rows, err)
	}
	// A column of one's own is kept.
	l, err = tokens.ReadGuestList([]byte("name,email,problem\nAda,ada,late\n"), tokens.Reading{})
	rest.Reset()
	if err != nil || l.WriteRest(&rest, []tokens.Result{{GuestRow: tokens.GuestRow{Cells: l.Rows[0].Cells, Err: rooms.Invalid{Detail: "wrong"}}}}, tokens.Result.Says) != nil || !strings.Contains(rest.String(), "Ada,ada,late") {
		t.Errorf("%q, %v", rest.String(), err)
	}
}

func TestWhatIsWrongWithARowIsSaidOfThatRow(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"role=owner":                  "role: is guest or host",
		"expires_in=90":               "expires_in: is a duration",
		"expires_in=soon":             "expires_in: is a duration",
		"expires_at=2026-11-30 18:00": "expires_at: is an instant",
		"not_before=30.11.2026":       "not_before: is an instant",
		"max_uses=many":               "max_uses: is 1 to 1000",
		"max_uses=0":                  "max_uses: is 1 to 1000",
		"name=M\xfcller":              "name: is not UTF-8",
		"name=M\ufffdller":            "name: holds a character that was lost",
		"email=a\"b\"c\"":             "",
		"name=\"a":                    ": has quotation marks that do not match",
		"name=Bo,one,more":            ": has more cells than the list has headings",
	} {
		member, value, _ := strings.Cut(cell, "=")
		l, err := tokens.ReadGuestList([]byte(member+",reference\nx,1\n"+value+"\n"), tokens.Reading{})
		if strings.Contains(value, ",") {
			l, err = tokens.ReadGuestList([]byte(member+",reference\nx,1\n"+value+"\nlast,1\n"), tokens.Reading{})
		}
		if err != nil || len(l.Rows) < 2 {
			t.Errorf("%q: %+v, %v", cell, l, err)
			continue
		}
		switch row := l.Rows[1]; {
		case want == "":
			if row.Err != nil {
				t.Errorf("%q: %v", cell, row.Err)
			}
		case row.Err == nil || !strings.HasPrefix(row.Err.Error(), want) || len(rooms.Wrong(row.Err)) != 1 || row.Line != 3:
			t.Errorf("%q: line %d: %v", cell, row.Line, row.Err)
		}
	}
}

func TestAWholeListIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"nothing":                       {"", tokens.ErrListEmpty},
		"empty rows":                    {"\n,,\n\t\n", tokens.ErrListEmpty},
		"headings alone":                {"name,email\n", tokens.ErrListEmpty},
		"one too many":                  {"name\n" + strings.Repeat("x\n", tokens.MaxBatch+1), tokens.ErrListTooLong},
		"many times too many":           {strings.Repeat("x\n", 40*tokens.MaxBatch), tokens.ErrListTooLong},
		"too many columns":              {"name,x\n" + strings.Repeat(",", 200), tokens.ErrListColumns},
		"many columns, over many lines": {strings.Repeat("\"name\n\",", 300), tokens.ErrListColumns},
		"half a character":              {wide("name\nAda", false, true) + "x", tokens.ErrListEncoding},
	} {
		if l, err := tokens.ReadGuestList([]byte(test.text), tokens.Reading{}); err != test.want { //nolint:errorlint // it comes as it is
			t.Errorf("%s: %d rows, %v", name, len(l.Rows), err)
		}
	}
	l, err := tokens.ReadGuestList([]byte("name\n"+strings.Repeat("x\n", tokens.MaxBatch)), tokens.Reading{})
	if err != nil || len(l.Rows) != tokens.MaxBatch {
		t.Errorf("exactly as many as may be: %d, %v", len(l.Rows), err)
	}
}

// However many columns a list has, to refuse it takes no longer than to read it.
func TestAListOfManyColumnsIsRefusedSoon(t *testing.T) {
	t.Parallel()
	for _, cell := range []string{"name,", "name;", "name\t", "x,", "\"name\n\","} {
		from := time.Now()
		_, err := tokens.ReadGuestList([]byte(strings.Repeat(cell, 1<<20/len(cell))), tokens.Reading{})
		if took := time.Since(from); !errors.Is(err, tokens.ErrListColumns) || took > 10*time.Second {
			t.Errorf("%q: %v after %v", cell, err, took)
		}
	}
}

func TestColumnsThatAreNotUsedAreNamed(t *testing.T) {
	t.Parallel()
	l, err := tokens.ReadGuestList([]byte("Name,Firma,Email,,E-Mail\nAda,Analytical,ada@mail.example,x,other@mail.example\n"), tokens.Reading{})
	if err != nil || fmt.Sprint(l.Unused) != "[Firma 4 E-Mail]" || l.Rows[0].Draft.Email != "ada@mail.example" {
		t.Errorf("%q, %+v, %v", l.Unused, l.Rows, err)
	}
}

func FuzzReadGuestList(f *testing.F) {
	for _, seed := range []string{"", "name,email\nAda,ada@mail.example", "a;b\n\"", "\"\"\"\n\"\"\"\"\n", wide("name\tpin\nx\t1234", true, true), "\xff\xfe\x00", "\r\r\n,\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := tokens.ReadGuestList(raw, tokens.Reading{})
		if err != nil {
			if len(rooms.Wrong(err)) != 1 || len(l.Rows) != 0 {
				t.Errorf("%v with %d rows", err, len(l.Rows))
			}
			return
		}
		if len(l.Rows) == 0 || len(l.Rows) > tokens.MaxBatch {
			t.Errorf("%d rows", len(l.Rows))
		}
		line := 0
		for _, row := range l.Rows {
			if row.Line <= line {
				t.Errorf("line %d after line %d", row.Line, line)
			}
			line = row.Line
			if row.Err != nil && len(rooms.Wrong(row.Err)) == 0 {
				t.Errorf("line %d: %v is no refusal of input", line, row.Err)
			}
			for _, c := range row.Cells {
				if strings.ContainsAny(c, "\r\n") {
					t.Errorf("line %d: a line break is left in %q", line, c)
				}
			}
		}
	})
}
