package data_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// In a room of many, a text is found however many have it and wherever they stand:
// near where the page begins, or by the index of texts, or by looking at all.
func TestATextIsFoundInARoomOfManyHoweverManyHaveIt(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		rows := make([]tokens.GuestRow, 10_000)
		var all []tokens.Invitation
		for _, part := range []string{"early", "late"} {
			for i := range rows {
				tag := "many"
				switch {
				case part == "late":
				case i < 1:
					tag = "one"
				case i < 18:
					tag = "seventeen"
				case i < 218:
					tag = "twohundred"
				case i < 1318:
					tag = "elevenhundred"
				}
				rows[i].Draft = tokens.Draft{Role: tokens.Guest, Name: fmt.Sprint("Guest ", i*7919%len(rows)), Email: fmt.Sprintf("g%d@%s.example", i, tag), MaxUses: 1}
			}
			rows[0].Draft.PIN = "2468" // so that the first statement's rows do not share all
			_, made, err := s.Invitations.MintList(t.Context(), s.by, s.room, rows, tokens.Terms{Atomic: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range made {
				all = append(all, *m.Invitation)
			}
		}
		if _, err := b.Raw(t).ExecContext(t.Context(), "UPDATE invitations SET uses = max_uses WHERE id % 3 = 0"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Raw(t).ExecContext(t.Context(), "UPDATE invitations SET revoked_at = 1 WHERE id % 7 = 0"); err != nil {
			t.Fatal(err)
		}
		for i := range all {
			if all[i].ID%3 == 0 {
				all[i].Uses = 1
			}
			if all[i].ID%7 == 0 {
				all[i].RevokedAt = 1
			}
		}
		for _, tag := range []string{"", "@nobody", "@one", "@seventeen", "@twohundred", "@elevenhundred"} {
			for _, state := range []tokens.State{"", tokens.Pending, tokens.Redeemed, tokens.Revoked, tokens.Superseded} {
				for _, sort := range tokens.Sorts() {
					want := wanted(all, tag, state, sort, b.Clock.Millis())
					q := tokens.Query{Room: s.room.ID, Text: tag, State: state, Sort: sort, Limit: 151, Now: b.Clock.Millis()}
					var got []rooms.ID
					for page := 0; page < 200; page++ {
						found, err := s.Invitations.Store.List(t.Context(), q)
						if err != nil {
							t.Fatal(err)
						}
						for _, inv := range found {
							got = append(got, inv.ID)
						}
						if len(found) < q.Limit {
							break
						}
						q.After = found[len(found)-1].Position(sort)
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s %s %s: %d found, want %d", tag, state, sort, len(got), len(want))
					}
				}
			}
		}
	})
}

// wanted is what a list should hold, by looking at each.
func wanted(all []tokens.Invitation, text string, state tokens.State, sort tokens.Sort, now int64) (ids []rooms.ID) {
	all = slices.DeleteFunc(slices.Clone(all), func(inv tokens.Invitation) bool {
		return state != "" && inv.State(now) != state || !strings.Contains(inv.Folded(), text)
	})
	slices.SortFunc(all, func(a, b tokens.Invitation) int {
		switch sort {
		case tokens.Oldest:
			return cmp.Compare(a.ID, b.ID)
		case tokens.ByName:
			return cmp.Or(cmp.Compare(a.Folded(), b.Folded()), cmp.Compare(a.ID, b.ID))
		case tokens.Newest:
		}
		return cmp.Compare(b.ID, a.ID)
	})
	for _, inv := range all {
		ids = append(ids, inv.ID)
	}
	return ids
}
