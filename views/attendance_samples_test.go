package views

import (
	"time"

	"github.com/a-h/templ"
)

func attendanceSamples(s map[string]templ.Component) {
	at := func(minutes int) time.Time { return now.Add(time.Duration(-minutes) * time.Minute) }
	v := Attendance{Page: page(""), Name: bidiName, Slug: "standup", Part: "all", Parts: []string{"all", "came", "not_yet", "did_not_come", "refused"}, Next: "aW52",
		Turnout: Turnout{Invited: 9, Came: 4, NotYet: 2, DidNotCome: 3, People: 5, Refused: 4}, Live: &Live{Stream: "/rooms/standup/live", Page: "/rooms/standup/attendance", Host: true}}
	v.Invitees = []Invitee{
		{ID: "inv_01", Name: emojiName, Email: "ada@guests.example", Role: RoleGuest, Attendance: "came", MaxUses: 1, Visits: []Visit{{Name: emojiName, Came: at(50), Back: 2, BackAt: at(5)}}},
		{ID: "inv_02", Name: bidiName, Role: RoleHost, Attendance: "came", MaxUses: 1, Visits: []Visit{{Name: scriptName, Came: at(40), RemovedAt: at(20)}}},
		{ID: "inv_03", Role: RoleGuest, Attendance: "came", MaxUses: 3, Visits: []Visit{{Name: longName, Came: at(30)}, {Came: at(29), Back: 1, BackAt: at(2)}}, Turned: []Turned{{"used", 3, at(1)}, {"pin_wrong", 1, at(9)}}},
		{ID: "inv_04", Name: longName, Email: "grace@guests.example", Role: RoleGuest, Attendance: "not_yet", MaxUses: 1, Opened: at(12)},
		{ID: "inv_05", Name: scriptName, Role: RoleGuest, Attendance: "did_not_come", MaxUses: 1, Revoked: true},
		{ID: "inv_06", Role: RoleGuest, NameRemoved: true, Attendance: "came", MaxUses: 1, Visits: []Visit{{Came: at(90_000)}}},
		{ID: "inv_07", Role: RoleGuest, NameRemoved: true, Attendance: "did_not_come", MaxUses: 1, Replaced: true},
	}
	s["attendance"] = AttendancePage(v)
	s["attendance-nobody"] = AttendancePage(Attendance{Page: page(""), Name: "Weekly standup", Slug: "standup", Part: "came", Parts: v.Parts, Turnout: Turnout{Invited: 1, NotYet: 1}})
	s["attendance-empty"] = AttendancePage(Attendance{Page: page(""), Name: "Weekly standup", Slug: "standup", Part: "all", Parts: v.Parts})

	s["person-data"] = PersonPage(PersonData{Page: page("")})
	s["person-data-wrong"] = PersonPage(PersonData{Page: page(""), Everywhere: true, Typed: scriptName, Errors: Errors{"address": Invalid("is not a mail address")}})
	s["person-data-none"] = PersonPage(PersonData{Page: page(""), Address: "nobody@guests.example", Typed: "nobody@guests.example"})
	kept := PersonData{Page: page(""), Address: "ada@guests.example", Typed: "ada@guests.example", Live: 1, Errors: Errors{"confirm": Says("person.confirm-wrong")}}
	kept.Invitations = []PersonInvitation{{ID: "inv_01", Name: bidiName, State: Redeemed, Room: emojiName, RoomSlug: "standup", Made: at(600), Came: at(50)},
		{ID: "inv_02", State: Pending, Room: longName, RoomSlug: "other", Made: at(60)}}
	s["person-data-kept"] = PersonPage(kept)
}
