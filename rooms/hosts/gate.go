package hosts

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Gate lets hosts sign in and slows guessers, without ever locking the owner
// out: who proves an earlier sign-in, by a device's mark or an address, has a
// share of the account's tries that no stranger can use up.
//
// Of one account at most a hundred guesses are looked at in any hour, of passwords
// and codes together (a passkey is nothing to guess), by every way in, from all addresses and at all instances
// together, and over restarts. These are
//
//	strangers'          10 at once, then one every 80 seconds: 55
//	known addresses'    15 at once, then one every 12 minutes: 20, of which one address has 5 at once
//	known devices'      10 at once, then one every 12 minutes: 15
//
// and ten for what several instances look at at the very same moment. Who has a
// share of their own uses it first, and then those before it in this list. What
// was right takes nothing. Guessers at three known addresses can use up what
// addresses have, and nobody without one what devices have.
//
// An address is known at which any host signed in before, and a name's account is
// one of 65536 that invented names have too, so that nobody can tell the names of
// hosts from invented ones by how often they may guess.
type Gate struct {
	Directory *Directory
	Store     Store
	Now       func() time.Time

	strangers, addresses, devices *share
	// Wrong ones from each address that nobody knows, and at each account from each
	// address that is known.
	sources, places Buckets
	// Wrong passkeys from each address.
	assertions Buckets
}

// NewGate returns a gate to the directory's hosts. Of the passwords that are
// looked at at once, 19 MiB each, every share has its own few, so that nobody with
// a sign-in behind them waits for strangers.
func NewGate(d *Directory, store Store, now func() time.Time) *Gate {
	return &Gate{Directory: d, Store: store, Now: now,
		strangers: newShare("stranger", 10, 80*time.Second, 4, store, now),
		addresses: newShare("address", 15, 12*time.Minute, 2, store, now),
		devices:   newShare("device", 10, 12*time.Minute, 2, store, now),
		sources:   Buckets{Burst: 10, Every: 10 * time.Second, Now: now},
		places:    Buckets{Burst: 5, Every: 12 * time.Minute, Now: now},

		assertions: Buckets{Burst: 10, Every: 10 * time.Second, Now: now},
	}
}

// From is where somebody tries from.
type From struct {
	Address string
	Device  string // what Device gave at an earlier sign-in, empty for none
}

// SignIn returns the host of that name and password, and of that code where the
// host has a second factor: ErrCredentials, ErrInvalidTwoFactor, or TooMany before
// anything is looked at. Where a code is lacking it is ErrMissingTwoFactor, with
// the host; nobody has signed in then.
func (g *Gate) SignIn(ctx context.Context, username, password, code string, from From) (h Host, err error) {
	err = g.guess(ctx, username, from, func() error {
		if h, err = g.Directory.Check(ctx, username, password); err != nil {
			return err
		}
		return g.second(ctx, h, code)
	})
	if err != nil && !errors.Is(err, ErrMissingTwoFactor) {
		h = Host{}
	}
	return h, g.remembering(ctx, h, from, err)
}

// remembering keeps where a host signed in from whom nothing refuses. Signing in
// must work also where nothing can be written.
func (g *Gate) remembering(ctx context.Context, h Host, from From, refusal error) error {
	if refusal == nil {
		_ = g.Store.RememberAddress(ctx, fold(h.Username), g.address(Source(from.Address)), g.Now().UnixMilli())
	}
	return refusal
}

// guess looks at what somebody offers as that host's. It is TooMany where the
// tries are used up; what look refuses as wrong takes one.
func (g *Gate) guess(ctx context.Context, username string, from From, look func() error) error {
	account, address := g.account(username), Source(from.Address)
	if from.Device != "" && g.knowsDevice(ctx, username, from.Device) {
		if err := g.try(ctx, g.devices, account, nil, look); !tooMany(err) {
			return err
		}
	}
	known, err := g.Store.KnowsAddress(ctx, g.address(address))
	if err != nil {
		return err
	}
	if known {
		if err := g.try(ctx, g.addresses, account, []try{{&g.places, account + " " + address}}, look); !tooMany(err) {
			return err
		}
	}
	return g.try(ctx, g.strangers, account, []try{{&g.sources, address}}, look)
}

// assertion looks at a passkey's signature. Nobody guesses one, so it takes no try
// of the account's, and what strangers use up keeps no passkey out: an address
// waits for its own wrong ones alone, which are work for us.
func (g *Gate) assertion(from From, look func() error) error {
	address := Source(from.Address)
	if err := g.assertions.Allowed(address); err != nil {
		return err
	}
	err := look()
	if guessed(err) {
		g.assertions.Failed(address)
	}
	return err
}

// try looks at an offer as one of that share's.
func (g *Gate) try(ctx context.Context, s *share, account string, also []try, look func() error) error {
	if err := later(s.allowed(account), allowed(also)); err != nil {
		return err
	}
	leave, err := s.lane.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	done, err := s.begin(ctx, account)
	if err != nil {
		return err
	}
	// Again, for the guesses that failed while this one waited.
	if err := allowed(also); err != nil {
		done(false)
		return err
	}
	wrong := true // should look panic
	defer func() { done(wrong) }()
	if err, wrong = look(), false; err != nil {
		wrong = guessed(err)
	}
	for _, t := range also {
		if wrong {
			t.of.Failed(t.key)
		}
	}
	return err
}

// later is whichever of two refusals lasts longer, nil where there is none.
func later(a, b error) error {
	var first, second TooMany
	if errors.As(b, &second) && (!errors.As(a, &first) || second.Wait > first.Wait) {
		return b
	}
	return a
}

func tooMany(err error) bool {
	var many TooMany
	return errors.As(err, &many)
}

// guessed tells whether a refusal is of a guess: of what is wrong, and not of what
// was right and had been used before, as when a form is sent twice.
func guessed(err error) bool {
	return (errors.Is(err, ErrCredentials) || errors.Is(err, ErrInvalidTwoFactor)) && !errors.Is(err, ErrReplayed)
}

// account is whose tries a name's guesses take, whether or not it is a host's:
// one of 65536, by a secret of ours.
func (g *Gate) account(username string) string {
	return fmt.Sprintf("%04x", binary.BigEndian.Uint16(g.Directory.mac("account "+fold(username))))
}

// Device is the mark that a device gets at its sign-in; it proves nothing but
// that this device once signed in as this host with the present password.
func (g *Gate) Device(h Host) string {
	return fmt.Sprintf("%x", g.Directory.mac("device " + fold(h.Username) + "\x00" + h.Version)[:16])
}

func (g *Gate) knowsDevice(ctx context.Context, username, device string) bool {
	h, err := g.Directory.ByName(ctx, username)
	return err == nil && g.Device(h) == device
}

// address is what the database keeps of an address: a MAC, so that it alone
// does not tell where a host has been.
func (g *Gate) address(a string) string {
	return fmt.Sprintf("%x", g.Directory.mac("address " + a)[:16])
}
