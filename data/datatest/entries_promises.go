package datatest

import (
	"errors"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

func entriesPromises() []promise {
	const second = int64(1000)
	out := func(t *trial, a tokens.Admission, at int64) (audit.Event, error) {
		ev := t.event(audit.ConferenceEntered, a.Room, a.Invitation)
		ev.Admission = int64(a.ID)
		return ev, t.Invitations.Store.HandOut(t.ctx, a, at, at-minute, ev)
	}
	handOut := func(t *trial, a tokens.Admission, at int64) audit.Event {
		t.Helper()
		ev, err := out(t, a, at)
		t.must(err)
		return ev
	}
	entered := func(t *trial, room rooms.ID, since, at int64) (ids []rooms.ID) {
		t.Helper()
		list, err := t.Invitations.Store.Entered(t.ctx, room, since, at, 9)
		t.must(err)
		for _, p := range list {
			ids = append(ids, p.Admission)
		}
		return ids
	}
	hostIn := func(t *trial, room rooms.ID, since, at int64) bool {
		t.Helper()
		in, err := t.Invitations.Store.HostIn(t.ctx, room, since, at)
		t.must(err)
		return in
	}
	asHost := func(inv *tokens.Invitation) { inv.Role = tokens.Host }
	return []promise{
		{"Claim stores when the link left with it", func(t *trial) {
			inv := t.invitation(t.room())
			c, ev := t.claim(inv, "n")
			c.Admission.EnteredAt, c.Admission.Backend = t.now, "conf"
			_, err := t.Invitations.Store.Claim(t.ctx, c, ev)
			t.must(err)
			a, err := t.Invitations.Store.Admission(t.ctx, inv.ID, "n")
			t.must(err)
			same(t, "admission", a, c.Admission)
		}},
		{"HandOut notes when, and the event once while the last is not older than since", func(t *trial) {
			a := t.take(t.invitation(t.room()), "n")
			ev := t.event(audit.ConferenceEntered, a.Room, a.Invitation)
			ev.Admission = int64(a.ID)
			t.noted("HandOut", func() { handOut(t, a, t.now) }, ev)
			t.noted("HandOut again", func() { handOut(t, a, t.now+second) })
			got, err := t.Invitations.Store.Admission(t.ctx, a.Invitation, "n")
			t.must(err)
			same(t, "entered at", got.EnteredAt, t.now+second)
			t.noted("HandOut later", func() { handOut(t, a, t.now+2*minute) }, ev)
		}},
		{"HandOut is ErrConflict where the right to enter has gone, and changes nothing", func(t *trial) {
			for what, withdraw := range map[string]func(a tokens.Admission){
				"ended": func(a tokens.Admission) { t.exec("UPDATE admissions SET ended_at = 1 WHERE id = $1", int64(a.ID)) },
				"moved": func(a tokens.Admission) { t.exec("UPDATE admissions SET browser = 'other' WHERE id = $1", int64(a.ID)) },
				"revoked": func(a tokens.Admission) {
					t.exec("UPDATE invitations SET revoked_at = 1 WHERE id = $1", int64(a.Invitation))
				},
				"superseded": func(a tokens.Admission) {
					t.exec("UPDATE invitations SET superseded_by = 1 WHERE id = $1", int64(a.Invitation))
				},
				"closed":    func(a tokens.Admission) { t.exec("UPDATE rooms SET closed_at = 1 WHERE id = $1", int64(a.Room)) },
				"elsewhere": func(a tokens.Admission) { t.exec("UPDATE rooms SET backend = 'conf' WHERE id = $1", int64(a.Room)) },
			} {
				a := t.take(t.invitation(t.room()), "n")
				withdraw(a)
				t.unchanged(what, func() {
					if _, err := out(t, a, t.now); !errors.Is(err, tokens.ErrConflict) {
						t.Errorf("%s: %v", what, err)
					}
				})
			}
		}},
		{"Entered lists for whom links were handed out, the first first, while their right holds; HostIn looks for a host among them", func(t *trial) {
			r := t.room()
			guest, host := t.take(t.invitation(r), "g"), t.take(t.invitation(r, asHost), "h")
			same(t, "before", entered(t, r.ID, 0, t.now), nil)
			handOut(t, guest, t.now)
			if hostIn(t, r.ID, 0, t.now) {
				t.Error("a guest is a host")
			}
			handOut(t, host, t.now+second)
			same(t, "both", entered(t, r.ID, t.now-second, t.now), []rooms.ID{guest.ID, host.ID})
			same(t, "after the first", entered(t, r.ID, t.now, t.now), []rooms.ID{host.ID})
			same(t, "of another room", entered(t, t.room().ID, 0, t.now), nil)
			stay := t.at(tokens.Stay)
			for what, row := range map[string]struct {
				since, at int64
				change    string
				want      bool
			}{
				"now":                    {t.now - second, t.now, "", true},
				"a link of before":       {t.now + second, t.now, "", false},
				"until the stay is over": {0, stay - 1, "", true},
				"the stay is over":       {0, stay, "", false},
			} {
				if got := hostIn(t, r.ID, row.since, row.at); got != row.want {
					t.Errorf("%s: a host is in: %v", what, got)
				}
			}
			t.exec("UPDATE admissions SET ended_at = 1 WHERE id = $1", int64(host.ID))
			if hostIn(t, r.ID, 0, t.now) {
				t.Error("a host who was removed counts")
			}
			t.exec("UPDATE invitations SET revoked_at = 1 WHERE id = $1", int64(guest.Invitation))
			same(t, "all gone", entered(t, r.ID, 0, t.now), nil)
		}},
		{"a host who entered counts no more once the room is closed, opened, moved in time or led elsewhere", func(t *trial) {
			change := func(change func(*rooms.Room)) func(rooms.Room, audit.Event) error {
				return func(r rooms.Room, ev audit.Event) error {
					change(&r)
					return t.Rooms.Store.Update(t.ctx, r, rooms.Shift{}, ev)
				}
			}
			for what, row := range map[string]struct {
				do   func(r rooms.Room, ev audit.Event) error
				want bool
			}{
				"renamed":   {change(func(r *rooms.Room) { r.Name = "Other" }), true},
				"ends":      {change(func(r *rooms.Room) { r.EndsAt += hour }), true},
				"begins":    {change(func(r *rooms.Room) { r.StartsAt += second }), false},
				"elsewhere": {change(func(r *rooms.Room) { r.Backend = "conf" }), false},
				"elsewhere and back": {func(r rooms.Room, ev audit.Event) error {
					there := r
					there.Backend = "conf"
					return errors.Join(t.Rooms.Store.Update(t.ctx, there, rooms.Shift{}, ev), t.Rooms.Store.Update(t.ctx, r, rooms.Shift{}, ev))
				}, false},
				"opened again": {func(r rooms.Room, ev audit.Event) error {
					_, err := t.Rooms.Store.SetClosed(t.ctx, r.ID, t.now, ev)
					_, again := t.Rooms.Store.SetClosed(t.ctx, r.ID, 0, ev)
					return errors.Join(err, again)
				}, false},
			} {
				r := t.room(func(r *rooms.Room) { r.StartsAt, r.EndsAt = t.now-hour, t.now+hour })
				host := t.take(t.invitation(r, asHost), "h")
				handOut(t, host, t.now)
				t.must(row.do(r, t.event(audit.RoomChanged, r.ID, 0)))
				if got := hostIn(t, r.ID, 0, t.now); got != row.want {
					t.Errorf("%s: a host is in: %v", what, got)
				}
				got, err := t.Rooms.Store.ByID(t.ctx, r.ID)
				t.must(err)
				host.Backend = got.Backend
				handOut(t, host, t.now+1)
				if !hostIn(t, r.ID, 0, t.now+1) {
					t.Errorf("%s: the host who entered again is not in", what)
				}
			}
		}},
		{"HostNames are what a room's hosts are called, each once", func(t *trial) {
			r := t.room()
			for i, inv := range []tokens.Invitation{t.invitation(r, asHost), t.invitation(r, asHost), t.invitation(r, asHost), t.invitation(r), t.invitation(t.room(), asHost)} {
				a := t.take(inv, "n")
				t.exec("UPDATE admissions SET name = $1 WHERE id = $2", []string{"Ada", "", "Ada", "Bo", "Cy"}[i], int64(a.ID))
			}
			names, err := t.Invitations.Store.HostNames(t.ctx, r.ID)
			t.must(err)
			same(t, "names", names, []string{"Ada"})
		}},
		{"in a room with an end an entry holds until that is over, and nothing holds in a closed one", func(t *trial) {
			r := t.room(func(r *rooms.Room) { r.EndsAt = t.now + hour })
			host := t.take(t.invitation(r, asHost), "h")
			handOut(t, host, t.now)
			over := r.EndsAt + rooms.Grace.Milliseconds()
			if !hostIn(t, r.ID, 0, over-1) || hostIn(t, r.ID, 0, over) {
				t.Error("not until the end")
			}
			t.exec("UPDATE rooms SET closed_at = 1 WHERE id = $1", int64(r.ID))
			if hostIn(t, r.ID, 0, t.now) {
				t.Error("a host is in a closed room")
			}
		}},
		{"HandedOut returns the admissions to the room that ever got a link; LedTo those that hold, by back end", func(t *trial) {
			inv := t.invitation(t.room(), func(inv *tokens.Invitation) { inv.MaxUses = 3 })
			a, _, b := t.take(inv, "a"), t.take(inv, "none"), t.take(inv, "b")
			handOut(t, a, t.now)
			handOut(t, b, t.now)
			elsewhere := t.take(t.invitation(t.room()), "c")
			handOut(t, elsewhere, t.now)
			t.exec("UPDATE admissions SET ended_at = 1 WHERE id = $1", int64(b.ID))
			list, err := t.Invitations.Store.HandedOut(t.ctx, inv.Room.ID, []rooms.ID{inv.ID, elsewhere.Invitation})
			t.must(err)
			a.EnteredAt, b.EnteredAt, b.EndedAt = t.now, t.now, 1
			same(t, "handed out", list, []tokens.Admission{a, b})
			list, err = t.Invitations.Store.HandedOut(t.ctx, inv.Room.ID, nil)
			t.must(err)
			same(t, "of none", len(list), 0)
			list, err = t.Invitations.Store.LedTo(t.ctx, inv.Room.ID, "")
			t.must(err)
			same(t, "led to the lobby", list, []tokens.Admission{a})
			list, err = t.Invitations.Store.LedTo(t.ctx, inv.Room.ID, "conf")
			t.must(err)
			same(t, "led elsewhere", len(list), 0)
		}},
		{"Note stores an event alone, and handing out commits with its event or not at all", func(t *trial) {
			a := t.take(t.invitation(t.room()), "n")
			ev := t.event(audit.ConferenceRemoved, a.Room, a.Invitation)
			t.noted("Note", func() { t.must(t.Invitations.Store.Note(t.ctx, ev)) }, ev)
			t.undoneWithoutHistory(map[string]func() error{
				"HandOut": func() error { _, err := out(t, a, t.at(time.Hour)); return err },
			})
		}},
	}
}
