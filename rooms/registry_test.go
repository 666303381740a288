package rooms_test

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
)

func caller(name string, slugs ...string) rooms.Caller {
	return rooms.Caller{Actor: audit.Actor{Kind: audit.Host, Name: name}, Owner: name, Slugs: slugs}
}

func admin() rooms.Caller {
	c := caller("root")
	c.Admin = true
	return c
}

func create(t *testing.T, b *datatest.Bench, by rooms.Caller, d rooms.Draft) rooms.Room {
	t.Helper()
	r, err := b.Rooms.Create(t.Context(), by, d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCreate(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	create(t, b, admin(), rooms.Draft{Name: "Taken"})
	invalid := func(field string) error { return rooms.Invalid{Field: field} }
	for _, row := range []struct {
		name  string
		by    rooms.Caller
		draft rooms.Draft
		slug  string // of the room, a regular expression
		err   error
	}{
		{"a slug is derived", caller("ada"), rooms.Draft{Name: "Daily Stand-up"}, "daily-stand-up", nil},
		{"a derived one that is taken gets a suffix", caller("ada"), rooms.Draft{Name: "Taken"}, "taken-[a-z0-9]{5}", nil},
		{"a chosen one is taken as it is", caller("ada"), rooms.Draft{Name: "X", Slug: "chosen"}, "chosen", nil},
		{"a chosen one that is taken is refused", caller("ada"), rooms.Draft{Name: "X", Slug: "taken"}, "", rooms.ErrSlugTaken},
		{"a slug of another shape", caller("ada"), rooms.Draft{Name: "X", Slug: "No Slug"}, "", invalid("slug")},
		{"an id as slug", caller("ada"), rooms.Draft{Name: "X", Slug: rooms.ID(1).Show(rooms.RoomPrefix)}, "", invalid("slug")},
		{"an allowed slug", caller("bo", "bos", "other"), rooms.Draft{Name: "X", Slug: "bos"}, "bos", nil},
		{"a slug that is not allowed", caller("bo", "bos"), rooms.Draft{Name: "X", Slug: "anas"}, "", rooms.ErrSlugBarred},
		{"a derived slug that is not allowed", caller("bo", "bos"), rooms.Draft{Name: "Anas"}, "", rooms.ErrSlugBarred},
		{"an allowed slug that is taken gets no other", caller("bo", "taken"), rooms.Draft{Name: "Taken"}, "", rooms.ErrSlugTaken},
		{"a star allows any slug", caller("cy", "*"), rooms.Draft{Name: "X", Slug: "cys"}, "cys", nil},
		{"an admin may use any slug", rooms.Caller{Owner: "root", Admin: true, Slugs: []string{"only"}}, rooms.Draft{Name: "X", Slug: "roots"}, "roots", nil},
		{"no name", caller("ada"), rooms.Draft{Name: " \n"}, "", invalid("name")},
		{"a long name", caller("ada"), rooms.Draft{Name: strings.Repeat("ä", 201)}, "", invalid("name")},
		{"the longest name", caller("ada"), rooms.Draft{Name: strings.Repeat("ä", 200), Slug: "long"}, "long", nil},
		{"NUL in the name", caller("ada"), rooms.Draft{Name: "a\x00"}, "", invalid("name")},
		{"NUL in the external id", caller("ada"), rooms.Draft{Name: "X", ExternalID: "a\x00"}, "", invalid("external_id")},
		{"no language", caller("ada"), rooms.Draft{Name: "X", Locale: "<b>"}, "", invalid("locale")},
		{"ends before it starts", caller("ada"), rooms.Draft{Name: "X", StartsAt: 2, EndsAt: 1}, "", invalid("ends_at")},
		{"ends when it starts", caller("ada"), rooms.Draft{Name: "X", StartsAt: 2, EndsAt: 2}, "", invalid("ends_at")},
		{"a time zone", caller("ada"), rooms.Draft{Name: "X", Slug: "zone", Timezone: "Europe/Berlin"}, "zone", nil},
		{"no time zone", caller("ada"), rooms.Draft{Name: "X", Timezone: "Mars/Olympus"}, "", invalid("timezone")},
		{"the server's time zone", caller("ada"), rooms.Draft{Name: "X", Timezone: "Local"}, "", invalid("timezone")},
		{"a path as time zone", caller("ada"), rooms.Draft{Name: "X", Timezone: "../../etc/passwd"}, "", invalid("timezone")},
		{"a back end", caller("ada"), rooms.Draft{Name: "X", Slug: "back", Backend: "conf"}, "back", nil},
		{"an unknown back end", caller("ada"), rooms.Draft{Name: "X", Backend: "none"}, "", invalid("backend")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r, err := b.Rooms.Create(t.Context(), row.by, row.draft)
			var got, want rooms.Invalid
			switch {
			case errors.As(row.err, &want):
				if !errors.As(err, &got) || got.Field != want.Field || got.Detail == "" {
					t.Errorf("error %v, want one about %s", err, want.Field)
				}
			case !errors.Is(err, row.err):
				t.Errorf("error %v, want %v", err, row.err)
			case err == nil:
				if !regexp.MustCompile("^"+row.slug+"$").MatchString(r.Slug) || r.Owner != row.by.Owner || r.CreatedAt != b.Clock.Millis() || r.ID == 0 {
					t.Errorf("room %+v", r)
				}
				if stored, err := b.Rooms.Store.ByID(t.Context(), r.ID); err != nil || stored != r {
					t.Errorf("stored as %+v, %v", stored, err)
				}
			}
		})
	}
}

func TestRoomsOfOneNameMadeAtOnceAllGetASlug(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := b.Rooms.Create(t.Context(), caller("ada"), rooms.Draft{Name: "Same"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list, err := b.Rooms.Store.List(t.Context(), rooms.Query{Caller: admin(), Limit: 100})
	if err != nil || len(list) != 20 {
		t.Errorf("%d rooms, %v", len(list), err)
	}
}

func TestFindAnswersOnlyWhoReachesTheRoom(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	r := create(t, b, caller("ada"), rooms.Draft{Name: "Ada's", Slug: "adas"})
	for _, row := range []struct {
		name  string
		by    rooms.Caller
		found bool
	}{
		{"its owner", caller("ada"), true},
		{"an admin", admin(), true},
		{"who may manage it too", caller("bo", "adas"), true},
		{"another host", caller("bo"), false},
		{"another host of other rooms", caller("bo", "bos"), false},
		{"another host of any slug", caller("bo", "*"), false},
		{"nobody", rooms.Caller{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{r.Slug, r.ID.Show(rooms.RoomPrefix)} {
				got, err := b.Rooms.Find(t.Context(), row.by, name)
				if row.found && (err != nil || got != r) {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
				if !row.found && (!errors.Is(err, rooms.ErrNotFound) || got != (rooms.Room{})) {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
			}
		})
	}
	for _, name := range []string{"", "nobody", "ADAS", "\x00", "\xff", rooms.ID(1).Show(rooms.RoomPrefix), r.ID.Show(rooms.InvitationPrefix)} {
		if _, err := b.Rooms.Find(t.Context(), admin(), name); !errors.Is(err, rooms.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func to[T any](v T) *T { return &v }

func TestChange(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	r := create(t, b, caller("ada"), rooms.Draft{Name: "Room", StartsAt: 1000, EndsAt: 5000})
	history := func() []audit.Event {
		evs, err := b.Rooms.Store.Events(t.Context(), r.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		return evs
	}
	if got, err := b.Rooms.Change(t.Context(), caller("ada"), r, rooms.Change{Name: to("Room"), EndsAt: to(int64(5000))}); err != nil || got != r || len(history()) != 1 {
		t.Errorf("a change to what it is already: %+v, %v, %d events", got, err, len(history()))
	}
	for field, c := range map[string]rooms.Change{
		"name": {Name: to("")}, "ends_at": {EndsAt: to(int64(1000))}, "timezone": {Timezone: to("x")}, "backend": {Backend: to("x")},
		"external_id": {ExternalID: to("\x00")}, "locale": {Locale: to("?")},
	} {
		var invalid rooms.Invalid
		if _, err := b.Rooms.Change(t.Context(), caller("ada"), r, c); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	got, err := b.Rooms.Change(t.Context(), caller("bo", r.Slug), r, rooms.Change{Name: to(" New\n"), StartsAt: to(int64(0)), Backend: to("conf")})
	want := r
	want.Name, want.StartsAt, want.Backend, want.Sequence = "New", 0, "conf", r.Sequence+1
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	ev := history()[0]
	if ev.Kind != audit.RoomChanged || ev.Actor.Name != "bo" || ev.Detail != "name,starts_at,backend" {
		t.Errorf("noted as %+v", ev)
	}
}

func TestSetClosedTellsWhatTheRoomIs(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	r := create(t, b, caller("ada"), rooms.Draft{Name: "Room"})
	now := b.Clock.Millis()
	for n, closed := range []bool{false, true, true, false, false} {
		got, err := b.Rooms.SetClosed(t.Context(), caller("ada"), r, closed)
		if err != nil || (got.ClosedAt != 0) != closed || got.State(now) == rooms.Closed != closed {
			t.Errorf("step %d: %+v, %v", n, got, err)
		}
		r = got
	}
	evs, err := b.Rooms.Store.Events(t.Context(), r.ID, 0, 100)
	if err != nil || len(evs) != 3 || evs[0].Kind != audit.RoomReopened || evs[1].Kind != audit.RoomClosed || evs[1].Actor.Name != "ada" {
		t.Errorf("%+v, %v", evs, err)
	}
}

func TestStateOfARoom(t *testing.T) {
	t.Parallel()
	const now = int64(1000)
	for _, row := range []struct {
		name string
		room rooms.Room
		want rooms.State
	}{
		{"without a window", rooms.Room{}, rooms.Open},
		{"before its start", rooms.Room{StartsAt: now + 1}, rooms.Upcoming},
		{"at its start", rooms.Room{StartsAt: now, EndsAt: now + 1}, rooms.Open},
		{"at its end", rooms.Room{EndsAt: now}, rooms.Ended},
		{"closed, whatever else", rooms.Room{ClosedAt: 1, StartsAt: now + 1, EndsAt: now + 2}, rooms.Closed},
	} {
		if got := row.room.State(now); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	if (rooms.Room{}).Shuts() != 0 || (rooms.Room{EndsAt: 5}).Shuts() != 5+rooms.Grace.Milliseconds() {
		t.Error("a room shuts an hour after its end, and without one never")
	}
}

func TestOnlyAnAdminHandsARoomOver(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	r := create(t, b, caller("ada"), rooms.Draft{Name: "Ada's"})
	if _, err := b.Rooms.HandOver(t.Context(), caller("ada"), r, "bo"); !errors.Is(err, rooms.ErrNotAdmin) {
		t.Errorf("its owner: %v", err)
	}
	if _, err := b.Rooms.HandOver(t.Context(), caller("ada"), r, ""); !errors.Is(err, rooms.ErrNotAdmin) {
		t.Errorf("its owner, to nobody: %v", err)
	}
	var invalid rooms.Invalid
	if _, err := b.Rooms.HandOver(t.Context(), admin(), r, ""); !errors.As(err, &invalid) || invalid.Field != "owner" {
		t.Errorf("to nobody: %v", err)
	}
	if got, err := b.Rooms.HandOver(t.Context(), admin(), r, "bo"); err != nil || got.Owner != "bo" {
		t.Errorf("an admin: %v %v", got.Owner, err)
	}
	if _, err := b.Rooms.Find(t.Context(), caller("ada"), r.Slug); !errors.Is(err, rooms.ErrNotFound) {
		t.Errorf("who owned it finds it: %v", err)
	}
	evs, err := b.Rooms.Store.Events(t.Context(), r.ID, 0, 1)
	if err != nil || evs[0].Kind != audit.RoomHandedOver || evs[0].Detail != "bo" || evs[0].Actor.Name != "root" {
		t.Errorf("%v %v", evs, err)
	}
}
