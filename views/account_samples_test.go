package views

import (
	"net/url"
	"time"

	"github.com/a-h/templ"
)

// accountSamples are the pages about a host's own sign-ins, a room's history and sheets to print.
func accountSamples(s map[string]templ.Component) {
	signedIn := []SignedIn{
		{ID: "in_01", Browser: "Firefox", System: "Linux", Since: now.Add(-3 * time.Hour), Seen: now, This: true},
		{ID: "in_02", Browser: "Chrome", System: "Android", Since: now.Add(-50 * time.Hour), Seen: now.Add(-time.Hour), New: true},
		{ID: "in_03", Since: now.Add(-90 * time.Hour), Seen: now.Add(-80 * time.Hour)},
	}
	told := page("")
	told.News = signedIn[1:2]
	s["account"] = AccountPage(Account{Page: told, SignIns: signedIn, TwoFactor: true})
	open := page("")
	open.NoSignOut = true
	s["account-open"] = AccountPage(Account{Page: open})

	line := func(kind, actor, guest, detail string) StoryLine {
		return StoryLine{Event: Event{At: now.Add(-time.Hour), Actor: actor, Kind: kind, Detail: detail}, Invitation: "inv_01", Guest: guest}
	}
	s["history"] = RoomHistoryPage(RoomHistory{Page: page(""), Name: bidiName, Slug: "standup", Next: "/rooms/standup/history?before=ev_1", Lines: []StoryLine{
		line("invitation.refused", "", emojiName, "used"), line("invitation.redeemed", bidiName, bidiName, ""), line("invitation.opened", "", scriptName, ""),
		line("invitation.revoked", "grace", "", bidiName), line("invitation.minted", "grace", longName, ""),
		{Event: Event{At: now.Add(-2 * time.Hour), Actor: "grace", Kind: "room.created"}},
	}})
	s["history-empty"] = RoomHistoryPage(RoomHistory{Page: page(""), Name: "Weekly standup", Slug: "standup"})

	card := func(name, role string, uses int) Card {
		return Card{Name: name, Code: "<svg></svg>", Invite: Invite{Room: bidiName, Role: role, Link: shortLink, MaxUses: uses, Until: now.Add(time.Hour), AsksPIN: uses > 1}}
	}
	sheet := Sheet{Page: page(""), Room: bidiName, Slug: "standup", LeftOut: 1, Chosen: url.Values{"id": {"inv_01"}}, From: 1001, Paper: "a4", Next: "/rooms/standup/sheet?cursor=x",
		Cards: []Card{card(bidiName, RoleGuest, 1), card("", RoleHost, 12)}}
	for _, sheet.Layout = range Layouts() {
		s["sheet-"+sheet.Layout] = SheetPage(sheet)
	}
	s["sheet-empty"] = SheetPage(Sheet{Page: page(""), Room: "Weekly standup", Slug: "standup", Layout: "8", Paper: "letter", From: 1})
}
