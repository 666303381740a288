package datatest

import (
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// offer stores a code for the admission's browser, good for two minutes.
func (t *trial) offer(a tokens.Admission, code string) tokens.Move {
	t.Helper()
	m := tokens.Move{Code: code, Admission: a.ID, Invitation: a.Invitation, Room: a.Room, Browser: a.Browser, ExpiresAt: t.at(2 * time.Minute)}
	t.must(t.Invitations.Store.OfferMove(t.ctx, m))
	return m
}

func movesPromises() []promise {
	return []promise{
		{"OfferMove keeps a code in the place of unused ones, and Move finds it with its admission", func(t *trial) {
			inv := t.invitation(t.room())
			a := t.take(inv, t.id().Show("n"))
			first := t.offer(a, t.id().Show("c"))
			m, got, err := t.Invitations.Store.Move(t.ctx, first.Code)
			t.must(err)
			same(t, "move", m, first)
			same(t, "admission", got, a)
			t.offer(a, t.id().Show("c"))
			_, _, err = t.Invitations.Store.Move(t.ctx, first.Code)
			t.fails(err, tokens.ErrNotFound)
			same(t, "moves", t.get(inv.ID).Moves, 0)
		}},
		{"TakeMove gives the admission to the other browser, once, while the code lives", func(t *trial) {
			inv := t.invitation(t.room())
			a := t.take(inv, "old")
			m := t.offer(a, t.id().Show("c"))
			ev := t.event(audit.InvitationMovedDevice, inv.Room.ID, inv.ID)
			var left tokens.Admission
			take := func(code string, at int64) error {
				a, err := t.Invitations.Store.TakeMove(t.ctx, code, "new browser", "new nonce", at, ev)
				if err == nil {
					left = a
				}
				return err
			}
			// As it is then, and not as it was offered.
			t.exec("UPDATE admissions SET entered_at = 7, backend = 'conf' WHERE id = $1", int64(a.ID))
			t.unchanged("no such code", func() { t.fails(take("none", t.now), tokens.ErrMoveCode) })
			t.unchanged("its time over", func() { t.fails(take(m.Code, m.ExpiresAt), tokens.ErrMoveCode) })
			_, err := t.Invitations.Store.LeftFor(t.ctx, inv.Room.ID, 0, a.Browser)
			t.fails(err, tokens.ErrNotFound)
			t.noted("TakeMove", func() { t.must(take(m.Code, m.ExpiresAt-1)) }, ev)
			t.unchanged("again", func() { t.fails(take(m.Code, t.now), tokens.ErrMoveCode) })
			want := a
			want.Browser, want.EnteredAt, want.Backend = "new browser", 7, "conf"
			same(t, "as it was left", left, want)
			got, err := t.Invitations.Store.Admission(t.ctx, inv.ID, "new nonce")
			t.must(err)
			same(t, "admission", got, want)
			_, err = t.Invitations.Store.Admission(t.ctx, inv.ID, "old")
			t.fails(err, tokens.ErrNotFound)
			same(t, "uses", t.get(inv.ID).Uses, 1)
			same(t, "moves", t.get(inv.ID).Moves, 1)
			for _, of := range []rooms.ID{0, inv.ID} {
				id, err := t.Invitations.Store.LeftFor(t.ctx, inv.Room.ID, of, a.Browser)
				t.must(err)
				same(t, "left for", id, inv.ID)
			}
			_, err = t.Invitations.Store.LeftFor(t.ctx, inv.Room.ID, t.id(), a.Browser)
			t.fails(err, tokens.ErrNotFound)
		}},
		{"TakeMove moves as often as allowed, and AllowMove allows one more when all were made", func(t *trial) {
			inv := t.invitation(t.room())
			ev, allowed := t.event(audit.InvitationMovedDevice, inv.Room.ID, inv.ID), t.event(audit.InvitationChanged, inv.Room.ID, inv.ID)
			a := t.take(inv, "0")
			allow := func(want bool) {
				t.Helper()
				done, err := t.Invitations.Store.AllowMove(t.ctx, inv.ID, allowed)
				t.must(err)
				same(t, "allowed", done, want)
			}
			take := func(to string) error {
				m := t.offer(a, t.id().Show("c"))
				var err error
				t.noted("TakeMove", func() {
					if _, err = t.Invitations.Store.TakeMove(t.ctx, m.Code, to, "n "+to, t.now, ev); err != nil {
						t.fails(err, tokens.ErrNoMoves)
						t.must(t.Invitations.Store.Update(t.ctx, inv, ev)) // so that there is one event either way
					}
				}, ev)
				if err == nil {
					a.Browser = to
				}
				return err
			}
			t.unchanged("allowing where one is left", func() { allow(false) })
			t.must(take("b1"))
			t.fails(take("b2"), tokens.ErrNoMoves)
			t.noted("AllowMove", func() { allow(true) }, allowed)
			t.unchanged("allowing again", func() { allow(false) })
			t.must(take("b2"))
			t.fails(take("b3"), tokens.ErrNoMoves)
			same(t, "allowed beyond the first", t.get(inv.ID).MoreMoves, 1)
		}},
		{"TakeMove changes nothing where the invitation is withdrawn, the admission went on, or the other is in already", func(t *trial) {
			for name, row := range map[string]struct {
				before string
				want   error
			}{
				"revoked":            {"UPDATE invitations SET revoked_at = 1 WHERE id = $1", tokens.ErrNoMoves},
				"superseded":         {"UPDATE invitations SET superseded_by = 1 WHERE id = $1", tokens.ErrNoMoves},
				"with another":       {"UPDATE admissions SET browser = 'third' WHERE invitation_id = $1", tokens.ErrMoveCode},
				"its admission over": {"UPDATE admissions SET ended_at = 1 WHERE invitation_id = $1", tokens.ErrMoveCode},
				"in already":         {"UPDATE invitations SET uses = 2 WHERE id = $1", tokens.ErrConflict},
			} {
				inv := t.invitation(t.room(), func(inv *tokens.Invitation) { inv.MaxUses = 2 })
				m := t.offer(t.take(inv, "old"), t.id().Show("c"))
				if row.want == tokens.ErrConflict { //nolint:errorlint // the row's own
					t.take(inv, "new")
				}
				t.exec(row.before, int64(inv.ID))
				t.unchanged(name, func() {
					_, err := t.Invitations.Store.TakeMove(t.ctx, m.Code, "b", "new", t.now, t.event(audit.InvitationMovedDevice, inv.Room.ID, inv.ID))
					t.fails(err, row.want)
				})
			}
		}},
		{"nobody moves without the event", func(t *trial) {
			inv := t.invitation(t.room())
			m := t.offer(t.take(inv, "old"), t.id().Show("c"))
			ev := t.event(audit.InvitationMovedDevice, inv.Room.ID, inv.ID)
			spent := t.invitation(inv.Room)
			t.exec("UPDATE invitations SET moves = 1 WHERE id = $1", int64(spent.ID))
			t.undoneWithoutHistory(map[string]func() error{
				"TakeMove":  func() error { _, err := t.Invitations.Store.TakeMove(t.ctx, m.Code, "b", "n", t.now, ev); return err },
				"AllowMove": func() error { _, err := t.Invitations.Store.AllowMove(t.ctx, spent.ID, ev); return err },
			})
		}},
	}
}
