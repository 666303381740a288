package tokens_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

func TestMintBoundsTheLifetime(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	b.Clock.Add(250 * time.Millisecond) // so that now is no whole second
	now := b.Clock.Millis()
	hour, day := ms(time.Hour), ms(24*time.Hour)
	plain := rooms.Draft{}
	future := rooms.Draft{StartsAt: now + 10*hour, EndsAt: now + 12*hour}
	running := rooms.Draft{StartsAt: now - hour, EndsAt: now + hour}
	over := rooms.Draft{StartsAt: now - 5*hour, EndsAt: now - 4*hour}
	opens := rooms.Draft{StartsAt: now + 10*hour}
	for _, tt := range []struct {
		name  string
		room  rooms.Draft
		draft tokens.Draft
		want  int64  // how far the end is from now
		field string // what is at fault; then want does not matter
	}{
		{"default, no window", plain, tokens.Draft{}, hour + 750, ""}, // to the whole second, as exp says
		{"default, a room with an end", running, tokens.Draft{}, hour, ""},
		{"default, a room to come", future, tokens.Draft{}, 12 * hour, ""},
		{"default, a room with a start alone", opens, tokens.Draft{}, 11*hour + 750, ""},
		{"default, a room that is over", over, tokens.Draft{}, 0, "expires_in"},
		{"default, with a start of its own", plain, tokens.Draft{NotBefore: now + 5*hour}, 6*hour + 750, ""},
		{"relative", plain, tokens.Draft{ExpiresIn: 2 * time.Hour}, 2*hour + 750, ""},
		{"relative, beyond a room's end", running, tokens.Draft{ExpiresIn: 2 * time.Hour}, 2*hour + 750, ""},
		{"relative, ending before the room opens", future, tokens.Draft{ExpiresIn: 2 * time.Hour}, 0, "expires_in"},
		{"relative, ending before a room without an end opens", opens, tokens.Draft{ExpiresIn: 2 * time.Hour}, 0, "expires_in"},
		{"relative, ending after the room opens", future, tokens.Draft{ExpiresIn: 11 * time.Hour}, 11*hour + 750, ""},
		{"outright, ending before the room opens", future, tokens.Draft{ExpiresAt: now + 2*hour}, 2 * hour, ""},
		{"outright, to the millisecond", plain, tokens.Draft{ExpiresAt: now + 1234}, 1234, ""},
		{"both ways at once", plain, tokens.Draft{ExpiresIn: time.Hour, ExpiresAt: now + hour}, 0, "expires_at"},
		{"in the past", plain, tokens.Draft{ExpiresAt: now - 1}, 0, "expires_at"},
		{"now", plain, tokens.Draft{ExpiresAt: now}, 0, "expires_at"},
		{"a second", plain, tokens.Draft{ExpiresAt: now + 1000}, 1000, ""},
		{"less than a second", plain, tokens.Draft{ExpiresAt: now + 999}, 0, "expires_at"},
		{"a second after its start", plain, tokens.Draft{NotBefore: now + hour, ExpiresAt: now + hour + 1000}, hour + 1000, ""},
		{"less than a second after its start", plain, tokens.Draft{NotBefore: now + hour, ExpiresAt: now + hour + 999}, 0, "expires_at"},
		{"before its start", plain, tokens.Draft{NotBefore: now + 2*hour, ExpiresAt: now + hour}, 0, "expires_at"},
		{"a start in the past", plain, tokens.Draft{NotBefore: now - day}, hour + 750, ""},
		{"the longest", plain, tokens.Draft{ExpiresAt: now + 366*day}, 366 * day, ""},
		{"too long", plain, tokens.Draft{ExpiresAt: now + 366*day + 1}, 0, "expires_at"},
		{"too long, relative", plain, tokens.Draft{ExpiresIn: 367 * 24 * time.Hour}, 0, "expires_at"},
		{"uses", plain, tokens.Draft{MaxUses: tokens.MaxUses}, hour + 750, ""},
		{"too many uses", plain, tokens.Draft{MaxUses: tokens.MaxUses + 1}, 0, "max_uses"},
		{"fewer than no uses", plain, tokens.Draft{MaxUses: -1}, 0, "max_uses"},
		{"no role", plain, tokens.Draft{Role: "-"}, 0, "role"},
		{"another role", plain, tokens.Draft{Role: "admin"}, 0, "role"},
		{"the role in capitals", plain, tokens.Draft{Role: "Host"}, 0, "role"},
		{"a long name", plain, tokens.Draft{Name: strings.Repeat("x", 201)}, 0, "name"},
		{"NUL in the name", plain, tokens.Draft{Name: "a\x00b"}, 0, "name"},
		{"no mail address", plain, tokens.Draft{Email: "ada"}, 0, "email"},
		{"a mail address with a name", plain, tokens.Draft{Email: "Ada <ada@example.org>"}, 0, "email"},
		{"two mail addresses", plain, tokens.Draft{Email: "a@example.org, b@example.org"}, 0, "email"},
		{"a long id of the booking system", plain, tokens.Draft{ExternalID: strings.Repeat("x", 201)}, 0, "external_id"},
		{"a long locale", plain, tokens.Draft{Locale: strings.Repeat("x", 36)}, 0, "locale"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			room := makeRoom(t, b, tt.room)
			d := tt.draft
			switch d.Role {
			case "":
				d.Role = tokens.Guest
			case "-":
				d.Role = ""
			}
			inv, err := b.Invitations.Mint(t.Context(), ada(), room, d, true)
			list, listErr := b.Invitations.Store.List(t.Context(), tokens.Query{Room: room.ID, Limit: 5})
			must(t, listErr)
			var invalid rooms.Invalid
			if tt.field != "" {
				if !errors.As(err, &invalid) || invalid.Field != tt.field || len(list) != 0 {
					t.Errorf("%v with %d stored, want %s to be refused", err, len(list), tt.field)
				}
				return
			}
			if err != nil || inv.ExpiresAt != now+tt.want {
				t.Fatalf("ends in %d ms, %v; want %d", inv.ExpiresAt-now, err, tt.want)
			}
			if len(list) != 1 || list[0] != fetch(t, b, inv) || list[0] != inv {
				t.Errorf("stored %+v\nanswered %+v", list, inv)
			}
		})
	}
}

func TestMintAsksForTheRightAndAnOpenRoom(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	room := makeRoom(t, b, rooms.Draft{})
	_, err := b.Invitations.Mint(t.Context(), ada(), room, tokens.Draft{Role: tokens.Host}, false)
	wants(t, "a host's link without that right", err, tokens.ErrRoleBarred)
	if _, err := b.Invitations.Mint(t.Context(), ada(), room, tokens.Draft{Role: tokens.Guest}, false); err != nil {
		t.Errorf("a guest's link needs no such right: %v", err)
	}
	closed, err := b.Rooms.SetClosed(t.Context(), ada(), room, true)
	must(t, err)
	_, err = b.Invitations.Mint(t.Context(), ada(), closed, tokens.Draft{Role: tokens.Guest}, true)
	wants(t, "to a closed room", err, tokens.ErrRoomClosed)
	list, err := b.Invitations.Store.List(t.Context(), tokens.Query{Room: room.ID, Limit: 5})
	if err != nil || len(list) != 1 {
		t.Errorf("%d stored, %v; want the guest's alone", len(list), err)
	}
}

func TestChangeKeepsTheBoundsOfMinting(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		room := makeRoom(t, b, rooms.Draft{})
		now := b.Clock.Millis()
		at := func(d time.Duration) *int64 { v := now + ms(d); return &v }
		number := func(n int) *int { return &n }
		word := func(s string) *string { return &s }
		for _, tt := range []struct {
			name   string
			change tokens.Change
			field  string
			want   error
		}{
			{"later", tokens.Change{ExpiresAt: at(48 * time.Hour)}, "", nil},
			{"a start and an end", tokens.Change{NotBefore: at(time.Hour), ExpiresAt: at(2 * time.Hour)}, "", nil},
			{"in the past", tokens.Change{ExpiresAt: at(-time.Second)}, "expires_at", nil},
			{"a start after the end", tokens.Change{NotBefore: at(100 * time.Hour)}, "expires_at", nil},
			{"too long", tokens.Change{ExpiresAt: at(367 * 24 * time.Hour)}, "expires_at", nil},
			{"a name", tokens.Change{Name: word("Grace")}, "", nil},
			{"a bad name", tokens.Change{Name: word("\x00")}, "name", nil},
			{"a bad address", tokens.Change{Email: word("@")}, "email", nil},
			{"more uses", tokens.Change{MaxUses: number(9)}, "", nil},
			{"no uses", tokens.Change{MaxUses: number(0)}, "max_uses", nil},
			{"fewer uses than were taken", tokens.Change{MaxUses: number(1)}, "", tokens.ErrConflict},
			{"as many uses as were taken", tokens.Change{MaxUses: number(2)}, "", nil},
			{"nothing", tokens.Change{}, "", nil},
		} {
			inv := mint(t, b, room, tokens.Draft{MaxUses: 5, Name: "Ada"})
			redeem(t, b, call(b, inv, "gate", "one"))
			redeem(t, b, call(b, inv, "gate", "two"))
			was := fetch(t, b, inv)
			got, err := b.Invitations.Change(t.Context(), ada(), was, tt.change)
			var invalid rooms.Invalid
			switch is := fetch(t, b, inv); {
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Field != tt.field || is != was):
				t.Errorf("%s: %v, want %s to be refused", tt.name, err, tt.field)
			case tt.field == "" && !errors.Is(err, tt.want), tt.want != nil && is != was:
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			case err == nil && got != is:
				t.Errorf("%s: answered %+v, stored %+v", tt.name, got, is)
			}
		}
	})
}

func TestAnIDThatAnotherMachineMadeEscapesToNobody(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		room, other := makeRoom(t, b, rooms.Draft{}), datatest.On(t, b.URL)
		// The other machine counts up just where this one is about to.
		last := b.IDs.Next(b.Clock.Millis())
		var invs []tokens.Invitation
		for n := range rooms.ID(50) {
			invs = append(invs, tokens.Invitation{ID: last + 1 + n, Counter: last + 1 + n, Room: room, Role: tokens.Guest, MaxUses: 9, CreatedAt: 1, ExpiresAt: b.Clock.Millis() + ms(time.Hour)})
		}
		if err := other.Invitations.Store.Insert(t.Context(), invs, make([]audit.Event, len(invs))); err != nil {
			t.Fatal(err)
		}
		if inv := mint(t, b, room, tokens.Draft{}); inv.ID <= last+50 {
			t.Errorf("minted as %d, which is another's", inv.ID)
		}
	})
}
