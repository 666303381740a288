// Package oauth lets booking systems and other apps act for hosts: which apps
// there are, what a host allowed them, and the tokens that say so (OAuth 2,
// RFC 6749, as the drafts of OAuth 2.1 tighten it). API keys are here too.
//
// It never speaks HTTP, never asks for a password, and never lets an app do
// more than the host for whom it acts.
package oauth

import (
	"context"
	"errors"
	"sync"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens/keys"
)

// How long things live.
const (
	CodeLife    = time.Minute
	AccessLife  = time.Hour
	RefreshLife = 60 * 24 * time.Hour // without being used
	UnusedLife  = 7 * 24 * time.Hour  // of an app that nobody made and nobody used
)

// Server registers apps, asks what they may, and makes and reads their tokens.
// It is safe for concurrent use.
type Server struct {
	Store     Store
	Ring      *keys.Ring
	Directory *hosts.Directory
	IDs       *rooms.IDs
	Base      string // public origin, the issuer
	Now       func() time.Time

	mu    sync.Mutex
	seen  map[[32]byte]seen // by a token's hash
	names map[string]string // of apps and keys, by id
}

// Bearer is whoever sent a token that is good: an app or an API key, as
// somebody who asks for something. Where it acts for nobody, its Caller reaches
// nothing and Nobody is set.
type Bearer struct {
	rooms.Caller
	Client string // the app's id, or the key's
	Scopes Scopes
	Nobody bool
}

// as is the caller that an app or key is while it acts for that host.
func as(client string, h hosts.Host) rooms.Caller {
	c := h.Caller()
	c.Actor = audit.Actor{Kind: audit.Client, Name: client}
	return c
}

// withID stores something under a new id, and under another where another
// machine made the same one.
func (s *Server) withID(now int64, store func(id rooms.ID) error) (err error) {
	for range 8 {
		if err = store(s.IDs.Next(now)); !errors.Is(err, rooms.ErrIDTaken) {
			return err
		}
		s.IDs.Skip()
	}
	return err
}

// acting returns the host of that name if nothing has changed since the right
// was given that should end it: who was removed, or has another password, is
// rooms.ErrNotFound.
func (s *Server) acting(ctx context.Context, username, credential string) (hosts.Host, error) {
	h, err := s.Directory.ByName(ctx, username)
	if err == nil && h.Credential != credential {
		return hosts.Host{}, rooms.ErrNotFound
	}
	return h, err
}
