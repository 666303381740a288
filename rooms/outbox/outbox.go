// Package outbox delivers what a change must tell others: queued in the
// transaction of the change, and handed over once.
//
// It never knows what a delivery says, and no row of it holds a link or another
// secret: whoever carries it makes those at the moment of handing it over.
package outbox

import (
	"context"
	"errors"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Kind is who carries a delivery.
type Kind string

// Mail is carried by the mail server.
const Mail Kind = "mail"

// State is how a delivery stands.
type State string

// The states of a delivery. Waiting and Handing are under way; the others are final.
const (
	Waiting  State = "waiting"
	Handing  State = "handing"  // the last word is being said: from here on it may have arrived
	Sent     State = "sent"     // the other side took it
	Refused  State = "refused"  // the other side will not have it, or could not be reached for too long
	Doubtful State = "doubtful" // it was being handed over, and nobody heard the answer
	Dropped  State = "dropped"  // it was true no more before it went out
)

// States are all of them.
func States() []State { return []State{Waiting, Handing, Sent, Refused, Doubtful, Dropped} }

// Settled tells whether nothing more will happen by itself.
func (s State) Settled() bool { return s != Waiting && s != Handing }

// Delivery is one thing to tell. Instants are Unix milliseconds, 0 for not yet.
type Delivery struct {
	ID         rooms.ID
	Key        string // names this send: of one key there is one delivery, ever
	Kind       Kind
	Word       audit.Word
	Room       rooms.ID
	Invitation rooms.ID
	CreatedAt  int64
	DueAt      int64
	Attempts   int
	State      State
	Reason     string // what the other side last said
	SettledAt  int64
	Lease      string // the worker that has it in hand
}

// ErrLost tells a worker that a delivery is its own no more: its time was over,
// or what it would tell has changed.
var ErrLost = errors.New("the delivery is another's by now")

// Store keeps deliveries. Others put them there, in the transaction of what
// causes them. Implementations MUST be safe for concurrent use and answer
// rooms.ErrUnavailable when the database cannot be reached.
type Store interface {
	// Take leases the earliest waiting delivery of that kind that is due and not in
	// other hands, until that moment, and counts the attempt. Of workers at once,
	// also of several servers, one gets it. It reports false where there is none.
	Take(ctx context.Context, kind Kind, worker string, now, until int64) (Delivery, bool, error)
	// Turn is how long to wait until the next delivery of that kind may begin, so
	// that all servers of the database together begin one each pace, and takes that
	// turn. Where there can be but one server, it keeps its own pace: 0.
	Turn(ctx context.Context, kind Kind, pace time.Duration) (wait time.Duration, err error)
	// Hand marks it as Handing, with a lease until then: ErrLost where the lease it
	// was taken under does not hold.
	Hand(ctx context.Context, d Delivery, now, until int64) error
	// Settle stores state, reason, due and settled of a delivery that is waiting or
	// being handed over under this lease, gives the lease back, and stores the
	// event, unless its kind is empty: else ErrLost.
	Settle(ctx context.Context, d Delivery, ev audit.Event) error
	// Stranded returns those whose handing over was cut short: Handing, under
	// a lease that is over, or of a server that runs no more.
	Stranded(ctx context.Context, kind Kind, worker string, now int64) ([]Delivery, error)
	// Pending counts what is under way.
	Pending(ctx context.Context) (int, error)
	// Queued gives a notice after something was put there by this process.
	Queued() <-chan struct{}
}

// Courier carries deliveries of one kind, one at a time. What it is asked for
// ends in a minute or so.
type Courier interface {
	// Deliver hands one over. Right before the word after which it may have
	// arrived it calls hand, once, and goes no further where that fails; what
	// can be said twice needs no hand. The error is an Answer where the other
	// side, or the courier, knows for certain that it did not arrive; Away
	// where nobody is there at all; any other is doubtful once hand was called.
	Deliver(ctx context.Context, d Delivery, hand func() error) error
	// Event is how the history tells of a delivery in that state; its kind is
	// empty where it does not.
	Event(d Delivery) audit.Event
	// Rest is called when nothing is due: what was kept open may be closed.
	Rest()
}

// Answer is what became of a delivery that certainly did not arrive.
type Answer struct {
	State State // Waiting: try again later; Refused; or Dropped
	Why   string
}

func (a Answer) Error() string { return string(a.State) + ": " + a.Why }

// Away is that the other side cannot be spoken to, whatever there is to tell.
type Away struct{ Why string }

func (a Away) Error() string { return a.Why }

const (
	// within is how long one attempt may take, and lease a little more.
	within = 2 * time.Minute
	lease  = within + 30*time.Second
	// giveUp is after how long a delivery is refused that nobody took.
	giveUp = 48 * time.Hour
	// look is how often is looked for what another process queued.
	look = time.Second
)
