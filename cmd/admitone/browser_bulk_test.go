package main

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// list puts a list into the form for many, which is longer than anybody types, and sends it.
func (b *browserTab) list(text string) {
	b.t.Helper()
	b.WaitVisible("#bulk-list")
	if _, err := eval[int](b, `document.querySelector("#bulk-list").value = `+quote(text)+`; 1`); err != nil {
		b.failed("paste a list", err)
	}
	b.Click("main form button.big")
}

// An organiser pastes 800 names in mixed state, sees what is wrong, mints what is
// good, and has the links as a table; a guest comes in by one.
func TestBrowserBulk(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		bulk(t, s, look, name)
	})
}

func bulk(t *testing.T, s *server, look browserOptions, name string) {
	t.Helper()
	room := s.createRoom(t, "Summer party")
	s.mint(t, room, members{"name": "Guest 7", "email": "guest7@mail.example"})
	host := newBrowser(t, look)
	host.signIn()
	host.Open("/rooms/" + room)
	host.Follow("#mint a[href$='/bulk']")
	host.seen(name + "-bulk")

	host.Expect("422")
	host.list("")
	host.WaitVisible("#bulk-list-wrong")
	if !host.Focused("#bulk-list") {
		t.Error("the keyboard is not where the list was refused")
	}
	host.seen(name + "-bulk-refused")

	host.Click("main form .choices label:last-child")
	host.list(mixed())
	host.WaitVisible("table.guests")
	tally := strings.Join(strings.Fields(host.Text(".tally")), " ")
	if tally != "788 good rows 10 with problems 2 invited already" {
		t.Errorf("the list is judged as %q", tally)
	}
	if first := host.Text("table.guests tbody tr:first-child"); !strings.Contains(first, "E-mail: This is not a mail address.") {
		t.Errorf("not first is what is wrong: %s", first)
	}
	if n := host.Count("table.guests tbody tr"); n != 62 {
		t.Errorf("%d rows are shown", n)
	}
	if !host.Focused("h1") {
		t.Error("the keyboard is not where the preview begins")
	}
	host.seen(name + "-bulk-preview")

	host.Follow("button[value=mint]")
	if h1 := host.Text("h1"); h1 != "788 invitations are created" {
		t.Errorf("the page says %q", h1)
	}
	host.seen(name + "-bulk-done")
	table, err := eval[string](host, `fetch(document.querySelector("a[download]").href).then((r) => r.text())`)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(table, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 789 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	guest := newBrowser(t, look)
	guest.Open(strings.TrimPrefix(rows[1][8], s.URL))
	guest.Follow("main form button[type=submit]")
	if !strings.Contains(guest.Text("main"), "Guest 0") {
		t.Errorf("by the first link comes in: %s", guest.Text("main"))
	}
	if look.Width > 1000 && !look.Dark {
		tenThousand(t, s, host, room)
	}
}

// mixed is a list of 800: 788 good, 10 bad, one invited already, and one twice.
func mixed() string {
	var b strings.Builder
	b.WriteString("Name\tE-Mail\tCompany\n")
	for i := range 800 {
		name, email := fmt.Sprint("Guest ", i), fmt.Sprintf("guest%d@mail.example", i)
		switch {
		case i%80 == 79:
			email = fmt.Sprint("guest", i, " at mail.example")
		case i == 100:
			email = "GUEST99@mail.example"
		case i%2 == 1:
			name = fmt.Sprint("嘉宾 ", i)
		}
		fmt.Fprintf(&b, "%s\t%s\tAnalytical Engines\n", name, email)
	}
	return b.String()
}

// tenThousand looks how long the longest list takes to be seen.
func tenThousand(t *testing.T, s *server, host *browserTab, room string) {
	t.Helper()
	host.Open("/rooms/" + room + "/bulk")
	took, err := eval[float64](host, `new Promise((seen) => {
		document.querySelector("#bulk-list").value = "name,email\n" + Array.from({length: 10000}, (_, i) => i % 3 ? "Guest " + i + ",g" + i + "@many.example" : "Guest " + i + ",nobody").join("\n");
		const since = performance.now();
		document.addEventListener("htmx:afterSettle", () => requestAnimationFrame(() => seen(performance.now() - since)), {once: true});
		document.querySelector("main form button.big").click();
	})`)
	if err != nil {
		host.failed("look at 10,000 rows", err)
	}
	t.Logf("the preview of 10,000 rows was seen after %.0f ms", took)
	if n := host.Count("table.guests tbody tr"); n != 250 {
		t.Errorf("%d rows are shown", n)
	}
	host.seen("10000-bulk-preview")
	host.Follow("button[value=mint]")
	if h1 := host.Text("h1"); h1 != "6666 invitations are created" {
		t.Errorf("the page says %q", h1)
	}
	s.call(t, http.StatusOK, "GET", "/rooms/"+room+"/invitations?q=g9998@many.example", nil)
}
