package tokens

import (
	"context"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Again are drafts for all guests who have an invitation to the room that was neither
// revoked nor replaced, in the order in which they got theirs. Links that share
// their uses are one person's, PINs are not known, and an id of the caller's own is no other's.
// Hosts' links are left out: those made to go in with one press are nobody's to
// have, and whoever is to be a host of another room too is named there.
func (s *Invitations) Again(ctx context.Context, from rooms.Room) (ds []Draft, err error) {
	const page = 1000
	q := Query{Room: from.ID, Role: Guest, Sort: Oldest, Limit: page, Now: s.Now().UnixMilli()}
	seen := map[rooms.ID]bool{}
	for {
		all, err := s.Store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, inv := range all {
			if inv.RevokedAt == 0 && inv.SupersededBy == 0 && !seen[inv.Counter] {
				seen[inv.Counter] = true
				ds = append(ds, Draft{Role: inv.Role, Name: inv.Name, Email: inv.Email, MaxUses: inv.MaxUses, Locale: inv.Locale, Wishes: inv.Wishes})
			}
		}
		if len(all) < page {
			return ds, nil
		}
		q.After = all[page-1].Position(Oldest)
	}
}

// Inviting is that registry with guests for the rooms it makes: each room comes
// with an invitation for each draft, in the same transaction. More than MaxBatch
// are rooms.Invalid, and so is what Mint refuses.
func (s *Invitations) Inviting(g *rooms.Registry, by rooms.Caller, ds []Draft, mayHost bool) *rooms.Registry {
	with := *g
	with.Store = hosting{g.Store, func(ctx context.Context, all []rooms.Room, made []audit.Event) error {
		if len(all)*len(ds) > MaxBatch {
			return rooms.Invalid{Field: "invite", Detail: "are more than 10000 invitations"}
		}
		now := s.Now().UnixMilli()
		id := s.IDs.Run(now, len(all)*len(ds))
		var invs []Invitation
		var evs []audit.Event
		for _, r := range all {
			for _, d := range ds {
				if d.Role == Host && !mayHost {
					return ErrRoleBarred
				}
				inv, _, err := s.draft(by, r, d, now)
				if err != nil {
					return err
				}
				inv.ID, inv.Counter = id, id
				invs, evs, id = append(invs, inv), append(evs, event(by.Actor, audit.InvitationMinted, now, inv, "")), id+1
			}
		}
		return s.Store.InsertRooms(ctx, all, made, invs, evs)
	}}
	return &with
}

// hosting is a store whose new rooms have guests.
type hosting struct {
	rooms.Store
	insert func(context.Context, []rooms.Room, []audit.Event) error
}

// Insert implements rooms.Store.
func (h hosting) Insert(ctx context.Context, all []rooms.Room, evs []audit.Event) error {
	return h.insert(ctx, all, evs)
}
