package hosts_test

import (
	"fmt"
	"testing"
	"time"

	"admitone/rooms/hosts"
)

// TestAClockThatRanAheadLocksNobodyOutForLong: what was wrong then weighs as much as
// the account may try at once, here and at an instance that starts later.
func TestAClockThatRanAheadLocksNobodyOutForLong(t *testing.T) {
	t.Parallel()
	for name, restarts := range map[string]bool{"the same instance": false, "another instance": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, b := gate(t)
			mark := g.Device(good(t, g, "ada", "192.0.2.1", ""))
			b.Clock.Add(24 * time.Hour)
			for n := range 5 {
				guesses(t, g, 1, "ada", "192.0.2.1", mark)
				guesses(t, g, 1, "ada", "192.0.2.1", "")
				guesses(t, g, 1, "ada", fmt.Sprintf("203.0.113.%d", n), "")
			}
			b.Clock.Add(-24 * time.Hour)
			if restarts {
				g = hosts.NewGate(g.Directory, b.Hosts, b.Clock.Now)
			}
			for _, device := range []string{mark, ""} {
				_, _ = g.SignIn(t.Context(), "ada", secret, "", hosts.From{Address: "192.0.2.1", Device: device})
			}
			b.Clock.Add(13 * time.Minute)
			good(t, g, "ada", "192.0.2.1", mark)
			good(t, g, "ada", "192.0.2.1", "")
			good(t, g, "ada", "203.0.113.99", "")
		})
	}
}
