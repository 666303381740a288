package views

import (
	"io"
	"testing"
)

func BenchmarkJoin(b *testing.B) {
	c := JoinPage(joinSample())
	b.ReportAllocs()
	for b.Loop() {
		_ = c.Render(b.Context(), io.Discard)
	}
}
