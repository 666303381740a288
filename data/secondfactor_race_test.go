package data_test

import (
	"context"
	"testing"

	"admitone/data/datatest"
)

// TestACodeInARaceOfSixteen also asks a variant that looks first and writes then,
// which lets several in: the race is one.
func TestACodeInARaceOfSixteen(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		raw := b.Raw(t)
		allHaveLooked := datatest.Together(16)
		for name, tt := range map[string]struct {
			use  func(ctx context.Context) (bool, error)
			once bool
		}{
			"one claim": {func(ctx context.Context) (bool, error) { return b.Hosts.UseStep(ctx, "claimed", b.Clock.Millis()) }, true},
			"look, then write": {func(ctx context.Context) (bool, error) {
				var n int
				err := raw.QueryRowContext(ctx, "SELECT COUNT(*) FROM once WHERE used_for = 'totp' AND hash = 'blind'").Scan(&n)
				allHaveLooked()
				if err == nil {
					_, err = raw.ExecContext(ctx, "INSERT INTO once (used_for, hash, at) VALUES ('totp', 'blind', 1) ON CONFLICT (used_for, hash) DO NOTHING")
				}
				return n == 0, err
			}, false},
		} {
			if got := firsts(t, func() (bool, error) { return tt.use(t.Context()) }); tt.once != (got == 1) {
				t.Errorf("%s: %d were told that they were first", name, got)
			}
		}
	})
}
