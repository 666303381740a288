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

// An organiser pastes a list from a spreadsheet, sees what is wrong with it, mints
// what is good, and prints that; by every code on the paper a guest comes in, and
// the organiser sees and takes home who came.
func TestBrowserOrganiserFromPasteToPrintedSheet(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		host := newBrowser(t, look)
		host.signIn()
		host.Click("details.more summary")
		host.Fill("#room-name", "Sommerfest 夏日聚会")
		host.Follow("form[action='/rooms'] button[type=submit]")
		room, _, _ := strings.Cut(strings.TrimPrefix(host.URL(), "/rooms/"), "?")
		s.mint(t, room, members{"name": "Guest 7", "email": "guest7@mail.example"})

		pasted(t, s, host, room, name)
		links := printed(t, host, name)
		for _, link := range links[1:] {
			enter(t, s, room, minted{Short: link}, "")
		}
		guest := newBrowser(t, look)
		guest.Open(links[0])
		guest.Follow("main form button[type=submit]")
		if !strings.Contains(guest.Text("main"), "Guest 0") {
			t.Errorf("by the first code comes in: %s", guest.Text("main"))
		}
		told(t, host, room, name)
		if look.Width > 1000 && !look.Dark {
			tenThousand(t, s, host, room)
		}
	})
}

// pasted is the way from the room to the invitations of a list's good rows.
func pasted(t *testing.T, s *server, host *browserTab, room, name string) {
	t.Helper()
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

	host.list(mixed())
	host.WaitVisible("table.guests")
	tally := strings.Join(strings.Fields(host.Text(".tally")), " ")
	if tally != "25 good rows 3 with problems 2 duplicates" {
		t.Errorf("the list is judged as %q", tally)
	}
	if first := host.Text("table.guests tbody tr:first-child"); !strings.Contains(first, "E-mail: This is not a mail address.") {
		t.Errorf("not first is what is wrong: %s", first)
	}
	if n := host.Count("table.guests tbody tr"); n != 30 {
		t.Errorf("%d rows are shown", n)
	}
	if !host.Focused("h1") {
		t.Error("the keyboard is not where the preview begins")
	}
	host.seen(name + "-bulk-preview")

	host.Follow("button[value=mint]")
	if h1 := host.Text("h1"); h1 != "25 invitations are created" {
		t.Errorf("the page says %q", h1)
	}
	host.seen(name + "-bulk-done")
}

// printed is the way from the page of what was minted to its codes on paper,
// each of which is one of the links that the page's table holds.
func printed(t *testing.T, host *browserTab, name string) (links []string) {
	t.Helper()
	rows := host.table(t, "a[download]")
	host.Follow("main a[href*='/sheet?batch=']")
	for _, choice := range []string{"layout=24", "paper=letter"} {
		host.Follow(".sheet-look a[href*='" + choice + "']")
	}
	host.WaitVisible("[data-print]")
	host.seen(name + "-sheet-24")
	links = grid{"24", "letter", 3, 8, 8.5, 11}.scanned(t, host, 25)
	for i, link := range links {
		// On paper they are in capitals, which make smaller codes.
		if len(rows) != 26 || !strings.EqualFold(rows[i+1][8], link) {
			t.Fatalf("code %d leads to %s; the table is %q", i, link, rows)
		}
	}
	return links
}

// told is what the organiser learns of who came, and the table of it.
func told(t *testing.T, host *browserTab, room, name string) {
	t.Helper()
	host.Open("/rooms/" + room + "/attendance")
	if got := strings.Join(strings.Fields(host.Text("#turnout")), " "); got != "26 invited 25 came 1 not yet 0 did not come" {
		t.Errorf("over the list stands %q", got)
	}
	guests := host.Text("#guests")
	came := map[string]string{}
	for _, row := range host.table(t, "a[download]") {
		came[row[3]] = row[5]
	}
	for _, row := range strings.Split(strings.TrimSpace(mixed()), "\n")[1:] {
		guest, email, _ := strings.Cut(row, "\t")
		email, _, _ = strings.Cut(email, "\t")
		if want := map[bool]string{true: "came"}[sound(email)]; want != came[email] && email != "guest7@mail.example" {
			t.Errorf("of %s the table says %q, want %q", email, came[email], want)
		}
		if sound(email) && !strings.Contains(guests, guest) {
			t.Errorf("%s is not on the list", guest)
		}
	}
	host.seen(name + "-organiser-who-came")
}

// table is the CSV that a link of the page leads to.
func (b *browserTab) table(t *testing.T, sel string) [][]string {
	t.Helper()
	text, err := eval[string](b, `fetch(document.querySelector(`+quote(sel)+`).href).then((r) => r.text())`)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return rows
}

// mixed is a list of 30: 25 good, three bad, one invited already, and one twice.
func mixed() string {
	var b strings.Builder
	b.WriteString("Name\tE-Mail\tCompany\n")
	for i := range 30 {
		name, email := fmt.Sprint("Guest ", i), fmt.Sprintf("guest%d@mail.example", i)
		switch {
		case i%10 == 9:
			email = fmt.Sprint("guest", i, " at mail.example")
		case i == 20:
			email = "GUEST18@mail.example"
		case i%2 == 1:
			name = fmt.Sprint("嘉宾 ", i)
		}
		fmt.Fprintf(&b, "%s\t%s\tAnalytical Engines\n", name, email)
	}
	return b.String()
}

// sound tells whether the row with that address is one to mint.
func sound(email string) bool {
	return !strings.Contains(email, " at ") && !strings.HasPrefix(email, "GUEST") && email != "guest7@mail.example"
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
