package data_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
	"admitone/tokens/mail"
)

// crowd is a room with so many guests who have a mail address.
func crowd(t *testing.T, b *datatest.Bench, n int) (rooms.Room, []tokens.Invitation) {
	t.Helper()
	now := b.Clock.Millis()
	r := rooms.Room{ID: b.IDs.Next(now), Slug: "crowd-" + b.IDs.Next(now).Show(""), Name: "Everybody", Owner: "ada", CreatedAt: now}
	invs := make([]tokens.Invitation, n)
	for i := range invs {
		id := b.IDs.Next(now)
		invs[i] = tokens.Invitation{ID: id, Counter: id, Appointment: id, Room: r, Role: tokens.Guest, Email: fmt.Sprintf("guest%d@mail.example", i), MaxUses: 1,
			CreatedAt: now, ExpiresAt: now + 3600_000, CreatedBy: audit.Actor{Kind: audit.Host, Name: "ada"}}
	}
	ev := audit.Event{At: now, Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Kind: audit.RoomCreated, Room: int64(r.ID)}
	if err := b.Invitations.Store.InsertRooms(t.Context(), []rooms.Room{r}, []audit.Event{ev}, invs, nil); err != nil {
		t.Fatal(err)
	}
	return r, invs
}

// mailed stores a mail to each, as one that was sent.
func mailed(t *testing.T, b *datatest.Bench, r rooms.Room) {
	t.Helper()
	_, err := b.Raw(t).ExecContext(t.Context(), `INSERT INTO deliveries (id, send_key, kind, word, room_id, invitation_id, created_at, due_at, attempts, state, reason, settled_at, lease, leased_until)
		SELECT id, 'sent ' || CAST(id AS TEXT), 'mail', 'invited', room_id, id, created_at, created_at, 1, 'sent', '', created_at, '', 0 FROM invitations WHERE room_id = $1`, int64(r.ID))
	if err != nil {
		t.Fatal(err)
	}
}

func TestAChangeTellsThousandsInFewStatements(t *testing.T) {
	t.Parallel()
	const guests = 1000
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		r, invs := crowd(t, b, guests)
		mailed(t, b, r)
		ev := audit.Event{At: b.Clock.Millis(), Kind: audit.RoomClosed, Room: int64(r.ID), Tell: audit.Tell{Word: audit.CalledOff, At: b.Clock.Millis() + 5}}
		n, err := b.DB.Tells(t.Context(), b.IDs, ev)
		if err != nil || n > 5 {
			t.Errorf("%d statements, %v", n, err)
		}
		var told, keys int
		err = b.DB.Row(t.Context(), `SELECT COUNT(DISTINCT invitation_id), COUNT(DISTINCT send_key) FROM deliveries WHERE word = 'called_off' AND state = 'waiting' AND due_at = $1 AND created_at = $2`,
			ev.Tell.At, ev.At).Scan(&told, &keys)
		if err != nil || told != guests || keys != guests {
			t.Errorf("%d were told by %d mails, %v", told, keys, err)
		}
		d, found, err := b.Outbox.Take(t.Context(), outbox.Mail, "one", ev.Tell.At, ev.Tell.At+1000)
		if err != nil || !found || d.Invitation != invs[0].ID || d.Room != r.ID {
			t.Errorf("the first of them is %+v, %v", d, err)
		}
	})
}

// What is slow for each of many is over the time that a change may take on PostgreSQL.
func TestACrowdIsInvitedAndToldInTime(t *testing.T) {
	t.Parallel()
	const guests = 20_000
	b := datatest.On(t, datatest.Postgres(t))
	r, _ := crowd(t, b, guests)
	now := b.Clock.Millis()
	ev := audit.Event{At: now, Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Kind: audit.InvitationMailed, Room: int64(r.ID)}
	send := mail.Send{Delivery: outbox.Delivery{Kind: outbox.Mail, Word: audit.Invited, Room: r.ID, CreatedAt: now, DueAt: now}, Event: ev}
	if n, err := b.Outbox.QueueUnsent(t.Context(), mail.Unsent{Room: r.ID, Now: now}, send); n != guests || err != nil {
		t.Fatalf("%d were invited, %v", n, err)
	}
	for _, came := range []string{`UPDATE invitations SET uses = 1`, `INSERT INTO admissions (id, invitation_id, nonce, room_id, role, name, browser, created_at, ended_at)
		SELECT id, id, 'nonce', room_id, role, '', '', created_at, 0 FROM invitations`} {
		if _, err := b.Raw(t).ExecContext(t.Context(), came); err != nil {
			t.Fatal(err)
		}
	}
	for _, word := range []audit.Word{audit.CalledOff, audit.OnAgain} {
		closed := now
		if word == audit.OnAgain {
			closed = 0
		}
		if _, err := b.Raw(t).ExecContext(t.Context(), `UPDATE deliveries SET state = 'sent'`); err != nil {
			t.Fatal(err)
		}
		ev.Kind, ev.Tell = audit.RoomClosed, audit.Tell{Word: word, At: now}
		if _, err := b.Rooms.Store.SetClosed(t.Context(), r.ID, closed, ev); err != nil {
			t.Errorf("%s: %v", word, err)
		}
		var told int
		if err := b.DB.Row(t.Context(), `SELECT COUNT(*) FROM deliveries WHERE word = $1 AND state = 'waiting'`, string(word)).Scan(&told); err != nil || told != guests {
			t.Errorf("%s: %d were told, %v", word, told, err)
		}
	}
}

func TestRevokingManyWhileTheirRoomMovesIsNoDeadlock(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		for range 6 {
			r, invs := crowd(t, b, 400)
			var ids []rooms.ID
			for _, inv := range slices.Backward(invs) {
				ids = append(ids, inv.ID)
			}
			now := b.Clock.Millis()
			ev := func(id rooms.ID) audit.Event {
				return audit.Event{At: now, Kind: audit.InvitationRevoked, Room: int64(r.ID), Invitation: int64(id)}
			}
			var both sync.WaitGroup
			both.Go(func() {
				if done, err := b.Invitations.Store.RevokeAll(t.Context(), r.ID, ids, now, ev); err != nil || len(done) != len(ids) {
					t.Errorf("%d were revoked, %v", len(done), err)
				}
			})
			both.Go(func() {
				for range 20 {
					if err := b.Rooms.Store.Update(t.Context(), r, rooms.Shift{Start: 1, End: 1}, audit.Event{At: now, Kind: audit.RoomChanged, Room: int64(r.ID)}); err != nil {
						t.Error(err)
					}
				}
			})
			both.Wait()
		}
	})
}
