package oauth

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// Listed is an app as a host sees it.
type Listed struct {
	Client
	Mine   bool    // the host made it
	Grants []Grant // what the host allowed it and has not withdrawn
}

// Place is where an app stands among all, the latest first. The zero Place is
// before the first.
type Place struct {
	MadeAt int64
	ID     string
}

// String is the place as an address carries it.
func (p Place) String() string { return strconv.FormatInt(p.MadeAt, 10) + "-" + p.ID }

// ParsePlace reads what String gave; nothing is the zero Place, and anything else
// rooms.ErrNotFound.
func ParsePlace(text string) (Place, error) {
	at, id, _ := strings.Cut(text, "-")
	made, err := strconv.ParseInt(at, 10, 64)
	switch p := (Place{made, id}); {
	case text == "":
		return Place{}, nil
	case err != nil || p.String() != text || !appID.MatchString(id):
		return Place{}, rooms.ErrNotFound
	default:
		return p, nil
	}
}

var appID = regexp.MustCompile(`^` + ClientPrefix + `[0-9a-z]+$`)

// Place is where the app stands.
func (c Client) Place() Place { return Place{c.CreatedAt, c.ID} }

// Apps are those that the host made, and those that act for the host by its
// leave; the latest first.
func (s *Server) Apps(ctx context.Context, h hosts.Host) ([]Listed, error) {
	grants, err := s.Store.Grants(ctx, h.Username, "")
	if err != nil {
		return nil, err
	}
	all, err := s.Store.ClientsOf(ctx, h.Username, h.Credential)
	var out []Listed
	for _, c := range all {
		out = append(out, listed(h, c, grants))
	}
	return out, err
}

// Others are all the other apps, for an admin; the latest first, so many after
// that place. To any other host there are none.
func (s *Server) Others(ctx context.Context, h hosts.Host, after Place, limit int) (out []Listed, err error) {
	if !h.Admin {
		return nil, nil
	}
	all, err := s.Store.OtherClients(ctx, h.Username, h.Credential, after, limit)
	for _, c := range all {
		out = append(out, listed(h, c, nil))
	}
	return out, err
}

// App is one of Apps or Others, or rooms.ErrNotFound.
func (s *Server) App(ctx context.Context, h hosts.Host, id string) (Listed, error) {
	c, err := s.client(ctx, id)
	if err != nil {
		return Listed{}, err
	}
	grants, err := s.Store.Grants(ctx, h.Username, id)
	l := listed(h, c, grants)
	if err == nil && !l.Governs(h) && len(l.Grants) == 0 {
		return Listed{}, rooms.ErrNotFound
	}
	return l, err
}

// listed is the app as the host sees it, who has given those grants.
func listed(h hosts.Host, c Client, grants []Grant) Listed {
	l := Listed{Client: c, Mine: c.Owner == h.Username}
	for _, g := range grants {
		if g.Client == c.ID && g.Credential == h.Credential {
			l.Grants = append(l.Grants, g)
		}
	}
	return l
}

// Governs tells whether the host may change the app itself.
func (l Listed) Governs(h hosts.Host) bool { return l.Mine || h.Admin }

// Limit lets the app do these things at most, also with what it was given
// before, until it is limited otherwise.
func (s *Server) Limit(ctx context.Context, h hosts.Host, id string, scopes Scopes) error {
	_, ev, err := s.governed(ctx, h, id, audit.ClientLimited)
	if err != nil {
		return err
	}
	defer s.forget()
	return s.Store.LimitClient(ctx, id, scopes, ev)
}

// NewSecret makes the app's secret anew and returns it, once. The former one is
// worthless at once.
func (s *Server) NewSecret(ctx context.Context, h hosts.Host, id string) (secret string, err error) {
	l, ev, err := s.governed(ctx, h, id, audit.ClientSecretMade)
	if err == nil && l.Public {
		err = rooms.ErrNotFound
	}
	if err != nil {
		return "", err
	}
	if l.Mine {
		l.Credential = h.Credential
	}
	secret = newSecret()
	if err := s.Store.SetSecret(ctx, id, hash(secret), l.Credential, ev); err != nil {
		return "", err
	}
	return secret, nil
}

// governed is the app, which the host must be allowed to change, and the event
// that says so.
func (s *Server) governed(ctx context.Context, h hosts.Host, id string, kind audit.Kind) (Listed, audit.Event, error) {
	l, err := s.App(ctx, h, id)
	if err == nil && !l.Governs(h) {
		err = rooms.ErrNotFound
	}
	return l, audit.Event{At: s.Now().UnixMilli(), Actor: h.Caller().Actor, Kind: kind, Detail: id}, err
}

// Remove ends the app and all its tokens, for whomever they act.
func (s *Server) Remove(ctx context.Context, h hosts.Host, id string) error {
	_, ev, err := s.governed(ctx, h, id, audit.ClientRemoved)
	if err != nil {
		return err
	}
	defer s.forget()
	return s.Store.EndClient(ctx, id, ev.At, ev)
}

// Disallow withdraws all that the host allowed the app.
func (s *Server) Disallow(ctx context.Context, h hosts.Host, id string) error {
	grants, err := s.Store.Grants(ctx, h.Username, id)
	if err != nil {
		return err
	}
	defer s.forget()
	now := s.Now().UnixMilli()
	for _, g := range grants {
		ev := audit.Event{At: now, Actor: h.Caller().Actor, Kind: audit.ClientDisallowed, Detail: id}
		err = errors.Join(err, s.Store.EndGrant(ctx, g.ID, now, ev))
	}
	return err
}

// DidFor is what an app or key did that is the host's business, the latest first,
// before the given id: for the host and in the host's rooms, or all of it for an
// admin, and of the host's own key.
func (s *Server) DidFor(ctx context.Context, h hosts.Host, id string, before rooms.ID, limit int) ([]audit.Event, error) {
	who := h.Username
	if h.Admin {
		who = ""
	} else if key, err := rooms.ParseID(KeyIDPrefix, id); err == nil {
		own, err := s.Keys(ctx, h)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(own, func(k APIKey) bool { return k.ID == key }) {
			who = ""
		}
	}
	return s.Store.EventsBy(ctx, id, who, before, limit)
}

// Sweep forgets what can be of no use any more: apps that nobody made and
// nobody used, and tokens and codes that ended long ago.
func (s *Server) Sweep(ctx context.Context) error {
	now := s.Now()
	return s.Store.Sweep(ctx, now.Add(-UnusedLife).UnixMilli(), now.Add(-24*time.Hour).UnixMilli())
}
