package tokens

import (
	"context"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Revoke makes the invitation worthless and ends its admissions; whoever was
// invited by mail is told. Again, it changes nothing. The reason is kept in the history; it may be empty.
func (s *Invitations) Revoke(ctx context.Context, by rooms.Caller, inv Invitation, reason string) (Invitation, error) {
	reason, err := inv.note(reason)
	if err != nil {
		return Invitation{}, err
	}
	now := s.Now().UnixMilli()
	ev := event(by.Actor, audit.InvitationRevoked, now, inv, reason)
	ev.Tell = rooms.CallOff(now)
	done, err := s.Store.Revoke(ctx, inv.ID, now, ev)
	if err != nil {
		return Invitation{}, err
	}
	if done {
		s.Removals.withdrawn(inv.Room, inv.ID)
	}
	return s.Store.ByID(ctx, inv.ID)
}

// note is a reason as the history keeps it: nothing where the names were removed,
// which it may hold.
func (inv Invitation) note(reason string) (string, error) {
	reason, err := rooms.CleanText("reason", reason, MaxNameLen)
	if inv.NamelessAt != 0 {
		reason = ""
	}
	return reason, err
}

// Restore undoes a revocation within UndoWindow; later it is ErrConflict, and
// ErrRoomFull where others took its guests' places. What is not revoked stays as
// it is.
func (s *Invitations) Restore(ctx context.Context, by rooms.Caller, inv Invitation, reason string) (Invitation, error) {
	reason, err := inv.note(reason)
	if err != nil {
		return Invitation{}, err
	}
	now := s.Now().UnixMilli()
	since := now - UndoWindow.Milliseconds()
	done, err := s.Store.Restore(ctx, inv.ID, since, event(by.Actor, audit.InvitationRestored, now, inv, reason))
	if err != nil {
		return Invitation{}, err
	}
	inv, err = s.Store.ByID(ctx, inv.ID)
	if err == nil && !done && inv.RevokedAt != 0 {
		return Invitation{}, ErrConflict
	}
	return inv, err
}

// UndoUntil is until when Restore works, in Unix milliseconds, 0 if not revoked.
func (inv Invitation) UndoUntil() int64 {
	if inv.RevokedAt == 0 {
		return 0
	}
	return inv.RevokedAt + UndoWindow.Milliseconds()
}

// Reissue makes a new invitation with a new link in the place of inv, which is
// superseded; with keepOld both stay good and share one counter of uses. The
// new one ends when the old one would, or lives as long as it once did.
func (s *Invitations) Reissue(ctx context.Context, by rooms.Caller, inv Invitation, keepOld, mayHost bool) (Invitation, error) {
	return s.replace(ctx, by, inv, Renewal{KeepOld: keepOld}, mayHost, func(next Invitation, ev audit.Event) error {
		return s.Store.Reissue(ctx, inv.ID, next, ev)
	})
}

// Renewal is how a new link differs from the one in whose place it comes.
type Renewal struct {
	KeepOld bool // both stay good and share one counter of uses
	// ExpiresIn or ExpiresAt, as in Draft, end it anew; without either it ends as
	// Reissue says.
	ExpiresIn time.Duration
	ExpiresAt int64
}

func (s *Invitations) replace(ctx context.Context, by rooms.Caller, inv Invitation, w Renewal, mayHost bool, store func(Invitation, audit.Event) error) (Invitation, error) {
	now := s.Now().UnixMilli()
	switch {
	case inv.Role == Host && !mayHost:
		return Invitation{}, ErrRoleBarred
	case inv.SupersededBy != 0, w.KeepOld && inv.RevokedAt != 0, inv.Room.ClosedAt != 0:
		return Invitation{}, inv.Withdrawn()
	}
	next := Invitation{Room: inv.Room, Role: inv.Role, Name: inv.Name, Email: inv.Email, PIN: inv.PIN, MaxUses: inv.MaxUses,
		NotBefore: inv.NotBefore, CreatedAt: now, CreatedBy: by.Actor,
		ExternalID: inv.ExternalID, Locale: inv.Locale, Wishes: inv.Wishes}
	if w.KeepOld {
		next.Counter = inv.Counter
	} else {
		next.Appointment, next.Sequence = inv.place(), inv.Sequence+1
	}
	var err error
	if next.ExpiresAt, err = s.renewed(inv, w, now); err != nil {
		return Invitation{}, err
	}
	detail := audit.OldEnded
	if w.KeepOld {
		detail = audit.OldShared
	}
	next, err = s.insert(now, next, func(next Invitation) error {
		return store(next, event(by.Actor, audit.InvitationReissued, now, next, detail))
	})
	if err != nil {
		return Invitation{}, err
	}
	if !w.KeepOld {
		s.Removals.withdrawn(inv.Room, inv.ID)
	}
	return s.Store.ByID(ctx, next.ID)
}

// renewed is when a new link ends that is made for inv.
func (s *Invitations) renewed(inv Invitation, w Renewal, now int64) (at int64, err error) {
	if w.ExpiresIn != 0 || w.ExpiresAt != 0 {
		if inv.ExpiresAt, err = s.expiry(inv.Room, Draft{ExpiresIn: w.ExpiresIn, ExpiresAt: w.ExpiresAt}, now); err != nil {
			return 0, err
		}
		return inv.ExpiresAt, inv.checkEnd(now)
	}
	if inv.ExpiresAt < now+MinLifetime.Milliseconds() {
		life := max(inv.ExpiresAt-max(inv.CreatedAt, inv.NotBefore), time.Minute.Milliseconds())
		return wholeSecond(now + min(life, MaxLifetime.Milliseconds()-1000)), nil
	}
	return inv.ExpiresAt, nil
}
