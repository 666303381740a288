package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"admitone/data/datatest"
)

// postman is a mail server that takes what it is given, but for what the address
// says: it refuses nobody's, has no time for later's and is gone in the middle of lost's.
func postman(t testing.TB) *datatest.MailServer {
	return datatest.NewMailServer(t, func(stage string, m datatest.Mail) string {
		who, _, _ := strings.Cut(m.To, "@")
		return map[string]string{
			"RCPT nobody": "550 5.1.1 <nobody@guests.example>: Recipient address rejected: User unknown in virtual mailbox table; see https://mail.example/a/very/long/address/that/never/breaks",
			"RCPT later":  "451 4.7.1 Greylisting in action, please come back later",
			". lost":      datatest.Cut,
		}[stage+" "+who]
	})
}

// mail sends invitations that go well, badly, not yet, and nobody knows how.
func (w *world) mail(t testing.TB) {
	t.Helper()
	for is, state := range map[string]string{"mailed": "sent", "bounced": "refused", "deferred": "waiting", "doubtful": "doubtful"} {
		id := w.inv[is].ID
		w.call(t, http.StatusAccepted, http.MethodPost, "/invitations/"+id+"/mail", members{})
		w.mailState(t, id, state)
	}
}

// repeat makes a room that comes three times, and closes the last.
func (w *world) repeat(t testing.TB) {
	t.Helper()
	made := w.at(w.host).visit(t, http.MethodPost, "/rooms", url.Values{"name": {"Jøur fixe " + endless[:80]}, "slug": {"fixe"}, "starts_at": {"2031-03-23T09:00"}, "ends_at": {"2031-03-23T09:45"},
		"timezone": {"Europe/Berlin"}, "repeat": {"weekly"}, "times": {"4"}})
	if w.series, _, _ = strings.Cut(made.Header.Get("Location"), "?"); made.Status != http.StatusSeeOther {
		t.Fatalf("no series is made: %v", made)
	}
	w.call(t, http.StatusNoContent, http.MethodDelete, "/rooms/fixe-2031-04-13", nil)
}

// listPages are those of series, of lists of guests and of mails.
func (w *world) listPages() []met {
	look := func(list string) func(b *browserTab) {
		return func(b *browserTab) {
			b.list(list)
			b.WaitVisible("table.guests")
		}
	}
	return []met{
		{"series", w.host, w.series, 200, func(b *browserTab) { b.Click("main > details.more summary") }, ""},
		{"series-made", w.host, w.series + "?did=series&n=4", 200, func(b *browserTab) { b.Click("main details.menu summary") }, ""},
		{"series-rest-reopened", w.host, w.series + "?did=reopened-rest&n=3", 200, nil, ""},
		{"series-rest-closed", w.host, "/rooms/fixe-2031-04-13?did=closed-rest&n=1", 200, nil, ""},
		{"series-edit", w.host, w.series + "/edit", 200, nil, ""},
		{"series-copy", w.host, w.series + "/copy", 200, nil, ""},
		{"series-refused", w.newcomer, "/", 422, func(b *browserTab) {
			b.Click("details.more summary")
			b.Fill("#room-repeat", "weekdays")
			pressed(b)
		}, ""},

		{"bulk-preview-all-good", w.host, "/rooms/series-1/bulk", 200, look("Ŵho,who@mail.example\n" + hundred + ",hundred@mail.example\n"), ""},
		{"bulk-preview-none-good", w.host, "/rooms/series-1/bulk", 200, look("name,email\nŴho,who\nÄnna,\"=cmd|' /C calc'!A0\"\n" + hebrew + "," + endless[:120] + "\n"), ""},
		{"bulk-preview-10000", w.host, "/rooms/series-1/bulk", 200, look(tenThousandRows()), ""},
		{"bulk-changed", w.host, "/rooms/series-1/bulk", 200, func(b *browserTab) {
			email := strings.ToLower("zoë-" + b.options.Language + "@mail.example")
			look("Zoë," + email + "\nBø,bo-" + email + "\n")(b)
			w.mint(b.t, "series-1", members{"name": "Zoë", "email": email})
			b.Click("button[value=mint]")
			b.WaitVisible(".notice.warn")
		}, "409"},
		{"bulk-lists-before", w.host, "/rooms/many/bulk", 200, nil, ""},
		{"batch-of-1010", w.host, "/rooms/many/batches/" + w.crowd, 200, nil, ""},
		{"sheet-next", w.host, "/rooms/many/sheet?layout=24&batch=" + w.crowd, 200, func(b *browserTab) { b.Follow("main .no-print a[href*='cursor=']") }, ""},
		{"sheet-none", w.host, "/rooms/series-0/sheet?all=true", 200, nil, ""},
		{"sheet-hundred", w.host, "/rooms/lobby/sheet?layout=8&id=" + w.inv["hundred"].ID, 200, nil, ""},
		{"badge-hundred", w.host, "/rooms/lobby/sheet?layout=badges&id=" + w.inv["hundred"].ID, 200, nil, ""},
		{"attendance-none", w.host, "/rooms/series-0/attendance", 200, nil, ""},
		{"attendance-refused", w.host, "/rooms/lobby/attendance?part=refused", 200, nil, ""},
		{"history-none", w.host, "/rooms/series-0/history", 200, nil, ""},

		{"mails", w.host, "/rooms/later?did=mailed-all&n=2&left=3", 200, nil, ""},
		{"mails-refused", w.host, "/rooms/later?mail=refused", 200, nil, ""},
		{"mails-none", w.host, "/rooms/later?did=mailed-all&n=0&left=3", 200, nil, ""},
		{"mail-going", w.host, "/invitations/" + w.inv["mailed"].ID + "?did=mailed", 200, nil, ""},
		{"mail-address-refused", w.host, "/invitations/" + w.inv["hundred"].ID, 422, func(b *browserTab) { b.post("/invitations/"+w.inv["hundred"].ID+"/mail", "email", "nobody at all") }, ""},
		{"person-kept", w.host, "/account/person", 200, func(b *browserTab) {
			b.Fill("#person-address", "york@mail.example")
			pressed(b)
		}, ""},
	}
}

// tenThousandRows are as many as a list may have; every third is no guest's.
func tenThousandRows() string {
	var b strings.Builder
	b.WriteString("name,email\n")
	for i := range 10_000 {
		email := fmt.Sprintf("g%d@many.example", i)
		if i%3 == 0 {
			email = "nobody"
		}
		fmt.Fprintf(&b, "Gäst %d,%s\n", i, email)
	}
	return b.String()
}
