package tokens

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"admitone/rooms"
)

// Sort is the order of a list of invitations.
type Sort string

// The orders of a list. ByName compares what Folded gives, character by
// character as Unicode counts them, in every database alike.
const (
	Newest Sort = "newest"
	Oldest Sort = "oldest"
	ByName Sort = "name"
)

// Sorts are all orders, as pages offer them; the first is the usual one.
func Sorts() []Sort { return []Sort{Newest, Oldest, ByName} }

func (s Sort) number() byte { return byte(slices.Index(Sorts(), s)) } //nolint:gosec // there are three

// Position is a place in a list, after which its next page begins: that of an
// invitation as it was then, wherever a later change puts it. The zero one is
// the beginning.
type Position struct {
	sort Sort
	ID   rooms.ID
	Name string // what Folded gave, in a list by name
}

// Position is where the invitation stands in a list of that order.
func (inv Invitation) Position(s Sort) Position {
	p := Position{sort: s, ID: inv.ID}
	if s == ByName {
		p.Name = inv.Folded()
	}
	return p
}

// Folded is what lists look through and compare: name and address in lower case.
// A database would fold no capitals but those of ASCII.
func (inv Invitation) Folded() string { return strings.ToLower(inv.Name + "\n" + inv.Email) }

// longestFolded is in bytes.
const longestFolded = utf8.UTFMax * (MaxNameLen + 1 + MaxEmailLen)

// Cursor is the position as an address carries it: the order's number, the id
// and the name.
func (p Position) Cursor() string {
	b := binary.BigEndian.AppendUint64([]byte{p.sort.number()}, uint64(p.ID)) //nolint:gosec // an id is never negative
	return base64.RawURLEncoding.EncodeToString(append(b, p.Name...))
}

// ParsePosition reads what Cursor gave in a list of that order; of nothing it is
// the beginning, of everything else rooms.Invalid.
func ParsePosition(s Sort, cursor string) (Position, error) {
	if cursor == "" {
		return Position{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) < 9 || len(b) > 9+longestFolded || b[0] != s.number() {
		return Position{}, rooms.Invalid{Field: "cursor", Detail: "is none of a list in this order"}
	}
	p := Position{s, rooms.ID(binary.BigEndian.Uint64(b[1:])), string(b[9:])} //nolint:gosec // the sign is looked at in the next line
	if p.ID <= 0 || s != ByName && p.Name != "" || !utf8.ValidString(p.Name) || strings.ContainsRune(p.Name, 0) {
		return Position{}, rooms.Invalid{Field: "cursor", Detail: "is none of ours"}
	}
	return p, nil
}

// ParseSort reads the name of an order; nothing is Newest, and everything else rooms.Invalid.
func ParseSort(text string) (Sort, error) {
	if text == "" {
		return Newest, nil
	}
	if s := Sort(text); slices.Contains(Sorts(), s) {
		return s, nil
	}
	return Newest, rooms.Invalid{Field: "sort", Detail: `is "newest", "oldest" or "name"`}
}
