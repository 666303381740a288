package tokens

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Reasons for which somebody does not go on, on another device.
var (
	ErrMoved    = Reason{"moved", "you continued on another device"}
	ErrMoveCode = errors.New("no such code, or it was used, or its time is over")
	// ErrNoMoveCode is the ErrMoveCode of a code that was never made here, or is
	// forgotten. Nobody is told which it was.
	ErrNoMoveCode = fmt.Errorf("%w: it was never made here", ErrMoveCode)
	ErrNoMoves    = errors.New("this invitation has moved as often as it may")
)

// MoveLife is how long a code for another device lives.
const MoveLife = 2 * time.Minute

// Move is the right of whoever holds its code to take an admission over, once.
type Move struct {
	Code       string // hash of it
	Admission  rooms.ID
	Invitation rooms.ID
	Room       rooms.ID
	Browser    string // hash of the cookie of the device that is left
	ExpiresAt  int64
	UsedAt     int64 // 0 while it was not
}

// MoveStore keeps codes for other devices, under the terms of Store.
type MoveStore interface {
	// OfferMove keeps the code, in the place of unused ones for its admission.
	OfferMove(ctx context.Context, m Move) error
	// Move returns the one of this code's hash with its admission, or ErrNotFound.
	Move(ctx context.Context, code string) (Move, Admission, error)
	// TakeMove gives the admission to another browser and nonce (both hashes),
	// and uses up the code and one move of the invitation. It returns the
	// admission as that very transaction left it.
	//
	// It is ErrMoveCode unless the code is unused and alive at that moment, in
	// that very statement, and the admission still belongs to the browser that
	// offered it; ErrNoMoves when the invitation was moved as often as it may;
	// ErrConflict when the nonce has an admission by this invitation already.
	// Then nothing has changed.
	TakeMove(ctx context.Context, code, browser, nonce string, at int64, ev audit.Event) (Admission, error)
	// LeftFor returns the invitation by which that browser was admitted to the
	// room, the latest, before it went on elsewhere; of one invitation alone
	// where that is not 0. It is ErrNotFound when there is none.
	LeftFor(ctx context.Context, room, invitation rooms.ID, browser string) (rooms.ID, error)
	// AllowMove allows an invitation one more move, if all were made. It
	// reports false, and stores no event, when one is left.
	AllowMove(ctx context.Context, id rooms.ID, ev audit.Event) (bool, error)
}

// MayMove tells whether one of the invitation's people may go on, on another device.
func (inv Invitation) MayMove() bool { return inv.Moves <= inv.MoreMoves }

// OfferMove returns a code by which another device may take over the browser's
// admission to the room of that slug, and until when. Nothing moves yet; an
// earlier code is worthless. The error is as Reenter's, or ErrNoMoves.
func (s *Invitations) OfferMove(ctx context.Context, in Admitted, browser string) (code string, until int64, err error) {
	if !in.Invitation.MayMove() {
		return "", 0, ErrNoMoves
	}
	b, now := make([]byte, 4, 5), s.Now().UnixMilli()
	_, _ = rand.Read(b) // never fails; it ends the program instead
	code = MoveCode(codeText.EncodeToString(append(b, s.moveMark(b, now))))
	until = now + MoveLife.Milliseconds()
	return code, until, s.Store.OfferMove(ctx, Move{Code: moveHash(code), Admission: in.Admission.ID, Invitation: in.Invitation.ID,
		Room: in.Invitation.Room.ID, Browser: BrowserHash(browser), ExpiresAt: until})
}

// ShowMove returns what a code leads to, and changes nothing. here is true where
// this browser is in already, with this code or without: then it needs no move.
// The error is ErrMoveCode, ErrNoMoves, a Refusal, or the store's.
func (s *Invitations) ShowMove(ctx context.Context, code, browser string) (in Admitted, here bool, err error) {
	m, a, err := s.move(ctx, code)
	if err != nil {
		return Admitted{}, false, err
	}
	inv, err := s.Store.ByID(ctx, a.Invitation)
	if err != nil {
		return Admitted{}, false, err
	}
	now, withdrawn := s.Now().UnixMilli(), inv.Withdrawn()
	in = Admitted{Admission: a, Invitation: inv}
	if browser != "" && withdrawn == nil {
		own, err := s.earlier(ctx, inv, hashNonce(audit.Actor{}, browser, PageNonce(browser, inv.ID)), now)
		var refused Refusal
		if err != nil && !errors.As(err, &refused) {
			return Admitted{}, false, err
		}
		if own != nil {
			in.Admission = *own
			return in, true, nil
		}
	}
	switch {
	case m.UsedAt != 0, m.ExpiresAt <= now, !a.Live(inv.Room, now):
		return Admitted{}, false, ErrMoveCode // and no more: a dead code tells nothing of its invitation
	case withdrawn != nil:
		return Admitted{}, false, withdrawn
	case !inv.MayMove():
		return Admitted{}, false, ErrNoMoves
	}
	return in, false, nil
}

// TakeMove lets this browser go on in the place of the one that got the code,
// which from then on is refused. When it returns nil that is on the disk; again,
// by the same browser, it is the same. The error is as ShowMove's.
func (s *Invitations) TakeMove(ctx context.Context, code, browser string) (Admitted, error) {
	in, here, err := s.ShowMove(ctx, code, browser)
	if err != nil || here {
		return in, err
	}
	now := s.Now().UnixMilli()
	ev := event(audit.Actor{Kind: audit.Guest, Name: in.Admission.Name}, audit.InvitationMovedDevice, now, in.Invitation, "")
	ev.Admission = int64(in.Admission.ID)
	nonce := hashNonce(audit.Actor{}, browser, PageNonce(browser, in.Invitation.ID))
	left := in.Admission.Browser
	moved, err := s.Store.TakeMove(ctx, moveHash(code), BrowserHash(browser), nonce, now, ev)
	if err != nil {
		return in, err
	}
	in.Admission = moved
	moved.Browser = left
	s.Removals.ended(in.Invitation.Room, moved)
	return in, nil
}

// AllowMove lets the invitation's people go on, on another device, once more.
// Where they may already it changes nothing.
func (s *Invitations) AllowMove(ctx context.Context, by rooms.Caller, inv Invitation) (Invitation, error) {
	now := s.Now().UnixMilli()
	if _, err := s.Store.AllowMove(ctx, inv.ID, event(by.Actor, audit.InvitationChanged, now, inv, audit.OneMoreMove)); err != nil {
		return Invitation{}, err
	}
	return s.Store.ByID(ctx, inv.ID)
}

func (s *Invitations) move(ctx context.Context, code string) (Move, Admission, error) {
	if !s.mayBeMove(code) {
		return Move{}, Admission{}, ErrNoMoveCode
	}
	m, a, err := s.Store.Move(ctx, moveHash(code))
	if errors.Is(err, ErrNotFound) {
		err = ErrNoMoveCode
	}
	return m, a, err
}

// mayBeMove tells whether a code has the mark of those made here of late, so that
// most guesses are refused before any query.
func (s *Invitations) mayBeMove(code string) bool {
	b, err := codeText.DecodeString(strings.ToLower(MoveCode(code)))
	if err != nil || len(b) != 5 {
		return false
	}
	// By the key of before or of after, where it changed while a code may live; an
	// instance that makes codes may be some seconds ahead.
	now := s.Now()
	return b[4] == s.moveMark(b[:4], now.Add(-MoveLife).UnixMilli()) || b[4] == s.moveMark(b[:4], now.Add(time.Minute).UnixMilli())
}

// moveMark is the last byte of a code that was made at that moment.
func (s *Invitations) moveMark(b []byte, at int64) byte {
	mac := s.Links.Ring.CodeMAC(at, append([]byte("move\x00"), b...))
	if len(mac) == 0 {
		return 0
	}
	return mac[0]
}

// left is ErrMoved, as a Refusal, where this browser was admitted and went on elsewhere.
func (s *Invitations) left(ctx context.Context, room, invitation rooms.ID, browser string) error {
	id, err := s.Store.LeftFor(ctx, room, invitation, BrowserHash(browser))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	inv, err := s.Store.ByID(ctx, id)
	if err != nil {
		return err
	}
	return Refusal{ErrMoved, inv}
}

// MoveCode is a code as it was made, from how a person types it: in any case,
// with gaps, and with letters that look like digits. It is empty for what is no code.
func MoveCode(typed string) string {
	code := strings.NewReplacer(" ", "", "-", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(typed))
	if b, err := codeText.DecodeString(code); err != nil || len(b) != 5 || len(code) != 8 {
		return ""
	}
	return strings.ToUpper(code)
}

func moveHash(code string) string {
	sum := sha256.Sum256([]byte("move\x00" + MoveCode(code)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
