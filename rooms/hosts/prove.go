package hosts

import (
	"context"
	"errors"
	"fmt"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// errCodeReplayed is told as every wrong code is, and is no guess.
var errCodeReplayed = fmt.Errorf("%w: %w", ErrInvalidTwoFactor, ErrReplayed)

// SecondFactor is the second half of a sign-in whose first half found the
// password right: nil for the host's code, or for one who has no second factor
// any more. Wrong codes and wrong passwords count together.
func (g *Gate) SecondFactor(ctx context.Context, h Host, code string, from From) error {
	return g.remembering(ctx, h, from, g.guess(ctx, h.Username, from, func() error { return g.second(ctx, h, code) }))
}

// Password asks a host who is signed in for the password once more.
func (g *Gate) Password(ctx context.Context, h Host, password string, from From) error {
	return g.guess(ctx, h.Username, from, func() error {
		_, err := g.Directory.Check(ctx, h.Username, password)
		return err
	})
}

// second uses the code up: of the authenticator app, or a recovery code. It asks
// the store and not what the directory remembers, so that a factor counts from
// the moment it is on.
func (g *Gate) second(ctx context.Context, h Host, code string) error {
	f, err := g.Store.Factor(ctx, fold(h.Username))
	switch {
	case errors.Is(err, rooms.ErrNotFound):
		return g.withoutApp(ctx, h, code)
	case err != nil:
		return err
	}
	if code = typedCode(code); code == "" {
		return ErrMissingTwoFactor
	}
	secret, err := g.Directory.root.Open(factorLabel(f.Host), f.Box)
	if err != nil {
		return fmt.Errorf("the second factor of %s cannot be read, and is to be reset: %w", f.Host, err)
	}
	now := g.Now()
	if n, ok := stepOf(secret, code, now); ok {
		first, err := g.Store.UseStep(ctx, stepHash(secret, n), now.UnixMilli())
		if err == nil && !first {
			err = errCodeReplayed
		}
		return err
	}
	first, err := g.Store.UseRecovery(ctx, f.Host, recoveryHash(secret, code), now.UnixMilli(),
		audit.Event{At: now.UnixMilli(), Actor: audit.Actor{Kind: audit.Host, Name: h.Username}, Kind: audit.RecoveryCodeUsed})
	switch {
	case errors.Is(err, ErrReplayed):
		return errCodeReplayed
	case err == nil && !first:
		return ErrInvalidTwoFactor
	}
	return err
}
