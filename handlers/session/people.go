package session

import (
	"time"

	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// People is who is in a room as a page lists them; you is the admission that
// the page is of, 0 for none.
func People(list []tokens.Present, you rooms.ID) (v views.People) {
	for _, p := range list {
		v.Here = append(v.Here, views.Person{ID: p.Admission.Show(rooms.AdmissionPrefix), Invitation: p.Invitation.Show(rooms.InvitationPrefix),
			Name: p.Name, Role: string(p.Role), Since: time.UnixMilli(p.Since), You: p.Admission == you})
	}
	return v
}
