package rooms_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
)

// TestARoomIsFoundByItsName: the same name always leads to the same room, which
// is made the first time, and different names to different ones.
func TestARoomIsFoundByItsName(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	named := func(name string) rooms.Room {
		t.Helper()
		r, err := b.Rooms.Named(t.Context(), caller("ada"), rooms.Draft{Name: name})
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		return r
	}
	slugs := map[rooms.ID]string{}
	for _, tt := range []struct{ name, slug string }{
		{"test", "test"},
		{"Test Room", "test-room"},
		{"test_room_2", "test-room-2"},
		{"3f2a9c1e-8b7d-4c6a-9e5f-1a2b3c4d5e6f", "3f2a9c1e-8b7d-4c6a-9e5f-1a2b3c4d5e6f"},
		{"Test Room!", ""},
		{"Tést Room", ""},
		{"会议", ""},
		{"встреча", ""},
		{"!", ""},
		{"../admin", ""},
		{strings.Repeat("long ", 40), ""},
		{strings.Repeat("long ", 39) + "more", ""},
		{"room_of_ada", ""},
	} {
		r := named(tt.name)
		if tt.slug != "" && r.Slug != tt.slug || !rooms.ValidSlug(r.Slug) || slugs[r.ID] != "" || r.Owner != "ada" {
			t.Errorf("%q → %s of %s (before: %q), want %q", tt.name, r.Slug, r.Owner, slugs[r.ID], tt.slug)
		}
		slugs[r.ID] = r.Slug
		for _, again := range []string{tt.name, " " + strings.ToUpper(tt.name) + " ", r.Slug, r.ID.Show(rooms.RoomPrefix)} {
			if got := named(again); got.ID != r.ID {
				t.Errorf("%q → %s, %q → %s", tt.name, r.Slug, again, got.Slug)
			}
		}
	}
	for name, field := range map[string]string{"": "name", "a\x00b": "name", strings.Repeat("x", 201): "name"} {
		var invalid rooms.Invalid
		if _, err := b.Rooms.Named(t.Context(), caller("ada"), rooms.Draft{Name: name}); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%.10q: %v", name, err)
		}
	}
}

// TestANameOpensNobodyElsesRoom: what the caller may not have is refused as
// making it would be, whether it is there or not.
func TestANameOpensNobodyElsesRoom(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	adas := create(t, b, caller("ada"), rooms.Draft{Name: "adas"})
	create(t, b, caller("ada"), rooms.Draft{Name: "shared"})
	limited := caller("carol", "shared", "carols")
	for _, tt := range []struct {
		name string
		by   rooms.Caller
		want error
	}{
		{"adas", caller("bob"), rooms.ErrSlugTaken},
		{"adas", limited, rooms.ErrSlugBarred},
		{"nowhere", limited, rooms.ErrSlugBarred},
		{"Adas!", limited, rooms.ErrSlugBarred},
		{"carols", limited, nil},
		{"shared", limited, nil},
		{"adas", admin(), nil},
		{adas.ID.Show(rooms.RoomPrefix), caller("bob"), rooms.ErrNotFound},
		{rooms.ID(1 << 40).Show(rooms.RoomPrefix), caller("bob"), rooms.ErrNotFound},
	} {
		if r, err := b.Rooms.Named(t.Context(), tt.by, rooms.Draft{Name: tt.name}); !errors.Is(err, tt.want) || err == nil && r.Slug != tt.name {
			t.Errorf("%s asks for %s: %s, %v, want %v", tt.by.Owner, tt.name, r.Slug, err, tt.want)
		}
	}
}

func TestManyAskForOneNewRoomAtOnce(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		var all sync.WaitGroup
		ids := make([]rooms.ID, 16)
		for i := range ids {
			all.Go(func() {
				r, err := b.Rooms.Named(t.Context(), caller("ada"), rooms.Draft{Name: "Test"})
				if ids[i] = r.ID; err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, id := range ids {
			if id != ids[0] || id == 0 {
				t.Fatalf("rooms %v", ids)
			}
		}
	})
}
