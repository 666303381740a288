package tokens

import (
	"context"
	"errors"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// refusedAgain is how long the same refusal of the same invitation is one line
// of its history, so that nobody can fill the disk by pressing.
const refusedAgain = time.Minute

// refused notes a refusal in the invitation's history. It fails silently: a
// refusal stays what it is when writing does not work.
func (s *Invitations) refused(ctx context.Context, r Redemption, refusal Refusal) {
	var reason Reason
	if !errors.As(refusal.Reason, &reason) || refusal.Invitation.ID == 0 {
		return
	}
	by := r.Actor
	if by.Kind == audit.Guest {
		if name, err := rooms.CleanText("name", r.Name, MaxNameLen); err == nil {
			by.Name = name
		}
	}
	kind := audit.InvitationRefused
	if r.Noted {
		kind = audit.InvitationDoorConflict // nobody was turned away
	}
	now := s.Now().UnixMilli()
	_ = s.Store.Refused(ctx, now-refusedAgain.Milliseconds(), event(by, kind, now, refusal.Invitation, reason.Code))
}
