package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// door is a host's device at the door of a room.
type door struct {
	*visitor
	host, at string
	n        int
}

func (b *bench) door(t *testing.T, host string, room rooms.Room) *door {
	t.Helper()
	return &door{visitor: b.signedIn(t, host), host: host, at: "/rooms/" + room.Slug + "/door"}
}

// scan sends what the script does, with a nonce that no scan had before.
func (d *door) scan(code string, pairs ...string) (answer, url.Values) {
	d.t.Helper()
	d.n++
	form := with(fields("host", d.host, "code", code, "nonce", fmt.Sprintf("nonce-of-scan-%010d", d.n)), pairs...)
	return d.sends(form), form
}

func (d *door) sends(form url.Values) answer {
	d.t.Helper()
	return d.post(d.at, form, header("HX-Request", "true"))
}

// tells fails the test unless the door's answer is that.
func (a answer) tells(verdict string, texts ...string) answer {
	a.t.Helper()
	return a.wants(http.StatusOK).says(append(texts, `data-verdict="`+verdict+`"`)...)
}

func TestTheDoorTellsWhatBecomesOfEachCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := b.Clock.Millis()
	hour := time.Hour.Milliseconds()
	room := b.room(t, "bob", "hall")
	d := b.door(t, "bob", room)
	code := func(inv tokens.Invitation) string { return b.Invitations.Links.Code(inv.ID) }

	ada := b.mint(t, room, tokens.Draft{Name: "Ada <b>", Role: tokens.Host})
	got, form := d.scan(code(ada))
	got.tells("admitted", "<bdi>Ada &lt;b&gt;</bdi>", "Host", "Undo").saysNot("more use", "<html")
	d.sends(form).tells("admitted") // asked again, for a lost answer
	b.Clock.Add(3 * time.Minute)
	got, _ = d.scan(code(ada))
	got.tells("used", "Ada", `<time datetime="`+time.UnixMilli(now).UTC().Format(time.RFC3339), "3 min ago").saysNot("Undo")

	several := b.mint(t, room, tokens.Draft{MaxUses: 3})
	for _, left := range []string{"2 more uses", "1 more use", "0 more uses"} {
		got, _ = d.scan(" " + strings.ToUpper(code(several)[:9]) + " " + code(several)[9:] + "\n")
		got.tells("admitted", left)
	}
	got, _ = d.scan(b.base + b.long(t, several))
	got.tells("used")

	other := b.mint(t, b.room(t, "bob", "annex"), tokens.Draft{})
	got, _ = d.scan(b.base + b.short(other))
	got.tells("wrong_room", "Room annex")
	foreign := b.mint(t, b.room(t, "carol", "carols"), tokens.Draft{Name: "Carol's guest"})
	got, _ = d.scan(code(foreign))
	got.tells("invalid_link").saysNot("Carol", "carols")
	early := b.mint(t, room, tokens.Draft{NotBefore: b.Clock.Millis() + hour, ExpiresIn: 3 * time.Hour})
	got, _ = d.scan(code(early))
	got.tells("not_yet", "in 1 h")
	late := b.mint(t, room, tokens.Draft{ExpiresIn: time.Minute})
	b.Clock.Add(time.Hour)
	got, _ = d.scan(code(late))
	got.tells("expired")
	revoked := b.mint(t, room, tokens.Draft{})
	if _, err := b.Invitations.Revoke(t.Context(), b.caller(t, "bob"), revoked, ""); err != nil {
		t.Fatal(err)
	}
	got, _ = d.scan(code(revoked))
	got.tells("revoked")
	got, _ = d.scan("no code at all")
	got.tells("invalid_link")

	small := b.room(t, "bob", "small", func(d *rooms.Draft) { d.Capacity = 1 })
	full := b.door(t, "bob", small)
	one, two := b.mint(t, small, tokens.Draft{}), b.mint(t, small, tokens.Draft{})
	got, form = full.scan(code(one))
	got.tells("admitted")
	got, _ = full.scan(code(two))
	got.tells("room_full")
	full.sends(with(form, "undo", "true")).tells("returned")
	got, _ = full.scan(code(two))
	got.tells("admitted")
}

func TestTheDoorAsksForThePINAndUsesNothingUpMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	d := b.door(t, "bob", room)
	inv := b.mint(t, room, tokens.Draft{PIN: "4711"})
	got, form := d.scan(b.Invitations.Links.Code(inv.ID))
	got.tells("pin_required", `name="pin"`)
	again := got.form(d.at)
	if again.Get("code") != form.Get("code") || again.Get("nonce") != form.Get("nonce") {
		t.Errorf("the form is %v, want that of the scan: %v", again, form)
	}
	d.sends(with(again, "pin", "4712")).tells("pin_wrong", `name="pin"`)
	if uses := b.invitation(t, inv.ID).Uses; uses != 0 {
		t.Errorf("%d uses", uses)
	}
	d.sends(with(again, "pin", "4711")).tells("admitted")
}

func TestTheDoorUndoesWithinTenSeconds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	d, second := b.door(t, "bob", room), b.door(t, "bob", room)
	second.n = 1000
	inv := b.mint(t, room, tokens.Draft{Name: "Ada"})
	code := b.Invitations.Links.Code(inv.ID)
	got, _ := d.scan(code)
	undo := got.form(d.at)
	b.Clock.Add(9 * time.Second)
	d.sends(undo).tells("returned", "Ada").saysNot("Undo<")
	d.sends(undo).tells("returned") // asked again, for a lost answer
	got, form := second.scan(code)  // the printed code works, at whichever door
	got.tells("admitted")
	d.sends(undo).tells("returned") // and what was undone before does not undo that
	if uses := b.invitation(t, inv.ID).Uses; uses != 1 {
		t.Errorf("%d uses", uses)
	}
	b.Clock.Add(10 * time.Second)
	second.sends(with(form, "undo", "true")).tells("late")
	got, _ = d.scan(code)
	got.tells("used")
	page := d.get(d.at).wants(http.StatusOK).says("let", "at the door", "undid letting", "Ada")
	if n := strings.Count(page.body, "undid letting"); n != 1 {
		t.Errorf("undone %d times, as the page tells", n)
	}
}

func TestTheDoorWorksWithoutScript(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	d := b.door(t, "bob", room)
	inv := b.mint(t, room, tokens.Draft{Name: "Ada", MaxUses: 2})
	d.get("/rooms/hall").wants(http.StatusOK).says(`href="` + d.at + `"`)
	form := with(d.get(d.at).wants(http.StatusOK).form(d.at), "code", b.base+b.short(inv))
	for range 2 { // a second press on the same page is the same person
		d.post(d.at, form).tells("admitted", "<html", "Ada", "1 more use")
	}
	page := d.post(d.at, form).form(d.at) // the first form on the page is the answer's
	d.post(d.at, page).tells("returned", "<html")
	for _, none := range []string{"", " ", "\u0085", "\x00", "\xff", strings.Repeat("x", 10_000)} {
		got, _ := d.scan(none)
		got.tells("invalid_link", "Unknown")
	}
	for _, wrong := range []url.Values{fields("host", "bob"), fields("host", "bob", "code", "x"), fields("host", "bob", "code", "x", "nonce", "short")} {
		d.post(d.at, wrong).wants(http.StatusUnprocessableEntity)
	}
}

// However fast 800 guests come in, there is no limit; only codes that were never
// made here count.
func TestTheDoorSlowsDownForgedCodesAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	d := b.door(t, "bob", room)
	var invs []tokens.Invitation
	for range 100 {
		invs = append(invs, b.mint(t, room, tokens.Draft{}))
	}
	for i, inv := range invs {
		if i < 12 {
			got, _ := d.scan(strings.Repeat("0", 26))
			switch {
			case i < 10:
				got.tells("invalid_link")
			default:
				got.wants(http.StatusTooManyRequests).says(`data-verdict="too_many_requests"`)
				if got.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			}
		}
		got, _ := d.scan(b.Invitations.Links.Code(inv.ID))
		got.tells("admitted")
		got, _ = d.scan(b.Invitations.Links.Code(inv.ID))
		got.tells("used")
	}
}

// Of several doors and a page at once, one lets the guest in.
func TestSeveralDoorsLetACodeInOnce(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, db *datatest.Bench) {
		b := serve(t, db)
		room := b.room(t, "bob", "hall")
		inv := b.mint(t, room, tokens.Draft{})
		doors := make([]*door, 6)
		for i := range doors {
			doors[i] = b.door(t, []string{"bob", "alice"}[i%2], room)
			doors[i].n = i * 10
		}
		answers := make([]answer, len(doors))
		var all sync.WaitGroup
		for i, d := range doors {
			all.Go(func() { answers[i], _ = d.scan(b.Invitations.Links.Code(inv.ID)) })
		}
		all.Wait()
		in := 0
		for _, a := range answers {
			if strings.Contains(a.wants(http.StatusOK).body, `data-verdict="admitted"`) {
				in++
			} else {
				a.tells("used")
			}
		}
		if in != 1 {
			t.Errorf("%d doors let it in", in)
		}
	})
}

func TestASignedOutDoorIsToldSo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	inv := b.mint(t, room, tokens.Draft{})
	d := b.door(t, "bob", room)
	d.post("/signout", nil).wants(http.StatusSeeOther)
	got, _ := d.scan(b.Invitations.Links.Code(inv.ID))
	got.wants(http.StatusUnauthorized)
	if uses := b.invitation(t, inv.ID).Uses; uses != 0 {
		t.Errorf("%d uses", uses)
	}
}

// The camera is for the door's page alone.
func TestNoPageButTheDoorMayUseTheCamera(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	inv := b.mint(t, room, tokens.Draft{})
	program, browser := b.program(t, "bob"), b.signedIn(t, "bob")
	for _, r := range b.routes(t, room.Slug, inv) {
		if r.unsafe() {
			continue
		}
		want := "camera=(), geolocation=(), microphone=()"
		if r.pattern == "/rooms/:room/door" {
			want = "camera=(self)"
		}
		if got := ask(r, r.path, program, browser).Header.Values("Permissions-Policy"); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", r.name(), got, want)
		}
	}
}

func TestTheDoorIsCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "hall")
	d := b.door(t, "bob", room)
	inv := b.mint(t, room, tokens.Draft{})
	got, _ := d.scan(b.Invitations.Links.Code(inv.ID))
	d.sends(got.form(d.at)).tells("returned")
	_, _ = d.scan("nothing of ours")
	page := b.nobody(t).get("/metrics").wants(http.StatusOK)
	page.says(`admitone_redeem_total{result="admitted"} 1`, `admitone_redeem_total{result="invalid_link"} 1`)
	if strings.Contains(page.body, `result="returned"`) {
		t.Error("an undo counts as a redemption")
	}
}
