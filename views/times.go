package views

import (
	"context"
	"io"
	"math"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// Moment is one instant as the page shows it. The server writes UTC and says so; app.js rewrites it in the viewer's zone.
type Moment struct {
	At time.Time
	// Now, if set, makes the text relative ("in 42 min").
	Now time.Time
	// Live makes the last ten minutes of a relative time tick by seconds.
	Live bool
}

// TimeText is one instant: relative where Now is given, else the date and the clock with the zone.
func TimeText(m Moment) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		_, err := io.WriteString(w, m.element(ctx))
		return err
	})
}

func (m Moment) element(ctx context.Context) string {
	if m.At.IsZero() {
		return "<span>–</span>"
	}
	open := `<time datetime="` + rfc(m.At) + `"`
	if m.Now.IsZero() {
		return open + ` data-local>` + templ.EscapeString(utc(ctx, m.At)) + `</time>`
	}
	kind := ""
	if m.Live {
		kind = `="seconds"`
	}
	return open + ` data-relative` + kind + ` data-now="` + rfc(m.Now) + `">` + templ.EscapeString(relative(ctx, m.At, m.Now)) + `</time>`
}

// Window is from when to when a room is open. Either end may be zero: always, or for good.
type Window struct {
	StartsAt, EndsAt time.Time
}

func (w Window) none() bool { return w.StartsAt.IsZero() && w.EndsAt.IsZero() }

// sameDay says whether the end may leave its date out.
func (w Window) sameDay() bool {
	const day = "2006-01-02"
	return w.StartsAt.UTC().Format(day) == w.EndsAt.UTC().Format(day)
}

func rfc(at time.Time) string { return at.UTC().Format(time.RFC3339) }

const clock = "15:04"

// day is a date with its weekday, the way app.js writes it too.
func day(ctx context.Context, at time.Time) string {
	return t(ctx, "time.day", "weekday", nth(ctx, "time.weekdays", int(at.Weekday())), "day", at.Day(), "month", nth(ctx, "time.months", int(at.Month())-1), "year", at.Year())
}

// nth is a word of a message that is a list of words.
func nth(ctx context.Context, key string, n int) string { return strings.Fields(t(ctx, key))[n] }

func utc(ctx context.Context, at time.Time) string {
	at = at.UTC()
	return t(ctx, "time.at", "day", day(ctx, at), "clock", at.Format(clock), "zone", "UTC")
}

// startText and endText share one date and one zone where they can: "Mon 23 Nov 2026, 14:00 – 15:00 UTC".
func (w Window) startText(ctx context.Context) string {
	if w.sameDay() {
		at := w.StartsAt.UTC()
		return t(ctx, "time.at-no-zone", "day", day(ctx, at), "clock", at.Format(clock))
	}
	return utc(ctx, w.StartsAt)
}

func (w Window) endText(ctx context.Context) string {
	if w.sameDay() {
		return t(ctx, "time.clock", "clock", w.EndsAt.UTC().Format(clock), "zone", "UTC")
	}
	return utc(ctx, w.EndsAt)
}

// relative says how far at lies from now, in the words that app.js uses too.
func relative(ctx context.Context, at, now time.Time) string {
	left := at.Sub(now)
	switch {
	case left > 0 && left < time.Minute:
		return t(ctx, "time.soon")
	case left <= 0 && left > -time.Minute:
		return t(ctx, "time.now")
	case left > 0:
		return t(ctx, "time.in", "time", inWords(ctx, left))
	}
	return t(ctx, "time.ago", "time", inWords(ctx, -left))
}

func inWords(ctx context.Context, d time.Duration) string {
	minutes := int(math.Round(d.Minutes()))
	hours := minutes / 60
	switch {
	case minutes < 60:
		return t(ctx, "time.minutes", "n", minutes)
	case hours < 12 && minutes%60 == 0:
		return t(ctx, "time.hours-few", "n", hours)
	case hours < 12:
		return t(ctx, "time.hours-minutes", "h", hours, "n", minutes%60)
	case hours < 48:
		return t(ctx, "time.hours", "n", int(math.Round(d.Hours())))
	}
	return t(ctx, "time.days", "n", int(math.Round(d.Hours()/24)))
}

// patience says how long to wait before trying again, in words.
func patience(ctx context.Context, d time.Duration) string {
	up := func(f float64) int { return int(math.Ceil(f)) }
	switch {
	case d <= 0:
		return t(ctx, "wait.moment")
	case d < 90*time.Second:
		return t(ctx, "wait.seconds", "n", up(d.Seconds()))
	case d < 90*time.Minute:
		return t(ctx, "wait.minutes", "n", up(d.Minutes()))
	}
	return t(ctx, "wait.hours", "n", up(d.Hours()))
}
