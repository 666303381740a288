package handlers_test

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

type bulkAnswer struct {
	Batch   *string
	Minted  int
	Results []struct {
		Row                        int
		ID, Name, Token, URL, Role string
		ShortURL                   string `json:"short_url"`
		Errors                     []struct{ Field, Detail string }
	}
}

func (a answer) bulk() (out bulkAnswer) {
	a.t.Helper()
	a.wants(http.StatusOK)
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		a.t.Fatal(err)
	}
	return out
}

// count is how many invitations the room has.
func (b *bench) count(t *testing.T, r rooms.Room) int {
	t.Helper()
	all, err := b.Invitations.Store.List(t.Context(), tokens.Query{Room: r.ID, Limit: 20000, Now: b.Clock.Millis()})
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestAListIsMintedInOneCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "party")
	bob := validating(b.program(t, "bob"))
	at := v1 + "/rooms/party/invitations/bulk"

	out := bob.post(at, `{"invitations": [{"role": "guest", "name": "Ada", "email": "ada@mail.example", "expires_in": "2h"}, {"role": "host", "name": "Bo"}]}`).bulk()
	if out.Minted != 2 || out.Batch == nil || len(out.Results) != 2 || out.Results[1].Row != 2 || out.Results[0].Name != "Ada" || out.Results[1].Role != "host" {
		t.Fatalf("%+v", out)
	}
	for _, r := range out.Results {
		for _, link := range []string{r.Token, r.URL, r.ShortURL} {
			bob.post(v1+"/invitations/inspect", `{"token": "`+link+`"}`).wants(http.StatusOK).says(r.ID)
		}
	}
	batch, err := b.Invitations.Batch(t.Context(), room, *out.Batch)
	if err != nil || batch.Count() != 2 {
		t.Errorf("%+v, %v", batch, err)
	}

	const mixed = `[{"role": "guest", "name": "Cy"}, {"role": "guest", "email": "nobody"}, {"role": "guest", "surname": "x"}, 5, {"name": "no role"}, {"role": "guest", "expires_in": "90"}]`
	refused := bob.post(at, `{"invitations": `+mixed+`}`).refuses(http.StatusUnprocessableEntity, "invalid_request")
	for _, row := range []string{`"row":2,"field":"email"`, `"row":3,"field":"surname"`, `"row":4`, `"row":5,"field":"role"`, `"row":6,"field":"expires_in"`} {
		refused.says(row)
	}
	if n := b.count(t, room); n != 2 {
		t.Errorf("%d invitations after a refusal", n)
	}
	out = bob.post(at, `{"invitations": `+mixed+`, "atomic": false}`).bulk()
	if out.Minted != 1 || out.Results[0].Name != "Cy" || len(out.Results) != 6 {
		t.Errorf("%+v", out)
	}
	for _, r := range out.Results[1:] {
		if len(r.Errors) != 1 || r.ID != "" {
			t.Errorf("row %d: %+v", r.Row, r)
		}
	}
	if out = bob.post(at, `{"invitations": [{"role": "guest", "email": "nobody"}], "atomic": false}`).bulk(); out.Minted != 0 || out.Batch != nil {
		t.Errorf("%+v", out)
	}
	bob.post(at, `{"invitations": []}`).refuses(http.StatusUnprocessableEntity, "invalid_request", "invitations")
	bob.post(at, `{"invitations": [`+strings.Repeat("{},", tokens.MaxBatch)+`{}]}`).refuses(http.StatusUnprocessableEntity, "invalid_request", "invitations")
	bob.post(at, `{"invitations": [{"role": "guest", "name": "`+strings.Repeat("x", 8<<20)+`"}]}`).refuses(http.StatusRequestEntityTooLarge, "content_too_large")
	bob.do("POST", at, "x", header("Content-Type", "text/plain")).refuses(http.StatusUnsupportedMediaType, "unsupported_media_type")
}

// A list that is sent once more invites nobody twice, unless that is asked for.
func TestAListInvitesAnAddressOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "party")
	bob := validating(b.program(t, "bob"))
	at := v1 + "/rooms/party/invitations/bulk"
	const list = `[{"role": "guest", "email": "ada@mail.example"}, {"role": "guest", "email": "ADA@mail.example"}, {"role": "guest", "name": "Bo"}]`

	bob.post(at, `{"invitations": `+list+`}`).refuses(http.StatusUnprocessableEntity, "invalid_request", "email").says(`"row":2`)
	out := bob.post(at, `{"invitations": `+list+`, "atomic": false}`).bulk()
	if out.Minted != 2 || out.Results[0].ID == "" || len(out.Results[1].Errors) != 1 || out.Results[2].ID == "" {
		t.Errorf("%+v", out)
	}
	bob.do("POST", at, "email\nada@mail.example\n", header("Content-Type", "text/csv")).refuses(http.StatusUnprocessableEntity, "invalid_request", "email").says("already")
	if n := b.count(t, room); n != 2 {
		t.Errorf("%d invitations", n)
	}
	if out = bob.post(at, `{"invitations": `+list+`, "again": true}`).bulk(); out.Minted != 3 {
		t.Errorf("again: %+v", out)
	}
	bob.do("POST", at+"?again=true", "email\nada@mail.example\n", header("Content-Type", "text/csv")).wants(http.StatusOK)
}

// What is no good of a list can be downloaded with the reasons, mended, and read again;
// a preview shows all that the list says of a guest.
func TestAPreviewGivesBackWhatIsNoGood(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "bob", "party", func(d *rooms.Draft) { d.StartsAt = b.Clock.Millis() + 3_600_000; d.Timezone = "Europe/Berlin" })
	bob := b.signedIn(t, "bob")
	list := "Vorname;Nachname;E-Mail;Firma;Rolle;PIN;max_uses;locale;expires_at\n" +
		"Ada;Lovelace;ada@mail.example;Analytical;Gastgeberin;2468;3;de;16.01.2030 09:30\n" +
		"Bo;;bo at mail;=1+1;Gast;;;;\n" +
		"Cy;;ada@mail.example;;Kunde;;;;1/2/2030\n"
	page := bob.post("/rooms/party/bulk", fields("list", list, "expires", "7d")).wants(http.StatusOK)
	page.says("1 of them a host", "for 3 people", "PIN", "Deutsch", "2030-01-16T08:30:00Z", "Download the 2 rows with their problems")
	_, rest, _ := strings.Cut(page.body, "base64,")
	rest, _, _ = strings.Cut(rest, `"`)
	raw, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%q, %v", rows, err)
	}
	for i, want := range [][2]string{{"problem", "given name,family name,email,Firma,role,pin,max_uses,locale,expires_at"}, {"E-mail: This is not a mail address.", "Bo,,bo at mail,'=1+1,Gast,,,,"},
		{"Role: This is guest or host. ", "Cy,,ada@mail.example,,Kunde,,,,1/2/2030"}} {
		if got := strings.Join(rows[i][1:], ","); got != want[1] || !strings.HasPrefix(rows[i][0], want[0]) {
			t.Errorf("row %d is %q, want %q", i, rows[i], want)
		}
	}
	mended := strings.NewReplacer("bo at mail", "bo@mail.example", "Kunde", "guest", "1/2/2030", "2030-01-16 10:00", "ada@", "cy@").Replace(string(raw))
	bob.post("/rooms/party/bulk", fields("list", mended, "expires", "7d")).wants(http.StatusOK).says("2 good rows").saysNot("Download the")

	// Where the room's zone is another by then, the times would be too: they are shown again.
	looked := bob.post("/rooms/party/bulk", fields("list", "name,expires_at\nAda,16.01.2030 09:30\n", "expires", "7d")).wants(http.StatusOK).carried("mint")
	if _, err := b.Raw(t).ExecContext(t.Context(), "UPDATE rooms SET timezone = 'Asia/Tokyo' WHERE slug = 'party'"); err != nil {
		t.Fatal(err)
	}
	again := bob.post("/rooms/party/bulk", looked).wants(http.StatusConflict).says("Nothing was created", "2030-01-16T00:30:00Z").carried("mint")
	bob.post("/rooms/party/bulk", again).wants(http.StatusSeeOther)
}

func TestAListOfHostsNeedsTheRightToMintHosts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "party")
	key := b.key(t, "bob", oauth.InvitationsWrite)
	at := v1 + "/rooms/party/invitations/bulk"
	const list = `{"invitations": [{"role": "guest"}, {"role": "host"}], "atomic": %v}`
	key.do("POST", at, fmt.Sprintf(list, true), header("Content-Type", "application/json")).refuses(http.StatusForbidden, "insufficient_scope")
	out := key.do("POST", at, fmt.Sprintf(list, false), header("Content-Type", "application/json")).bulk()
	if out.Minted != 1 || out.Results[1].Errors[0].Field != "role" || b.count(t, room) != 1 {
		t.Errorf("%+v", out)
	}
}

func TestAListInCSVIsAnsweredInCSV(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "party")
	bob := validating(b.program(t, "bob"))
	at := v1 + "/rooms/party/invitations/bulk"
	kind, wants := header("Content-Type", "text/csv; charset=utf-8"), header("Accept", "text/csv")
	const list = "name,email,role\n=1+1,ada@mail.example,guest\nBo,bo@mail.example,host\nCy,nobody,guest\n"

	bob.do("POST", at, list, kind).refuses(http.StatusUnprocessableEntity, "invalid_request", "email").says(`"row":3`)
	bob.do("POST", at+"?atomic=maybe", list, kind).refuses(http.StatusUnprocessableEntity, "invalid_request", "atomic")
	bob.do("POST", at, "name,surprise\nAda,x", kind).refuses(http.StatusUnprocessableEntity, "invalid_request", "surprise")
	bob.do("POST", at, "", kind).refuses(http.StatusUnprocessableEntity, "invalid_request", "invitations")
	bob.do("POST", at+"?again=maybe", list, kind).refuses(http.StatusUnprocessableEntity, "invalid_request", "again")
	if n := b.count(t, room); n != 0 {
		t.Fatalf("%d invitations after refusals", n)
	}
	for _, hosts := range []string{"", "&hosts=true"} {
		a := bob.do("POST", at+"?atomic=false&again=true"+hosts, list, kind, wants).wants(http.StatusOK)
		if got := a.Header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
			t.Errorf("Content-Type %q", got)
		}
		text, marked := strings.CutPrefix(a.body, "\ufeff")
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(rows) != 4 || !marked {
			t.Fatalf("%q, %v", a.body, err)
		}
		if rows[1][1] != "'=1+1" || !strings.Contains(rows[1][8], "/i/") || (rows[2][8] != "") != (hosts != "") || rows[3][9] != "email: is not a mail address" {
			t.Errorf("%q", rows)
		}
	}
	if n := b.count(t, room); n != 4 {
		t.Errorf("%d invitations", n)
	}
	if out := bob.do("POST", at, "Dee;dee@mail.example\n", kind).bulk(); out.Minted != 1 {
		t.Errorf("%+v", out)
	}
}
