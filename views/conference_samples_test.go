package views

import (
	"time"

	"github.com/a-h/templ"
)

// conferenceSamples are what pages say where the meeting is held at a back end.
func conferenceSamples(s map[string]templ.Component) {
	waiting := Refusal{Page: guestPage(""), Code: "waiting_for_host", Status: 403, Room: "Weekly standup", Host: "Grace Hopper",
		Wait: "/join/standup/wait", Again: "/join/standup/admitted"}
	s["refusal-waiting"] = RefusalPage(waiting)
	s["refusal-unreached"] = RefusalPage(Refusal{Page: guestPage(""), Code: "unavailable", Status: 503, RetryAfter: 5 * time.Second,
		Again: "/join/standup/admitted?ready=", Press: "/join/standup/admitted"})

	head := roomHeadSample()
	head.Backend, head.MayEnter = "main", true
	people := peopleSample()
	people.Slug, people.Entered, people.Stays = "standup", true, true
	people.Removed = []Person{{ID: "adm_09", Name: "Bo", Role: RoleGuest}}
	room := Room{Page: page("Weekly standup"), Head: head, Mint: Mint{Slug: "standup"}, List: Invitations{Slug: "standup"}, People: people}
	s["room-entered"] = RoomPage(room)
	room.People = &People{Slug: "standup", Entered: true, Now: now}
	room.Head.Gone = true
	s["room-gone"] = RoomPage(room)
	s["room-edit-gone"] = RoomEditPage(RoomEdit{Page: page(""), Name: "Weekly standup",
		Form: RoomForm{Room: "standup", Name: "Weekly standup", Backend: "old", Backends: []Backend{{"main", "mirotalk"}, {"big", "url"}}}})

	revoked := Invitation{ID: "inv_03", Name: "Ada Lovelace", Role: RoleGuest, State: Revoked, Uses: 1, MaxUses: 1, Now: now, UndoUntil: now.Add(50 * time.Second)}
	v := detail(revoked)
	v.Remaining = &Remaining{Removes: true}
	v.History = []Event{{At: now, Actor: "conference", Party: "system", Kind: "conference.removed"}}
	s["invitation-inside-asked"] = InvitationPage(v)
	v.Remaining = &Remaining{Until: now.Add(2 * time.Minute)}
	s["invitation-inside-stay"] = InvitationPage(v)
}
