package tokens_test

import (
	"encoding/base64"
	"errors"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

func TestACursorLeadsBackToItsPlaceInItsOwnOrderAlone(t *testing.T) {
	t.Parallel()
	inv := tokens.Invitation{ID: 1<<60 + 7, Name: "Zoë 🎟", Email: "Z@example.org"}
	for _, s := range tokens.Sorts() {
		at := inv.Position(s)
		if got, err := tokens.ParsePosition(s, at.Cursor()); err != nil || got != at {
			t.Errorf("%s: %+v, %v; want %+v", s, got, err, at)
		}
		if got, err := tokens.ParsePosition(s, ""); err != nil || got != (tokens.Position{}) {
			t.Errorf("%s: nothing is %+v, %v", s, got, err)
		}
		for _, other := range tokens.Sorts() {
			if _, err := tokens.ParsePosition(other, at.Cursor()); (err != nil) != (other != s) {
				t.Errorf("a cursor of %s in a list by %s: %v", s, other, err)
			}
		}
	}
	if at := inv.Position(tokens.ByName); at.Name != "zoë 🎟\nz@example.org" {
		t.Errorf("the place by name is %q", at.Name)
	}
}

func TestWhatIsNoCursorIsRefused(t *testing.T) {
	t.Parallel()
	text := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, row := range map[string]struct {
		sort   tokens.Sort
		cursor string
	}{
		"no base64":                    {tokens.Newest, "!"},
		"too short":                    {tokens.Newest, text("\x00\x00\x00\x00\x00\x00\x00\x01")},
		"the cursor of another list":   {tokens.Newest, text("\x00\x01\x00\x00\x00\x00\x00\x01")},
		"no id":                        {tokens.Newest, text("\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
		"a negative id":                {tokens.Newest, text("\x00\xff\x00\x00\x00\x00\x00\x00\x00")},
		"a name where none is sought":  {tokens.Oldest, text("\x01\x00\x00\x00\x00\x00\x00\x00\x01a")},
		"broken UTF-8":                 {tokens.ByName, text("\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff")},
		"NUL":                          {tokens.ByName, text("\x02\x00\x00\x00\x00\x00\x00\x00\x01a\x00")},
		"a name longer than there are": {tokens.ByName, text("\x02\x00\x00\x00\x00\x00\x00\x00\x01" + string(make([]byte, 2000)))},
	} {
		var invalid rooms.Invalid
		if _, err := tokens.ParsePosition(row.sort, row.cursor); !errors.As(err, &invalid) || invalid.Field != "cursor" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseSort(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]tokens.Sort{"": tokens.Newest, "newest": tokens.Newest, "oldest": tokens.Oldest, "name": tokens.ByName} {
		if got, err := tokens.ParseSort(text); err != nil || got != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"Name", "n", "id", "name "} {
		var invalid rooms.Invalid
		if _, err := tokens.ParseSort(text); !errors.As(err, &invalid) || invalid.Field != "sort" {
			t.Errorf("%q: %v", text, err)
		}
	}
}
