package data_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// BenchmarkClaimsInARoomOf100000 is what uses cost at the store, taken in no
// order by 64 at once, while the room's lists can be asked for all the while.
func BenchmarkClaimsInARoomOf100000(b *testing.B) {
	for name, open := range benches() {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			r := crowded(b, d, 100_000)
			all := everyID(b, d, r)
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			const atOnce, each = 64, 150
			for b.Loop() {
				take, began := all[:atOnce*each], time.Now()
				all = all[atOnce*each:]
				var done sync.WaitGroup
				for n := range atOnce {
					done.Go(func() {
						for _, id := range take[n*each : (n+1)*each] {
							claim(b, d, r, id)
						}
					})
				}
				done.Wait()
				b.ReportMetric(float64(len(take))/time.Since(began).Seconds(), "claims/s")
			}
		})
	}
}

func claim(b *testing.B, d *datatest.Bench, r rooms.Room, id rooms.ID) {
	now := d.Clock.Millis()
	a := tokens.Admission{ID: d.IDs.Next(now), Invitation: id, Room: r.ID, Role: tokens.Guest, CreatedAt: now}
	ev := audit.Event{At: now, Kind: audit.InvitationRedeemed, Room: int64(r.ID), Invitation: int64(id)}
	if _, err := d.Invitations.Store.Claim(context.Background(), tokens.Claim{Admission: a, Counter: id, Nonce: fmt.Sprint(id)}, ev); err != nil {
		b.Error(err)
	}
}

// everyID is every invitation of the room.
func everyID(b *testing.B, d *datatest.Bench, r rooms.Room) (ids []rooms.ID) {
	rows, err := d.Raw(b).QueryContext(b.Context(), "SELECT id FROM invitations WHERE room_id = $1", int64(r.ID))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
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
	return ids
}

// benches are the databases that are measured.
func benches() map[string]func(testing.TB) *datatest.Bench {
	return map[string]func(testing.TB) *datatest.Bench{
		"sqlite":   datatest.SQLite,
		"postgres": func(b testing.TB) *datatest.Bench { return datatest.On(b, datatest.Postgres(b)) },
	}
}
