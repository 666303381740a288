package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/conference"
	"admitone/tokens"
)

// race redeems each of the wishes at once, and returns what each got.
func race(b *datatest.Bench, wishes []tokens.Redemption) ([]tokens.Admitted, []error) {
	outs, errs := make([]tokens.Admitted, len(wishes)), make([]error, len(wishes))
	datatest.AtOnce(len(wishes), func(i int) { outs[i], errs[i] = b.Invitations.Redeem(context.Background(), wishes[i]) })
	return outs, errs
}

func TestOneNonceTakesOneUse(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		room := makeRoom(t, b, rooms.Draft{})
		for _, tt := range []struct {
			name string
			ask  func(tokens.Invitation) tokens.Redemption
		}{
			{"page", func(inv tokens.Invitation) tokens.Redemption { return press(b, inv, browser) }},
			{"gate", func(inv tokens.Invitation) tokens.Redemption { return call(b, inv, "gate", nonce) }},
		} {
			for _, uses := range []int{1, 3} {
				inv := mint(t, b, room, tokens.Draft{MaxUses: uses})
				wishes := make([]tokens.Redemption, 50)
				for i := range wishes {
					wishes[i] = tt.ask(inv)
				}
				outs, errs := race(b, wishes)
				b.Clock.Add(time.Minute)
				for range 5 { // and later, one after the other
					out, err := b.Invitations.Redeem(t.Context(), tt.ask(inv))
					outs, errs = append(outs, out), append(errs, err)
				}
				for i, out := range outs {
					if errs[i] != nil || out.Admission.ID == 0 || out.Admission != outs[0].Admission {
						t.Fatalf("%s, %d uses: answer %d is %+v, %v; the first was %+v", tt.name, uses, i, out.Admission, errs[i], outs[0].Admission)
					}
					if out.Invitation.Uses != 1 {
						t.Errorf("%s, %d uses: answer %d says %d uses", tt.name, uses, i, out.Invitation.Uses)
					}
				}
				if n := count(t, b, inv); n != (taken{uses: 1, admissions: 1, redeemed: 1, events: 2}) {
					t.Errorf("%s, %d uses: afterwards %+v", tt.name, uses, n)
				}
			}
		}
	})
}

func TestManyNoncesTakeAllUsesAndNoMore(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		room := makeRoom(t, b, rooms.Draft{})
		for _, uses := range []int{1, 7} {
			inv := mint(t, b, room, tokens.Draft{MaxUses: uses})
			var wishes []tokens.Redemption
			for i := range 40 { // each twice, as by a double click
				wishes = append(wishes, call(b, inv, "gate", fmt.Sprint("nonce ", i)), call(b, inv, "gate", fmt.Sprint("nonce ", i)))
			}
			outs, errs := race(b, wishes)
			winners := map[rooms.ID]bool{}
			for i := range outs {
				if errs[i] == nil {
					winners[outs[i].Admission.ID] = true
				} else if !errors.Is(errs[i], tokens.ErrUsed) {
					t.Errorf("a loser is told %v", errs[i])
				}
			}
			if len(winners) != uses {
				t.Errorf("%d admissions of %d uses", len(winners), uses)
			}
			if n := count(t, b, inv); n != (taken{uses, uses, uses, uses + 1}) {
				t.Errorf("%d uses: afterwards %+v", uses, n)
			}
		}
	})
}

func TestANonceIsItsSendersOwn(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		room := makeRoom(t, b, rooms.Draft{})
		inv, second := mint(t, b, room, tokens.Draft{MaxUses: 9}), mint(t, b, room, tokens.Draft{MaxUses: 9})
		page := tokens.PageNonce(browser, inv.ID)
		asHost := call(b, inv, "north", page)
		asHost.Actor = audit.Actor{Kind: audit.Host, Name: "north"}
		seen := map[rooms.ID]int{}
		wishes := []tokens.Redemption{press(b, inv, browser), press(b, inv, "ANOTHERBROWSERSCOOKIE23456"), call(b, inv, "north", page),
			call(b, inv, "south", page), call(b, inv, "north", page+"!"), asHost, call(b, second, "north", page), press(b, second, browser)}
		for i, r := range wishes {
			out := redeem(t, b, r)
			if twin, met := seen[out.Admission.ID]; met {
				t.Errorf("wish %d got the admission of wish %d", i, twin)
			}
			seen[out.Admission.ID] = i
		}
		for i, r := range wishes {
			if out := redeem(t, b, r); seen[out.Admission.ID] != i {
				t.Errorf("wish %d came back to the admission of wish %d", i, seen[out.Admission.ID])
			}
		}
		if n := count(t, b, inv); n.uses != 6 {
			t.Errorf("%d uses by 6 senders", n.uses)
		}
		if n := count(t, b, second); n.uses != 2 {
			t.Errorf("%d uses by 2 senders of the second invitation", n.uses)
		}
	})
}

func TestPageNonceIsBoundToCookieAndInvitation(t *testing.T) {
	t.Parallel()
	good := tokens.PageNonce(browser, 7)
	if good != tokens.PageNonce(browser, 7) || len(good) < 40 || strings.Contains(good, browser[:6]) {
		t.Errorf("%q is not one lasting nonce", good)
	}
	for _, tt := range []struct {
		name, browser, nonce string
		id                   rooms.ID
		want                 bool
	}{
		{"the page's own", browser, good, 7, true},
		{"another browser", browser[:25] + "A", good, 7, false},
		{"another invitation", browser, good, 8, false},
		{"no cookie", "", good, 7, false},
		{"no cookie, with the nonce of none", "", tokens.PageNonce("", 7), 7, false},
		{"no nonce", browser, "", 7, false},
		{"half of it", browser, good[:20], 7, false},
		{"more than it", browser, good + "A", 7, false},
		{"the cookie itself", browser, browser, 7, false},
	} {
		if got := tokens.GoodPageNonce(tt.browser, tt.nonce, tt.id); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// door is a conference that answers or does not, as the test wishes.
type door struct {
	tokens.Handover
	mu     sync.Mutex
	shut   bool
	visits []conference.Visit
}

func (d *door) JoinLink(_ context.Context, v conference.Visit) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return "", fmt.Errorf("%w: the line is dead", conference.ErrUnreachable)
	}
	d.visits = append(d.visits, v)
	return fmt.Sprintf("https://conf.example/%d", len(d.visits)), nil
}

func TestAConferenceThatDoesNotAnswerConsumesNothing(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		conf := &door{Handover: b.Invitations.Handover, shut: true}
		b.Invitations.Handover = conf
		inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{Role: tokens.Host, Name: "Grace"})
		for _, r := range []tokens.Redemption{press(b, inv, browser), call(b, inv, "gate", nonce)} {
			_, err := b.Invitations.Redeem(t.Context(), r)
			wants(t, "while it does not answer", err, conference.ErrUnreachable)
		}
		if n := count(t, b, inv); n != (taken{events: 1}) {
			t.Errorf("afterwards %+v, want the minting alone", n)
		}
		conf.shut = false
		first := redeem(t, b, press(b, inv, browser))
		conf.shut = true
		_, err := b.Invitations.Redeem(t.Context(), press(b, inv, browser))
		wants(t, "coming back while it does not answer", err, conference.ErrUnreachable)
		if _, err := b.Invitations.Reenter(t.Context(), inv.Room.Slug, browser, true, false); err != nil {
			t.Errorf("the page of the admitted needs no conference: %v", err)
		}
		conf.shut = false
		again := redeem(t, b, press(b, inv, browser))
		if again.Admission != first.Admission || again.JoinLink == first.JoinLink || again.JoinLink == "" {
			t.Errorf("came back as %+v, first was %+v; want the same admission and a fresh link", again, first)
		}
		v := conf.visits[0]
		if v.Admission != first.Admission.ID || v.Role != "host" || v.Name != "Grace" || v.Room.ID != inv.Room.ID || v.Until != first.Admission.Until(inv.Room) {
			t.Errorf("the conference was told %+v", v)
		}
	})
}

func TestRedeemRefusesWhatIsNotForHere(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		here, there := makeRoom(t, b, rooms.Draft{Slug: "here"}), makeRoom(t, b, rooms.Draft{Slug: "there"})
		inv := mint(t, b, here, tokens.Draft{})
		token, err := b.Invitations.Links.Token(inv)
		must(t, err)
		unborn := inv
		unborn.ID = b.IDs.Next(b.Clock.Millis())
		gone, err := b.Invitations.Links.Token(unborn)
		must(t, err)
		no := func(rooms.Room) bool { return false }
		for _, tt := range []struct {
			name, link, room string
			reaches          func(rooms.Room) bool
			want             error
		}{
			{"a code at another room", b.Invitations.Links.Code(inv.ID), there.Slug, nil, tokens.ErrWrongRoom},
			{"a token at another room", token, there.Slug, nil, tokens.ErrWrongRoom},
			{"a token at a room that is none", token, "nowhere", nil, tokens.ErrWrongRoom},
			{"a token in another room's address", datatest.Base + "/join/there?token=" + token, "", nil, tokens.ErrWrongRoom},
			{"by a caller without rights", token, "", no, tokens.ErrInvalidLink},
			{"by a caller without rights at another room", token, there.Slug, no, tokens.ErrInvalidLink},
			{"by a caller without rights in another room's address", datatest.Base + "/join/there?token=" + token, "", no, tokens.ErrInvalidLink},
			{"a genuine code of no invitation", b.Invitations.Links.Code(unborn.ID), "", nil, tokens.ErrInvalidLink},
			{"a genuine token of no invitation", gone, "", nil, tokens.ErrInvalidLink},
			{"nothing", "", "", nil, tokens.ErrInvalidLink},
		} {
			_, err := b.Invitations.Redeem(t.Context(), tokens.Redemption{Link: tt.link, Room: tt.room, Nonce: nonce, Actor: gate("gate"), Reaches: tt.reaches})
			wants(t, tt.name, err, tt.want)
			if tt.reaches == nil {
				_, _, err = b.Invitations.Show(t.Context(), tt.link, tt.room, browser)
				wants(t, tt.name+", shown", err, tt.want)
			}
		}
		stranger := rooms.Caller{Owner: "eve"}
		_, err = b.Invitations.Look(t.Context(), stranger, token)
		wants(t, "inspected by another host", err, tokens.ErrInvalidLink)
		_, err = b.Invitations.Find(t.Context(), stranger, inv.ID.Show("inv_"))
		wants(t, "found by another host", err, tokens.ErrNotFound)
		if n := count(t, b, inv); n != (taken{events: 1}) {
			t.Errorf("afterwards %+v, want the minting alone", n)
		}
	})
}

func TestNamesAreFoldedAndBounded(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		room := makeRoom(t, b, rooms.Draft{})
		long := strings.Repeat("é", tokens.MaxNameLen)
		for _, tt := range []struct{ name, said, want string }{
			{"said nothing", "", "Invited"},
			{"spaces alone", " \t ", "Invited"},
			{"another name", "Ada", "Ada"},
			{"emoji", "👩‍🚀 Ada", "👩‍🚀 Ada"},
			{"control characters", "A\nd\ra\x07", "A d a"},
			{"bidi is kept", "a\u202eb\u2066c", "a\u202eb\u2066c"},
			{"formula", "=1+1", "=1+1"},
			{"quotes", `'; DROP TABLE rooms; --`, `'; DROP TABLE rooms; --`},
			{"as long as may be", long, long},
			{"too long", long + "x", "-"},
			{"NUL", "A\x00", "-"},
			{"broken UTF-8", "A\xff", "-"},
		} {
			inv := mint(t, b, room, tokens.Draft{Name: "Invited"})
			r := press(b, inv, browser)
			r.Name = tt.said
			out, err := b.Invitations.Redeem(t.Context(), r)
			var invalid rooms.Invalid
			if tt.want == "-" {
				if n := count(t, b, inv); !errors.As(err, &invalid) || invalid.Field != "name" || n.uses != 0 {
					t.Errorf("%s: %v, %+v", tt.name, err, n)
				}
				continue
			}
			stored, _ := b.Invitations.Reenter(t.Context(), room.Slug, browser, false, false)
			if err != nil || out.Admission.Name != tt.want || stored.Admission.Name != tt.want {
				t.Errorf("%s: answered %q, stored %q, %v", tt.name, out.Admission.Name, stored.Admission.Name, err)
			}
			evs, err := b.Invitations.Store.Events(t.Context(), inv.ID, 0, 1)
			if err != nil || len(evs) != 1 || evs[0].Actor != (audit.Actor{Kind: audit.Guest, Name: tt.want}) || evs[0].Admission != int64(out.Admission.ID) ||
				evs[0].Kind != audit.InvitationRedeemed {
				t.Errorf("%s: the history says %+v, %v", tt.name, evs, err)
			}
			b.Clock.Add(time.Millisecond)
		}
	})
}
