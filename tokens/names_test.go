package tokens_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// keepsFor is RETENTION in these tests.
const keepsFor = 30 * time.Hour

// guestbook lets people come and go at random, and knows which word stands on
// what, and so what must be left of it.
type guestbook struct {
	*testing.T
	*datatest.Bench
	*rand.Rand
	rooms []rooms.Room
	invs  []tokens.Invitation
	words map[string][]rooms.ID // each was told about these invitations
	n     int
}

// word is a new one that stands on the invitation.
func (g *guestbook) word(about ...rooms.ID) string {
	g.n++
	w := fmt.Sprintf("zq%05dx", g.n)
	g.words[w] = about
	return w
}

func (g *guestbook) mint() {
	r := g.rooms[g.IntN(len(g.rooms))]
	name, mail, booking := g.word(), g.word(), g.word()
	inv, err := g.Invitations.Mint(g.Context(), ada(), r, tokens.Draft{Role: tokens.Guest, Name: name, Email: mail + "@mail.example", ExternalID: booking,
		ExpiresIn: time.Duration(1+g.IntN(40)) * time.Hour, MaxUses: 1 + g.IntN(2)}, true)
	if errors.Is(err, tokens.ErrRoomClosed) {
		return
	}
	must(g.T, err)
	g.invs = append(g.invs, inv)
	for _, w := range []string{name, mail, booking} {
		g.words[w] = []rooms.ID{inv.ID}
	}
}

// press comes, comes again or is turned away, under a name, and asks for a new link.
func (g *guestbook) press(inv tokens.Invitation) {
	browser := fmt.Sprintf("%s %d", inv.ID.Show(""), g.IntN(3))
	p := press(g.Bench, inv, browser)
	p.Name = g.word(inv.ID)
	_, err := g.Invitations.Redeem(g.Context(), p)
	var refused tokens.Refusal
	switch {
	case errors.As(err, &refused) && tokens.MayRequest(refused.Reason) && g.IntN(2) == 0:
		must(g.T, g.Invitations.Ask(g.Context(), refused, browser, g.word(inv.ID)))
	case !errors.As(err, &refused):
		must(g.T, err)
	}
}

func (g *guestbook) act() {
	g.Clock.Add(time.Duration(g.IntN(40)) * time.Minute)
	if len(g.invs) == 0 || g.IntN(4) == 0 {
		g.mint()
		return
	}
	i := g.IntN(len(g.invs))
	inv := fetch(g.T, g.Bench, g.invs[i])
	switch g.IntN(12) {
	case 0:
		_, err := g.Invitations.Revoke(g.Context(), ada(), inv, g.word(inv.ID))
		must(g.T, err)
	case 1:
		next, err := g.Invitations.Reissue(g.Context(), ada(), inv, g.IntN(2) == 0, true)
		if err != nil {
			return // it cannot be reissued any more
		}
		g.invs = append(g.invs, next)
		for _, w := range []string{inv.Name, strings.TrimSuffix(inv.Email, "@mail.example"), inv.ExternalID} {
			g.words[w] = append(g.words[w], next.ID)
		}
	case 2:
		if inv.Room.ID == g.rooms[1].ID && g.n > 100 {
			_, err := g.Rooms.SetClosed(g.Context(), ada(), inv.Room, true)
			must(g.T, err)
		}
	default:
		g.press(inv)
	}
}

// over tells by all that is stored about the invitation whether it had ended for
// everybody at that moment.
func (g *guestbook) over(id rooms.ID, at int64) bool {
	inv, err := g.Invitations.Store.ByID(g.Context(), id)
	must(g.T, err)
	by := func(moment int64) bool { return moment != 0 && moment <= at }
	requests, err := g.Invitations.Store.Requests(g.Context(), id, 100)
	must(g.T, err)
	if slices.ContainsFunc(requests, func(r tokens.Request) bool { return r.CreatedAt > at }) {
		return false
	}
	if inv.SupersededBy != 0 {
		next, err := g.Invitations.Store.ByID(g.Context(), inv.SupersededBy)
		must(g.T, err)
		if by(next.CreatedAt) {
			return true
		}
	}
	if !by(inv.CreatedAt) {
		return false // made in a room that was over already
	}
	if by(inv.RevokedAt) || by(inv.Room.ClosedAt) || by(inv.Room.Shuts()) {
		return true
	}
	visits, err := g.Invitations.Store.Visits(g.Context(), []rooms.ID{id})
	must(g.T, err)
	return by(inv.ExpiresAt) && !slices.ContainsFunc(visits[id], func(v tokens.Visit) bool {
		return !by(tokens.Admission{CreatedAt: v.CameAt}.Until(inv.Room)) && !by(v.RemovedAt)
	})
}

func TestAfterASweepNoNameIsAnywhereThatHasEndedAndEveryOtherStays(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		g := &guestbook{T: t, Bench: b, Rand: rand.New(rand.NewPCG(seed, 1)), words: map[string][]rooms.ID{}}
		now := b.Clock.Millis()
		for i, ends := range []int64{0, 0, now + ms(20*time.Hour), now + ms(50*time.Hour)} {
			g.rooms = append(g.rooms, makeRoom(t, b, rooms.Draft{Name: fmt.Sprint("Room ", i), EndsAt: ends}))
		}
		retention := &tokens.Retention{Store: b.Invitations.Store, Now: b.Clock.Now, After: keepsFor}
		gone := map[string]bool{}
		for round := range 4 {
			for range 60 {
				g.act()
			}
			cut, removed := b.Clock.Millis()-ms(keepsFor), 0
			called := map[rooms.ID]string{}
			for _, inv := range g.invs {
				called[inv.ID] = fetch(t, b, inv).Name
			}
			swept, err := retention.Sweep(t.Context())
			must(t, err)
			for _, inv := range g.invs {
				if now := fetch(t, b, inv).Name; now != called[inv.ID] && !g.over(inv.ID, cut) {
					t.Errorf("round %d: %s has not ended and was called %q before", round, inv.ID.Show(""), called[inv.ID])
				}
			}
			texts := strings.Builder{}
			for _, text := range b.Texts(t) {
				texts.WriteString(text)
			}
			for w, about := range g.words {
				left := strings.Contains(texts.String(), w)
				over := !slices.ContainsFunc(about, func(id rooms.ID) bool { return !g.over(id, cut) })
				if over && left {
					t.Errorf("round %d: %s is in %v", round, w, b.Holding(t, w))
				}
				if gone[w] = gone[w] || over && !left; gone[w] {
					removed++
				}
			}
			if again, err := retention.Sweep(t.Context()); err != nil || again != 0 {
				t.Errorf("again it removed %d, %v", again, err)
			}
			t.Logf("round %d: %d invitations lost their names, %d of %d words are gone", round, swept, removed, len(g.words))
			if round == 3 && (removed == 0 || removed == len(g.words)) {
				t.Error("nothing was shown: either all is gone or nothing")
			}
		}
	})
}

// A link's end counts from the very moment of the one that took its place.
func TestASweepCountsFromTheVeryMoment(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{Name: "Grace"})
		_, err := b.Invitations.Reissue(t.Context(), ada(), inv, false, true)
		must(t, err)
		for _, row := range []struct {
			wait time.Duration
			want int
		}{{keepsFor - time.Millisecond, 0}, {time.Millisecond, 1}} {
			b.Clock.Add(row.wait)
			n, err := (&tokens.Retention{Store: b.Invitations.Store, Now: b.Clock.Now, After: keepsFor}).Sweep(t.Context())
			if err != nil || n != row.want {
				t.Errorf("after %s more: %d lost their names, %v, want %d", row.wait, n, err, row.want)
			}
		}
	})
}

func TestWithoutRetentionNamesStay(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{Name: "Grace"})
	b.Clock.Add(10 * 366 * 24 * time.Hour)
	n, err := (&tokens.Retention{Store: b.Invitations.Store, Now: b.Clock.Now}).Sweep(t.Context())
	if err != nil || n != 0 || fetch(t, b, inv).Name != "Grace" {
		t.Errorf("%d removed, %v", n, err)
	}
}

// Two servers sweep at once: each name goes once, and is counted once.
func TestSeveralSweepsAtOnceCountEachInvitationOnce(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		r := makeRoom(t, b, rooms.Draft{})
		for range 450 { // more than are removed at once
			mint(t, b, r, tokens.Draft{Name: "Grace"})
		}
		b.Clock.Add(keepsFor + 2*time.Hour)
		type done struct {
			n   int
			err error
		}
		each := make(chan done)
		for range 3 {
			go func() {
				n, err := (&tokens.Retention{Store: b.Invitations.Store, Now: b.Clock.Now, After: keepsFor}).Sweep(t.Context())
				each <- done{n, err}
			}()
		}
		total := 0
		for range 3 {
			d := <-each
			must(t, d.err)
			total += d.n
		}
		if left := b.Holding(t, "grace"); total != 450 || left != nil {
			t.Errorf("%d were counted, and the name is in %v", total, left)
		}
		events, err := b.Rooms.Store.Events(t.Context(), r.ID, 0, 3)
		must(t, err)
		told := 0
		for _, ev := range events {
			if ev.Kind == "names.removed" {
				var n int
				_, err := fmt.Sscan(ev.Detail, &n)
				must(t, err)
				told += n
			}
		}
		if told != 450 {
			t.Errorf("the history tells of %d: %+v", told, events)
		}
	})
}

func TestAPersonIsTakenOutWithEverythingOfTheirs(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		now := b.Clock.Millis()
		open, over := makeRoom(t, b, rooms.Draft{Name: "Open"}), makeRoom(t, b, rooms.Draft{Name: "Over", EndsAt: now + ms(time.Hour)})
		d := tokens.Draft{Name: "Grace Hopper", Email: "Grace@Mail.example"}
		past := mint(t, b, over, d)
		p := press(b, past, "her browser")
		p.Name = "Amazing Grace"
		redeem(t, b, p)
		b.Clock.Add(3 * time.Hour)
		live, other := mint(t, b, open, d), mint(t, b, open, tokens.Draft{Name: "Hedy", Email: "hedy@mail.example"})
		person, err := b.Invitations.Person(t.Context(), ada(), "grace@mail.example")
		must(t, err)
		if len(person.Invitations) != 2 || person.Invitations[0].Live || !person.Invitations[1].Live || len(person.Invitations[0].Visits) != 1 ||
			person.Invitations[0].Visits[0].Name != "Amazing Grace" || len(person.Invitations[0].History) < 2 {
			t.Errorf("kept about the person: %+v", person)
		}
		for range 2 {
			removed, revoked, err := b.Invitations.RemovePerson(t.Context(), rooms.Caller{Owner: "bo"}, "grace@mail.example")
			if err != nil || removed+revoked != 0 {
				t.Errorf("another host removed %d and revoked %d, %v", removed, revoked, err)
			}
		}
		removed, revoked, err := b.Invitations.RemovePerson(t.Context(), ada(), "grace@mail.example")
		if err != nil || removed != 2 || revoked != 1 {
			t.Errorf("removed from %d, revoked %d, %v", removed, revoked, err)
		}
		if left := b.Holding(t, "grace"); left != nil {
			t.Errorf("the name is in %v", left)
		}
		if fetch(t, b, live).RevokedAt == 0 || fetch(t, b, past).RevokedAt != 0 || fetch(t, b, other).Name != "Hedy" {
			t.Error("the wrong ones were revoked, or lost their name")
		}
	})
}

func TestWhatIsNoAddressIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Ada@Mail.Example": "ada@mail.example", " ada@mail.example ": "ada@mail.example", "": "", "ada": "", "Ada <ada@mail.example>": "",
		"a\x00@mail.example": "", strings.Repeat("a", 300) + "@mail.example": ""} {
		got, err := tokens.ParseAddress(text)
		var invalid rooms.Invalid
		if got != want || (want == "") != errors.As(err, &invalid) {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
}
