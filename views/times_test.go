package views

import (
	"testing"
	"time"
)

func TestTimesFromNowInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		20 * time.Second:              "in less than a minute",
		42 * time.Minute:              "in 42 min",
		60 * time.Minute:              "in 1 h",
		3*time.Hour + 5*time.Minute:   "in 3 h 5 min",
		11*time.Hour + 59*time.Minute: "in 11 h 59 min",
		30 * time.Hour:                "in 30 hours",
		72 * time.Hour:                "in 3 days",
		0:                             "just now",
		-90 * time.Minute:             "1 h 30 min ago",
		-10 * 24 * time.Hour:          "10 days ago",
	} {
		if got := relative(t.Context(), now.Add(d), now); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestPatienceInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "in a moment", time.Second: "in one second", 40 * time.Second: "in 40 seconds",
		150 * time.Second: "in 3 minutes", time.Hour: "in 60 minutes", 2 * time.Hour: "in 2 hours",
	} {
		if got := patience(t.Context(), d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestWindowsShareTheDateOfOneDay(t *testing.T) {
	w := Window{StartsAt: now, EndsAt: now.Add(time.Hour)}
	if got := w.startText(t.Context()) + " – " + w.endText(t.Context()); got != "Mon 23 Nov 2026, 13:00 – 14:00 UTC" {
		t.Error(got)
	}
	w.EndsAt = now.Add(24 * time.Hour)
	if got := w.startText(t.Context()) + " – " + w.endText(t.Context()); got != "Mon 23 Nov 2026, 13:00 UTC – Tue 24 Nov 2026, 13:00 UTC" {
		t.Error(got)
	}
}
