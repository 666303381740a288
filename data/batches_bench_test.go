package data_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// BenchmarkMintList mints a list of guests with names and addresses, each list to a
// room of its own; of one by one each is a commit of its own.
func BenchmarkMintList(b *testing.B) {
	by := rooms.Caller{Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Owner: "ada", Admin: true}
	rows := make([]tokens.GuestRow, tokens.MaxBatch)
	for i := range rows {
		rows[i].Draft = tokens.Draft{Role: tokens.Guest, Name: fmt.Sprint("Guest Number ", i), Email: fmt.Sprintf("guest%d@mail.example", i), MaxUses: 1}
	}
	for name, open := range map[string]func() *datatest.Bench{
		"sqlite": func() *datatest.Bench { return datatest.SQLite(b) }, "postgres": func() *datatest.Bench { return datatest.On(b, datatest.Postgres(b)) },
	} {
		b.Run(name, func(b *testing.B) {
			bench, ctx := open(), context.Background()
			r, err := bench.Rooms.Create(ctx, by, rooms.Draft{Name: "Everybody"})
			if err != nil {
				b.Fatal(err)
			}
			b.Run("10000", func(b *testing.B) {
				var took []float64
				for b.Loop() {
					r, err := bench.Rooms.Create(ctx, by, rooms.Draft{Name: "Everybody"})
					if err != nil {
						b.Fatal(err)
					}
					began := time.Now()
					if _, _, err := bench.Invitations.MintList(ctx, by, r, rows, tokens.Terms{Atomic: true}); err != nil {
						b.Fatal(err)
					}
					took = append(took, float64(time.Since(began).Microseconds())/1000)
				}
				reported(b, took)
			})
			b.Run("one", func(b *testing.B) {
				for b.Loop() {
					if _, err := bench.Invitations.Mint(ctx, by, r, rows[0].Draft, true); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
