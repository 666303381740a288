package tokens

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// Batch is what was minted together. Its invitations are exactly those with the
// ids from ID to Last: they are made without a gap, in the order of the list, so
// that no other invitation can be among them. Query.Batch lists them, and others
// know the batch by its id under rooms.BatchPrefix.
type Batch struct {
	ID        rooms.ID // of its first invitation
	Last      rooms.ID // of its last one
	Room      rooms.ID
	CreatedAt int64
	CreatedBy audit.Actor
}

// Count is how many invitations were minted, of which some may be withdrawn by now.
func (b Batch) Count() int {
	if b.ID == 0 {
		return 0
	}
	return int(b.Last-b.ID) + 1
}

// The bounds of a batch.
const (
	MaxBatch     = 10000
	MaxBatchPINs = 100 // different ones, each of which takes as long to hash as a password
)

// BatchStore keeps batches, under the terms of Store.
type BatchStore interface {
	// InsertBatch adds the batch and its invitations, which have its ids in order, all
	// or none: with one event audit.InvitationsMinted in the room's history, and
	// audit.InvitationMinted in the history of each. Where the wish was
	// granted before, it returns that batch and changes nothing; it is
	// rooms.ErrIDTaken when an id was used.
	InsertBatch(ctx context.Context, b Batch, wish string, invs []Invitation) (Batch, error)
	// Batch returns a batch of the room, or ErrNotFound.
	Batch(ctx context.Context, room, id rooms.ID) (Batch, error)
	// Granted returns the batch of a wish, or ErrNotFound.
	Granted(ctx context.Context, wish string) (Batch, error)
	// Batches returns the room's latest batches, newest first.
	Batches(ctx context.Context, room rooms.ID, limit int) ([]Batch, error)
	// Invited returns, in lower case, the addresses of the room's invitations that
	// are not expired at that moment, and whether one of them is neither superseded
	// nor revoked.
	Invited(ctx context.Context, room rooms.ID, now int64) (map[string]bool, error)
}

// Terms are how a list is minted.
type Terms struct {
	MayHost bool   // whether the caller may mint the role host
	Atomic  bool   // all rows or none
	Unique  bool   // no second good invitation to the room for an address, and none where it was taken back
	Wish    string // not empty: the same caller's same wish for the room is granted once
	Good    int    // not 0: how many rows the caller was told to be good; otherwise it is ErrListChanged
}

// ErrListChanged is returned where other rows are good than the caller was told.
var ErrListChanged = errors.New("the list is judged otherwise by now: look at it again")

// Result is what became of a row of a list: its invitation, or what is wrong with it.
type Result struct {
	GuestRow
	Row        int         // from 1
	Double     bool        // nothing is wrong with it but that its address is invited already, or is on the list before
	Invitation *Invitation // empty where something else is wrong with the row
	pin        string
}

// Wrong is what is wrong with the row, cell by cell.
func (r Result) Wrong() []rooms.Invalid {
	all := rooms.Wrong(r.Err)
	if errors.Is(r.Err, ErrRoleBarred) {
		all = append(all, rooms.Invalid{Field: "role", Detail: ErrRoleBarred.Error()})
	}
	return all
}

// Says is the same in one line.
func (r Result) Says() string {
	var says []string
	for _, wrong := range r.Wrong() {
		says = append(says, strings.TrimPrefix(wrong.Error(), ": "))
	}
	return strings.Join(says, "; ")
}

// RowErrors refuses a list of which these rows are no good.
type RowErrors []Result

func (e RowErrors) Error() string {
	return fmt.Sprintf("%d rows are no good, the first of them row %d: %s", len(e), e[0].Row, e[0].Says())
}

// Unwrap lets errors.Is and rooms.Wrong find what is wrong with the rows.
func (e RowErrors) Unwrap() (all []error) {
	for _, r := range e {
		all = append(all, r.Err)
	}
	return all
}

// MintList makes an invitation to the room of every row that is good, in that
// order, in one transaction, and tells what became of each. Where the terms say
// all or none and a row is bad, that is RowErrors; the list as a whole may be
// rooms.Invalid. Of a wish that was granted before there are no results.
func (s *Invitations) MintList(ctx context.Context, by rooms.Caller, room rooms.Room, rows []GuestRow, t Terms) (Batch, []Result, error) {
	all, drafted, err := s.judge(ctx, by, room, rows, t)
	if err != nil {
		return Batch{}, nil, err
	}
	var bad []Result
	for i := range all {
		if all[i].Err != nil {
			bad = append(bad, all[i])
		}
	}
	good := len(all) - len(bad)
	wish := t.key(by, room)
	// After the judgement, which may have seen what the same wish made just now.
	if b, err := s.Store.Granted(ctx, wish); !errors.Is(err, ErrNotFound) {
		return b, nil, err
	}
	switch {
	case t.Atomic && len(bad) > 0:
		return Batch{}, nil, RowErrors(bad)
	case t.Good != 0 && t.Good != good:
		return Batch{}, all, ErrListChanged
	case good == 0:
		return Batch{}, all, nil
	}
	invs, err := finished(all, drafted, good)
	if err != nil {
		return Batch{}, nil, err
	}
	b, err := s.insertBatch(ctx, by, room, invs, wish)
	if err != nil || b.ID != invs[0].ID {
		return b, nil, err
	}
	return b, all, nil
}

// key is the wish as it is stored: a hash of it and of whose it is.
func (t Terms) key(by rooms.Caller, room rooms.Room) string {
	if t.Wish == "" {
		return rand.Text()
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{room.ID.Show(rooms.RoomPrefix), string(by.Actor.Kind), by.Actor.Name, t.Wish}, "\n")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// insertBatch gives the invitations ids without a gap and stores them.
func (s *Invitations) insertBatch(ctx context.Context, by rooms.Caller, room rooms.Room, invs []Invitation, wish string) (b Batch, err error) {
	now := invs[0].CreatedAt
	for range 4 {
		b = Batch{ID: s.IDs.Run(now, len(invs)), Room: room.ID, CreatedAt: now, CreatedBy: by.Actor}
		b.Last = b.ID + rooms.ID(len(invs)) - 1
		for i := range invs {
			invs[i].ID = b.ID + rooms.ID(i)
			invs[i].Counter = invs[i].ID
		}
		if b, err = s.Store.InsertBatch(ctx, b, wish, invs); !errors.Is(err, rooms.ErrIDTaken) {
			return b, err
		}
		s.IDs.Skip()
	}
	return b, err
}

// Judge tells what MintList would make of each row, and makes nothing: the
// invitations have neither an id nor a PIN.
func (s *Invitations) Judge(ctx context.Context, by rooms.Caller, room rooms.Room, rows []GuestRow, t Terms) ([]Result, error) {
	all, _, err := s.judge(ctx, by, room, rows, t)
	return all, err
}

// judge is Judge, with all invitations that the results are about.
func (s *Invitations) judge(ctx context.Context, by rooms.Caller, room rooms.Room, rows []GuestRow, t Terms) ([]Result, []Invitation, error) {
	switch {
	case room.ClosedAt != 0:
		return nil, nil, ErrRoomClosed
	case len(rows) == 0:
		return nil, nil, ErrListEmpty
	case len(rows) > MaxBatch:
		return nil, nil, ErrListTooLong
	}
	now, pins := s.Now().UnixMilli(), map[string]bool{}
	all, drafted := make([]Result, len(rows)), make([]Invitation, len(rows))
	_ = rooms.Apart(len(rows), func(_, from, to int) error {
		for i := from; i < to; i++ {
			r := &all[i]
			var err error
			r.GuestRow, r.Row = rows[i], i+1
			r.Invitation = &drafted[i]
			drafted[i], r.pin, err = s.draft(by, room, r.Draft, now)
			r.Err = either(r.Err, err)
		}
		return nil
	})
	for i := range all {
		r := &all[i]
		switch {
		case r.Err != nil:
		case r.Draft.Role == Host && !t.MayHost:
			r.Err = ErrRoleBarred
		case r.pin != "" && !pins[r.pin] && len(pins) == MaxBatchPINs:
			r.Err = rooms.Invalid{Field: "pin", Detail: "is one too many: a list holds 100 different PINs"}
		case r.pin != "":
			pins[r.pin] = true
		}
		if r.Err != nil {
			drafted[i], r.pin = Invitation{}, ""
		}
	}
	if t.Unique {
		return all, drafted, s.markDoubles(ctx, room, all, now)
	}
	return all, drafted, nil
}

// either joins what is wrong with a row as it was read, and as a draft.
func either(read, drafted error) error {
	if read == nil {
		return drafted
	}
	return errors.Join(read, drafted)
}

// markDoubles refuses the good rows whose address has an invitation already, or
// had one that was taken back, or is that of a good row before.
func (s *Invitations) markDoubles(ctx context.Context, room rooms.Room, all []Result, now int64) error {
	invited, err := s.Store.Invited(ctx, room.ID, now)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for i := range all {
		r := &all[i]
		address := strings.ToLower(r.Invitation.Email)
		good, was := invited[address]
		switch {
		case r.Err != nil || address == "":
			continue
		case was && !good:
			r.Double, r.Err = true, rooms.Invalid{Field: "email", Detail: "had an invitation to this room that was revoked or given to another address"}
		case was:
			r.Double, r.Err = true, rooms.Invalid{Field: "email", Detail: "has an invitation to this room already"}
		case listed[address]:
			r.Double, r.Err = true, rooms.Invalid{Field: "email", Detail: "is on this list before"}
		}
		listed[address] = true
	}
	return nil
}

// finished are the drafted invitations of the good ones of these rows with their PINs, which
// the results are about from then on. Equal PINs share a hash: a list of ten thousand that has
// one would take minutes otherwise.
func finished(rows []Result, drafted []Invitation, good int) (invs []Invitation, err error) {
	hashed := map[string]string{"": ""}
	all := good == len(drafted)
	if invs = drafted; !all {
		invs = make([]Invitation, 0, good)
	}
	for i := range rows {
		r := &rows[i]
		if r.Err != nil {
			continue
		}
		if _, done := hashed[r.pin]; !done {
			if hashed[r.pin], err = hosts.Hash(r.pin); err != nil {
				return nil, err
			}
		}
		if !all {
			invs = append(invs, *r.Invitation)
			r.Invitation = &invs[len(invs)-1]
		}
		r.Invitation.PIN = hashed[r.pin]
	}
	return invs, nil
}

// ErrListTooLong refuses a list of more than MaxBatch.
var ErrListTooLong = rooms.Invalid{Field: "invitations", Detail: "are more than 10,000"}

// Batch returns the batch that text names, of that room, or ErrNotFound.
func (s *Invitations) Batch(ctx context.Context, room rooms.Room, text string) (Batch, error) {
	id, err := rooms.ParseID(rooms.BatchPrefix, text)
	if err != nil {
		return Batch{}, ErrNotFound
	}
	return s.Store.Batch(ctx, room.ID, id)
}
