package views

import (
	"time"

	"github.com/a-h/templ"
)

func seriesSamples(s map[string]templ.Component) {
	place := Series{Every: "weekly", Nth: 2, Size: 4, Rest: 2}
	for i, state := range []string{RoomEnded, RoomOpen, RoomClosed, RoomUpcoming} {
		start := now.AddDate(0, 0, 7*(i-1))
		place.Rooms = append(place.Rooms, SeriesRoom{Slug: "standup-" + string(rune('1'+i)), Name: "Weekly standup", State: state, StartsAt: start, EndsAt: start.Add(time.Hour), This: i == 1})
	}
	room := Room{Page: page("Weekly standup"), Head: roomHeadSample(), Mint: Mint{Slug: "standup", CanHost: true, RoomEnds: true}, List: Invitations{Slug: "standup"}}
	room.Head.Series = place
	room.Mint.Done = &Minted{ID: "inv_01", Name: "Bo", Role: RoleGuest, RoomName: "Weekly standup", MaxUses: 1, Now: now, ExpiresAt: now.Add(time.Hour),
		Link: Link{Short: "https://meet.example.org/i/06dq3v7m2k8ht0p5ya9c4xjw1r"}, Send: sendSample()}
	s["room-series"] = RoomPage(room)
	cards := roomCards()[:2]
	cards[0].Series, cards[1].Series = Series{Every: "weekdays", Nth: 1, Size: 2}, Series{Every: "fortnightly", Nth: 2, Size: 2}
	s["rooms-series"] = RoomsPage(Rooms{Page: page("Rooms"), Rooms: cards, Form: RoomForm{Name: "New room", Repeats: []string{"weekly", "fortnightly", "weekdays"}}})
	form := RoomForm{From: "standup", Name: bidiName, StartsAt: "2026-11-30T14:00", EndsAt: "2026-11-30T15:00", Timezone: "Europe/Berlin", People: 12, Repeats: []string{"weekly", "fortnightly", "weekdays"}}
	s["room-copy"] = RoomCopyPage(RoomCopy{Page: page(""), Name: bidiName, Form: form})
	form.Repeat, form.Times, form.Invite = "weekdays", "99", true
	form.Errors = Errors{"times": Invalid("is 2 to 52"), "invite": Invalid("are more than 10000 invitations"), "starts_at": Invalid("is on a weekend, when these rooms do not come"), "repeat": Invalid("is weekly, fortnightly or weekdays")}
	s["room-copy-refused"] = RoomCopyPage(RoomCopy{Page: page(""), Name: bidiName, Form: form})
	s["room-edit-series"] = RoomEditPage(RoomEdit{Page: page(""), Name: "Weekly standup", Form: RoomForm{Room: "standup", Name: "Weekly standup", StartsAt: "2026-11-30T14:00", Timezone: "Europe/Berlin", Rest: 3}})
}

// sendSample is an invitation to hand on, in another language than the page's.
func sendSample() Send {
	return Send{Calendar: "/invitations/inv_01/invite.ics", Invite: Invite{Room: bidiName, Host: scriptName, Role: RoleHost, Link: "https://meet.example.org/i/06dq3v7m2k8ht0p5ya9c4xjw1r", MaxUses: 1,
		Window: Window{now, now.Add(time.Hour)}, Zone: "Europe/Berlin", AsksPIN: true, Email: "ada@guests.example", Locales: []string{"de"}}}
}

func calendarSamples(s map[string]templ.Component) {
	at := "/i/06dq3v7m2k8ht0p5ya9c4xjw1r/invite.ics"
	s["join-calendar"] = JoinPage(Join{Page: guestPage("Weekly standup"), Action: "/i/x", Nonce: "bm9uY2U", Room: "Weekly standup", Host: "Ada", Role: RoleGuest, Until: now.Add(time.Hour), MaxUses: 1, Calendar: at})
	s["admitted-calendar"] = AdmittedPage(Admitted{Page: guestPage("Weekly standup"), Room: "Weekly standup", Name: "Bo", Role: RoleGuest, Until: now.Add(time.Hour), Action: "/join/standup/admitted", Calendar: at})
	s["refusal-calendar"] = RefusalPage(Refusal{Page: guestPage(""), Code: "not_yet", Status: 403, Room: "Weekly standup", Host: "Ada", At: now.Add(50 * time.Hour), Calendar: at})
	sent := detail(invitations()[0])
	sent.Send = sendSample()
	s["invitation-send"] = InvitationPage(sent)
}
