package rooms

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

const noon = int64(1894708800000)

func TestAnIDIsReadAsItIsShown(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{RoomPrefix, InvitationPrefix, AdmissionPrefix, EventPrefix} {
		for _, id := range []ID{1, 1 << 20, ID(noon << 20), 1<<63 - 1} {
			text := id.Show(prefix)
			got, err := ParseID(prefix, text)
			if err != nil || got != id {
				t.Errorf("%s is read as %d, %v; want %d", text, got, err, id)
			}
			if len(text) != len(prefix)+13 || strings.ToLower(text) != text {
				t.Errorf("shown as %q", text)
			}
		}
	}
}

func TestParseIDRefusesEveryOtherSpelling(t *testing.T) {
	t.Parallel()
	good := ID(noon<<20 | 12345).Show(InvitationPrefix)
	digits := strings.TrimPrefix(good, InvitationPrefix)
	for name, text := range map[string]string{
		"nothing":             "",
		"only the prefix":     InvitationPrefix,
		"another kind":        RoomPrefix + digits,
		"no prefix":           digits,
		"upper case":          strings.ToUpper(good),
		"upper-case digits":   InvitationPrefix + strings.ToUpper(digits),
		"one too few":         good[:len(good)-1],
		"one too many":        good + "0",
		"a letter left out":   InvitationPrefix + "u" + digits[1:],
		"o for 0":             InvitationPrefix + strings.Replace(digits, "0", "o", 1),
		"padding":             good[:len(good)-1] + "=",
		"a line break":        good + "\n",
		"a line break within": good[:8] + "\n" + good[9:],
		"a space":             " " + good,
		"other spare bits":    good[:len(good)-1] + "z",
		"zero":                InvitationPrefix + "0000000000000",
		"negative":            ID(-1).Show(InvitationPrefix),
		"wide digits":         InvitationPrefix + strings.Replace(digits, "0", "０", 1),
		"NUL":                 good[:len(good)-1] + "\x00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if id, err := ParseID(InvitationPrefix, text); !errors.Is(err, ErrBadID) || id != 0 {
				t.Errorf("%q is read as %d, %v", text, id, err)
			}
		})
	}
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{ID(1).Show(InvitationPrefix), ID(noon << 20).Show(InvitationPrefix), "inv_", "inv_zzzzzzzzzzzzz", "inv_0000000000\n00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID(InvitationPrefix, text)
		if err == nil && (id <= 0 || id.Show(InvitationPrefix) != text) {
			t.Errorf("%q is read as %d", text, id)
		}
		if err != nil && id != 0 {
			t.Errorf("%q is refused and is %d", text, id)
		}
	})
}

func TestIDsSortByTheTimeTheyWereMade(t *testing.T) {
	t.Parallel()
	var s IDs
	var made []ID
	for at := noon; at < noon+100; at++ {
		for range 50 {
			id := s.Next(at)
			if id.Millis() != at {
				t.Fatalf("an id of %d says %d", at, id.Millis())
			}
			made = append(made, id)
		}
	}
	if !slices.IsSorted(made) || len(slices.Compact(made)) != 5000 {
		t.Error("not in order, or one twice")
	}
	var shown []string
	for _, id := range made {
		shown = append(shown, id.Show(InvitationPrefix))
	}
	if !slices.IsSorted(shown) {
		t.Error("shown, they sort otherwise")
	}
}

func TestIDsMadeAtOnceAreUnique(t *testing.T) {
	t.Parallel()
	var s IDs
	var all sync.WaitGroup
	made := make([][]ID, 16)
	for n := range made {
		all.Go(func() {
			for i := range 2000 {
				made[n] = append(made[n], s.Next(noon+int64(i/1000)))
			}
		})
	}
	all.Wait()
	seen := map[ID]bool{}
	for _, ids := range made {
		if !slices.IsSorted(ids) {
			t.Error("one caller's ids are not in order")
		}
		for _, id := range ids {
			if seen[id] {
				t.Fatalf("%d was made twice", id)
			}
			seen[id] = true
		}
	}
}

func TestIDsOutliveASteppingClock(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		back  int64
		keeps bool // on counting from the last
	}{
		{"a little", 1, true},
		{"a second", 1000, true},
		{"more", 1001, false},
		{"an hour", 3600_000, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var s IDs
			last := s.Next(noon)
			next := s.Next(noon - row.back)
			if keeps := next == last+1; keeps != row.keeps {
				t.Errorf("%d came after %d", next, last)
			}
			if !row.keeps && next.Millis() != noon-row.back {
				t.Errorf("the clock is not followed: %d", next.Millis())
			}
		})
	}
}

func TestSkipLeavesAGapLongerThanAnybodyCounts(t *testing.T) {
	t.Parallel()
	var s IDs
	last := s.Next(noon)
	s.Skip()
	if next := s.Next(noon); next < last+10_000 || next.Millis() > noon+1 {
		t.Errorf("%d comes after %d", next, last)
	}
}
