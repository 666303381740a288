package datatest

import (
	"slices"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

func roomsPromises() []promise {
	return []promise{
		{"Insert adds a room as it is, and its event", func(t *trial) {
			r := rooms.Room{ID: t.id(), Slug: "full", Name: "Füll 🎟", Owner: "ada", StartsAt: 1, EndsAt: 2, Timezone: "Europe/Berlin",
				Backend: "conf", ExternalID: "x'1", Locale: "de", CreatedAt: 3, ClosedAt: 4,
				Series: rooms.Series{ID: 7, Every: rooms.Weekly, Nth: 2, Size: 9}}
			ev := t.event(audit.RoomCreated, r.ID, 0)
			t.noted("Insert", func() { t.must(t.Rooms.Store.Insert(t.ctx, []rooms.Room{r}, []audit.Event{ev})) }, ev)
			byID, err := t.Rooms.Store.ByID(t.ctx, r.ID)
			t.must(err)
			same(t, "ByID", byID, r)
			bySlug, err := t.Rooms.Store.BySlug(t.ctx, r.Slug)
			t.must(err)
			same(t, "BySlug", bySlug, r)
		}},
		{"Insert: ErrSlugTaken when the slug was ever used, also by a room now closed", func(t *trial) {
			for _, was := range []rooms.Room{t.room(), t.room(func(r *rooms.Room) { r.ClosedAt = t.now })} {
				t.unchanged("Insert", func() {
					r := rooms.Room{ID: t.id(), Slug: was.Slug, Name: "Other", Owner: "bo"}
					t.fails(t.Rooms.Store.Insert(t.ctx, []rooms.Room{r}, []audit.Event{t.event(audit.RoomCreated, r.ID, 0)}), rooms.ErrSlugTaken)
				})
			}
		}},
		{"Insert: ErrIDTaken when the id was used", func(t *trial) {
			was := t.room()
			t.unchanged("Insert", func() {
				r := rooms.Room{ID: was.ID, Slug: "another-slug", Name: "Other", Owner: "bo"}
				t.fails(t.Rooms.Store.Insert(t.ctx, []rooms.Room{r}, []audit.Event{t.event(audit.RoomCreated, r.ID, 0)}), rooms.ErrIDTaken)
			})
		}},
		{"ByID and BySlug: ErrNotFound, whatever is asked for", func(t *trial) {
			_, err := t.Rooms.Store.ByID(t.ctx, t.id())
			t.fails(err, rooms.ErrNotFound)
			for _, slug := range []string{"", "nobody", "NUL\x00here", "broken \xff text", `' OR '1'='1`, "%"} {
				if _, err := t.Rooms.Store.BySlug(t.ctx, slug); err == nil {
					t.Errorf("%q found a room", slug)
				} else {
					t.fails(err, rooms.ErrNotFound)
				}
			}
		}},
		{"every change stores its event in the same transaction, or nothing", func(t *trial) {
			r, closed := t.room(), t.room(func(r *rooms.Room) { r.ClosedAt = t.now })
			t.invitation(r)
			t.undoneWithoutHistory(map[string]func() error{
				"Insert": func() error {
					n := rooms.Room{ID: t.id(), Slug: "never", Name: "Never", Owner: "ada"}
					return t.Rooms.Store.Insert(t.ctx, []rooms.Room{n}, []audit.Event{t.event(audit.RoomCreated, n.ID, 0)})
				},
				"Update": func() error {
					n := r
					n.Name = "Never"
					return t.Rooms.Store.Update(t.ctx, n, rooms.Shift{Start: 1, End: 1}, t.event(audit.RoomChanged, r.ID, 0))
				},
				"SetClosed": func() error {
					done, err := t.Rooms.Store.SetClosed(t.ctx, r.ID, t.now, t.event(audit.RoomClosed, r.ID, 0))
					same(t, "done", done, false)
					return err
				},
				"UpdateAll": func() error {
					n := r
					n.Name = "Never"
					return t.Rooms.Store.UpdateAll(t.ctx, []rooms.Update{{Room: n, Event: t.event(audit.RoomChanged, r.ID, 0)}})
				},
				"SetClosedAll": func() error {
					done, err := t.Rooms.Store.SetClosedAll(t.ctx, []rooms.ID{r.ID}, t.now, func(id rooms.ID) audit.Event { return t.event(audit.RoomClosed, id, 0) })
					same(t, "done", done, nil)
					return err
				},
				"InsertRooms": func() error {
					n := rooms.Room{ID: t.id(), Slug: "never-with-guests", Name: "Never", Owner: "ada"}
					inv := t.draft(n)
					return t.Invitations.Store.InsertRooms(t.ctx, []rooms.Room{n}, []audit.Event{t.event(audit.RoomCreated, n.ID, 0)}, []tokens.Invitation{inv}, []audit.Event{t.event(audit.InvitationMinted, n.ID, inv.ID)})
				},
				"SetOwner": func() error {
					done, err := t.Rooms.Store.SetOwner(t.ctx, r.ID, "never", t.event(audit.RoomHandedOver, r.ID, 0))
					same(t, "done", done, false)
					return err
				},
				"SetClosed, to open": func() error {
					done, err := t.Rooms.Store.SetClosed(t.ctx, closed.ID, 0, t.event(audit.RoomReopened, closed.ID, 0))
					same(t, "done", done, false)
					return err
				},
			})
		}},
		{"List returns rooms newest first, before an id, so many", listsRooms},
		{"List returns the rooms a caller reaches", listsReached},
		{"List counts open invitations and uses taken", listCounts},
		{"Update stores what may change, and only that", func(t *trial) {
			r := t.room()
			n := rooms.Room{ID: r.ID, Slug: "other", Name: "New", Owner: "eve", StartsAt: 5, EndsAt: 6, Timezone: "Asia/Tokyo", Backend: "conf",
				ExternalID: "e", Locale: "ja", CreatedAt: 7, ClosedAt: 8}
			ev := t.event(audit.RoomChanged, r.ID, 0)
			t.noted("Update", func() { t.must(t.Rooms.Store.Update(t.ctx, n, rooms.Shift{}, ev)) }, ev)
			got, err := t.Rooms.Store.ByID(t.ctx, r.ID)
			t.must(err)
			n.Slug, n.Owner, n.CreatedAt, n.ClosedAt, n.Sequence = r.Slug, r.Owner, r.CreatedAt, r.ClosedAt, 1
			same(t, "room", got, n)
		}},
		{"Update: ErrNotFound where there is no such room", func(t *trial) {
			t.unchanged("Update", func() {
				none := rooms.Room{ID: t.id(), Name: "None"}
				t.fails(t.Rooms.Store.Update(t.ctx, none, rooms.Shift{Start: 1}, t.event(audit.RoomChanged, none.ID, 0)), rooms.ErrNotFound)
			})
		}},
		{"Update moves the windows of unredeemed invitations", movesWindows},
		{"SetClosed closes at that moment and reopens; again it is false and stores no event", func(t *trial) {
			r := t.room()
			set := func(at int64, kind audit.Kind, want bool) {
				done, err := t.Rooms.Store.SetClosed(t.ctx, r.ID, at, t.event(kind, r.ID, 0))
				t.must(err)
				same(t, "done", done, want)
			}
			closedAt := func() int64 {
				got, err := t.Rooms.Store.ByID(t.ctx, r.ID)
				t.must(err)
				return got.ClosedAt
			}
			t.unchanged("opening an open room", func() { set(0, audit.RoomReopened, false) })
			t.noted("closing", func() { set(t.now, audit.RoomClosed, true) }, t.event(audit.RoomClosed, r.ID, 0))
			t.unchanged("closing again", func() { set(t.now+5, audit.RoomClosed, false) })
			same(t, "closed at", closedAt(), t.now)
			t.noted("opening", func() { set(0, audit.RoomReopened, true) }, t.event(audit.RoomReopened, r.ID, 0))
			same(t, "closed at", closedAt(), 0)
			t.unchanged("closing a room that is not there", func() {
				done, err := t.Rooms.Store.SetClosed(t.ctx, t.id(), t.now, t.event(audit.RoomClosed, r.ID, 0))
				t.must(err)
				same(t, "done", done, false)
			})
		}},
		{"SetOwner makes the room that host's; again it is false and stores no event", givesRooms},
		{"Events returns the room's history, newest first, before an id, so many", func(t *trial) {
			r, other := t.room(), t.room()
			for range 4 {
				t.must(t.Rooms.Store.Update(t.ctx, r, rooms.Shift{}, t.event(audit.RoomChanged, r.ID, 0)))
				t.must(t.Rooms.Store.Update(t.ctx, other, rooms.Shift{}, t.event(audit.RoomChanged, other.ID, 0)))
			}
			pagesOfHistory(t, 5, audit.RoomCreated, func(before rooms.ID, limit int) ([]audit.Event, error) {
				return t.Rooms.Store.Events(t.ctx, r.ID, before, limit)
			})
		}},
		{"an event whose id another machine made gets another", func(t *trial) {
			r := t.room()
			// Ids count up from the last within a second, so the next one is known.
			next := t.IDs.Next(t.now+900) + 1
			t.exec("INSERT INTO events (id, at, actor_kind, actor, kind, room_id, invitation_id, admission_id, detail) VALUES ($1, 0, '', '', '', 0, 0, 0, '')", int64(next))
			t.must(t.Rooms.Store.Update(t.ctx, r, rooms.Shift{}, t.event(audit.RoomChanged, r.ID, 0)))
			evs, err := t.Rooms.Store.Events(t.ctx, r.ID, 0, 1)
			t.must(err)
			same(t, "an id of its own", evs[0].Kind == audit.RoomChanged && rooms.ID(evs[0].ID) > next, true)
		}},
	}
}

// pagesOfHistory reads a history of so many events, the first of that kind, in pages of two.
func pagesOfHistory(t *trial, want int, first audit.Kind, events func(before rooms.ID, limit int) ([]audit.Event, error)) {
	t.Helper()
	all, err := events(0, 100)
	t.must(err)
	same(t, "how many", len(all), want)
	if !slices.IsSortedFunc(all, func(a, b audit.Event) int { return int(b.ID - a.ID) }) {
		t.Errorf("not newest first: %v", all)
	}
	same(t, "the oldest", all[len(all)-1].Kind, first)
	var paged []audit.Event
	for before := rooms.ID(0); ; before = rooms.ID(paged[len(paged)-1].ID) {
		page, err := events(before, 2)
		t.must(err)
		if len(page) > 2 {
			t.Fatalf("a page of %d", len(page))
		}
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
	}
	same(t, "page by page", paged, all)
}

func listed(t *trial, q rooms.Query) (slugs []string) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	q.Now = t.now
	list, err := t.Rooms.Store.List(t.ctx, q)
	t.must(err)
	for _, l := range list {
		slugs = append(slugs, l.Slug)
	}
	return slugs
}

func listsRooms(t *trial) {
	var want []string
	var ids []rooms.ID
	for range 5 {
		r := t.room(func(r *rooms.Room) { r.Owner = "lister" })
		want, ids = append([]string{r.Slug}, want...), append([]rooms.ID{r.ID}, ids...)
	}
	lister := rooms.Caller{Owner: "lister"}
	same(t, "all", listed(t, rooms.Query{Caller: lister}), want)
	same(t, "first two", listed(t, rooms.Query{Caller: lister, Limit: 2}), want[:2])
	same(t, "next two", listed(t, rooms.Query{Caller: lister, Limit: 2, Before: ids[1]}), want[2:4])
	same(t, "the rest", listed(t, rooms.Query{Caller: lister, Before: ids[3]}), want[4:])
	same(t, "after the last", listed(t, rooms.Query{Caller: lister, Before: ids[4]}), nil)
}

func listsReached(t *trial) {
	owned := func(owner string) func(*rooms.Room) {
		return func(r *rooms.Room) { r.Owner, r.ExternalID = owner, "of "+owner }
	}
	a, b, c := t.room(owned("reach-a")), t.room(owned("reach-b")), t.room(owned("reach-c"))
	for _, row := range []struct {
		name   string
		caller rooms.Caller
		ext    string
		want   []string
	}{
		{"their own", rooms.Caller{Owner: "reach-a"}, "", []string{a.Slug}},
		{"nobody's", rooms.Caller{Owner: "reach-x"}, "", nil},
		{"their own and those named", rooms.Caller{Owner: "reach-a", Slugs: []string{c.Slug, "nowhere"}}, "", []string{c.Slug, a.Slug}},
		{"a star names none of others'", rooms.Caller{Owner: "reach-a", Slugs: []string{"*"}}, "", []string{a.Slug}},
		{"a star beside a name", rooms.Caller{Owner: "reach-a", Slugs: []string{"*", b.Slug}}, "", []string{b.Slug, a.Slug}},
		{"an external id", rooms.Caller{Owner: "reach-a", Slugs: []string{b.Slug}}, "of reach-b", []string{b.Slug}},
		{"another's external id", rooms.Caller{Owner: "reach-a"}, "of reach-b", nil},
		{"an admin's external id", rooms.Caller{Admin: true}, "of reach-c", []string{c.Slug}},
	} {
		same(t, row.name, listed(t, rooms.Query{Caller: row.caller, ExternalID: row.ext}), row.want)
	}
	same(t, "an admin's", listed(t, rooms.Query{Caller: rooms.Caller{Admin: true}, Limit: 3}), []string{c.Slug, b.Slug, a.Slug})
}

func listCounts(t *trial) {
	r := t.room(func(r *rooms.Room) { r.Owner = "counter" })
	every := everyState(t, r)
	list, err := t.Rooms.Store.List(t.ctx, rooms.Query{Caller: rooms.Caller{Owner: "counter"}, Limit: 10, Now: t.now})
	t.must(err)
	live, uses := 0, 0
	for _, inv := range every {
		if inv.State(t.now) == tokens.Pending {
			live++
		}
		if inv.Counter == inv.ID {
			uses += inv.Uses
		}
	}
	same(t, "live", list[0].Live, live)
	same(t, "redeemed", list[0].Redeemed, uses)
}

func movesWindows(t *trial) {
	shift := rooms.Shift{Start: 2 * hour, End: 3 * hour}
	for _, row := range []struct {
		name       string
		shift      rooms.Shift
		change     func(*tokens.Invitation)
		after      func(tokens.Invitation)
		start, end int64 // how far each edge moves
	}{
		{name: "start and end", shift: shift, change: func(inv *tokens.Invitation) { inv.NotBefore = t.now }, start: 2 * hour, end: 3 * hour},
		{name: "a start of 0 stays 0", shift: shift, end: 3 * hour},
		{name: "to earlier", shift: rooms.Shift{Start: -hour, End: -hour}, change: func(inv *tokens.Invitation) { inv.NotBefore = t.now }, start: -hour, end: -hour},
		{name: "an end never comes before a second after the start", shift: rooms.Shift{Start: 5 * hour},
			change: func(inv *tokens.Invitation) { inv.NotBefore = t.now }, start: 5 * hour, end: 4*hour + 1000},
		{name: "nothing moves by nothing", change: func(inv *tokens.Invitation) { inv.NotBefore = t.now }},
		{name: "redeemed stays", shift: shift, after: func(inv tokens.Invitation) { t.take(inv, "n") }},
		{name: "one use left moves", shift: shift, change: func(inv *tokens.Invitation) { inv.MaxUses = 2 },
			after: func(inv tokens.Invitation) { t.take(inv, "n") }, end: 3 * hour},
		{name: "revoked stays", shift: shift, after: func(inv tokens.Invitation) {
			t.exec("UPDATE invitations SET revoked_at = 1 WHERE id = $1", int64(inv.ID))
		}},
		{name: "superseded stays", shift: shift, after: func(inv tokens.Invitation) {
			t.exec("UPDATE invitations SET superseded_by = 1 WHERE id = $1", int64(inv.ID))
		}},
	} {
		r := t.room(func(r *rooms.Room) { r.StartsAt, r.EndsAt = t.now-hour, t.at(24*time.Hour) })
		if row.change == nil {
			row.change = func(*tokens.Invitation) {}
		}
		inv, elsewhere := t.invitation(r, row.change), t.invitation(t.room(), row.change)
		if row.after != nil {
			row.after(inv)
		}
		t.must(t.Rooms.Store.Update(t.ctx, r, row.shift, t.event(audit.RoomChanged, r.ID, 0)))
		got := t.get(inv.ID)
		same(t, row.name+": start", got.NotBefore, inv.NotBefore+row.start)
		same(t, row.name+": end", got.ExpiresAt, inv.ExpiresAt+row.end)
		same(t, row.name+": in another room", t.get(elsewhere.ID), elsewhere)
	}

	r := t.room()
	first := t.invitation(r)
	shares := t.draft(r, func(inv *tokens.Invitation) { inv.Counter = first.ID })
	t.must(t.Invitations.Store.Reissue(t.ctx, first.ID, shares, t.event(audit.InvitationReissued, r.ID, shares.ID)))
	t.take(first, "n")
	t.must(t.Rooms.Store.Update(t.ctx, r, shift, t.event(audit.RoomChanged, r.ID, 0)))
	same(t, "the other link of a redeemed invitation stays", t.get(shares.ID).ExpiresAt, shares.ExpiresAt)
}
