package rooms_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
)

// clocked is an instant as the clocks of that zone show it.
func clocked(t *testing.T, zone, shown string) int64 {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", shown, loc)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

// starts are the beginnings of rooms with their offsets, and their ends, as their clocks show them.
func starts(t *testing.T, all []rooms.Room) (shown []string) {
	t.Helper()
	for _, r := range all {
		loc, err := time.LoadLocation(r.Timezone)
		if err != nil {
			t.Fatal(err)
		}
		line := time.UnixMilli(r.StartsAt).In(loc).Format("Mon 2006-01-02 15:04 -07")
		if r.EndsAt != 0 {
			line += time.UnixMilli(r.EndsAt).In(loc).Format(" to 15:04")
		}
		shown = append(shown, line)
	}
	return shown
}

func wantLines(t *testing.T, what string, got []string, want string) {
	t.Helper()
	if all := strings.Join(got, "\n"); all != strings.Trim(strings.ReplaceAll(want, "\t", ""), "\n") {
		t.Errorf("%s:\n%s", what, all)
	}
}

func series(t *testing.T, b *datatest.Bench, by rooms.Caller, d rooms.Draft, every rooms.Every, times int) []rooms.Room {
	t.Helper()
	all, err := b.Rooms.CreateSeries(t.Context(), by, d, every, times)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSeriesKeepTheTimeOfDay(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	for _, row := range []struct {
		name, zone, start, end string
		every                  rooms.Every
		times                  int
		want                   string
	}{
		{"weekly, over the end of summer time", "Europe/Berlin", "2030-10-16 14:00", "2030-10-16 15:30", rooms.Weekly, 3, `
			Wed 2030-10-16 14:00 +02 to 15:30
			Wed 2030-10-23 14:00 +02 to 15:30
			Wed 2030-10-30 14:00 +01 to 15:30`},
		{"every two weeks, over its beginning", "America/New_York", "2030-02-27 09:00", "", rooms.Fortnightly, 3, `
			Wed 2030-02-27 09:00 -05
			Wed 2030-03-13 09:00 -04
			Wed 2030-03-27 09:00 -04`},
		{"on weekdays", "Asia/Shanghai", "2030-01-17 23:00", "2030-01-18 01:00", rooms.Weekdays, 4, `
			Thu 2030-01-17 23:00 +08 to 01:00
			Fri 2030-01-18 23:00 +08 to 01:00
			Mon 2030-01-21 23:00 +08 to 01:00
			Tue 2030-01-22 23:00 +08 to 01:00`},
		{"a time that a day does not have is as much later as the clocks are", "Europe/Berlin", "2030-03-24 02:30", "2030-03-24 02:45", rooms.Weekly, 3, `
			Sun 2030-03-24 02:30 +01 to 02:45
			Sun 2030-03-31 03:30 +02 to 03:45
			Sun 2030-04-07 02:30 +02 to 02:45`},
		{"one whose end comes before its beginning then lasts as long as it did", "Europe/Berlin", "2030-03-24 02:30", "2030-03-24 03:15", rooms.Weekly, 2, `
			Sun 2030-03-24 02:30 +01 to 03:15
			Sun 2030-03-31 03:30 +02 to 04:15`},
		{"of a time that comes twice it is the first", "Europe/Berlin", "2030-10-20 02:30", "", rooms.Weekly, 2, `
			Sun 2030-10-20 02:30 +02
			Sun 2030-10-27 02:30 +02`},
		{"half an hour of summer time (+1030 is shown as +10)", "Australia/Lord_Howe", "2030-04-04 10:00", "2030-04-04 11:00", rooms.Weekdays, 3, `
			Thu 2030-04-04 10:00 +11 to 11:00
			Fri 2030-04-05 10:00 +11 to 11:00
			Mon 2030-04-08 10:00 +10 to 11:00`},
		{"no zone is UTC", "", "2030-10-23 14:00", "", rooms.Weekly, 2, `
			Wed 2030-10-23 14:00 +00
			Wed 2030-10-30 14:00 +00`},
	} {
		d := rooms.Draft{Name: row.name, Timezone: row.zone, StartsAt: clocked(t, row.zone, row.start)}
		if row.end != "" {
			d.EndsAt = clocked(t, row.zone, row.end)
		}
		wantLines(t, row.name, starts(t, series(t, b, caller("ada"), d, row.every, row.times)), row.want)
	}
}

func TestSeriesAreMadeTogether(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		d := rooms.Draft{Name: "Stand-up", Timezone: "Europe/Berlin", StartsAt: clocked(t, "Europe/Berlin", "2030-10-22 23:30"), Capacity: 5, Backend: "conf", Locale: "de"}
		all := series(t, b, caller("ada"), d, rooms.Weekly, 3)
		for i, r := range all {
			stored, err := b.Rooms.Find(t.Context(), caller("ada"), fmt.Sprintf("stand-up-2030-10-%d", 22+7*i)) // the day of the zone
			if i == 2 {
				stored, err = b.Rooms.Find(t.Context(), caller("ada"), "stand-up-2030-11-05")
			}
			if err != nil || stored != r {
				t.Errorf("stored\n%+v, %v of\n%+v", stored, err, r)
			}
			want := rooms.Series{ID: all[0].ID, Every: rooms.Weekly, Nth: i + 1, Size: 3}
			if r.Series != want || r.Name != "Stand-up" || r.Capacity != 5 || r.Backend != "conf" || r.Locale != "de" || r.Owner != "ada" {
				t.Errorf("%+v", r)
			}
			evs, err := b.Rooms.Store.Events(t.Context(), r.ID, 0, 10)
			if err != nil || len(evs) != 1 || evs[0].Kind != audit.RoomCreated || evs[0].Actor.Name != "ada" {
				t.Errorf("history %+v, %v", evs, err)
			}
		}
		list, err := b.Rooms.Store.List(t.Context(), rooms.Query{Caller: caller("ada"), Limit: 10, Now: b.Clock.Millis()})
		if err != nil || len(list) != 3 || list[0].Series.Nth != 1 || list[2].Series.Nth != 3 {
			t.Errorf("the list begins with %+v, %v", list[0].Series, err)
		}
		again := series(t, b, caller("ada"), d, rooms.Weekly, 2)
		if s := again[1].Slug; !strings.HasPrefix(s, "stand-up-") || !strings.HasSuffix(s, "-2030-10-29") || s == all[1].Slug {
			t.Errorf("a name that is taken gave the slug %s", s)
		}
		d.Slug = "chosen"
		create(t, b, caller("ada"), rooms.Draft{Name: "In the way", Slug: "chosen-2030-11-05"})
		if _, err := b.Rooms.CreateSeries(t.Context(), caller("ada"), d, rooms.Weekly, 3); !errors.Is(err, rooms.ErrSlugTaken) {
			t.Errorf("a chosen slug of which one is taken: %v", err)
		}
		if _, err := b.Rooms.Find(t.Context(), caller("ada"), "chosen-2030-10-22"); !errors.Is(err, rooms.ErrNotFound) {
			t.Errorf("half a series was made: %v", err)
		}
		single := create(t, b, caller("ada"), rooms.Draft{Name: "Alone"})
		if single.Series != (rooms.Series{}) {
			t.Errorf("alone, and yet %+v", single.Series)
		}
	})
}

func TestSeriesThatAreRefused(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	good := rooms.Draft{Name: "X", StartsAt: clocked(t, "UTC", "2030-10-21 10:00")}
	for _, row := range []struct {
		name   string
		change func(*rooms.Draft)
		every  rooms.Every
		times  int
		field  string
	}{
		{"another rhythm", nil, "hourly", 3, "repeat"},
		{"one", nil, rooms.Weekly, 1, "times"},
		{"too many", nil, rooms.Weekly, 53, "times"},
		{"no beginning", func(d *rooms.Draft) { d.StartsAt = 0 }, rooms.Weekdays, 3, "starts_at"},
		{"a weekend", func(d *rooms.Draft) { d.StartsAt -= 24 * 3600 * 1000 }, rooms.Weekdays, 3, "starts_at"},
		{"a slug without room for the date", func(d *rooms.Draft) { d.Slug = strings.Repeat("a", 54) }, rooms.Weekly, 3, "slug"},
		{"no zone", func(d *rooms.Draft) { d.Timezone = "Mars/Olympus" }, rooms.Weekly, 3, "timezone"},
		{"no name", func(d *rooms.Draft) { d.Name = "" }, rooms.Weekly, 3, "name"},
	} {
		d := good
		if row.change != nil {
			row.change(&d)
		}
		_, err := b.Rooms.CreateSeries(t.Context(), caller("ada"), d, row.every, row.times)
		if wrong := rooms.Wrong(err); len(wrong) != 1 || wrong[0].Field != row.field {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if _, err := b.Rooms.CreateSeries(t.Context(), caller("bo", "only"), good, rooms.Weekly, 2); !errors.Is(err, rooms.ErrSlugBarred) {
		t.Errorf("slugs that are not allowed: %v", err)
	}
}

func TestRestOfASeriesIsMovedTogether(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx, ada := t.Context(), caller("ada")
		find := func(r rooms.Room) rooms.Room {
			t.Helper()
			r, err := b.Rooms.Store.ByID(ctx, r.ID)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		all := series(t, b, ada, rooms.Draft{Name: "Stand-up", Timezone: "Europe/Berlin", StartsAt: clocked(t, "Europe/Berlin", "2030-10-14 10:00"), EndsAt: clocked(t, "Europe/Berlin", "2030-10-14 11:00")}, rooms.Weekly, 5)
		alone := clocked(t, "Europe/Berlin", "2030-10-29 10:00")
		if _, err := b.Rooms.Change(ctx, ada, all[2], rooms.Change{StartsAt: &alone, EndsAt: new(alone + 3600_000), Name: new("Retrospective")}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Rooms.SetClosed(ctx, ada, all[3], true); err != nil {
			t.Fatal(err)
		}
		to := clocked(t, "Europe/Berlin", "2030-10-22 08:30")
		if err := b.Rooms.ChangeRest(ctx, ada, find(all[1]), rooms.Change{StartsAt: &to, EndsAt: new(to + 2*3600_000), Capacity: new(7)}); err != nil {
			t.Fatal(err)
		}
		var now []rooms.Room
		for _, r := range all {
			now = append(now, find(r))
		}
		wantLines(t, "moved", starts(t, now), `
			Mon 2030-10-14 10:00 +02 to 11:00
			Tue 2030-10-22 08:30 +02 to 10:30
			Wed 2030-10-30 08:30 +01 to 10:30
			Mon 2030-11-04 10:00 +01 to 11:00
			Tue 2030-11-12 08:30 +01 to 10:30`)
		for i, want := range []struct {
			name           string
			capacity, seqs int
		}{{"Stand-up", 0, 0}, {"Stand-up", 7, 1}, {"Retrospective", 7, 2}, {"Stand-up", 0, 1}, {"Stand-up", 7, 1}} {
			if r := now[i]; r.Name != want.name || r.Capacity != want.capacity || r.Sequence != want.seqs {
				t.Errorf("%d: %+v", i+1, r)
			}
		}
		if err := b.Rooms.ChangeRest(ctx, ada, now[1], rooms.Change{StartsAt: new(int64)}); len(rooms.Wrong(err)) != 1 {
			t.Errorf("no beginning any more: %v", err)
		}
		if err := b.Rooms.ChangeRest(ctx, ada, now[1], rooms.Change{EndsAt: new(int64)}); err != nil {
			t.Error(err)
		}
		if r := find(all[4]); r.EndsAt != 0 || r.StartsAt != now[4].StartsAt {
			t.Errorf("no end any more: %+v", r)
		}
		if err := b.Rooms.ChangeRest(ctx, ada, find(all[0]), rooms.Change{Timezone: new("Europe/London"), StartsAt: new(clocked(t, "Europe/London", "2030-10-14 10:00")), EndsAt: new(clocked(t, "Europe/London", "2030-10-14 11:00"))}); err != nil {
			t.Error(err)
		}
		wantLines(t, "in another zone", starts(t, []rooms.Room{find(all[0]), find(all[1])}), `
			Mon 2030-10-14 10:00 +01 to 11:00
			Tue 2030-10-22 08:30 +01`)
	})
}

func TestRestOfASeriesIsClosedTogether(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx, ada := t.Context(), caller("ada")
		all := series(t, b, ada, rooms.Draft{Name: "Stand-up", StartsAt: clocked(t, "UTC", "2030-10-14 10:00")}, rooms.Weekly, 4)
		if _, err := b.Rooms.SetClosed(ctx, ada, all[2], true); err != nil {
			t.Fatal(err)
		}
		b.Clock.Add(time.Second)
		n, at, err := b.Rooms.CloseRest(ctx, ada, all[1])
		if err != nil || n != 2 || at != b.Clock.Millis() {
			t.Fatalf("closed %d at %d, %v", n, at, err)
		}
		closed := func() (s string) {
			for _, r := range all {
				r, err := b.Rooms.Store.ByID(ctx, r.ID)
				if err != nil {
					t.Fatal(err)
				}
				s += map[bool]string{true: "x", false: "o"}[r.ClosedAt != 0]
			}
			return s
		}
		if got := closed(); got != "oxxx" {
			t.Errorf("closed %s", got)
		}
		if n, err := b.Rooms.ReopenRest(ctx, ada, all[1], at); n != 2 || err != nil || closed() != "ooxo" {
			t.Errorf("undone %d, %v: %s", n, err, closed())
		}
		if _, err := b.Rooms.ReopenRest(ctx, ada, all[1], at); !errors.Is(err, rooms.ErrTooLate) {
			t.Errorf("undone again: %v", err)
		}
		_, at, err = b.Rooms.CloseRest(ctx, ada, all[0])
		b.Clock.Add(rooms.UndoWindow)
		if _, late := b.Rooms.ReopenRest(ctx, ada, all[0], at); err != nil || !errors.Is(late, rooms.ErrTooLate) {
			t.Errorf("undone later: %v, %v", err, late)
		}
		if rest, err := b.Rooms.Rest(ctx, caller("bo"), all[0]); len(rest) != 0 || err != nil {
			t.Errorf("of another host: %v, %v", rest, err)
		}
		alone := create(t, b, ada, rooms.Draft{Name: "Alone"})
		if rest, err := b.Rooms.Rest(ctx, ada, alone); len(rest) != 1 || err != nil {
			t.Errorf("alone: %v, %v", rest, err)
		}
	})
}
