package rooms

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
)

// ID is the integer that names a room, an invitation, an admission or an event:
// 43 bits of Unix milliseconds, then 20 bits that start at random in every
// millisecond and count up within it. Ids sort by the time they were made,
// which keeps the database's trees growing at one end. An id is no secret.
type ID int64

// The prefixes under which ids are shown outside.
const (
	RoomPrefix       = "room_"
	InvitationPrefix = "inv_"
	AdmissionPrefix  = "adm_"
	EventPrefix      = "ev_"
	SignInPrefix     = "in_"
	RequestPrefix    = "req_"
	DeliveryPrefix   = "dlv_"
	BatchPrefix      = "batch_"
)

// ErrBadID is returned for a text that is no id of the wanted kind.
var ErrBadID = errors.New("not an id of this kind")

// shown is Crockford's alphabet in lower case: no letter is mistaken for a
// digit when an id is read out on the telephone.
var shown = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Millis is the moment the id was made, in Unix milliseconds.
func (id ID) Millis() int64 { return int64(id) >> 20 }

// Show returns the id as others see it, such as "inv_01jd3v5q8r2ha".
func (id ID) Show(prefix string) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(id)) //nolint:gosec // an id is never negative
	return prefix + shown.EncodeToString(b[:])
}

// ParseID reads what Show wrote; anything else is ErrBadID. One id has one spelling.
func ParseID(prefix, text string) (ID, error) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(rest) != 13 {
		return 0, ErrBadID
	}
	b, err := shown.DecodeString(rest)
	if err != nil || len(b) != 8 {
		return 0, ErrBadID
	}
	id := ID(binary.BigEndian.Uint64(b)) //nolint:gosec // the sign is looked at in the next line
	if id <= 0 || id.Show(prefix) != text {
		return 0, ErrBadID
	}
	return id, nil
}

// IDs makes ids. It is safe for concurrent use and never makes one id twice;
// two machines may, once in a great while, which their database refuses.
type IDs struct {
	mu   sync.Mutex
	last ID
}

// Next returns an id for something that happens at the given Unix milliseconds.
func (s *IDs) Next(at int64) ID { return s.Run(at, 1) }

// Run returns the first of n ids, one after the other without a gap, for things
// that happen together.
func (s *IDs) Run(at int64, n int) ID {
	var b [4]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails; it ends the program instead
	fresh := ID(at<<20 | int64(binary.BigEndian.Uint32(b[:])&0x7ffff))
	s.mu.Lock()
	defer s.mu.Unlock()
	// Within a millisecond ids count up from the first; a clock that stepped
	// back keeps counting from the last, so order and uniqueness hold.
	first := max(fresh, s.last+1)
	if first>>20 > fresh>>20+1000 {
		// The clock was set back by more than a second: follow it again.
		first = fresh
	}
	s.last = first + ID(n) - 1
	return first
}

// Skip leaves a gap after an id that turned out to be taken. Another machine, or
// this one before its clock was set back, counted up there, maybe for long.
func (s *IDs) Skip() {
	var b [4]byte
	_, _ = rand.Read(b[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last += ID(1<<14 + binary.BigEndian.Uint32(b[:])&0xffff)
}
