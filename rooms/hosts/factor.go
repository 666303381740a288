package hosts

import (
	"context"
	"errors"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/keys"
)

// The refusals about second factors.
var (
	ErrMissingTwoFactor = errors.New("the account has a second factor: send its code too")
	ErrInvalidTwoFactor = errors.New("the code is wrong, or was used before")
	// ErrReplayed is of what was right and had been used before.
	ErrReplayed = errors.New("it was used before")
	// ErrTwoFactorOn refuses a second one.
	ErrTwoFactorOn = errors.New("the second factor is on; turn it off before setting up another")
	// ErrTwoFactorRequired refuses everything but setting one up.
	ErrTwoFactorRequired = errors.New("a second factor is required here, and this account has none yet: set one up first")
)

// Factor is a host's second factor: a secret shared with the host's
// authenticator app (RFC 6238), and codes for when that is lost. Host is in
// lower case.
type Factor struct {
	Host  string
	Box   []byte // the secret, sealed
	Since int64  // Unix milliseconds
	Left  int    // recovery codes that were not used
}

// Factors keeps second factors. Hosts' names come in lower case, codes as
// hashes. Implementations MUST be safe for concurrent use. Each change is one
// transaction with its event.
type Factors interface {
	// Factor returns the host's, or rooms.ErrNotFound.
	Factor(ctx context.Context, host string) (Factor, error)
	// Factors returns everybody's, without Left.
	Factors(ctx context.Context) ([]Factor, error)
	// Standing returns how all hosts stand.
	Standing(ctx context.Context) (Standing, error)
	// Enable adds the host's, ends the host's sign-ins and begins the host's next
	// epoch, but for what is kept. It is
	// ErrTwoFactorOn where there is one, and ErrInvalidTwoFactor where the step
	// was used; then nothing has changed.
	Enable(ctx context.Context, f Factor, first Confirmed, ev audit.Event) error
	// UseStep uses a step up: true for one caller only, among any number at once.
	UseStep(ctx context.Context, step string, at int64) (bool, error)
	// UseRecovery uses one of the host's recovery codes up: true for one caller only,
	// ErrReplayed for all others, and false for what is none.
	UseRecovery(ctx context.Context, host, code string, at int64, ev audit.Event) (bool, error)
	// Recover replaces the host's recovery codes; rooms.ErrNotFound without a factor.
	Recover(ctx context.Context, host string, codes []string, ev audit.Event) error
	// Disable takes the host's away, with its codes, and with end the host's
	// passkeys and sign-ins; rooms.ErrNotFound where there is none of it.
	Disable(ctx context.Context, host string, end bool, ev audit.Event) error
	// Require says whether every host must have one.
	Require(ctx context.Context, required bool, ev audit.Event) error
	// Reseal replaces the box of a factor that is still there.
	Reseal(ctx context.Context, f Factor) error
}

// Kept is what of a host goes on when all that the host is signed in with ends:
// one sign-in, 0 for none, and one token by its Mark.
type Kept struct {
	SignIn rooms.ID
	Token  string
}

// Confirmed is what goes with a factor that its host has just shown to work.
type Confirmed struct {
	Step     string // of the code that showed it
	Recovery []string
	Keep     Kept
}

// Standing is how hosts stand with second factors, by name in lower case.
type Standing struct {
	Required bool
	On       map[string]bool
	// Spared is the Mark of the token that outlives the host's latest end of all sign-ins.
	Spared map[string]string
}

// ResealFactors seals what the previous root sealed under root. What neither
// opens stays: its host's factor is to be reset.
func ResealFactors(ctx context.Context, store Factors, root, previous keys.Root) error {
	all, err := store.Factors(ctx)
	if err != nil {
		return err
	}
	for _, f := range all {
		if _, err := root.Open(factorLabel(f.Host), f.Box); err == nil {
			continue
		}
		secret, err := previous.Open(factorLabel(f.Host), f.Box)
		if err != nil {
			continue
		}
		f.Box = root.Seal(factorLabel(f.Host), secret)
		if err := store.Reseal(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func factorLabel(host string) string { return "second factor " + host }
