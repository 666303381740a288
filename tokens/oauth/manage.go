package oauth

import (
	"context"
	"errors"
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

// Apps are those that the host made, and those that act for the host by its
// leave; the latest first. An admin sees all there are.
func (s *Server) Apps(ctx context.Context, h hosts.Host) ([]Listed, error) {
	grants, err := s.Store.Grants(ctx, h.Username)
	if err != nil {
		return nil, err
	}
	byClient := map[string][]Grant{}
	for _, g := range grants {
		if g.Credential == h.Credential {
			byClient[g.Client] = append(byClient[g.Client], g)
		}
	}
	all, err := s.Store.Clients(ctx)
	var out []Listed
	for _, c := range all {
		l := Listed{Client: c, Mine: c.Owner == h.Username, Grants: byClient[c.ID]}
		if l.Mine || h.Admin || len(l.Grants) > 0 {
			out = append(out, l)
		}
	}
	return out, err
}

// App is one of Apps, or rooms.ErrNotFound.
func (s *Server) App(ctx context.Context, h hosts.Host, id string) (Listed, error) {
	all, err := s.Apps(ctx, h)
	if err != nil {
		return Listed{}, err
	}
	for _, l := range all {
		if l.ID == id {
			return l, nil
		}
	}
	return Listed{}, rooms.ErrNotFound
}

// governs tells whether the host may change the app itself.
func (l Listed) governs(h hosts.Host) bool { return l.Mine || h.Admin }

// Limit lets the app ask for these scopes at most; what it has been given goes
// on as it was, unless it is withdrawn.
func (s *Server) Limit(ctx context.Context, h hosts.Host, id string, scopes Scopes) error {
	return s.change(ctx, h, id, audit.ClientLimited, func(c *Client) { c.Scopes = scopes })
}

// NewSecret makes the app's secret anew and returns it, once. The former one is
// worthless at once.
func (s *Server) NewSecret(ctx context.Context, h hosts.Host, id string) (secret string, err error) {
	secret = newSecret()
	return secret, s.change(ctx, h, id, audit.ClientSecretMade, func(c *Client) {
		c.SecretHash = hash(secret)
		if c.Owner == h.Username {
			c.Credential = h.Credential
		}
	})
}

func (s *Server) change(ctx context.Context, h hosts.Host, id string, kind audit.Kind, change func(*Client)) error {
	l, err := s.App(ctx, h, id)
	if err == nil && (!l.governs(h) || kind == audit.ClientSecretMade && l.Public) {
		err = rooms.ErrNotFound
	}
	if err != nil {
		return err
	}
	change(&l.Client)
	now := s.Now().UnixMilli()
	return s.Store.ChangeClient(ctx, l.Client, audit.Event{At: now, Actor: h.Caller().Actor, Kind: kind, Detail: id})
}

// Remove ends the app and all its tokens, for whomever they act.
func (s *Server) Remove(ctx context.Context, h hosts.Host, id string) error {
	l, err := s.App(ctx, h, id)
	if err == nil && !l.governs(h) {
		err = rooms.ErrNotFound
	}
	if err != nil {
		return err
	}
	now := s.Now().UnixMilli()
	defer s.forget()
	return s.Store.EndClient(ctx, id, now, audit.Event{At: now, Actor: h.Caller().Actor, Kind: audit.ClientRemoved, Detail: id})
}

// Disallow withdraws all that the host allowed the app.
func (s *Server) Disallow(ctx context.Context, h hosts.Host, id string) error {
	grants, err := s.Store.Grants(ctx, h.Username)
	if err != nil {
		return err
	}
	defer s.forget()
	now := s.Now().UnixMilli()
	for _, g := range grants {
		if g.Client != id {
			continue
		}
		ev := audit.Event{At: now, Actor: h.Caller().Actor, Kind: audit.ClientDisallowed, Detail: id}
		err = errors.Join(err, s.Store.EndGrant(ctx, g.ID, now, ev))
	}
	return err
}

// Did is what an app or key did, the latest first, before the given id.
func (s *Server) Did(ctx context.Context, id string, before rooms.ID, limit int) ([]audit.Event, error) {
	return s.Store.EventsBy(ctx, id, before, limit)
}

// Sweep forgets what can be of no use any more: apps that nobody made and
// nobody used, and tokens and codes that ended long ago.
func (s *Server) Sweep(ctx context.Context) error {
	now := s.Now()
	return s.Store.Sweep(ctx, now.Add(-UnusedLife).UnixMilli(), now.Add(-24*time.Hour).UnixMilli())
}
