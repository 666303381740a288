package data_test

import (
	"maps"
	"testing"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
	"admitone/tokens/mail"
)

// sendTo is a mail of that word to an invitation of the room, or to many.
func sendTo(b *datatest.Bench, r rooms.Room, inv tokens.Invitation, word audit.Word, key string) mail.Send {
	now := b.Clock.Millis()
	return mail.Send{Delivery: outbox.Delivery{Key: key, Kind: outbox.Mail, Word: word, Room: r.ID, Invitation: inv.ID, CreatedAt: now, DueAt: now},
		Event: audit.Event{At: now, Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Kind: audit.InvitationMailed, Room: int64(r.ID), Invitation: int64(inv.ID)}}
}

// Whoever looks at a room of thousands does not wait until all are counted.
func TestMailsAreCountedUpToMany(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		const guests = mail.Many + 100
		r, invs := crowd(t, b, guests)
		counted := func(unsent int, want map[outbox.State]int) {
			t.Helper()
			n, err := b.Outbox.CountUnsent(t.Context(), mail.Unsent{Room: r.ID, Now: b.Clock.Millis()})
			tally, wrong := b.Outbox.Tally(t.Context(), r.ID)
			if n != unsent || !maps.Equal(tally, want) || err != nil || wrong != nil {
				t.Errorf("%d unsent, %v; %v, %v; want %d, %v", n, tally, err, wrong, unsent, want)
			}
		}
		counted(mail.Many+1, map[outbox.State]int{})
		u := mail.Unsent{Room: r.ID, Now: b.Clock.Millis(), First: invs[0].ID, Last: invs[guests-3].ID}
		if n, err := b.Outbox.QueueUnsent(t.Context(), u, sendTo(b, r, tokens.Invitation{}, audit.Invited, "")); n != guests-2 || err != nil {
			t.Fatal(n, err)
		}
		counted(2, map[outbox.State]int{outbox.Waiting: mail.Many + 1})
		if n, err := b.Outbox.Queue(t.Context(), []mail.Send{sendTo(b, r, invs[guests-1], audit.Invited, "one")}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		counted(1, map[outbox.State]int{outbox.Waiting: mail.Many + 1})
	})
}

// Mails that were sent before the database kept who got one, and which was the
// last, count as those since.
func TestAMigrationKnowsWhoGotAMail(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		r, invs := crowd(t, b, 4)
		queue := func(send mail.Send) {
			t.Helper()
			if n, err := b.Outbox.Queue(t.Context(), []mail.Send{send}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		settle := func(state outbox.State) {
			t.Helper()
			now := b.Clock.Millis()
			d, found, err := b.Outbox.Take(t.Context(), outbox.Mail, "one", now, now+1000)
			if d.State = state; err == nil && found {
				err = b.Outbox.Settle(t.Context(), d, audit.Event{})
			}
			if err != nil || !found {
				t.Fatal(found, err)
			}
		}
		queue(sendTo(b, r, invs[0], audit.Invited, "refused, then sent"))
		settle(outbox.Refused)
		queue(sendTo(b, r, invs[1], audit.Invited, "sent"))
		settle(outbox.Sent)
		queue(sendTo(b, r, invs[0], audit.Invited, "sent again"))
		settle(outbox.Sent)
		queue(sendTo(b, r, invs[0], audit.Moved, "waits"))
		queue(sendTo(b, r, invs[2], audit.Invited, "waits too"))
		kept := func() (mailed int, past string) {
			t.Helper()
			err := b.Raw(t).QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM invitations WHERE mailed = 1), COALESCE((SELECT send_key FROM deliveries WHERE latest = 0), '')`).Scan(&mailed, &past)
			if err != nil {
				t.Fatal(err)
			}
			return mailed, past
		}
		if mailed, past := kept(); mailed != 3 || past != "refused, then sent" {
			t.Errorf("%d got one, and the latest is not %q", mailed, past)
		}
		if err := data.Remigrate(t.Context(), b.Raw(t), b.DB.Kind() == "sqlite", 19); err != nil {
			t.Fatal(err)
		}
		if mailed, past := kept(); mailed != 3 || past != "refused, then sent" {
			t.Errorf("after the migration %d got one, and the latest is not %q", mailed, past)
		}
	})
}
