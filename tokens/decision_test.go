package tokens_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/tokens"
)

// cell is one combination of all that decides whether somebody is let in.
type cell struct {
	who        string // who asks: fresh, other, again (admitted a moment ago), ended (admitted 13 hours ago)
	page       bool   // over the page or over the API
	taken      bool   // all uses
	shared     bool   // the counter with an invitation that was reissued and kept
	expires    string // later, now
	notBefore  string // none, now, later
	revoked    bool
	superseded bool
	closed     bool   // the room
	room       string // always, upcoming, open, grace (ended within the hour), over, held (guests wait for a host)
}

func (c cell) String() string {
	words := []string{c.who, "room " + c.room, "expires " + c.expires, "starts " + c.notBefore}
	for word, is := range map[string]bool{"page": c.page, "all taken": c.taken, "shared counter": c.shared, "revoked": c.revoked,
		"superseded": c.superseded, "closed": c.closed} {
		if is {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

func everyCell() (all []cell) {
	both := []bool{false, true}
	for _, who := range []string{"fresh", "other", "again", "ended"} {
		for _, page := range both {
			for _, taken := range both {
				for _, shared := range both {
					for _, expires := range []string{"later", "now"} {
						for _, notBefore := range []string{"none", "now", "later"} {
							for _, revoked := range both {
								for _, superseded := range both {
									for _, closed := range both {
										for _, room := range []string{"always", "upcoming", "open", "grace", "over", "held"} {
											all = append(all, cell{who, page, taken, shared, expires, notBefore, revoked, superseded, closed, room})
										}
									}
								}
							}
						}
					}
				}
			}
		}
	}
	return all
}

// The answers that are no refusal.
const (
	letIn = "let in"
	back  = "back in"
)

// contract is the table of the contract, row by row, in its order.
func contract(c cell) string {
	// An admission lasts until the room's end plus an hour, or 12 hours where there is no window.
	admitted := c.who == "again" || c.who == "ended"
	live := admitted && c.room != "over" && (c.room != "always" && c.room != "held" || c.who == "again")
	held := c.room == "held"
	for _, row := range []struct {
		answer string
		when   bool
	}{
		{"superseded", c.superseded},
		{"revoked", c.revoked},
		{"room_closed", c.closed},
		{back, live && !held},
		{"waiting_for_host", live},
		{"used", c.taken},
		{"expired", c.expires == "now" || c.room == "over"},
		{"expired", admitted}, // the same nonce never takes a second use
		{"not_yet", c.notBefore == "later" || c.room == "upcoming"},
		{"waiting_for_host", held},
	} {
		if row.when {
			return row.answer
		}
	}
	return letIn
}

// stand is one cell built in a database.
type stand struct {
	cell
	inv    tokens.Invitation
	before tokens.Admission // of those who were admitted earlier
}

const browser, nonce = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a nonce of a gate"

func (s stand) asks(b *datatest.Bench) tokens.Redemption {
	if s.page {
		return press(b, s.inv, browser)
	}
	return call(b, s.inv, "gate", nonce)
}

func TestDecisionTable(t *testing.T) {
	t.Parallel()
	t.Run("sqlite, every cell", func(t *testing.T) {
		t.Parallel()
		decide(t, datatest.SQLite(t), everyCell())
	})
	t.Run("postgres, every eleventh", func(t *testing.T) {
		t.Parallel()
		var some []cell
		for i, c := range everyCell() {
			if i%11 == 0 {
				some = append(some, c)
			}
		}
		decide(t, datatest.On(t, datatest.Postgres(t)), some)
	})
}

func decide(t *testing.T, b *datatest.Bench, cells []cell) {
	t.Helper()
	stands := build(t, b, cells)
	before := ledger(t, b)
	answers := make([]tokens.Admitted, len(stands))
	sums := map[string]int{}
	var mu sync.Mutex
	crowd(stands, func(i int, s stand) {
		want := contract(s.cell)
		mu.Lock()
		sums[want]++
		mu.Unlock()
		stranger := s.cell
		stranger.who = "other"

		link := b.Invitations.Links.Short(s.inv)
		seen, err := b.Invitations.Look(context.Background(), ada(), link)
		if err != nil {
			t.Errorf("%v: look: %v", s, err)
		}
		judge(t, s, "inspect", b.Invitations.Admits(context.Background(), seen), nil, contract(stranger))
		_, admission, err := b.Invitations.Show(context.Background(), link, "", "")
		judge(t, s, "show to nobody", err, admission, contract(stranger))
		if s.page {
			_, admission, err := b.Invitations.Show(context.Background(), link, "", browser)
			judge(t, s, "show", err, admission, want)
		}
		out, err := b.Invitations.Redeem(context.Background(), s.asks(b))
		answers[i] = out
		var found *tokens.Admission
		if err == nil && out.Admission.ID == s.before.ID {
			found = &out.Admission
		}
		judge(t, s, "redeem", err, found, want)
	})
	if sums[letIn] == 0 || sums[back] == 0 || len(sums) != 9 {
		t.Errorf("the cells are not all kinds of answers: %v", sums)
	}
	after := ledger(t, b)
	for i, s := range stands {
		want := before[s.inv.ID]
		if contract(s.cell) == letIn {
			want.uses++
			want.admissions++
			want.events++
			want.redeemed = b.Clock.Millis()
			if a := answers[i].Admission; a.ID == 0 || a.Invitation != s.inv.ID || a.CreatedAt != b.Clock.Millis() || answers[i].Invitation.Uses != want.uses {
				t.Errorf("%v: answered %+v", s, answers[i])
			}
		}
		if after[s.inv.ID] != want {
			t.Errorf("%v: afterwards %+v, want %+v", s, after[s.inv.ID], want)
		}
	}
}

// judge compares an answer with the contract's word for it.
func judge(t *testing.T, s stand, asked string, err error, found *tokens.Admission, want string) {
	t.Helper()
	got := letIn
	if found != nil {
		got = back
	}
	var reason tokens.Reason
	var refused tokens.Refusal
	switch {
	case errors.As(err, &refused) && errors.As(err, &reason):
		got = reason.Code
		if refused.Invitation.ID != s.inv.ID {
			t.Errorf("%v: %s: the refusal is about another invitation", s, asked)
		}
		if now := s.inv.CreatedAt + ms(13*time.Hour); got == "not_yet" && refused.OpensAt() != now+1 {
			t.Errorf("%v: %s: opens in %d ms, want 1", s, asked, refused.OpensAt()-now)
		}
		if got == "used" && refused.Invitation.RedeemedAt == 0 {
			t.Errorf("%v: %s: does not say when it was used", s, asked)
		}
	case err != nil:
		got = err.Error()
	}
	if got != want {
		t.Errorf("%v: %s: %s, the contract says %s", s, asked, got, want)
	}
}
