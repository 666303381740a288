package tokens_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// ada looks after every room of these tests.
func ada() rooms.Caller {
	return rooms.Caller{Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Owner: "ada"}
}

// gate is a booking system that acts for ada.
func gate(name string) audit.Actor { return audit.Actor{Kind: audit.Client, Name: name} }

func makeRoom(t testing.TB, b *datatest.Bench, d rooms.Draft) rooms.Room {
	t.Helper()
	if d.Name == "" {
		d.Name = "Standup"
	}
	r, err := b.Rooms.Create(context.Background(), ada(), d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mint(t testing.TB, b *datatest.Bench, r rooms.Room, d tokens.Draft) tokens.Invitation {
	t.Helper()
	if d.Role == "" {
		d.Role = tokens.Guest
	}
	inv, err := b.Invitations.Mint(context.Background(), ada(), r, d, true)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// press is what a browser's press on the page of the invitation's link asks.
func press(b *datatest.Bench, inv tokens.Invitation, browser string) tokens.Redemption {
	return tokens.Redemption{Link: b.Invitations.Links.Short(inv), Nonce: tokens.PageNonce(browser, inv.ID), Browser: browser,
		Actor: audit.Actor{Kind: audit.Guest}}
}

// call is what a gate asks over the API.
func call(b *datatest.Bench, inv tokens.Invitation, from, nonce string) tokens.Redemption {
	return tokens.Redemption{Link: b.Invitations.Links.Short(inv), Nonce: nonce, Actor: gate(from)}
}

func redeem(t testing.TB, b *datatest.Bench, r tokens.Redemption) tokens.Admitted {
	t.Helper()
	out, err := b.Invitations.Redeem(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func fetch(t testing.TB, b *datatest.Bench, inv tokens.Invitation) tokens.Invitation {
	t.Helper()
	inv, err := b.Invitations.Store.ByID(context.Background(), inv.ID)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// wants fails the test unless err is want; nil wants none.
func wants(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// taken is what redeeming leaves behind of one invitation.
type taken struct{ uses, admissions, redeemed, events int }

func count(t testing.TB, b *datatest.Bench, inv tokens.Invitation) (n taken) {
	t.Helper()
	err := b.Raw(t).QueryRowContext(context.Background(), `SELECT (SELECT uses FROM invitations WHERE id = $1),
		(SELECT COUNT(*) FROM admissions WHERE invitation_id = $2),
		(SELECT COUNT(*) FROM events WHERE invitation_id = $3 AND kind = 'invitation.redeemed'),
		(SELECT COUNT(*) FROM events WHERE invitation_id = $4 AND kind <> 'invitation.refused')`, int64(inv.Counter), int64(inv.ID), int64(inv.ID), int64(inv.ID)).
		Scan(&n.uses, &n.admissions, &n.redeemed, &n.events)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func ms(d time.Duration) int64 { return d.Milliseconds() }

// secrets are the ring's keys of one use, kid to secret, as the database and
// the root yield them: with these a test makes tokens by hand.
func secrets(t testing.TB, b *datatest.Bench, use string) map[string][]byte {
	t.Helper()
	rows, err := b.Raw(t).QueryContext(context.Background(), `SELECT id, box FROM keys WHERE used_for = $1`, use)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	found := map[string][]byte{}
	for rows.Next() {
		var id, text string
		if err := rows.Scan(&id, &text); err != nil {
			t.Fatal(err)
		}
		box, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if found[id], err = datatest.Root(t).Open("key "+use+" "+id, box); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil || len(found) == 0 {
		t.Fatalf("keys of %s: %d, %v", use, len(found), err)
	}
	return found
}

// swap is s with old replaced, which must be there.
func swap(s, old, by string) string {
	if !strings.Contains(s, old) {
		panic("nothing to replace: " + old + " in " + s)
	}
	return strings.Replace(s, old, by, 1)
}
