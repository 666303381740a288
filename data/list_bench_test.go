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

// crowded is a room of many invitations, none of them used.
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
		firm := "mail"
		if i%max(1, n/900) == 0 {
			firm = "firm" // some 900 of 100,000, everywhere
		}
		invs[i] = tokens.Invitation{ID: id, Counter: id, Room: r, Role: tokens.Guest, Name: fmt.Sprintf("Guest %06d", i*7919%n), Email: fmt.Sprintf("guest%d@%s.example", i, firm),
			MaxUses: 1, CreatedAt: now, ExpiresAt: now + 3600_000, CreatedBy: by.Actor}
		evs[i] = audit.Event{At: now, Actor: by.Actor, Kind: audit.InvitationMinted, Room: int64(r.ID), Invitation: int64(id)}
	}
	const most = 5000 // which PostgreSQL writes within the time that one change may take
	for i := 0; i < n; i += most {
		end := min(i+most, n)
		if err := b.Invitations.Store.Insert(context.Background(), invs[i:end], evs[i:end]); err != nil {
			tb.Fatal(err)
		}
	}
	return r
}

// BenchmarkARoomOf100000 is what the list of a room costs at the server, for
// each question it can be asked. The worst have no match and look at every row.
func BenchmarkARoomOf100000(b *testing.B) {
	for name, open := range benches() {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			r := crowded(b, d, 100_000)
			settle(b, d)
			ask(b, d, r, "", append(tokens.States(), ""), []string{"", "guest", "@firm", "nobody at all"})
			if _, err := d.Raw(b).ExecContext(b.Context(), "UPDATE invitations SET uses = max_uses"); err != nil {
				b.Fatal(err)
			}
			settle(b, d)
			ask(b, d, r, "all used, ", []tokens.State{tokens.Pending, tokens.Redeemed}, []string{"", "guest"})
		})
	}
}

// settle does what PostgreSQL's autovacuum would have done by then; SQLite plans
// without.
func settle(b *testing.B, d *datatest.Bench) {
	b.Helper()
	if _, err := d.Raw(b).ExecContext(b.Context(), "VACUUM ANALYZE invitations"); err != nil {
		b.Log(err)
	}
}

// ask asks for pages in every order: the first, and one deep within.
func ask(b *testing.B, d *datatest.Bench, r rooms.Room, name string, states []tokens.State, texts []string) {
	for _, sort := range tokens.Sorts() {
		for _, state := range states {
			for _, text := range texts {
				q := tokens.Query{Room: r.ID, Sort: sort, State: state, Text: text, Limit: 51, Now: d.Clock.Millis()}
				b.Run(fmt.Sprintf("%s%s %s %q", name, sort, state, text), func(b *testing.B) { timed(b, d, q) })
				if name+string(state)+text == "" {
					q.After = tokens.Invitation{ID: r.ID + 50_000, Name: "guest 050000"}.Position(sort)
					b.Run(fmt.Sprintf("%s deep", sort), func(b *testing.B) { timed(b, d, q) })
				}
			}
		}
	}
}

func timed(b *testing.B, d *datatest.Bench, q tokens.Query) {
	var took []float64
	for b.Loop() {
		began := time.Now()
		if _, err := d.Invitations.Store.List(b.Context(), q); err != nil {
			b.Fatal(err)
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	reported(b, took)
}

// reported tells of durations in milliseconds instead of their mean.
func reported(b *testing.B, took []float64) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "median-ms")
	b.ReportMetric(took[0], "best-ms")
	b.ReportMetric(0, "ns/op")
}
