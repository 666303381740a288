package tokens_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// TestWishesHaveOneSpelling: only wishes whose meaning is known are kept, each once.
func TestWishesHaveOneSpelling(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	room := makeRoom(t, b, rooms.Draft{})
	for _, tt := range []struct{ name, wishes, kept, blames string }{
		{"none", "", "", ""},
		{"in any order", "video=true&audio=false", "audio=false&video=true", ""},
		{"all there are", "screen=false&notify=true&hide=false&chat=true&video=true&audio=true&duration=01:30:00&avatar=https://a.example/p.png?s%3D1",
			"audio=true&avatar=https%3A%2F%2Fa.example%2Fp.png%3Fs%3D1&chat=true&duration=01%3A30%3A00&hide=false&notify=true&screen=false&video=true", ""},
		{"a meeting without end", "duration=unlimited", "duration=unlimited", ""},
		{"spelt in a strange way", "%61udio=tru%65", "audio=true", ""},
		{"an unknown wish", "presenter=true", "", "presenter"},
		{"a room", "room=other", "", "room"},
		{"a token", "token=x", "", "token"},
		{"twice", "audio=true&audio=false", "", "audio"},
		{"neither true nor false", "audio=1", "", "audio"},
		{"nothing for a value", "video=", "", "video"},
		{"another parameter inside", "audio=true%26token%3Dx", "", "audio"},
		{"a script for a picture", "avatar=javascript:alert(1)", "", "avatar"},
		{"a picture over http", "avatar=http://a.example/p.png", "", "avatar"},
		{"a picture without a host", "avatar=https:/p.png", "", "avatar"},
		{"a long address", "avatar=https://a.example/" + strings.Repeat("p", 500), "", "avatar"},
		{"a time limit that is none", "duration=90m", "", "duration"},
		{"no query", "audio=%zz", "", "wishes"},
		{"a semicolon", "audio=true;video=true", "", "wishes"},
	} {
		inv, err := b.Invitations.Mint(context.Background(), ada(), room, tokens.Draft{Role: tokens.Guest, Wishes: tt.wishes}, false)
		var invalid rooms.Invalid
		if errors.As(err, &invalid); invalid.Field != tt.blames || (err != nil) != (tt.blames != "") {
			t.Errorf("%s: blames %q (%v), want %q", tt.name, invalid.Field, err, tt.blames)
		} else if err == nil && fetch(t, b, inv).Wishes != tt.kept {
			t.Errorf("%s: kept %q, want %q", tt.name, fetch(t, b, inv).Wishes, tt.kept)
		}
	}
}

// TestWishesReachTheBackEnd: at each entry, also by a link that took the place
// of the one they were said for.
func TestWishesReachTheBackEnd(t *testing.T) {
	t.Parallel()
	const wishes = "audio=false&video=true"
	b := datatest.SQLite(t)
	d := &door{Handover: b.Invitations.Handover}
	b.Invitations.Handover = d
	told := func(when string) {
		t.Helper()
		if n := len(d.visits); n == 0 || d.visits[n-1].Wishes != wishes {
			t.Errorf("%s tells %+v", when, d.visits)
		}
		d.visits = nil
	}
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{Wishes: wishes, MaxUses: 2})
	redeem(t, b, press(b, inv, "a"))
	told("redeeming")
	if _, err := b.Invitations.Reenter(t.Context(), inv.Room.Slug, "a", false, true); err != nil {
		t.Fatal(err)
	}
	told("coming back")
	next, err := b.Invitations.Reissue(t.Context(), ada(), inv, true, true)
	if err != nil {
		t.Fatal(err)
	}
	redeem(t, b, press(b, next, "b"))
	told("redeeming the new link")
}
