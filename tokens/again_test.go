package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// invited is everybody who is invited to the room, as "role name address uses" in order.
func invited(t *testing.T, b *datatest.Bench, r rooms.Room) (lines []string) {
	t.Helper()
	all, err := b.Invitations.Store.List(t.Context(), tokens.Query{Room: r.ID, Sort: tokens.Oldest, Limit: 100, Now: b.Clock.Millis()})
	if err != nil {
		t.Fatal(err)
	}
	for _, inv := range all {
		if inv.Uses != 0 || inv.PIN != "" || inv.ExternalID != "" || inv.Counter != inv.ID || inv.ExpiresAt != r.EndsAt {
			t.Errorf("not fresh: %+v", inv)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %d %s", inv.Role, inv.Name, inv.Email, inv.MaxUses, inv.Locale))
	}
	return lines
}

func TestTheSamePeopleAreInvitedAgain(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx := context.Background()
		from := makeRoom(t, b, rooms.Draft{Name: "Last week"})
		live := mint(t, b, from, tokens.Draft{Name: "Live", Email: "live@guests.example", PIN: "4711", ExternalID: "x", Locale: "de", MaxUses: 3})
		used := mint(t, b, from, tokens.Draft{Name: "Used"})
		redeem(t, b, press(b, used, "browser"))
		mint(t, b, from, tokens.Draft{Name: "A host", Role: tokens.Host})
		revoked := mint(t, b, from, tokens.Draft{Name: "Revoked"})
		_, err := b.Invitations.Revoke(ctx, ada(), revoked, "")
		wants(t, "revoke", err, nil)
		expired := mint(t, b, from, tokens.Draft{Name: "Expired", ExpiresIn: tokens.MinLifetime})
		replaced := mint(t, b, from, tokens.Draft{Name: "Replaced"})
		_, err = b.Invitations.Reissue(ctx, ada(), replaced, false, true)
		wants(t, "reissue", err, nil)
		_, err = b.Invitations.Reissue(ctx, ada(), live, true, true)
		wants(t, "a second link", err, nil)
		b.Clock.Add(tokens.MinLifetime)

		ds, err := b.Invitations.Again(ctx, from)
		wants(t, "guests", err, nil)
		d := dated(b)
		d.Name = "Next weeks"
		made, err := b.Invitations.Inviting(b.Rooms, ada(), ds, true).CreateSeries(ctx, ada(), d, rooms.Weekly, 3)
		wants(t, "made", err, nil)
		want := "guest Live live@guests.example 3 de\nguest Used  1 \nguest Expired  1 \nguest Replaced  1 "
		for _, r := range made {
			if got := strings.Join(invited(t, b, r), "\n"); got != want {
				t.Errorf("%s:\n%s\nwant\n%s", r.Slug, got, want)
			}
		}
		if len(made) != 3 || fetch(t, b, expired).Room.ID != from.ID {
			t.Errorf("%d rooms", len(made))
		}
		ds = append(ds, tokens.Draft{Name: "A host", Role: tokens.Host})
		_, err = b.Invitations.Inviting(b.Rooms, ada(), ds, false).Create(ctx, ada(), rooms.Draft{Name: "Barred"})
		wants(t, "a host's link without the right to make one", err, tokens.ErrRoleBarred)
		many := make([]tokens.Draft, tokens.MaxBatch/3+1)
		_, err = b.Invitations.Inviting(b.Rooms, ada(), many, true).CreateSeries(ctx, ada(), d, rooms.Weekly, 3)
		var invalid rooms.Invalid
		if !errors.As(err, &invalid) || invalid.Field != "invite" {
			t.Errorf("too many: %v", err)
		}
		d.StartsAt, d.EndsAt = d.StartsAt+ms(tokens.MaxLifetime), d.EndsAt+ms(tokens.MaxLifetime)
		_, err = b.Invitations.Inviting(b.Rooms, ada(), ds, true).Create(ctx, ada(), d)
		if !errors.As(err, &invalid) || invalid.Field != "expires_at" {
			t.Errorf("too far away: %v", err)
		}
		list, err := b.Rooms.Store.List(ctx, rooms.Query{Caller: ada(), Limit: 10, Now: b.Clock.Millis()})
		if err != nil || len(list) != 4 {
			t.Errorf("a refusal left a room behind: %d, %v", len(list), err)
		}
	})
}
