package rooms

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"admitone/rooms/audit"
)

// Store keeps rooms. Every changing method stores the event in the same
// transaction as the change. Implementations MUST be safe for concurrent use
// and answer ErrUnavailable when the database cannot be reached.
type Store interface {
	// Insert adds rooms, each with the event of the same index, all or none:
	// ErrSlugTaken when a slug was ever used, ErrIDTaken when an id was.
	Insert(ctx context.Context, all []Room, evs []audit.Event) error
	// ByID and BySlug return one room or ErrNotFound.
	ByID(ctx context.Context, id ID) (Room, error)
	BySlug(ctx context.Context, slug string) (Room, error)
	// List returns rooms, newest first, with their counts.
	List(ctx context.Context, q Query) ([]Listed, error)
	// Update stores the room's changeable members and, when it is not zero,
	// moves the windows of its unredeemed invitations.
	Update(ctx context.Context, r Room, shift Shift, ev audit.Event) error
	// UpdateAll does that for several rooms, all or none.
	UpdateAll(ctx context.Context, all []Update) error
	// Series returns the rooms that were made with that first one, in their order.
	Series(ctx context.Context, first ID) ([]Room, error)
	// SetClosedAll is SetClosed for several rooms, each with the event made for it,
	// all or none, and tells which were not so already.
	SetClosedAll(ctx context.Context, ids []ID, at int64, ev func(ID) audit.Event) ([]ID, error)
	// SetClosed closes the room at that moment, or reopens it with 0. It reports
	// false, and stores no event, when the room was so already.
	SetClosed(ctx context.Context, id ID, at int64, ev audit.Event) (bool, error)
	// SetOwner makes the room that host's. It reports false, and stores no event,
	// when the room was theirs already.
	SetOwner(ctx context.Context, id ID, owner string, ev audit.Event) (bool, error)
	// Events returns the room's history, newest first, before the given id.
	Events(ctx context.Context, room ID, before ID, limit int) ([]audit.Event, error)
}

// Query asks for the rooms a caller reaches. Before is the id after which the
// page goes on, 0 for the first.
type Query struct {
	Caller     Caller
	ExternalID string
	Before     ID
	Limit      int
	Now        int64
}

// Listed is a room with how many invitations are still open, how many uses were
// taken, how many wait for the host to make a new link, and how many are there now.
type Listed struct {
	Room
	Live     int
	Redeemed int
	Requests int
	People   int
}

// Shift moves invitations' windows, in milliseconds, by what the room's start and end moved.
type Shift struct {
	Start int64
	End   int64
}

// Update is one of several changes that are made together.
type Update struct {
	Room  Room
	Shift Shift
	Event audit.Event
}

// Registry creates rooms, finds them and changes them, for callers who may.
type Registry struct {
	Store    Store
	IDs      *IDs
	Now      func() time.Time
	Backends func(name string) bool // tells whether a back end of this name is configured
	// Closed hears of each room that was closed, and of each as it was that went to
	// another back end, after the commit; it may be nil.
	Closed func(Room)
}

// Draft is what a caller asks a new room to be.
type Draft struct {
	Name, Slug         string
	StartsAt, EndsAt   int64
	Timezone           string
	Backend            string
	ExternalID, Locale string
	Capacity           int
}

// Create makes a room. A chosen slug that is taken is ErrSlugTaken; a derived
// one gets a suffix. Refused input is Invalid.
func (g *Registry) Create(ctx context.Context, by Caller, d Draft) (Room, error) {
	r, err := g.drafted(d)
	if err != nil {
		return Room{}, err
	}
	all, err := g.insert(ctx, by, []Room{r}, []string{""})
	if err != nil {
		return Room{}, err
	}
	return all[0], nil
}

// insert stores drafted rooms of one name, all or none. Each one's slug is theirs
// in common, or one derived from the name, with its own ending.
func (g *Registry) insert(ctx context.Context, by Caller, all []Room, endings []string) ([]Room, error) {
	now := g.Now().UnixMilli()
	base, derived := all[0].Slug, all[0].Slug == ""
	if derived {
		base = slugFrom(all[0].Name)
	}
	slug, evs := base, make([]audit.Event, len(all))
	for range 8 {
		// Lists show the newest first, so the first of several has the highest id.
		last := g.IDs.Run(now, len(all))
		for i := range all {
			r := &all[i]
			r.ID, r.Slug, r.Owner, r.CreatedAt = last+ID(len(all)-1-i), slug+endings[i], by.Owner, now
			if len(all) > 1 {
				r.Series.ID = all[0].ID
			}
			if !by.mayCreate(r.Slug) && slug != base {
				return nil, ErrSlugTaken
			} else if !by.mayCreate(r.Slug) {
				return nil, ErrSlugBarred
			}
			evs[i] = by.event(audit.RoomCreated, now, r.ID, "")
		}
		err := g.Store.Insert(ctx, all, evs)
		switch {
		case errors.Is(err, ErrIDTaken):
			g.IDs.Skip()
		case errors.Is(err, ErrSlugTaken) && derived:
			slug = base + "-" + strings.ToLower(rand.Text()[:5])
		case err != nil:
			return nil, err
		default:
			return all, nil
		}
	}
	return nil, ErrSlugTaken
}

// Find returns the room of that id or slug if the caller reaches it, else ErrNotFound.
func (g *Registry) Find(ctx context.Context, by Caller, idOrSlug string) (Room, error) {
	var r Room
	var err error
	if id, bad := ParseID(RoomPrefix, idOrSlug); bad == nil {
		r, err = g.Store.ByID(ctx, id)
	} else {
		r, err = g.Store.BySlug(ctx, idOrSlug)
	}
	if err == nil && !by.Reaches(r) {
		return Room{}, ErrNotFound
	}
	return r, err
}

// Check refuses all that Create would of the draft's members at once, and makes
// nothing: nil, or an error of which Wrong tells each.
func (g *Registry) Check(d Draft) error {
	_, err := g.drafted(d)
	return err
}

// drafted is the room that the draft asks for, without a derived slug.
func (g *Registry) drafted(d Draft) (Room, error) {
	r := Room{Slug: d.Slug, StartsAt: d.StartsAt, EndsAt: d.EndsAt, Timezone: d.Timezone, Backend: d.Backend, ExternalID: d.ExternalID,
		Locale: d.Locale, Capacity: d.Capacity, Name: d.Name}
	err := errors.Join(g.check(&r), When(d.Slug != "" && !ValidSlug(d.Slug), Invalid{"slug", "is 1 to 64 of a-z, 0-9 and inner hyphens"}))
	return r, err
}

// check cleans the room's texts, and refuses all at once what a room must not be.
func (g *Registry) check(r *Room) error {
	name, badName := CleanText("name", r.Name, MaxName)
	external, badExternal := CleanText("external_id", r.ExternalID, MaxExternalID)
	r.Name, r.ExternalID = name, external
	var badZone error
	if r.Timezone != "" {
		_, badZone = time.LoadLocation(r.Timezone)
	}
	return errors.Join(badName, When(badName == nil && name == "", Invalid{"name", "must not be empty"}), badExternal, CheckLocale(r.Locale),
		When(r.Capacity < 0 || r.Capacity > MaxCapacity, Invalid{"capacity", "is 1 to 100000 guests at once, or null for any number"}),
		When(r.StartsAt != 0 && r.EndsAt != 0 && r.EndsAt <= r.StartsAt, Invalid{"ends_at", "must be after starts_at"}),
		When(badZone != nil || r.Timezone == "Local", Invalid{"timezone", "is not an IANA time zone such as Europe/Berlin"}),
		When(r.Backend != "" && !g.Backends(r.Backend), Invalid{"backend", "no back end of this name is configured"}))
}

func (c Caller) event(kind audit.Kind, at int64, room ID, detail string) audit.Event {
	return audit.Event{At: at, Actor: c.Actor, Kind: kind, Room: int64(room), Detail: detail}
}
