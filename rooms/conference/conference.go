// Package conference hands an admitted person to the place where the meeting
// is held.
//
// It never decides who is admitted, and never keeps, logs or shows a join link:
// a link is built afresh for one person at the moment it is needed.
package conference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"admitone/rooms"
)

// ErrUnreachable is returned when the back end cannot give a link now; nothing
// is used up then, and the person may try again.
var ErrUnreachable = errors.New("the conference does not answer")

// Visit is one entry of one admitted person.
type Visit struct {
	Room      rooms.Room
	Admission rooms.ID
	Role      string // "host" or "guest", never empty
	Name      string // what the person is called, may be empty
	Until     int64  // Unix milliseconds at which the admission ends
}

// Provider builds join links of one conference back end. Implementations MUST
// be safe for concurrent use and MUST NOT give a guest a moderator's right.
type Provider interface {
	// JoinLink returns a fresh absolute http(s) URL for this visit, or an error
	// that wraps ErrUnreachable.
	JoinLink(ctx context.Context, v Visit) (string, error)
	// Origin is the scheme and host join links lead to, for the page's policy.
	Origin() string
}

// Backends are the configured back ends by name.
type Backends struct {
	names  []string
	byName map[string]Provider
}

// makers build a provider of a kind from its own JSON members.
func makers() map[string]func(json.RawMessage) (Provider, error) {
	return map[string]func(json.RawMessage) (Provider, error){"url": newURL}
}

// Parse reads the setting BACKENDS: a JSON array of objects with "name", "kind"
// and the kind's own members. Errors never quote the text, which holds secrets.
func Parse(text string) (*Backends, error) {
	b := &Backends{byName: map[string]Provider{}}
	if strings.TrimSpace(text) == "" {
		return b, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, errors.New("is not a JSON array of back ends")
	}
	for i, raw := range list {
		var head struct{ Name, Kind string }
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
			return nil, fmt.Errorf("entry %d (%s): unknown kind", i+1, head.Name)
		}
		p, err := build(raw)
		if err != nil {
			return nil, fmt.Errorf("entry %d (%s): %w", i+1, head.Name, err)
		}
		b.names = append(b.names, head.Name)
		b.byName[head.Name] = p
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

// JoinLink is Provider and its JoinLink in one: empty for the lobby.
func (b *Backends) JoinLink(ctx context.Context, v Visit) (string, error) {
	p, err := b.Provider(v.Room)
	if p == nil || err != nil {
		return "", err
	}
	return p.JoinLink(ctx, v)
}

// urlProvider is the kind "url": a template whose placeholders are filled in.
type urlProvider struct {
	template string
	origin   string
}

func newURL(raw json.RawMessage) (Provider, error) {
	var c struct {
		Name     string `json:"name"`
		Kind     string `json:"kind"`
		Template string `json:"template"`
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, errors.New(`kind "url" has the one member "template"`)
	}
	p := &urlProvider{template: c.Template}
	u, err := url.Parse(p.fill(Visit{Room: rooms.Room{Slug: "room"}, Role: "guest", Name: "name"}))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return nil, errors.New("template is an absolute http or https URL")
	}
	// A host that changed with the visit would send people wherever a name says.
	p.origin = u.Scheme + "://" + u.Host
	if !strings.HasPrefix(strings.ToLower(c.Template), strings.ToLower(p.origin)) {
		return nil, errors.New("template has its scheme and host written out, without placeholders")
	}
	return p, nil
}

func (p *urlProvider) Origin() string { return p.origin }

func (p *urlProvider) JoinLink(_ context.Context, v Visit) (string, error) { return p.fill(v), nil }

func (p *urlProvider) fill(v Visit) string {
	return strings.NewReplacer(
		"{room}", encode(v.Room.Slug), "{name}", encode(v.Name),
		"{role}", encode(v.Role), "{admission}", encode(v.Admission.Show(rooms.AdmissionPrefix)),
	).Replace(p.template)
}

// encode percent-encodes all but unreserved characters (RFC 3986, 2.3), so a
// value means the same in a path, a query and a fragment.
func encode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
