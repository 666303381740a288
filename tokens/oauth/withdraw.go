package oauth

import (
	"context"
	"errors"
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Revoke makes a token of this app worthless (RFC 7009): an access token by
// itself, a refresh token with all that came of its grant. What is no token, or
// is worthless already, is no error; another app's token is ErrUnauthorizedClient.
func (s *Server) Revoke(ctx context.Context, c Client, token string) error {
	now := s.Now().UnixMilli()
	if strings.Count(token, ".") == 2 {
		a, err := s.access(ctx, token)
		switch {
		case errors.Is(err, ErrInvalidToken), errors.Is(err, ErrTokenExpired):
			return nil
		case err != nil:
			return err
		case a.Client != c.ID:
			return notItsOwn()
		}
		defer s.forget()
		return s.Store.EndAccess(ctx, a.ID, now, audit.Event{At: now, Actor: audit.Actor{Kind: audit.Client, Name: c.ID}, Kind: audit.ClientTokenEnded, Detail: a.Host})
	}
	_, g, err := s.Store.Refresh(ctx, hash(token))
	switch {
	case errors.Is(err, rooms.ErrNotFound):
		return nil
	case err != nil:
		return err
	case g.Client != c.ID:
		return notItsOwn()
	}
	defer s.forget()
	return s.Store.EndGrant(ctx, g.ID, now, s.event(g, audit.ClientTokenEnded, now))
}

func notItsOwn() error { return ErrUnauthorizedClient.with("The token is another client's.") }
