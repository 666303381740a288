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

// urlProvider is the kind "url": a template whose placeholders are filled in.
type urlProvider struct {
	template string
	origin   string
}

func newURL(raw json.RawMessage) (Provider, error) {
	var c struct {
		head
		Template string `json:"template"`
	}
	if err := members(raw, &c); err != nil {
		return nil, err
	}
	p := &urlProvider{template: c.Template}
	if !strings.Contains(c.Template, "{room}") {
		return nil, errors.New("template lacks {room}: everybody would meet in one place")
	}
	u, err := written("template", c.Template, p.fill(Visit{Room: rooms.Room{Slug: "room"}, Role: "guest", Name: "name"}))
	if err != nil {
		return nil, err
	}
	p.origin = origin(u)
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

// written is the URL that a template gives, whose scheme and host stand in the
// template itself: a host that changed with the visit would send people wherever
// a name says. Errors quote nothing.
func written(member, template, filled string) (*url.URL, error) {
	u, err := url.Parse(filled)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("%s is an absolute http or https URL", member)
	}
	if !strings.HasPrefix(strings.ToLower(template), strings.ToLower(origin(u))) {
		return nil, fmt.Errorf("%s has its scheme and host written out, without placeholders", member)
	}
	return u, nil
}

// encode percent-encodes all but unreserved characters (RFC 3986, 2.3), so a
// value means the same in a path, a query and a fragment.
func encode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
