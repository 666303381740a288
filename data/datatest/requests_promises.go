package datatest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// request is a browser's wish for a new link, not stored yet.
func (t *trial) request(inv tokens.Invitation, browser string) (tokens.Request, audit.Event) {
	r := tokens.Request{ID: t.id(), Invitation: inv.ID, Room: inv.Room.ID, Browser: browser, Name: "Bo", For: inv.Name, Ends: inv.ExpiresAt, Reason: "used", CreatedAt: t.now}
	return r, t.event(audit.InvitationRequested, inv.Room.ID, inv.ID)
}

// ask stores a request.
func (t *trial) ask(inv tokens.Invitation, browser string) tokens.Request {
	t.Helper()
	r, ev := t.request(inv, browser)
	t.must(t.Invitations.Store.Ask(t.ctx, r, tokens.MaxRequests, ev))
	return r
}

func (t *trial) asked(id rooms.ID) tokens.Request {
	t.Helper()
	r, err := t.Invitations.Store.Request(t.ctx, id)
	t.must(err)
	return r
}

func requestsPromises() []promise {
	return []promise{
		{"Ask keeps one open request for each browser, and most in all", func(t *trial) {
			inv := t.invitation(t.room(), func(inv *tokens.Invitation) { inv.Name = "Ada" })
			r, ev := t.request(inv, "one")
			t.noted("Ask", func() { t.must(t.Invitations.Store.Ask(t.ctx, r, 2, ev)) }, ev)
			same(t, "the request", t.asked(r.ID), r)
			again, _ := t.request(inv, "one")
			t.unchanged("asking again", func() { t.must(t.Invitations.Store.Ask(t.ctx, again, 2, ev)) })
			t.ask(inv, "two")
			third, _ := t.request(inv, "three")
			t.unchanged("one too many", func() { t.fails(t.Invitations.Store.Ask(t.ctx, third, 2, ev), tokens.ErrAskedEnough) })
			t.unchanged("again, where there are enough", func() { t.must(t.Invitations.Store.Ask(t.ctx, again, 2, ev)) })
			other, _ := t.request(t.invitation(t.room()), "one")
			other.ID = r.ID
			t.unchanged("a taken id", func() { t.fails(t.Invitations.Store.Ask(t.ctx, other, 2, ev), rooms.ErrIDTaken) })
			n, err := t.Invitations.Store.CountRequests(t.ctx, inv.ID)
			t.must(err)
			same(t, "open requests", n, 2)
		}},
		{"Ask: of many at once exactly most are kept", func(t *trial) {
			inv := t.invitation(t.room())
			var kept, refused atomic.Int32
			var all sync.WaitGroup
			for n := range 20 {
				r, ev := t.request(inv, fmt.Sprint("browser ", n))
				all.Go(func() {
					switch err := t.Invitations.Store.Ask(t.ctx, r, tokens.MaxRequests, ev); {
					case err == nil:
						kept.Add(1)
					case errors.Is(err, tokens.ErrAskedEnough):
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			all.Wait()
			same(t, "kept", int(kept.Load()), tokens.MaxRequests)
			same(t, "refused", int(refused.Load()), 20-tokens.MaxRequests)
			same(t, "rows", t.count("SELECT COUNT(*) FROM requests WHERE invitation_id = $1", int64(inv.ID)), tokens.MaxRequests)
		}},
		{"Ask: of one browser's many at once one is kept", func(t *trial) {
			inv := t.invitation(t.room())
			var all sync.WaitGroup
			for range 10 {
				r, ev := t.request(inv, "one")
				all.Go(func() {
					if err := t.Invitations.Store.Ask(t.ctx, r, tokens.MaxRequests, ev); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			same(t, "rows", t.count("SELECT COUNT(*) FROM requests WHERE invitation_id = $1", int64(inv.ID)), 1)
		}},
		{"Asked is the browser's latest; OpenRequests a room's open ones, newest first, and its count", func(t *trial) {
			r := t.room()
			inv, other := t.invitation(r), t.invitation(r)
			_, err := t.Invitations.Store.Asked(t.ctx, inv.ID, "one")
			t.fails(err, tokens.ErrNotFound)
			_, err = t.Invitations.Store.Request(t.ctx, t.id())
			t.fails(err, tokens.ErrNotFound)
			first := t.ask(inv, "one")
			_, err = t.Invitations.Store.Dismiss(t.ctx, first.ID, t.now, t.event(audit.RequestDismissed, r.ID, inv.ID))
			t.must(err)
			second, third := t.ask(inv, "one"), t.ask(other, "one")
			got, err := t.Invitations.Store.Asked(t.ctx, inv.ID, "one")
			t.must(err)
			same(t, "latest", got, second)
			list, err := t.Invitations.Store.OpenRequests(t.ctx, r.ID, 10)
			t.must(err)
			same(t, "open", list, []tokens.Request{third, second})
			list, err = t.Invitations.Store.OpenRequests(t.ctx, r.ID, 1)
			t.must(err)
			same(t, "the newest", list, []tokens.Request{third})
			rs, err := t.Rooms.Store.List(t.ctx, rooms.Query{Caller: rooms.Caller{Admin: true}, Before: r.ID + 1, Limit: 1, Now: t.now})
			t.must(err)
			same(t, "the room's count", rs[0].Requests, 2)
		}},
		{"Dismiss closes an open request; Recall opens it again, if it is younger than since", func(t *trial) {
			inv := t.invitation(t.room())
			r := t.ask(inv, "one")
			ev, back := t.event(audit.RequestDismissed, inv.Room.ID, inv.ID), t.event(audit.RequestRecalled, inv.Room.ID, inv.ID)
			recall := func(since int64, want bool) {
				t.Helper()
				done, err := t.Invitations.Store.Recall(t.ctx, r.ID, since, back)
				t.must(err)
				same(t, "recalled", done, want)
			}
			dismiss := func(want bool) {
				t.Helper()
				done, err := t.Invitations.Store.Dismiss(t.ctx, r.ID, t.now, ev)
				t.must(err)
				same(t, "dismissed", done, want)
			}
			t.unchanged("recalling an open one", func() { recall(-1, false) })
			t.noted("Dismiss", func() { dismiss(true) }, ev)
			t.unchanged("dismissing again", func() { dismiss(false) })
			t.unchanged("recalling too late", func() { recall(t.now, false) })
			t.noted("Recall", func() { recall(t.now-1, true) }, back)
			same(t, "the request", t.asked(r.ID), r)
			dismiss(true)
			t.ask(inv, "one")
			t.unchanged("recalling where the browser asked anew", func() { recall(t.now-1, false) })
		}},
		{"Answer is Reissue and closes the open requests of both invitations, and no other", func(t *trial) {
			r := t.room()
			first := t.invitation(r)
			second, next := t.draft(r), t.draft(r)
			ofFirst, also := t.ask(first, "one"), t.invitation(r)
			t.must(t.Invitations.Store.Reissue(t.ctx, first.ID, second, t.event(audit.InvitationReissued, r.ID, second.ID)))
			same(t, "Reissue answers", t.asked(ofFirst.ID).Answer, second.ID)
			late, beside, other := t.ask(first, "two"), t.ask(second, "three"), t.ask(also, "four")
			ev := t.event(audit.InvitationReissued, r.ID, next.ID)
			ofOld := ev
			ofOld.Invitation = int64(second.ID)
			t.noted("Answer", func() { t.must(t.Invitations.Store.Answer(t.ctx, late, second.ID, next, ev)) }, ev, ofOld)
			for _, q := range []tokens.Request{late, beside} {
				q.ClosedAt, q.Answer = t.now, next.ID
				same(t, "answered", t.asked(q.ID), q)
			}
			same(t, "another's", t.asked(other.ID), other)
			same(t, "superseded by", t.get(second.ID).SupersededBy, next.ID)
			after := t.draft(r)
			t.unchanged("answering again", func() { t.fails(t.Invitations.Store.Answer(t.ctx, late, next.ID, after, ev), tokens.ErrConflict) })
			t.unchanged("answering with a superseded one", func() { t.fails(t.Invitations.Store.Answer(t.ctx, other, second.ID, after, ev), tokens.ErrConflict) })
		}},
		{"AnswerBeside adds an invitation and closes that request alone", func(t *trial) {
			r := t.room()
			inv, next := t.invitation(r), t.draft(r)
			mine, other := t.ask(inv, "one"), t.ask(inv, "two")
			made, beside := t.event(audit.InvitationMinted, r.ID, next.ID), t.event(audit.InvitationReissued, r.ID, inv.ID)
			t.noted("AnswerBeside", func() { t.must(t.Invitations.Store.AnswerBeside(t.ctx, mine, next, made, beside)) }, made, beside)
			mine.ClosedAt, mine.Answer = t.now, next.ID
			same(t, "answered", t.asked(mine.ID), mine)
			same(t, "another's", t.asked(other.ID), other)
			same(t, "the one asked about", t.get(inv.ID), inv)
			same(t, "the new one", t.get(next.ID), next)
			after := t.draft(r)
			t.unchanged("answering again", func() { t.fails(t.Invitations.Store.AnswerBeside(t.ctx, mine, after, made), tokens.ErrConflict) })
			after.ID = next.ID
			t.unchanged("a taken id", func() { t.fails(t.Invitations.Store.AnswerBeside(t.ctx, other, after, made), rooms.ErrIDTaken) })
		}},
		{"no request changes without its event", func(t *trial) {
			r := t.room()
			inv := t.invitation(r)
			open, shut := t.ask(inv, "one"), t.ask(inv, "two")
			ev := t.event(audit.InvitationRequested, r.ID, inv.ID)
			_, err := t.Invitations.Store.Dismiss(t.ctx, shut.ID, t.now, ev)
			t.must(err)
			fresh, _ := t.request(inv, "three")
			next := t.draft(r)
			t.undoneWithoutHistory(map[string]func() error{
				"Ask":     func() error { return t.Invitations.Store.Ask(t.ctx, fresh, 9, ev) },
				"Dismiss": func() error { _, err := t.Invitations.Store.Dismiss(t.ctx, open.ID, t.now, ev); return err },
				"Recall":  func() error { _, err := t.Invitations.Store.Recall(t.ctx, shut.ID, t.now-1, ev); return err },
				"Answer":  func() error { return t.Invitations.Store.Answer(t.ctx, open, inv.ID, next, ev) },
				"beside":  func() error { return t.Invitations.Store.AnswerBeside(t.ctx, open, next, ev) },
			})
		}},
	}
}
