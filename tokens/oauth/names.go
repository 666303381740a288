package oauth

import (
	"context"
	"strings"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Called is what an actor's line of history calls it: an app or key by its
// name, also one that was removed, and anybody else as the line does. Where an
// app's name cannot be told its id stands for it.
func (s *Server) Called(ctx context.Context, who audit.Actor) string {
	if who.Kind != audit.Client {
		return who.Name
	}
	s.mu.Lock()
	name, ok := s.names[who.Name]
	s.mu.Unlock()
	if ok {
		return name
	}
	name, err := s.name(ctx, who.Name)
	if err != nil || name == "" {
		return who.Name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil || len(s.names) >= remembers {
		s.names = map[string]string{}
	}
	s.names[who.Name] = name // for good: names never change
	return name
}

func (s *Server) name(ctx context.Context, id string) (string, error) {
	if IsKey(id) {
		n, err := rooms.ParseID(KeyIDPrefix, id)
		if err != nil {
			return "", err
		}
		k, err := s.Store.KeyByID(ctx, n)
		return k.Name, err
	}
	c, err := s.Store.Client(ctx, id)
	return c.Name, err
}

// IsKey tells an API key's id from an app's.
func IsKey(id string) bool { return strings.HasPrefix(id, KeyIDPrefix) }
