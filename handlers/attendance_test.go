package handlers_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"admitone/tokens"
)

func TestTheListOfGuestsTellsWhoCameAndWhoDidNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	room := b.room(t, "bob", "standup")
	grace := b.mint(t, room, tokens.Draft{Name: "Grace", Email: "grace@mail.example"})
	b.mint(t, room, tokens.Draft{Name: "Hedy"})
	several := b.mint(t, room, tokens.Draft{MaxUses: 3})
	one, two := b.browser(t), b.browser(t)
	two.get(b.short(grace)).wants(http.StatusOK)
	one.press(t, b.short(grace)).wants(http.StatusSeeOther)
	two.post(b.short(grace), url.Values{"nonce": {tokens.PageNonce(two.guestCookie().Value, grace.ID)}, "name": {"Zoe"}}).wants(http.StatusConflict)
	for _, name := range []string{"Ada", "=Bo"} {
		v := b.browser(t)
		v.get(b.short(several)).wants(http.StatusOK)
		v.post(b.short(several), url.Values{"nonce": {tokens.PageNonce(v.guestCookie().Value, several.ID)}, "name": {name}}).wants(http.StatusSeeOther)
	}
	at := "/rooms/standup/attendance"
	bob.get(at).wants(http.StatusOK).says("<b>3</b> invited", "<b>2</b> came", "<b>3</b> people", "<b>1</b> not yet", "<b>0</b> did not come", "Grace", "grace@mail.example",
		"Hedy", "The link was never opened", "Ada", "=Bo", "Turned away", "All its uses are taken")
	bob.get(at + "?part=came").says("Grace").saysNot("Hedy")
	bob.get(at + "?part=not_yet").says("Hedy").saysNot("Grace")
	bob.get(at+"?part=did_not_come").saysNot("Hedy", "Grace")
	bob.get(at + "?part=refused").says("Grace").saysNot("Hedy")
	b.Clock.Add(2 * time.Hour)
	bob.get(at + "?part=did_not_come").says("Hedy").saysNot("Grace")
	b.signedIn(t, "carol").get(at).wants(http.StatusNotFound)
	b.signedIn(t, "carol").get(at + ".csv").wants(http.StatusNotFound)

	for who, table := range map[string]answer{"page": bob.get(at + ".csv"), "api": b.program(t, "bob").get("/api/v1" + at + ".csv")} {
		table.wants(http.StatusOK)
		text, bom := strings.CutPrefix(table.body, "\ufeff")
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || !bom || len(rows) != 5 {
			t.Fatalf("%s: %v, %q", who, err, table.body)
		}
		of := func(row int, column string) string {
			for i, name := range rows[0] {
				if name == column {
					return rows[row][i]
				}
			}
			return "no such column"
		}
		for _, want := range []struct {
			row           int
			column, value string
		}{{1, "name", "Grace"}, {1, "attendance", "came"}, {1, "refused", "1"}, {1, "refused_reason", "used"}, {2, "name", "Hedy"}, {2, "attendance", "did_not_come"},
			{2, "came_at", ""}, {3, "guest", "Ada"}, {4, "guest", "'=Bo"}} {
			if got := of(want.row, want.column); got != want.value {
				t.Errorf("%s: row %d, %s is %q, want %q", who, want.row, want.column, got, want.value)
			}
		}
		if _, err := time.Parse(time.RFC3339, of(1, "came_at")); err != nil {
			t.Errorf("%s: %v", who, err)
		}
	}

	retention := &tokens.Retention{Store: b.Invitations.Store, Now: b.Clock.Now, After: 24 * time.Hour}
	b.Clock.Add(48 * time.Hour)
	if n, err := retention.Sweep(t.Context()); err != nil || n != 3 {
		t.Fatalf("names of %d were removed, %v", n, err)
	}
	bob = b.signedIn(t, "bob")
	bob.get(at).wants(http.StatusOK).says("Name removed", "<b>3</b> invited", "<b>2</b> came").saysNot("Grace", "Hedy", "Ada", "Zoe")
	bob.get("/invitations/"+shown(grace.ID)).says("Name removed").saysNot("Grace", "Zoe")
	bob.get("/rooms/standup").says("Name removed")
	bob.get("/rooms/standup/history").says("removed the names from 3 invitations", "Name removed").saysNot("Grace", "Zoe", "Unnamed guest")
	bob.get(at+".csv").says("name removed").saysNot("Grace", "Ada")
}

func TestAPersonsDataIsToldAndRemoved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, carol := b.signedIn(t, "bob"), b.signedIn(t, "carol")
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{Name: "Grace", Email: "Grace@mail.example"})
	at := "/account/person"
	bob.get(at).wants(http.StatusOK)
	bob.post(at, fields("address", "no address")).wants(http.StatusUnprocessableEntity).says("This is not a mail address.")
	bob.post(at, fields("address", "GRACE@mail.example")).wants(http.StatusOK).says("Kept about", "Grace", "standup", "One link still admits")
	carol.post(at, fields("address", "grace@mail.example")).wants(http.StatusOK).says("Nothing is kept about").saysNot("Standup")
	var kept tokens.Person
	export := bob.post(at+"/export", fields("address", "grace@mail.example")).wants(http.StatusOK)
	if err := json.Unmarshal([]byte(export.body), &kept); err != nil || len(kept.Invitations) != 1 || kept.Invitations[0].Name != "Grace" {
		t.Errorf("%v, %s", err, export.body)
	}
	carol.post(at+"/delete", fields("address", "grace@mail.example", "confirm", "grace@mail.example")).wants(http.StatusSeeOther)
	bob.post(at+"/delete", fields("address", "grace@mail.example", "confirm", "grace")).wants(http.StatusUnprocessableEntity).says("This is another address.")
	b.browser(t).get(b.short(inv)).wants(http.StatusOK).says("Grace")
	bob.post(at+"/delete", fields("address", "grace@mail.example", "confirm", " Grace@Mail.example ")).wants(http.StatusSeeOther)
	bob.get(at + "?did=person-removed").says("Name and address are gone.")
	b.browser(t).get(b.short(inv)).wants(http.StatusGone).saysNot("Grace")
	if left := b.Holding(t, "grace"); left != nil {
		t.Errorf("the name is in %v", left)
	}
}
