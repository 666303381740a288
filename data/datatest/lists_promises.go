package datatest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"admitone/rooms"
	"admitone/tokens"
)

// sorts walks through a list in every order and with every filter, two a page.
func sorts(t *trial) {
	r, elsewhere := t.room(), t.room()
	var every []tokens.Invitation
	for i, name := range []string{"b", "", "Élodie", "a b", "a", "A-c", "ab", "Zoë", "zoe", "_", "~", "10", "9", "王小明", "Анна", "a", "A", "🎟", "\u00df", "ss", "e\u0301lodie"} {
		every = append(every, t.invitation(r, func(inv *tokens.Invitation) {
			inv.Name, inv.Email, inv.Role = name, []string{"", "z@example.org", "A@example.org"}[i%3], []tokens.Role{tokens.Guest, tokens.Host}[i%2]
		}))
		t.invitation(elsewhere, func(inv *tokens.Invitation) { inv.Name = name })
	}
	orders := map[tokens.Sort]func(a, b tokens.Invitation) int{
		"":            func(a, b tokens.Invitation) int { return cmp.Compare(b.ID, a.ID) },
		tokens.Newest: func(a, b tokens.Invitation) int { return cmp.Compare(b.ID, a.ID) },
		tokens.Oldest: func(a, b tokens.Invitation) int { return cmp.Compare(a.ID, b.ID) },
		tokens.ByName: func(a, b tokens.Invitation) int {
			return cmp.Or(strings.Compare(a.Folded(), b.Folded()), cmp.Compare(a.ID, b.ID))
		},
	}
	for sort, order := range orders {
		for _, q := range []tokens.Query{{}, {Role: tokens.Host}, {Text: "a"}, {State: tokens.Pending}, {State: tokens.Redeemed}, {Text: "example", Role: tokens.Guest}} {
			var want, got []rooms.ID
			slices.SortFunc(every, order)
			for _, inv := range every {
				if (q.Role == "" || q.Role == inv.Role) && strings.Contains(inv.Folded(), q.Text) && (q.State == "" || q.State == inv.State(t.now)) {
					want = append(want, inv.ID)
				}
			}
			q.Room, q.Limit, q.Sort = r.ID, 2, sort
			for range every {
				page := idsOf(t, q)
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				last := t.get(page[len(page)-1])
				q.After = last.Position(sort)
				// What is renamed meanwhile, to and fro, takes no one's place.
				t.exec("UPDATE invitations SET search = $1 WHERE id = $2", "0", int64(last.ID))
			}
			for _, inv := range every {
				t.exec("UPDATE invitations SET search = $1 WHERE id = $2", inv.Folded(), int64(inv.ID))
			}
			same(t, string(sort)+" "+q.Text+string(q.Role)+string(q.State), got, want)
		}
	}
}

func findsText(t *trial) {
	r := t.room()
	people := map[string]string{"Ada Lovelace": "ada@example.org", "Élodie": "", "ŁUCJA": "", "Анна Иванова": "anna@example.org", "100%_sure\\": "",
		"王小明": "", "": "Nobody@Example.ORG"}
	for name, email := range people {
		t.invitation(r, func(inv *tokens.Invitation) { inv.Name, inv.Email = name, email })
	}
	for _, text := range []string{"ada", "LOVE", "a l", "example.org", "EXAMPLE", "élodie", "ÉLODIE", "Élodie", "É", "łucja", "Łuc", "иван", "ИВАН", "Иван",
		"小", "%", "_", `\`, "100%", "0%_s", "zzz", "'", "org", "NUL\x00", "broken \xff"} {
		var want, got []string
		for name, email := range people {
			if strings.Contains(strings.ToLower(name), strings.ToLower(text)) || strings.Contains(strings.ToLower(email), strings.ToLower(text)) {
				want = append(want, name)
			}
		}
		list, err := t.Invitations.Store.List(t.ctx, tokens.Query{Room: r.ID, Text: text, Limit: 100, Now: t.now})
		t.must(err)
		for _, inv := range list {
			got = append(got, inv.Name)
		}
		slices.Sort(want)
		slices.Sort(got)
		same(t, "found by "+text, got, want)
	}
}

// findsFew asks by name for pages whose lines stand far from each other.
func findsFew(t *trial) {
	r := t.room()
	var drafts []tokens.Invitation
	for n := range 130 {
		drafts = append(drafts, t.draft(r, func(inv *tokens.Invitation) {
			inv.Name = fmt.Sprintf("guest %03d", 130-n)
			if n%60 == 5 {
				inv.Role, inv.ExternalID = tokens.Host, "b-1"
			}
		}))
	}
	t.insert(drafts...)
	t.exec("UPDATE invitations SET uses = 1 WHERE room_id = $1 AND role = 'guest'", int64(r.ID))
	want := []rooms.ID{drafts[125].ID, drafts[65].ID, drafts[5].ID}
	for name, q := range map[string]tokens.Query{"state": {State: tokens.Pending}, "role": {Role: tokens.Host}, "external id": {ExternalID: "b-1"},
		"attendance": {Attendance: tokens.NotYet}, "all": {State: tokens.Pending, Role: tokens.Host, Text: "GUEST"}} {
		q.Room, q.Limit, q.Sort = r.ID, 2, tokens.ByName
		same(t, "by "+name, idsOf(t, q), want[:2])
		q.After = t.get(want[1]).Position(tokens.ByName)
		same(t, "by "+name+", the rest", idsOf(t, q), want[2:])
	}
}
