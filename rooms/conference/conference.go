// Package conference hands an admitted person to the place where the meeting
// is held.
//
// It never decides who is admitted, and never keeps, logs or shows a join link:
// a link is built afresh for one person at the moment it is needed.
package conference

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"admitone/rooms"
)

// ErrUnreachable is returned when the back end cannot do what was asked of it
// now: it does not answer, or not as it should, or does not take our secret.
// Nothing is used up then, and the person may try again. What it wraps is for
// the operator, and holds no secret.
var ErrUnreachable = errors.New("the conference does not answer")

// Timeout is how long a back end may take for one answer.
const Timeout = 5 * time.Second

// Visit is one entry of one admitted person.
type Visit struct {
	Room      rooms.Room
	Place     string // what the back end calls the room: nobody can guess it
	Admission rooms.ID
	Role      string // "host" or "guest", never empty
	Name      string // what the person is called, may be empty
	Until     int64  // Unix milliseconds at which the admission ends
	At        int64  // Unix milliseconds at which the link is made
	Wishes    string // how to come in, as a query ("audio=false&video=true"), or empty; back ends without such wishes pass over it
}

// Provider builds join links of one conference back end. Implementations MUST
// be safe for concurrent use, answer within Timeout, and MUST NOT give a guest a
// moderator's right.
type Provider interface {
	// JoinLink returns a fresh absolute http(s) URL for this visit, or an error
	// that wraps ErrUnreachable.
	JoinLink(ctx context.Context, v Visit) (string, error)
	// Origin is the scheme and host join links lead to, for the page's policy; or
	// "https:" where the back end sends people on to wherever it likes.
	Origin() string
}

// Holder is a back end that makes whoever comes first a moderator, so that
// guests have to wait until a host's link was handed out.
type Holder interface {
	HoldsGuests() bool
}

// Remover is a back end from which somebody inside can be removed. Removing who
// is not there is no error. Errors wrap ErrUnreachable.
type Remover interface {
	Remove(ctx context.Context, v Visit) error
}

// Ender is a back end that can end the meeting of a room for everybody. Of the
// visit only Room, Place and At are set. Ending what is not going on is no
// error. Errors wrap ErrUnreachable.
type Ender interface {
	End(ctx context.Context, v Visit) error
}

// Presence is a back end that tells which admissions are inside. Of the visit
// only Room, Place and At are set. Errors wrap ErrUnreachable.
type Presence interface {
	Inside(ctx context.Context, v Visit) ([]rooms.ID, error)
}

// Checker is a back end that can tell whether its address and secret are good,
// as far as it lets us know. The error says what is wrong, without any secret.
type Checker interface {
	Check(ctx context.Context) error
}

// Lasting is a back end whose join link, once handed out, opens the door for
// this long, whatever happens here meanwhile. It may be Forever.
type Lasting interface {
	Lasts(v Visit) time.Duration
}

// Forever is how long a join link lasts that nothing ends. Added to a moment in
// Unix milliseconds it is a day far off, which nobody is to be shown.
const Forever time.Duration = math.MaxInt64

// Backends are the configured back ends by name.
type Backends struct {
	// Now tells the time at which links are made.
	Now func() time.Time
	// Secret returns bytes that only we know, always the same for the same text.
	// made is the moment, in Unix milliseconds, at which what the text names was made.
	Secret func(made int64, text []byte) []byte

	names  []string
	byName map[string]Provider
	kinds  map[string]string
}

// makers build a provider of a kind from its own JSON members.
func makers() map[string]func(json.RawMessage) (Provider, error) {
	return map[string]func(json.RawMessage) (Provider, error){
		"url":           newURL,
		"mirotalk":      newMiroTalk,
		"jitsi":         newJitsi,
		"galene":        newGalene,
		"livekit":       newLiveKit,
		"bigbluebutton": newBigBlueButton,
	}
}

// Parse reads the setting BACKENDS: a JSON array of objects with "name", "kind"
// and the kind's own members. Errors never quote the text, which holds secrets.
func Parse(text string) (*Backends, error) {
	b := &Backends{byName: map[string]Provider{}, kinds: map[string]string{}}
	if strings.TrimSpace(text) == "" {
		return b, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, errors.New("is not a JSON array of back ends")
	}
	for i, raw := range list {
		var head head
		if err := json.Unmarshal(raw, &head); err != nil {
			return nil, fmt.Errorf("entry %d is not a JSON object with name and kind", i+1)
		}
		if !rooms.ValidSlug(head.Name) {
			return nil, fmt.Errorf("entry %d: name is 1 to 64 of a-z, 0-9 and inner hyphens", i+1)
		}
		if b.byName[head.Name] != nil {
			return nil, fmt.Errorf("entry %d: name %q stands twice", i+1, head.Name)
		}
		build := makers()[head.Kind]
		if build == nil {
			return nil, fmt.Errorf("entry %d (%s): unknown kind; there are %s", i+1, head.Name, strings.Join(slices.Sorted(maps.Keys(makers())), ", "))
		}
		p, err := build(raw)
		if err != nil {
			return nil, fmt.Errorf("entry %d (%s): %w", i+1, head.Name, err)
		}
		b.names = append(b.names, head.Name)
		b.byName[head.Name], b.kinds[head.Name] = p, head.Kind
	}
	return b, nil
}

// Names are the configured names in the order of the setting.
func (b *Backends) Names() []string { return b.names }

// Has tells whether a back end of this name is configured.
func (b *Backends) Has(name string) bool { return b.byName[name] != nil }

// Provider returns the room's back end; nil without error for the built-in
// lobby; ErrUnreachable when the room names one that is configured no more.
func (b *Backends) Provider(r rooms.Room) (Provider, error) {
	if r.Backend == "" {
		return nil, nil //nolint:nilnil // the lobby is no provider and no error
	}
	if p := b.byName[r.Backend]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%w: back end %q is not configured", ErrUnreachable, r.Backend)
}

// JoinLink is Provider and its JoinLink in one, at the place and the moment:
// empty for the lobby.
func (b *Backends) JoinLink(ctx context.Context, v Visit) (string, error) {
	p, err := b.Provider(v.Room)
	if p == nil || err != nil {
		return "", err
	}
	return p.JoinLink(ctx, b.settle(v))
}

// settle adds the place and the moment to a visit.
func (b *Backends) settle(v Visit) Visit {
	v.At = b.Now().UnixMilli()
	v.Place = place(v.Room, b.Secret(v.Room.ID.Millis(), []byte("conference "+v.Room.ID.Show(rooms.RoomPrefix))))
	return v
}

var placeText = base32.StdEncoding.WithPadding(base32.NoPadding)

// place is the slug, so that people know where they are, and what nobody can
// guess: lower-case letters, digits and hyphens alone, which every back end takes.
func place(r rooms.Room, secret []byte) string {
	return r.Slug + "-" + strings.ToLower(placeText.EncodeToString(secret))
}
