package tokens

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"admitone/rooms"
	"admitone/rooms/hosts"
)

// The length of a PIN in characters.
const (
	MinPIN = 4
	MaxPIN = 12
)

// PINs checks invitations' PINs, and slows down whoever guesses: ten wrong ones
// an invitation are free, then there is one every 45 seconds; links that share
// their uses share these. It is safe for concurrent use.
type PINs struct {
	wrong *hosts.Buckets
	slots chan struct{} // PINs looked at once; each costs 19 MiB
}

// NewPINs returns the checker of one server.
func NewPINs(now func() time.Time) *PINs {
	return &PINs{&hosts.Buckets{Burst: 10, Every: 45 * time.Second, Now: now}, make(chan struct{}, 4)}
}

// cleanPIN refuses what no PIN can be; empty is none.
func cleanPIN(pin string) (string, error) {
	given := pin != ""
	pin, err := rooms.CleanText("pin", pin, MaxPIN)
	if err == nil && given && utf8.RuneCountInString(pin) < MinPIN {
		err = rooms.Invalid{Field: "pin", Detail: "is 4 to 12 characters"}
	}
	return pin, err
}

// check is nil where the invitation has no PIN or this is it; otherwise a
// Refusal for ErrPINRequired or ErrPINWrong, or hosts.TooMany. It uses nothing up.
func (p *PINs) check(ctx context.Context, inv Invitation, pin string) error {
	switch {
	case inv.PIN == "":
		return nil
	case pin == "":
		return Refusal{ErrPINRequired, inv}
	}
	key := inv.Counter.Show(rooms.InvitationPrefix)
	if err := p.wrong.Allowed(key); err != nil {
		return err
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	// Again, for the guesses that failed while this one waited.
	if err := p.wrong.Allowed(key); err != nil {
		return err
	}
	pin, err := rooms.CleanText("pin", pin, 64)
	if err != nil {
		return Refusal{ErrPINWrong, inv}
	}
	if ok, err := argon2id.ComparePasswordAndHash(pin, inv.PIN); err != nil || !ok {
		p.wrong.Failed(key)
		return Refusal{ErrPINWrong, inv}
	}
	return nil
}
