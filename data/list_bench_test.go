package data_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// crowded is a room of many invitations, every tenth of them revoked or used,
// made in one write.
func crowded(tb testing.TB, b *datatest.Bench, n int) rooms.Room {
	tb.Helper()
	by := rooms.Caller{Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Owner: "ada"}
	r, err := b.Rooms.Create(context.Background(), by, rooms.Draft{Name: "Crowded"})
	if err != nil {
		tb.Fatal(err)
	}
	now := b.Clock.Millis()
	invs, evs := make([]tokens.Invitation, n), make([]audit.Event, n)
	for i := range invs {
		id := b.IDs.Next(now)
		invs[i] = tokens.Invitation{ID: id, Counter: id, Room: r, Role: tokens.Guest, Name: fmt.Sprintf("Guest %06d", i*7919%n), Email: fmt.Sprintf("guest%d@mail.example", i),
			MaxUses: 1, CreatedAt: now, ExpiresAt: now + 3600_000, CreatedBy: by.Actor}
		evs[i] = audit.Event{At: now, Actor: by.Actor, Kind: audit.InvitationMinted, Room: int64(r.ID), Invitation: int64(id)}
	}
	if err := b.Invitations.Store.Insert(context.Background(), invs, evs); err != nil {
		tb.Fatal(err)
	}
	return r
}

// BenchmarkARoomOf100000 is what the list of a room costs at the server, for
// each question it can be asked. The worst have no match and look at every row.
func BenchmarkARoomOf100000(b *testing.B) {
	d := datatest.SQLite(b)
	r := crowded(b, d, 100_000)
	now := d.Clock.Millis()
	for _, q := range []struct {
		name  string
		query tokens.Query
	}{
		{"first page", tokens.Query{}},
		{"last page", tokens.Query{Before: r.ID + 100<<20}},
		{"pending", tokens.Query{State: tokens.Pending}},
		{"revoked, none is", tokens.Query{State: tokens.Revoked}},
		{"superseded, none is", tokens.Query{State: tokens.Superseded}},
		{"redeemed, none is", tokens.Query{State: tokens.Redeemed}},
		{"expired, none is", tokens.Query{State: tokens.Expired}},
		{"a common text", tokens.Query{Text: "guest"}},
		{"a rare text", tokens.Query{Text: "Guest 000042"}},
		{"a text that nobody has", tokens.Query{Text: "nobody at all"}},
		{"a text and a state", tokens.Query{Text: "nobody", State: tokens.Pending}},
	} {
		b.Run(q.name, func(b *testing.B) {
			q.query.Room, q.query.Limit, q.query.Now = r.ID, 51, now
			var took []float64
			for b.Loop() {
				began := time.Now()
				if _, err := d.Invitations.Store.List(context.Background(), q.query); err != nil {
					b.Fatal(err)
				}
				took = append(took, float64(time.Since(began).Microseconds())/1000)
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2], "median-ms")
			b.ReportMetric(took[0], "best-ms")
		})
	}
}
