// Package rooms knows meeting rooms: what they are called, when they are open,
// and who may look after them.
//
// It never speaks HTTP or SQL and knows nothing of invitations.
package rooms

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"admitone/rooms/audit"
)

// What can be refused about a room. Stores and callers match these with errors.Is.
var (
	ErrNotFound    = errors.New("no such room, or not yours")
	ErrSlugTaken   = errors.New("this slug is taken; slugs are never used again")
	ErrSlugBarred  = errors.New("your account may not create a room with this slug")
	ErrNotAdmin    = errors.New("only an admin hands a room over to another host")
	ErrIDTaken     = errors.New("id taken")
	ErrUnavailable = errors.New("the database cannot answer now")
)

// Invalid is a refusal of input, with the member that is at fault.
type Invalid struct {
	Field  string
	Detail string
}

func (e Invalid) Error() string { return e.Field + ": " + e.Detail }

// Wrong are the refusals of input that err holds, in their order.
func Wrong(err error) (all []Invalid) {
	switch e := err.(type) { //nolint:errorlint // it takes the chain apart itself
	case Invalid:
		return []Invalid{e}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			all = append(all, Wrong(one)...)
		}
	case interface{ Unwrap() error }:
		return Wrong(e.Unwrap())
	}
	return all
}

// When is the refusal where it holds, else nil.
func When(holds bool, refusal Invalid) error {
	if holds {
		return refusal
	}
	return nil
}

// Room is a meeting room. Instants are Unix milliseconds in UTC, 0 where there
// is none: a room without StartsAt is open at once, one without EndsAt has no end.
type Room struct {
	ID         ID
	Slug       string // unique for ever
	Name       string
	Owner      string // the host's username
	StartsAt   int64
	EndsAt     int64
	Timezone   string // IANA name for showing times, or empty
	Backend    string // name of a conference back end, empty for the lobby
	ExternalID string // the booking system's own id, or empty
	Locale     string // BCP 47, or empty
	Capacity   int    // guests at once, 0 for any number
	CreatedAt  int64
	ClosedAt   int64
	Sequence   int    // how often the window moved, or the room was closed or opened
	Series     Series // the zero value where the room is on its own
}

// State tells what a room is at one moment.
type State string

// The states of a room.
const (
	Open     State = "open"
	Upcoming State = "upcoming"
	Ended    State = "ended"
	Closed   State = "closed"
)

// State is what the room is at now, in Unix milliseconds.
func (r Room) State(now int64) State {
	switch {
	case r.ClosedAt != 0:
		return Closed
	case r.StartsAt > now:
		return Upcoming
	case r.EndsAt != 0 && r.EndsAt <= now:
		return Ended
	}
	return Open
}

// Over tells whether the room is closed or has ended.
func (r Room) Over(now int64) bool {
	return r.ClosedAt != 0 || r.EndsAt != 0 && r.EndsAt <= now
}

// Grace is how long after a room's end somebody inside may still come back.
const Grace = time.Hour

// UndoWindow is how long something can be taken back with one press.
const UndoWindow = time.Minute

// CallOff has those told that it is off who were invited by mail, as soon as what
// was done now can no longer be taken back with one press.
func CallOff(now int64) audit.Tell {
	return audit.Tell{Word: audit.CalledOff, At: now + (UndoWindow + 5*time.Second).Milliseconds()}
}

// Shuts is the moment from which nobody enters or comes back, in Unix
// milliseconds, or 0 for a room without an end.
func (r Room) Shuts() int64 {
	if r.EndsAt == 0 {
		return 0
	}
	return r.EndsAt + Grace.Milliseconds()
}

// Caller is on whose behalf something is asked, and how far that reaches.
type Caller struct {
	Actor audit.Actor
	Owner string   // username of the host acted for
	Admin bool     // sees and changes everything
	Slugs []string // slugs that may be created and co-managed; empty: any may be created
}

// Reaches tells whether the caller may see and change the room: it is theirs,
// or named in their allowed rooms, or they are an admin.
func (c Caller) Reaches(r Room) bool {
	return c.Admin || r.Owner == c.Owner || slices.Contains(c.Named(), r.Slug)
}

// Named are the slugs the caller's allowed rooms spell out.
func (c Caller) Named() []string {
	return slices.DeleteFunc(slices.Clone(c.Slugs), func(s string) bool { return s == "*" })
}

func (c Caller) mayCreate(slug string) bool {
	return c.Admin || len(c.Slugs) == 0 || slices.Contains(c.Slugs, "*") || slices.Contains(c.Slugs, slug)
}

// The longest texts, in characters, and the largest capacity.
const (
	MaxName       = 200
	MaxExternalID = 200
	MaxCapacity   = 100_000
)

var slugShape = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)

// ValidSlug tells whether s can be a room's slug: 1 to 64 of a–z, 0–9 and
// inner hyphens, and no word that would be mistaken for an id.
func ValidSlug(s string) bool {
	return slugShape.MatchString(s) && !strings.HasPrefix(s, RoomPrefix)
}

// slugFrom derives a slug from a room's name: accents and apostrophes are
// dropped, and what is left over becomes hyphens. A name without a Latin letter
// or digit gives "room".
func slugFrom(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 48 {
			break
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s
	}
	return "room"
}

var localeShape = regexp.MustCompile(`^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$`)

// CheckLocale refuses what is no language tag (BCP 47); nothing is one too.
func CheckLocale(s string) error {
	if s != "" && (len(s) > 35 || !localeShape.MatchString(s)) {
		return Invalid{"locale", "is not a language tag such as en or zh-Hans"}
	}
	return nil
}

// CleanText folds what a person typed into one line: control characters become
// spaces, NUL and broken UTF-8 are refused, the ends are trimmed, and more than
// limit characters are refused. Bidi characters are kept; pages isolate them.
func CleanText(field, s string, limit int) (string, error) {
	if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
		return "", Invalid{field, "must be valid UTF-8 without NUL"}
	}
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s))
	if utf8.RuneCountInString(s) > limit {
		return "", Invalid{field, "is too long"}
	}
	return s, nil
}
