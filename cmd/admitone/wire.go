package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"admitone/data"
	"admitone/handlers/api"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/keys"
	"admitone/tokens/mail"
	"admitone/tokens/oauth"
)

// house is the open database with everything that stands on it.
type house struct {
	config      *config
	db          *data.DB
	rooms       *rooms.Registry
	invitations *tokens.Invitations
	directory   *hosts.Directory
	hostStore   *data.Hosts
	factors     *hosts.SecondFactors
	lobby       *tokens.Lobby
	removals    *tokens.Removals
	watcher     *rooms.Watcher
	retention   *tokens.Retention
	ring        *keys.Ring
	apps        *oauth.Server
	api         *api.API
	outbox      *data.Outbox
	post        *mail.Post
}

// open reads the settings and opens the database with all that stands on it, for
// one command. A SQLite file must be there already: a command run in another
// folder would otherwise make an empty one and find nothing in it.
func (p *program) open(ctx context.Context) (*house, error) {
	c, err := load(p.getenv)
	if err != nil {
		return nil, err
	}
	if file := c.file(); file != "" {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			return nil, badSetting{"DATABASE_URL", fmt.Errorf("there is no database at %s; run this where the server runs, or start the server once", file)}
		}
	}
	return p.openWith(ctx, c)
}

func (p *program) openWith(ctx context.Context, c *config) (*house, error) {
	root, err := c.rootKey()
	if err != nil {
		return nil, err
	}
	ids := &rooms.IDs{}
	db, err := data.Open(ctx, c.DatabaseURL, data.Options{IDs: ids})
	if err != nil {
		return nil, badSetting{"DATABASE_URL", err}
	}
	ring, err := keys.Open(ctx, data.NewKeys(db, ids), keys.Settings{Root: root, Previous: c.previous, Alg: c.JWTAlg, Now: p.now})
	if err != nil {
		if errors.Is(err, keys.ErrWrongRoot) {
			err = badSetting{"JWT_KEY", fmt.Errorf("the database was made with another one; give it back, or name it in JWT_KEY_PREVIOUS (%w)", err)}
		}
		return nil, errors.Join(err, db.Close())
	}
	if c.base == "" {
		c.base = c.local(c.Addr)
	}
	c.backends.Now, c.backends.Secret = p.now, ring.CodeMAC
	h := &house{config: c, db: db, ring: ring, hostStore: data.NewHosts(db)}
	roomStore := data.NewRooms(db, ids)
	h.rooms = &rooms.Registry{Store: roomStore, IDs: ids, Now: p.now, Backends: c.backends.Has}
	h.invitations = &tokens.Invitations{Store: data.NewInvitations(db, ids), Rooms: roomStore, IDs: ids, Links: &tokens.Links{Ring: ring, Base: c.base},
		Handover: c.backends, Now: p.now, Lifetime: c.lifetime, PINs: tokens.NewPINs(p.now)}
	presence := data.NewPresence(db, ids)
	h.removals = tokens.NewRemovals(h.invitations.Store, presence, roomStore, c.backends, p.now, tokens.Pauses()...)
	h.rooms.Closed, h.invitations.Removals = h.removals.Closed, h.removals
	h.lobby = &tokens.Lobby{Store: presence, Now: p.now, Removals: h.removals, Entries: h.invitations.Store, Handover: c.backends}
	h.outbox = data.NewOutbox(db, ids)
	h.post = &mail.Post{Store: h.outbox, Invitations: h.invitations, Now: p.now, On: c.smtp != nil}
	h.retention = &tokens.Retention{Store: h.invitations.Store, Now: p.now, After: c.keep}
	h.watcher = &rooms.Watcher{Pulse: presence, Now: p.now, PerRoom: 1500, Most: 4000}
	h.directory, err = hosts.Open(ctx, root, c.previous, h.hostStore, p.now, c.hosts)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	h.directory.Ended = h.invitations.HostEnded
	h.factors = &hosts.SecondFactors{Directory: h.directory, Store: h.hostStore, Now: p.now, Site: siteOf(c.base)}
	h.apps = &oauth.Server{Store: data.NewOAuth(db, ids), Ring: ring, Directory: h.directory, IDs: ids, Base: c.base, Now: p.now}
	h.api = &api.API{Rooms: h.rooms, Invitations: h.invitations, Apps: h.apps, Post: h.post, Base: c.base, Now: p.now}
	return h, nil
}

// siteOf is the host name of an origin.
func siteOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// cli is the operator on the command line, who reaches everything.
func cli() rooms.Caller {
	return rooms.Caller{Actor: audit.Actor{Kind: audit.System, Name: "cli"}, Admin: true}
}

// owner is the host whom rooms made without one belong to: the first admin, or
// the only host there is.
func (h *house) owner(ctx context.Context) (string, error) {
	host, err := h.directory.First(ctx)
	switch {
	case errors.Is(err, rooms.ErrNotFound) && len(h.config.hosts) > 0:
		return "", errors.New("no host is an admin: say --owner")
	case errors.Is(err, rooms.ErrNotFound):
		return "", errors.New("there is no host yet: start the server once, or set HOST_USERS")
	}
	return host.Username, err
}

// lan is an address of this machine in its network, empty where there is none.
func lan() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsPrivate() {
			return n.IP.String()
		}
	}
	return ""
}

// exclusive refuses a second server on the same SQLite file, whose writers
// would wait for each other. The command line works beside a server.
func exclusive(c *config) (release func() error, err error) {
	if c.file() == "" {
		return func() error { return nil }, nil
	}
	path := c.file() + ".lock"
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the database that the operator names
	if err != nil {
		return nil, badSetting{"DATABASE_URL", fmt.Errorf("cannot write beside the database file: %w", err)}
	}
	if err := lock(f); err != nil {
		_ = f.Close()
		return nil, badSetting{"DATABASE_URL", fmt.Errorf("another server is using %s; stop it, name another file, or use PostgreSQL for several", strings.TrimSuffix(path, ".lock"))}
	}
	return f.Close, nil
}
