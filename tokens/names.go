package tokens

import (
	"context"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// NamesStore removes what tells who was invited, under the terms of Store: the
// names, addresses and ids of other systems on invitations, the names that people
// gave who came, asked or were turned away, what was written about them, and by
// what their browsers are known. What happened, and how often, stays. A browser by
// which somebody would come back, were a closed room open, is known until that is over too.
type NamesStore interface {
	// Ended returns, in the order of their ids and after that one, invitations that
	// have their names, or browsers to forget, and admit nobody since before, neither
	// new nor back.
	Ended(ctx context.Context, before int64, after rooms.ID, limit int) ([]Ended, error)
	// RemoveNames removes them from those of these invitations that are the event's
	// room's, have them and have ended by before, 0 for all; and tells how many
	// those were. The event has their number as its detail, and is one also where
	// several removals have it. Of those that had lost them before it forgets browsers.
	RemoveNames(ctx context.Context, ids []rooms.ID, before int64, ev audit.Event) (int, error)
	// RemovePerson is RemoveNames from those of these invitations that are for that
	// address, which is in lower case, at the moment of removing. In the same change
	// it revokes those of them that are among live and neither revoked nor
	// superseded, each with its event, and tells which those were.
	RemovePerson(ctx context.Context, address string, ids, live []rooms.ID, ev audit.Event, revoke func(rooms.ID) audit.Event) (int, []rooms.ID, error)
	// Recognise notes the admission's browser again, which was forgotten. It is
	// ErrConflict where in that very transaction the nonce is not the admission's, or
	// it has ended or belongs to another browser.
	Recognise(ctx context.Context, a Admission, nonce string) error
	// OfPerson returns, in their order, the ids of the invitations for that address,
	// which is in lower case, to rooms that the caller reaches.
	OfPerson(ctx context.Context, by rooms.Caller, address string) ([]rooms.ID, error)
	// Some returns, in the order of their ids, those of the invitations that are there.
	Some(ctx context.Context, ids []rooms.ID) ([]Invitation, error)
	// Requests returns an invitation's requests, the first is first.
	Requests(ctx context.Context, invitation rooms.ID, limit int) ([]Request, error)
}

// Called is the name on an invitation, empty for none, or that it was removed.
type Called struct {
	Name    string
	Removed bool
}

// Ended is an invitation that is over, and its room.
type Ended struct{ Invitation, Room rooms.ID }

// Retention removes names that nobody needs any more.
type Retention struct {
	Store NamesStore
	Now   func() time.Time
	// After is how long after its end an invitation keeps its names; 0 is for ever.
	After time.Duration
}

// removedAtOnce is how many invitations lose their names in one change, so that
// others need not wait for long.
const removedAtOnce = 200

// Sweep removes the names of all invitations that ended long enough ago, and
// tells of how many. Several at once remove each name once.
func (r *Retention) Sweep(ctx context.Context) (int, error) {
	if r.After == 0 {
		return 0, nil
	}
	at := r.Now().UnixMilli()
	before, total := at-r.After.Milliseconds(), 0
	for after := rooms.ID(0); ; {
		all, err := r.Store.Ended(ctx, before, after, removedAtOnce)
		if err != nil || len(all) == 0 {
			return total, err
		}
		after = all[len(all)-1].Invitation
		of := map[rooms.ID][]rooms.ID{}
		for _, e := range all {
			of[e.Room] = append(of[e.Room], e.Invitation)
		}
		for room, ids := range of {
			n, err := r.Store.RemoveNames(ctx, ids, before, namesRemoved(audit.Actor{Kind: audit.System, Name: "retention"}, room, at))
			if err != nil {
				return total, err
			}
			total += n
		}
	}
}

func namesRemoved(by audit.Actor, room rooms.ID, at int64) audit.Event {
	return audit.Event{At: at, Actor: by, Kind: audit.NamesRemoved, Room: int64(room)}
}
