package views

import (
	"time"

	"github.com/a-h/templ"
)

func askSamples(s map[string]templ.Component) {
	v := Refusal{Page: guestPage(""), Code: "used", Status: 409, Room: "Weekly standup", Host: bidiName, At: now.Add(-7 * time.Minute)}
	v.Ask = &Ask{Action: "/i/06dq3v7m2k8ht0p5ya9c4xjw1r/request", Nonce: "bm9uY2U", Standing: AskMay}
	s["refusal-ask"] = RefusalPage(v)
	wrong := *v.Ask
	wrong.Name, wrong.Errors = scriptName, Errors{"name": Invalid("is too long")}
	w := v
	w.Ask = &wrong
	s["refusal-ask-wrong"] = RefusalPage(w)
	asked := v
	asked.Ask = &Ask{Standing: AskAsked}
	s["refusal-asked"] = RefusalPage(asked)
	answered := v
	answered.Ask = &Ask{Standing: AskAnswered}
	s["refusal-answered"] = RefusalPage(answered)

	room := Room{Page: page("Weekly standup"), Head: roomHeadSample(), Mint: Mint{Slug: "standup", CanHost: true, RoomEnds: true}, List: Invitations{Slug: "standup"}}
	room.Requests = Requests{Now: now}
	for i, code := range []string{"used", "expired", "revoked", "superseded", "wrong_room", "room_closed"} {
		names := []string{"Bo", "", scriptName, bidiName, longName, emojiName}
		room.Requests.Items = append(room.Requests.Items, Request{ID: "req_0" + string(rune('1'+i)), Name: names[i], For: names[(i+1)%6], Invitation: "inv_01", Code: code, At: now.Add(-time.Duration(i*7) * time.Minute)})
	}
	s["room-requests"] = RoomPage(room)
	inside := room
	inside.Requests.Items = nil
	for _, r := range room.Requests.Items {
		r.Inside, r.Guest = true, r.For
		inside.Requests.Items = append(inside.Requests.Items, r)
	}
	s["room-requests-inside"] = RoomPage(inside)
	room.Requests.Closed, room.Requests.Items = true, room.Requests.Items[:1]
	s["room-requests-closed"] = RoomPage(room)
	cards := roomCards()[:2]
	cards[0].Requests, cards[1].Requests = 1, 3
	s["rooms-requests"] = RoomsPage(Rooms{Page: page("Rooms"), Rooms: cards, Form: RoomForm{Name: "New room"}})
}

func moveSamples(s map[string]templ.Component) {
	in := Admitted{Page: guestPage("Weekly standup"), Room: "Weekly standup", Name: emojiName, Role: RoleGuest, Until: now.Add(3 * time.Hour), Action: "/join/standup/admitted"}
	in.Move = &MoveDoor{Action: "/join/standup/move", Nonce: "bm9uY2U"}
	s["admitted-move"] = AdmittedPage(in)
	in.Move = &MoveDoor{Spent: true}
	s["admitted-moved-before"] = AdmittedPage(in)
	s["move-code"] = MoveCodePage(MoveCode{Page: guestPage("Weekly standup"), Room: bidiName, Code: "7KQ0W3ZD", Address: "https://meet.example.org/m", Until: now.Add(2 * time.Minute), Back: "/join/standup/admitted", State: "/join/standup/move/state?"})
	s["move-entry"] = MoveEntryPage(MoveEntry{Page: guestPage("")})
	s["move-entry-wrong"] = MoveEntryPage(MoveEntry{Page: guestPage(""), Code: scriptName, Wrong: Says("move.wrong")})
	here := MoveHere{Page: guestPage("Weekly standup"), Action: "/m/7KQ0W3ZD", Nonce: "bm9uY2U", Room: "Weekly standup", Name: bidiName, Role: RoleGuest, Until: now.Add(3 * time.Hour)}
	s["move-here"] = MoveHerePage(here)
	here.Name, here.Role = "", RoleHost
	s["move-here-host"] = MoveHerePage(here)
	moved := detail(invitations()[1])
	moved.Moves, moved.MaxMoves = 1, 1
	s["invitation-moved"] = InvitationPage(moved)
	moved.MaxMoves = 2
	s["invitation-moved-again"] = InvitationPage(moved)
}
