// Package mail sends invitations by mail, and tells those who were invited so
// when something changes.
//
// It never waits for a mail server while somebody waits for a page: mails are
// queued with the change that causes them, and carried by the outbox. It never
// sends a host's link unless that was asked for.
package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
)

// What can be refused.
var (
	ErrOff      = errors.New("this server sends no mail: SMTP_URL is not set")
	ErrHostLink = rooms.Invalid{Field: "hosts", Detail: "a host's link goes out by mail only where that is asked for"}
)

// Store queues mails and knows how they stand. Implementations MUST be safe for
// concurrent use and answer rooms.ErrUnavailable when the database cannot be
// reached.
type Store interface {
	// Queue queues each send with its event, unless there is one of its key, sent or not;
	// all or none. It tells how many were queued.
	Queue(ctx context.Context, sends []Send) (int, error)
	// QueueUnsent queues such a send, under a key of its own, for each invitation
	// that was asked for and was never sent an invitation by mail; all or none.
	QueueUnsent(ctx context.Context, u Unsent, send Send) (int, error)
	// Stop takes back the invitations of the room that wait to be sent, most at most,
	// as if they were never asked for, and tells how many those were; with the event,
	// whose detail is their number. What is being handed over goes out.
	Stop(ctx context.Context, room rooms.ID, most int, ev audit.Event) (int, error)
	// Stoppable tells whether Stop would find any.
	Stoppable(ctx context.Context, room rooms.ID) (bool, error)
	// CountUnsent counts what QueueUnsent would queue, up to Many and one more.
	CountUnsent(ctx context.Context, u Unsent) (int, error)
	// Latest returns the latest mail to each of these invitations, of that word, or
	// of any where it is empty; those that got none are missing.
	Latest(ctx context.Context, word audit.Word, invitations []rooms.ID) (map[rooms.ID]outbox.Delivery, error)
	// Told counts those of the room who were invited by mail and would be told of a change.
	Told(ctx context.Context, room rooms.ID) (int, error)
	// Tally counts the room's invitations by the state of their latest mail that was
	// settled, and the mails under way by theirs; of each state up to Many and one more.
	Tally(ctx context.Context, room rooms.ID) (map[outbox.State]int, error)
}

// Many is where counting ends: a page that tells how mails stand is as fast for
// a room of a hundred thousand.
const Many = 1000

// Send is one mail to queue, with how the history tells of it.
type Send struct {
	Delivery outbox.Delivery
	Event    audit.Event
}

// Unsent asks for a room's invitations that are good now and have an address:
// of ids from First to Last, where they are not 0, and those of hosts if Hosts.
type Unsent struct {
	Room        rooms.ID
	First, Last rooms.ID
	Hosts       bool
	Now         int64
}

// Post queues mails for callers who may. It is safe for concurrent use.
type Post struct {
	Store       Store
	Invitations *tokens.Invitations
	Now         func() time.Time
	On          bool // a mail server is configured
}

// Send queues the invitation's mail. after is the invitation's latest mail as
// the caller knows it, 0 for none: from one state one mail can be sent, so that a
// double click or a retry sends no second one, and reports false. host says that
// a host's link is meant. What would be refused at the door is refused here.
func (p *Post) Send(ctx context.Context, by rooms.Caller, inv tokens.Invitation, after rooms.ID, host bool) (queued bool, err error) {
	now := p.Now().UnixMilli()
	if err := p.may(inv, host, now); err != nil {
		return false, err
	}
	latest, err := p.Store.Latest(ctx, "", []rooms.ID{inv.ID})
	if err != nil {
		return false, err
	}
	if last, sent := latest[inv.ID]; sent && (!last.State.Settled() || after != last.ID) {
		return false, nil
	}
	n, err := p.Store.Queue(ctx, []Send{send(by, inv, after, now)})
	return n == 1, err
}

// may refuses to send what should not be sent.
func (p *Post) may(inv tokens.Invitation, host bool, now int64) error {
	switch err := inv.Check(now); {
	case !p.On:
		return ErrOff
	case err != nil && !errors.Is(err, tokens.ErrNotYet):
		return err
	case inv.Email == "":
		return rooms.Invalid{Field: "email", Detail: "is needed to send a mail"}
	case inv.Role == tokens.Host && !host:
		return ErrHostLink
	}
	return nil
}

func send(by rooms.Caller, inv tokens.Invitation, after rooms.ID, now int64) Send {
	return Send{
		Delivery: outbox.Delivery{Key: fmt.Sprintf("%s/%d/%d", audit.Invited, inv.ID, after), Kind: outbox.Mail, Word: audit.Invited,
			Room: inv.Room.ID, Invitation: inv.ID, CreatedAt: now, DueAt: now},
		Event: audit.Event{At: now, Actor: by.Actor, Kind: audit.InvitationMailed, Room: int64(inv.Room.ID), Invitation: int64(inv.ID)},
	}
}

// SendAll queues mails to those of these invitations that are good, have an
// address and got none, or whose last one was refused; the others are counted as
// left out. To be sent another although one arrived, an invitation is sent by itself.
func (p *Post) SendAll(ctx context.Context, by rooms.Caller, invs []tokens.Invitation, hosts bool) (queued, leftOut int, err error) {
	if !p.On {
		return 0, 0, ErrOff
	}
	ids := make([]rooms.ID, len(invs))
	for i, inv := range invs {
		ids[i] = inv.ID
	}
	latest, err := p.Store.Latest(ctx, audit.Invited, ids)
	if err != nil {
		return 0, 0, err
	}
	now := p.Now().UnixMilli()
	var sends []Send
	for _, inv := range invs {
		last, sent := latest[inv.ID]
		if p.may(inv, hosts, now) == nil && (!sent || last.State == outbox.Refused || last.State == outbox.Dropped) {
			sends = append(sends, send(by, inv, last.ID, now))
		}
	}
	queued, err = p.Store.Queue(ctx, sends)
	return queued, len(invs) - queued, err
}

// SendUnsent queues mails to all that u asks for, and tells to how many.
func (p *Post) SendUnsent(ctx context.Context, by rooms.Caller, room rooms.Room, u Unsent) (int, error) {
	if !p.On {
		return 0, ErrOff
	}
	u.Room, u.Now = room.ID, p.Now().UnixMilli()
	if room.ClosedAt != 0 || room.Shuts() != 0 && room.Shuts() <= u.Now {
		return 0, nil
	}
	return p.Store.QueueUnsent(ctx, u, send(by, tokens.Invitation{Room: room}, 0, u.Now))
}

// stoppedAtOnce is how many mails are stopped in one change: what else changes all of a
// room does not wait for long.
const stoppedAtOnce = 500

// Stop takes back the room's invitations that wait to be sent by mail, and tells how
// many. Who got one before keeps it; news of a change is not stopped. Once begun it goes
// on to the end, whether or not the caller stays.
func (p *Post) Stop(ctx context.Context, by rooms.Caller, room rooms.Room) (stopped int, err error) {
	ev := audit.Event{At: p.Now().UnixMilli(), Actor: by.Actor, Kind: audit.MailsStopped, Room: int64(room.ID)}
	ctx = context.WithoutCancel(ctx)
	for {
		n, err := p.Store.Stop(ctx, room.ID, stoppedAtOnce, ev)
		if stopped += n; err != nil || n == 0 {
			return stopped, err
		}
	}
}

// CountUnsent is how many mails SendUnsent would queue; more than Many where it is above.
func (p *Post) CountUnsent(ctx context.Context, room rooms.Room, u Unsent) (int, error) {
	if !p.On || room.ClosedAt != 0 {
		return 0, nil
	}
	u.Room, u.Now = room.ID, p.Now().UnixMilli()
	return p.Store.CountUnsent(ctx, u)
}

// Told is how many people of the room were invited by mail, and can be told of a change.
func (p *Post) Told(ctx context.Context, room rooms.Room) (int, error) {
	if !p.On {
		return 0, nil
	}
	return p.Store.Told(ctx, room.ID)
}
