package rooms

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrBadDuration is returned for a text that is no duration in any of the
// spellings ParseDuration takes.
var ErrBadDuration = errors.New(`a duration is written like "90m", "1h", "7d" or "PT1H"`)

// MaxDuration bounds every duration that ParseDuration and Seconds accept.
const MaxDuration = 10 * 366 * 24 * time.Hour

var (
	shortDuration = regexp.MustCompile(`^(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$`)
	isoDuration   = regexp.MustCompile(`^P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$`)
)

// ParseDuration reads "90m", "1h", "1d12h" or ISO 8601 ("PT1H", "P7D").
// Months and years are refused, because they have no length, and so is a text
// of bare digits: to some it means seconds and to others milliseconds.
// A duration is longer than nothing and at most MaxDuration.
func ParseDuration(s string) (time.Duration, error) {
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return 0, fmt.Errorf("%w; %w", errBareDigits, ErrBadDuration)
	}
	parts := shortDuration.FindStringSubmatch(s)
	if parts == nil {
		parts = isoDuration.FindStringSubmatch(s)
	}
	if parts == nil || s == "" || strings.HasSuffix(s, "T") {
		return 0, ErrBadDuration
	}
	var seconds int64
	for i, unit := range []int64{7 * 86400, 86400, 3600, 60, 1} {
		if parts[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(parts[i+1], 10, 64)
		if err != nil {
			return 0, ErrBadDuration
		}
		seconds += n * unit
	}
	return Seconds(float64(seconds))
}

var errBareDigits = errors.New("say the unit")

// Seconds is a duration given as a number of seconds, as JSON may give it.
func Seconds(n float64) (time.Duration, error) {
	if math.IsNaN(n) || n <= 0 || n > MaxDuration.Seconds() {
		return 0, fmt.Errorf("a duration is longer than nothing and at most %d days", int(MaxDuration.Hours()/24))
	}
	return time.Duration(n * float64(time.Second)), nil
}

// ErrBadInstant is returned for a text that is no instant as ParseInstant takes it.
var ErrBadInstant = errors.New("is written in RFC 3339 with an offset, such as 2026-01-31T09:00:00+01:00")

// ParseInstant reads an instant in RFC 3339 as Unix milliseconds.
func ParseInstant(s string) (int64, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1971 || t.Year() > 9998 {
		return 0, ErrBadInstant
	}
	return t.UnixMilli(), nil
}

// ParseWall reads what a clock in that zone shows, written in one of these layouts, as
// Unix milliseconds. Of an hour that the clocks show twice it is the first.
func ParseWall(s string, zone *time.Location, layouts ...string) (int64, error) {
	for _, layout := range layouts {
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil || t.Year() < 1971 || t.Year() > 9998 {
			continue
		}
		if first := t.Add(-time.Hour); first.Format(layout) == t.Format(layout) {
			t = first
		}
		return t.UnixMilli(), nil
	}
	return 0, ErrBadInstant
}
