package views

import (
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

var now = time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)

// Names that strangers might choose.
const (
	scriptName = `<script>alert("1")</script><img src=x onerror=alert(1)>`
	bidiName   = "Ada \u202Eecafsnart\u2066 \u2069\u2069 x"
	emojiName  = "👩🏽‍🚀 Zoë 李雷"
)

var longName = strings.Repeat("Wolfeschlegelsteinhausenbergerdorff", 3)

const (
	shortLink = "https://meet.example.org/i/06dq3v7m2k8ht0p5ya9c4xjw1r"
	jwtLink   = "https://meet.example.org/join/standup?token=header.claims.signature"
)

func page(title string) Page { return Page{Title: title, Host: "Grace Hopper", Now: now} }

func guestPage(title string) Page { return Page{Title: title, Now: now} }

func window() (from, to time.Time) {
	return now.Add(-time.Hour), now.Add(2 * time.Hour)
}

func roomCards() []RoomCard {
	from, to := window()
	return []RoomCard{
		{Name: "Weekly standup", Slug: "standup", State: RoomOpen, StartsAt: from, EndsAt: to, Live: 4, Redeemed: 7},
		{Name: "Board meeting", Slug: "board", State: RoomUpcoming, StartsAt: now.Add(49 * time.Hour), EndsAt: now.Add(51 * time.Hour), Backend: "main", Live: 1, Owner: emojiName},
		{Name: scriptName, Slug: "script", State: RoomClosed},
		{Name: longName, Slug: "long-" + strings.Repeat("x", 50), State: RoomEnded, EndsAt: now.Add(-24 * time.Hour), Redeemed: 1234567},
		{Name: bidiName, Slug: "bidi", State: RoomOpen, StartsAt: from},
	}
}

func invitations() []Invitation {
	row := func(id, name, role, state string) Invitation {
		return Invitation{ID: "inv_" + id, Name: name, Role: role, State: state, MaxUses: 1, ExpiresAt: now.Add(42 * time.Minute), CreatedAt: now.Add(-3 * time.Hour), Now: now, ShortURL: shortLink, MayRevoke: true}
	}
	used := row("02", "Ada Lovelace", RoleHost, Redeemed)
	used.Uses, used.RedeemedAt = 1, now.Add(-5*time.Minute)
	used.Email = strings.Repeat("ada.", 20) + "@example.com"
	justRevoked := row("03", emojiName, RoleGuest, Revoked)
	justRevoked.UndoUntil = now.Add(50 * time.Second)
	several := row("06", longName, RoleGuest, Pending)
	several.Uses, several.MaxUses, several.ExpiresAt = 3, 25, now.Add(70*time.Hour)
	hidden := row("07", scriptName, RoleHost, Pending)
	hidden.ShortURL, hidden.MayRevoke = "", false
	return []Invitation{
		row("01", "", RoleGuest, Pending), used, justRevoked,
		row("04", bidiName, RoleGuest, Expired), row("05", "Old link", RoleGuest, Superseded), several, hidden,
	}
}

func roomHeadSample() RoomHead {
	from, to := window()
	return RoomHead{Name: "Weekly standup", Slug: "standup", State: RoomOpen, StartsAt: from, EndsAt: to, MayChange: true}
}

func mintedSample(name string) *Minted {
	return &Minted{ID: "inv_01", Name: name, Role: RoleGuest, RoomName: "Weekly standup", Link: Link{Short: shortLink, Full: jwtLink}, ExpiresAt: now.Add(42 * time.Minute), MaxUses: 1, Now: now}
}

func detail(i Invitation) InvitationDetail {
	return InvitationDetail{
		Page: page(""), RoomName: "Weekly standup", RoomSlug: "standup", Invitation: i,
		Link: Link{Short: shortLink, Full: jwtLink}, CreatedBy: Who{Name: "Grace Hopper"}, RevokedBy: Who{"Booking", "app"}, RevokedAt: now.Add(-10 * time.Second),
		ReplacedBy: "inv_08", MayReissue: true, Rename: &Rename{Name: i.Name, Email: "ada@example.com"},
		History: []Event{
			{At: now.Add(-5 * time.Minute), Kind: "invitation.opened"},
			{At: now.Add(-3 * time.Hour), Actor: scriptName, Kind: "invitation.minted", Detail: "as guest, for " + bidiName},
		},
	}
}

func joinSample() Join {
	return Join{
		Page: guestPage("Weekly standup"), Action: "/i/06dq3v7m2k8ht0p5ya9c4xjw1r", Nonce: "bm9uY2U", Room: "Weekly standup", Host: "Grace Hopper", Elsewhere: elsewhereSample(),
		Role: RoleGuest, For: "Ada Lovelace", Name: "Ada Lovelace", Until: now.Add(42 * time.Minute), MaxUses: 1,
	}
}

// samples is every page and fragment in every variant that looks different, by the name of its golden file.
func samples() map[string]templ.Component {
	s := map[string]templ.Component{}
	hostSamples(s)
	accountSamples(s)
	factorSamples(s)
	appSamples(s)
	invitationSamples(s)
	guestSamples(s)
	plainSamples(s)
	askSamples(s)
	attendanceSamples(s)
	moveSamples(s)
	seriesSamples(s)
	calendarSamples(s)
	conferenceSamples(s)
	consentSamples(s)
	passkeySamples(s)
	bulkSamples(s)
	doorSamples(s)
	postSamples(s)
	return s
}

func hostSamples(s map[string]templ.Component) {
	backends := []Backend{{"main", "mirotalk"}, {"big", "bigbluebutton"}}
	s["signin"] = SignInPage(SignIn{Page: guestPage(""), Next: "/rooms/standup"})
	s["signin-wrong"] = SignInPage(SignIn{Page: guestPage(""), Username: `"><script>`, Wrong: true})
	s["signin-slow"] = SignInPage(SignIn{Page: guestPage(""), Username: "grace", RetryAfter: 150 * time.Second})
	s["rooms-empty"] = RoomsPage(Rooms{Page: page(""), Form: RoomForm{Suggest: true, Owner: "Grace"}})
	admin := page("")
	admin.Admin, admin.Flash = true, Notice{Tone: Good, Text: Says("did.closed"), UndoAction: "/rooms/standup/reopen", UndoLabel: Says("room.menu-reopen")}
	s["rooms"] = RoomsPage(Rooms{Page: admin, Rooms: roomCards(), Form: RoomForm{Name: "New room", Backends: backends}, Next: "/?cursor=abc"})
	s["rooms-refused"] = RoomsPage(Rooms{Page: page(""), Rooms: roomCards()[:1], Form: RoomForm{
		Name: scriptName, NewSlug: "standup", StartsAt: "2026-11-23T15:00", EndsAt: "2026-11-23T14:00", Timezone: "Europe/Berlin", Backends: backends, Backend: "big",
		Errors: Errors{"slug": Says("wrong.slug-taken"), "ends_at": Invalid("must be after starts_at")}}})
	s["room-edit-handover"] = RoomEditPage(RoomEdit{Page: page(""), Name: "Weekly standup", Form: RoomForm{Room: "standup", Name: "Weekly standup"},
		HandOver: HandOver{Room: "standup", Owner: "grace", Hosts: []OtherHost{{Username: "bob"}, {Username: "ada", Name: bidiName}}, Errors: Errors{"owner": Invalid("is no host here")}}})
	s["room-edit-locale"] = RoomEditPage(RoomEdit{Page: page(""), Name: "Weekly standup", Form: RoomForm{Room: "standup", Name: "Weekly standup", Locale: "pt-BR"}})
	s["room-edit"] = RoomEditPage(RoomEdit{Page: page(""), Name: "Weekly standup", Form: RoomForm{Room: "standup", Name: "Weekly standup", StartsAt: "2026-11-23T13:00", EndsAt: "2026-11-23T16:00", Timezone: "Europe/Berlin"}})

	room := Room{Page: page("Weekly standup"), Head: roomHeadSample(), Mint: Mint{Slug: "standup", CanHost: true, RoomEnds: true}, List: Invitations{Slug: "standup"}}
	s["room-empty"] = RoomPage(room)
	full := room
	full.List.Items, full.List.Next = invitations(), "/rooms/standup?cursor=abc"
	s["room"] = RoomPage(full)
	busy := room
	busy.People = peopleSample()
	busy.People.Slug, busy.People.Live = "standup", &Live{Stream: "/rooms/standup/live", Page: "/rooms/standup", Host: true}
	busy.People.Removed = []Person{{ID: "adm_0000000000003", Invitation: "inv_0000000000003", Name: bidiName, Role: RoleGuest, Since: now}}
	s["room-people"] = RoomPage(busy)
	full.Mint.Done = mintedSample("")
	s["room-minted"] = RoomPage(full)
	filtered := room
	filtered.List = Invitations{Slug: "standup", State: Revoked, Query: `"><b>`}
	filtered.Mint = Mint{Slug: "standup"}
	s["room-filtered"] = RoomPage(filtered)
	closed := room
	closed.Head = RoomHead{Name: scriptName, Slug: "script", State: RoomClosed, Backend: "main", Owner: bidiName, MayChange: true}
	closed.Page = page(scriptName)
	closed.Mint, closed.List = Mint{Slug: "script", Closed: true}, Invitations{Slug: "script", Closed: true}
	s["room-closed"] = RoomPage(closed)
	refused := room
	refused.Mint = Mint{Slug: "standup", CanHost: true, Role: RoleHost, Name: scriptName, Expires: "custom", ExpiresAt: "2026-11-22T10:00", Timezone: "Europe/Berlin", MaxUses: "0",
		Errors: Errors{"expires_at": Invalid("is in the past"), "max_uses": Says("wrong.uses", "max", 1000)}}
	s["room-refused"] = RoomPage(refused)

	s["fragment-mint-result"] = MintResultFragment(MintResult{Panel: Mint{Slug: "standup", CanHost: true, Done: mintedSample(scriptName)}, Row: invitations()[0]})
	s["fragment-mint-refused"] = MintPanel(refused.Mint)
	focused := invitations()[2]
	focused.Focus = true
	s["fragment-row-revoked"] = InvitationRow(focused)
	s["fragment-toast"] = Toast(Notice{Text: Invalid(scriptName)})
}

func invitationSamples(s map[string]templ.Component) {
	for i, name := range []string{"pending", "redeemed", "revoked", "expired", "superseded", "several", "hidden"} {
		v := detail(invitations()[i])
		if name == "hidden" {
			v.Link = Link{}
			v.NotBefore = now.Add(time.Hour)
		}
		s["invitation-"+name] = InvitationPage(v)
	}
}

// peopleSample is a lobby with one guest of a hostile name and an unnamed host.
func peopleSample() *People {
	return &People{Now: now, Here: []Person{
		{ID: "adm_0000000000001", Invitation: "inv_0000000000001", Name: scriptName, Role: RoleGuest, Since: now.Add(-7 * time.Minute)},
		{ID: "adm_0000000000002", Invitation: "inv_0000000000002", Role: RoleHost, Since: now.Add(-2 * time.Hour)},
	}}
}

func guestSamples(s map[string]templ.Component) {
	s["join"] = JoinPage(joinSample())
	back := joinSample()
	back.Admitted, back.Role, back.For, back.Until = true, RoleHost, "", now.Add(12*time.Hour)
	s["join-back"] = JoinPage(back)
	hostile := joinSample()
	hostile.Room, hostile.Host, hostile.For, hostile.Name, hostile.MaxUses, hostile.SignedInAs = longName, bidiName, scriptName, scriptName, 25, emojiName
	hostile.Page.Title = bidiName
	hostile.Errors = Errors{"name": Invalid("is too long")}
	s["join-hostile"] = JoinPage(hostile)
	in := Admitted{Page: guestPage("Weekly standup"), Room: "Weekly standup", Name: emojiName, Role: RoleGuest, Until: now.Add(3 * time.Hour), Action: "/join/standup/admitted"}
	s["admitted"] = AdmittedPage(in)
	in.People = peopleSample()
	in.People.Here[0].You, in.People.Live = true, &Live{Stream: "/join/standup/live", Page: "/join/standup/admitted"}
	s["admitted-people"] = AdmittedPage(in)
	in.People = nil
	in.Conference, in.Name = "MiroTalk", ""
	s["admitted-conference"] = AdmittedPage(in)
	for code := range refusals {
		v := Refusal{Page: guestPage(""), Code: code, Status: 403, Room: "Weekly standup", Host: "Grace Hopper", Again: "/i/06dq3v7m2k8ht0p5ya9c4xjw1r"}
		switch code {
		case "used":
			v.At = now.Add(-7 * time.Minute)
		case "not_yet":
			v.At = now.Add(9*time.Minute + 30*time.Second)
			v.For, v.Role = bidiName, RoleGuest
		case "too_many_requests":
			v.RetryAfter = 40 * time.Second
		case "invalid_link":
			v.Room, v.Host = "", ""
		case "revoked":
			v.Room, v.Host = scriptName, bidiName
		}
		s["refusal-"+code] = RefusalPage(v)
	}
	s["refusal-cookieless"] = RefusalPage(Refusal{Page: guestPage(""), Code: "no_nonce", Status: 403, Again: "/i/06dq3v7m2k8ht0p5ya9c4xjw1r", Cookieless: true, Elsewhere: elsewhereSample()})
}

func elsewhereSample() *Elsewhere {
	return &Elsewhere{Link: "https://meet.example/i/06dq3v7m2k8ht0p5ya9c4xjw1r", QR: "/i/06dq3v7m2k8ht0p5ya9c4xjw1r/qr.svg"}
}

func plainSamples(s map[string]templ.Component) {
	for _, status := range []int{403, 404, 405, 409, 413, 422, 429, 500, 503} {
		s["error-"+strconv.Itoa(status)] = ErrorPage(Failure{Page: page(""), Status: status, Code: "some_code", RequestID: "req_123", RetryAfter: 30 * time.Second})
	}
	s["error-guest"] = ErrorPage(Failure{Page: guestPage(""), Status: 404, Code: "not_found", Guest: true})
	e, _ := Explain("used")
	s["problem"] = ProblemPage(Problem{Page: guestPage(e.Title), Code: "used", Title: e.Title, Meaning: e.Meaning, Remedy: e.Remedy, Status: 409})
	s["docs"] = DocsPage(Docs{Page: page("API"), Groups: []DocGroup{
		{"Rooms", []DocCall{{"GET", "/api/v1/rooms", "List rooms.", "rooms:read"}, {"POST", "/api/v1/rooms", "Create a room.", "rooms:write"}, {"PATCH", "/api/v1/rooms/{room}", "Change a room.", "rooms:write"}, {"DELETE", "/api/v1/rooms/{room}", "Close a room.", "rooms:write"}}},
		{"Users", []DocCall{{"POST", "/api/v1/users/token", "Sign in for scripts.", ""}}},
	}})
}
