package data_test

import (
	"testing"

	"admitone/tokens"
)

// BenchmarkAListOf100000Guests is what a page of the list of guests costs at the
// server, and the numbers over it.
func BenchmarkAListOf100000Guests(b *testing.B) {
	for name, open := range benches() {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			r := crowded(b, d, 100_000)
			if _, err := d.Raw(b).ExecContext(b.Context(), "UPDATE invitations SET uses = 1 WHERE id % 3 = 0"); err != nil {
				b.Fatal(err)
			}
			now := d.Clock.Millis()
			b.Run("numbers", func(b *testing.B) {
				for b.Loop() {
					if _, err := d.Invitations.Store.Turnout(b.Context(), r, now); err != nil {
						b.Fatal(err)
					}
				}
			})
			for _, part := range tokens.Attendances() {
				b.Run(string(part), func(b *testing.B) {
					q := tokens.Query{Attendance: part, Sort: tokens.Oldest, Limit: 51, Now: now}
					for b.Loop() {
						if _, err := d.Invitations.Guests(b.Context(), r, q); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}
