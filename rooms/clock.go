package rooms

import "time"

// wall is what the clocks of a zone show at an instant, as a time in UTC, so that
// days can be added to it and all of them have 24 hours.
func wall(millis int64, loc *time.Location) time.Time {
	at := time.UnixMilli(millis).In(loc)
	_, offset := at.Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// instant is when the clocks of a zone show that, in Unix milliseconds. A time
// that clocks skip is meant by the clock of before; of one that comes twice it is
// the first (RFC 5545, 3.3.5).
func instant(shown time.Time, loc *time.Location) int64 {
	offset := func(at time.Time) time.Duration {
		_, s := at.In(loc).Zone()
		return time.Duration(s) * time.Second
	}
	before := shown.Add(-offset(shown.Add(-24 * time.Hour)))
	after := shown.Add(-offset(shown.Add(24 * time.Hour)))
	if !wall(before.UnixMilli(), loc).Equal(shown) && wall(after.UnixMilli(), loc).Equal(shown) {
		return after.UnixMilli()
	}
	return before.UnixMilli()
}

// shifted are the room's times moved by what clocks show, from those of one zone
// to those of another. What would end before it begins, because clocks skip its
// end, lasts as long as it did.
func shifted(r Room, was, is *time.Location, start, end time.Duration) (starts, ends int64) {
	starts = instant(wall(r.StartsAt, was).Add(start), is)
	if r.EndsAt == 0 {
		return starts, 0
	}
	if ends = instant(wall(r.EndsAt, was).Add(end), is); ends <= starts {
		ends = starts + r.EndsAt - r.StartsAt
	}
	return starts, ends
}

// EndFrom is when the room ends that has both times and shall start at that instant,
// by the clocks of that zone, and then last as long by them as it does by its own.
func (r Room) EndFrom(start int64, timezone string) int64 {
	was, is := zone(r.Timezone), zone(timezone)
	moved := wall(start, is).Sub(wall(r.StartsAt, was))
	_, ends := shifted(r, was, is, moved, moved)
	return ends
}

// zone is that of the IANA name, UTC for none; check refuses others.
func zone(name string) *time.Location {
	if loc, err := time.LoadLocation(name); err == nil {
		return loc
	}
	return time.UTC
}
