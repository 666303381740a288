package data_test

import (
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens/mail"
)

// BenchmarkMailsOfARoomOf100000 is what the page of a room pays to tell how its
// mails stand: before any was sent, afterwards, once all were told of another
// time, and where all came by links that were handed on otherwise.
func BenchmarkMailsOfARoomOf100000(b *testing.B) {
	const guests = 100_000
	for name, open := range benches() {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			r := crowded(b, d, guests)
			standing(b, d, r, "none sent")
			inviteAll(b, d, r)
			all(b, d, `UPDATE deliveries SET state = 'sent'`)
			standing(b, d, r, "all sent")
			tellAll(b, d, r)
			standing(b, d, r, "all told")
			came := crowded(b, d, guests)
			all(b, d, `UPDATE invitations SET uses = 1`)
			standing(b, d, came, "all came")
		})
	}
}

// standing asks for both counts.
func standing(b *testing.B, d *datatest.Bench, r rooms.Room, name string) {
	b.Helper()
	settle(b, d)
	if _, err := d.Raw(b).ExecContext(b.Context(), "VACUUM ANALYZE deliveries"); err != nil {
		b.Log(err)
	}
	u := mail.Unsent{Room: r.ID, Now: d.Clock.Millis()}
	b.Run(name+", unsent", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.Outbox.CountUnsent(b.Context(), u); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(name+", tally", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.Outbox.Tally(b.Context(), r.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func all(b *testing.B, d *datatest.Bench, statement string) {
	b.Helper()
	if _, err := d.Raw(b).ExecContext(b.Context(), statement); err != nil {
		b.Fatal(err)
	}
}

// inviteAll queues a mail to each, in parts that PostgreSQL writes within the time that one change may take.
func inviteAll(b *testing.B, d *datatest.Bench, r rooms.Room) {
	b.Helper()
	const part = 10_000
	now := d.Clock.Millis()
	send := mail.Send{Delivery: outbox.Delivery{Kind: outbox.Mail, Word: audit.Invited, Room: r.ID, CreatedAt: now, DueAt: now},
		Event: audit.Event{At: now, Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Kind: audit.InvitationMailed, Room: int64(r.ID)}}
	rows, err := d.Raw(b).QueryContext(b.Context(), `SELECT id FROM invitations WHERE room_id = $1 ORDER BY id`, int64(r.ID))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var ids []rooms.ID
	for rows.Next() {
		var id rooms.ID
		if err := rows.Scan(&id); err != nil {
			b.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	_ = rows.Close()
	for i := 0; i < len(ids); i += part {
		u := mail.Unsent{Room: r.ID, Now: now, First: ids[i], Last: ids[min(i+part, len(ids))-1]}
		if n, err := d.Outbox.QueueUnsent(b.Context(), u, send); n != min(part, len(ids)-i) || err != nil {
			b.Fatal(n, err)
		}
	}
}

// tellAll has each told of another time, past the time that one change may take.
func tellAll(b *testing.B, d *datatest.Bench, r rooms.Room) {
	b.Helper()
	ev := audit.Event{At: d.Clock.Millis(), Kind: audit.RoomChanged, Room: int64(r.ID), Tell: audit.Tell{Word: audit.Moved, At: d.Clock.Millis()}}
	if _, err := d.DB.Tells(b.Context(), d.IDs, ev); err != nil {
		b.Fatal(err)
	}
}
