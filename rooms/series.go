package rooms

import (
	"context"
	"errors"
	"slices"
	"time"

	"admitone/rooms/audit"
)

// Series is a room's place among rooms that were made together.
type Series struct {
	ID    ID // the first room's
	Every Every
	Nth   int // 1 for the first
	Size  int // how many were made
}

// Every is how often the rooms of a series come.
type Every string

// How often: each at the same time of day, as the clocks of its zone show it.
const (
	Weekly      Every = "weekly"
	Fortnightly Every = "fortnightly"
	Weekdays    Every = "weekdays" // Monday to Friday
)

// Everies are all of them, in the order in which forms offer them.
func Everies() []Every { return []Every{Weekly, Fortnightly, Weekdays} }

// MaxSeries is how many rooms are made together at most.
const MaxSeries = 52

// ErrTooLate refuses to take back what is done for good.
var ErrTooLate = errors.New("this cannot be taken back any more")

// next is the day after that one on which a room comes.
func (e Every) next(day time.Time) time.Time {
	switch {
	case e == Weekly:
		return day.AddDate(0, 0, 7)
	case e == Fortnightly:
		return day.AddDate(0, 0, 14)
	case day.Weekday() == time.Friday:
		return day.AddDate(0, 0, 3)
	}
	return day.AddDate(0, 0, 1)
}

// CreateSeries makes so many rooms, all or none: each with the draft's times of
// day, and with its date behind the slug. A time of day that a day does not have,
// because clocks are set forward, is as much later as they are (RFC 5545, 3.3.5);
// of one that comes twice it is the first. Refusals are as Create's.
func (g *Registry) CreateSeries(ctx context.Context, by Caller, d Draft, every Every, times int) ([]Room, error) {
	first, err := g.drafted(d)
	loc := zone(d.Timezone)
	start := wall(d.StartsAt, loc)
	weekend := start.Weekday() == time.Saturday || start.Weekday() == time.Sunday
	if err := errors.Join(err, When(!slices.Contains(Everies(), every), Invalid{"repeat", "is weekly, fortnightly or weekdays"}),
		When(times < 2 || times > MaxSeries, Invalid{"times", "is 2 to 52"}),
		When(d.StartsAt == 0, Invalid{"starts_at", "is needed for rooms that repeat"}),
		When(ValidSlug(d.Slug) && !ValidSlug(d.Slug+"-2006-01-02"), Invalid{"slug", "has 53 characters at most where rooms repeat"}),
		When(every == Weekdays && weekend && d.StartsAt != 0, Invalid{"starts_at", "is on a weekend, when these rooms do not come"})); err != nil {
		return nil, err
	}
	all, endings := make([]Room, times), make([]string, times)
	for i, day := 0, start; i < times; i, day = i+1, every.next(day) {
		r := first
		r.StartsAt, r.EndsAt = shifted(first, loc, loc, day.Sub(start), day.Sub(start))
		r.Series = Series{Every: every, Nth: i + 1, Size: times}
		all[i], endings[i] = r, day.Format("-2006-01-02")
	}
	return g.insert(ctx, by, all, endings)
}

// Rest are the rooms of r's series from r on that the caller reaches, in their
// order; r alone where it is in none.
func (g *Registry) Rest(ctx context.Context, by Caller, r Room) ([]Room, error) {
	if r.Series.ID == 0 {
		return []Room{r}, nil
	}
	all, err := g.Store.Series(ctx, r.Series.ID)
	return slices.DeleteFunc(all, func(o Room) bool { return o.Series.Nth < r.Series.Nth || !by.Reaches(o) }), err
}

// ChangeRest is Change for a room and for those after it in its series that are
// not closed, all or none. Times move by as much as the clocks show; of all else
// they get what c makes different.
func (g *Registry) ChangeRest(ctx context.Context, by Caller, r Room, c Change) error {
	to := r
	c.apply(&to)
	if err := errors.Join(g.check(&to), When(to.StartsAt == 0, Invalid{"starts_at", "is needed for rooms that repeat"})); err != nil {
		return err
	}
	rest, err := g.Rest(ctx, by, r)
	if err != nil {
		return err
	}
	var all []Update
	var were []Room
	now := g.Now().UnixMilli()
	for _, o := range rest {
		next := to
		if o.ID != r.ID {
			if next = alike(o, r, to); o.ClosedAt != 0 {
				continue
			}
			if err := g.check(&next); err != nil {
				return err
			}
		}
		if next != o {
			all, were = append(all, by.update(o, next, c, now)), append(were, o)
		}
	}
	if len(all) == 0 {
		return nil
	}
	if err := g.Store.UpdateAll(ctx, all); err != nil {
		return err
	}
	for i, u := range all {
		g.left(were[i], u.Room)
	}
	return nil
}

// alike is the room o changed as was becomes is.
func alike(o, was, is Room) Room {
	next, from, to := o, zone(was.Timezone), zone(is.Timezone)
	follow(&next.Name, was.Name, is.Name)
	follow(&next.Timezone, was.Timezone, is.Timezone)
	follow(&next.Backend, was.Backend, is.Backend)
	follow(&next.Locale, was.Locale, is.Locale)
	follow(&next.Capacity, was.Capacity, is.Capacity)
	if o.StartsAt == 0 || was.StartsAt == 0 {
		return next // it has no date that could follow
	}
	start, end := wall(is.StartsAt, to).Sub(wall(was.StartsAt, from)), wall(is.EndsAt, to).Sub(wall(was.EndsAt, from))
	if was.EndsAt == 0 || is.EndsAt == 0 {
		end = start
	}
	next.StartsAt, next.EndsAt = shifted(o, from, to, start, end)
	switch {
	case is.EndsAt == 0 && was.EndsAt != 0:
		next.EndsAt = 0
	case was.EndsAt == 0 && is.EndsAt != 0 && next.EndsAt == 0:
		next.EndsAt = next.StartsAt + is.EndsAt - is.StartsAt
	}
	return next
}

func follow[T comparable](dst *T, was, is T) {
	if was != is {
		*dst = is
	}
}

// CloseRest closes the room and those after it in its series. It returns how many
// were open until then, and the moment by which ReopenRest knows them.
func (g *Registry) CloseRest(ctx context.Context, by Caller, r Room) (n int, at int64, err error) {
	rest, err := g.Rest(ctx, by, r)
	if err != nil {
		return 0, 0, err
	}
	at = g.Now().UnixMilli()
	done, err := g.Store.SetClosedAll(ctx, idsOf(rest), at, func(id ID) audit.Event { return by.closing(true, at, id) })
	for _, o := range rest {
		if slices.Contains(done, o.ID) && g.Closed != nil {
			o.ClosedAt = at
			g.Closed(o)
		}
	}
	return len(done), at, err
}

// ReopenRest takes a CloseRest back within UndoWindow; later it is ErrTooLate.
func (g *Registry) ReopenRest(ctx context.Context, by Caller, r Room, at int64) (int, error) {
	rest, err := g.Rest(ctx, by, r)
	if err != nil {
		return 0, err
	}
	now := g.Now().UnixMilli()
	rest = slices.DeleteFunc(rest, func(o Room) bool { return o.ClosedAt == 0 || o.ClosedAt != at })
	if len(rest) == 0 || at <= now-UndoWindow.Milliseconds() {
		return 0, ErrTooLate
	}
	done, err := g.Store.SetClosedAll(ctx, idsOf(rest), 0, func(id ID) audit.Event { return by.closing(false, now, id) })
	return len(done), err
}

func idsOf(all []Room) (ids []ID) {
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	return ids
}
