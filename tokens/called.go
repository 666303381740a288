package tokens

import (
	"context"
	"strings"

	"admitone/rooms"
)

// called is the name by which a person goes into the conference: their own, but
// where who bears a presenter's name acts as one, no guest has a host's, nor none,
// for which they would be asked there.
func (s *Invitations) called(ctx context.Context, room rooms.Room, a Admission) (string, error) {
	if a.Role == Host || !s.Handover.Can(room).Holds {
		return a.Name, nil
	}
	hosts, err := s.Store.HostNames(ctx, room.ID)
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(a.Name)
	id := a.ID.Show("")
	apart := "guest " + id[max(0, len(id)-4):]
	if name == "" {
		return apart, nil
	}
	for _, host := range hosts {
		if strings.EqualFold(strings.TrimSpace(host), name) {
			return name + " (" + apart + ")", nil
		}
	}
	return a.Name, nil
}
