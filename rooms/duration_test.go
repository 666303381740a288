package rooms

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "1h": time.Hour, "1d": day, "7d": 7 * day, "2w": 14 * day, "45s": 45 * time.Second,
		"1d12h": 36 * time.Hour, "1w1d1h1m1s": 8*day + time.Hour + time.Minute + time.Second, "0h90m": 90 * time.Minute, "007d": 7 * day,
		"PT1H": time.Hour, "P7D": 7 * day, "P1W": 7 * day, "PT90M": 90 * time.Minute, "P1DT12H": 36 * time.Hour, "PT1S": time.Second,
		"3660d": MaxDuration, "316224000s": MaxDuration,
		// Refused:
		"": 0, " ": 0, "60": 0, "3600000": 0, "0": 0, "h": 0, "P": 0, "PT": 0, "P1DT": 0, "0s": 0, "0d": 0, "PT0S": 0, "-1h": 0, "+1h": 0, "1.5h": 0,
		"1,5h": 0, "1h1d": 0, "1h 30m": 0, "1h1h": 0, "1H": 0, "pt1h": 0, "1ms": 0, "1y": 0, "1mo": 0, "P1M": 0, "P1Y": 0, "PT1D": 0, "P1H": 0,
		"1h\n": 0, "１h": 0, "316224001s": 0, "3661d": 0, "999999999w": 0, "9999999999s": 0, "18446744073709551617s": 0, "1e3s": 0, "NaN": 0, "Infinity": 0,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := ParseDuration(text)
			if got != want || (err == nil) != (want > 0) {
				t.Errorf("%v, %v; want %v", got, err, want)
			}
		})
	}
}

func TestBareDigitsAreToldToNameTheirUnit(t *testing.T) {
	t.Parallel()
	_, err := ParseDuration("3600")
	if !errors.Is(err, ErrBadDuration) || !strings.Contains(err.Error(), "unit") {
		t.Errorf("error %v", err)
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		n    float64
		want time.Duration
	}{
		{"an hour", 3600, time.Hour},
		{"half a second", 0.5, 500 * time.Millisecond},
		{"the longest", MaxDuration.Seconds(), MaxDuration},
		{"nothing", 0, 0},
		{"less than nothing", -1, 0},
		{"too long", MaxDuration.Seconds() + 1, 0},
		{"beyond what a Duration holds", 1e300, 0},
		{"infinity", math.Inf(1), 0},
		{"minus infinity", math.Inf(-1), 0},
		{"no number", math.NaN(), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := Seconds(row.n)
			if got != row.want || (err == nil) != (row.want > 0) {
				t.Errorf("%v, %v; want %v", got, err, row.want)
			}
		})
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"90m", "1d12h", "PT1H", "P7DT1S", "60", "", "999999999w999999999d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		switch {
		case err != nil && d != 0:
			t.Errorf("%q is refused and is %v", text, d)
		case err == nil && (d < time.Second || d > MaxDuration || d%time.Second != 0):
			t.Errorf("%q is %v", text, d)
		case err == nil && strings.Trim(text, "0123456789wdhmsPTWDHMS") != "":
			t.Errorf("%q was taken", text)
		}
	})
}
