package views

import (
	"time"

	"github.com/a-h/templ"
)

// appSamples are the pages about what acts for a host, and about the keys that sign.
func appSamples(s map[string]templ.Component) {
	scopes := []string{"rooms:read", "rooms:write", "invitations:read", "invitations:write", "invitations:host", "redeem", "webhooks", "offline_access"}
	key := APIKey{ID: "key_01", Name: bidiName, Scopes: scopes[:2], Made: now.Add(-50 * time.Hour), Used: now.Add(-time.Hour)}
	fresh := APIKey{ID: "key_02", Name: "Booking script", Scopes: scopes[:4], Made: now.Add(-time.Minute)}
	form := APIKeyForm{Scopes: Scopes{All: scopes[:7], Chosen: scopes[:4]}}
	s["apikeys"] = APIKeysPage(APIKeys{Page: page(""), Keys: []APIKey{fresh, key}, Made: &Secret{"Booking script", "ao_0123456789abcdef", "/account/keys"}, Form: form})
	form.Name, form.Scopes.Chosen, form.Scopes.Wrong = scriptName, nil, Says("scopes.none")
	form.Errors = Errors{"name": Invalid("is too long"), "scope": Says("scopes.none")}
	s["apikeys-refused"] = APIKeysPage(APIKeys{Page: page(""), Form: form})
	open := page("")
	open.NoSignOut = true
	s["apikeys-open"] = APIKeysPage(APIKeys{Page: open})
	did := Did{Next: "/account/keys/key_01?before=ev_1", Lines: []StoryLine{
		{Event: Event{At: now.Add(-time.Hour), Actor: bidiName, Party: "key", Kind: "invitation.minted"}, Invitation: "inv_01", Guest: emojiName, Room: scriptName, Slug: "script"},
		{Event: Event{At: now.Add(-2 * time.Hour), Actor: "Booking", Party: "app", Kind: "client.token", Detail: "grace"}},
	}}
	s["apikey"] = APIKeyPage(APIKeyDetail{Page: page(""), Key: key, Did: did})

	mine := App{ID: "app~01", Name: "Booking", Website: "https://booking.example/", Redirects: []string{"https://booking.example/back", "com.example.app:/back"}, Scopes: scopes[:4], Owner: "grace",
		Made: now.Add(-50 * time.Hour), Used: now.Add(-time.Hour)}
	allowed := App{ID: "app~02", Name: scriptName, Scopes: scopes, Public: true, Made: now.Add(-90 * time.Hour), Allowed: scopes[:3], Since: now.Add(-time.Hour)}
	admin := page("")
	admin.Admin = true
	makes := AppForm{Scopes: Scopes{All: scopes, Chosen: scopes[:4]}}
	s["apps"] = AppsPage(Apps{Page: admin, Made: []App{mine}, Allowed: []App{allowed}, Others: []App{{ID: "app~03", Name: longName, Made: now.Add(-90 * time.Hour)}},
		Next: "/account/apps?after=1767258000000-app~03", Form: makes})
	makes.Name, makes.Website, makes.Redirects, makes.Public = scriptName, "nowhere", "http://example.org/\nx", true
	makes.Errors = Errors{"name": Says("apps.wrong-name"), "website": Says("apps.wrong-website"), "redirects": Says("apps.wrong-redirect")}
	s["apps-refused"] = AppsPage(Apps{Page: page(""), Form: makes})
	s["apps-later"] = AppsPage(Apps{Page: admin, Later: true, Others: []App{{ID: "app~04", Name: "Gate", Made: now.Add(-99 * time.Hour)}}, Form: makes})
	makes.Errors = Errors{"redirects": Says("apps.no-redirect")}
	s["apps-public"] = AppsPage(Apps{Page: page(""), Form: makes})
	s["apps-open"] = AppsPage(Apps{Page: open})
	s["app"] = AppPage(AppDetail{Page: page(""), App: mine, Governed: true, Secret: &Secret{"Booking", "0123456789abcdef", "/account/apps/app~01"}, Limit: Scopes{All: scopes, Chosen: scopes[:4]}, Did: did})
	s["app-allowed"] = AppPage(AppDetail{Page: page(""), App: allowed})

	ring := []SigningKey{
		{ID: "k3", Use: "invite", Alg: "EdDSA", State: "next", From: now.Add(5 * time.Minute)}, {ID: "k2", Use: "invite", Alg: "EdDSA", State: "current", From: now.Add(-time.Hour)},
		{ID: "k1", Use: "invite", Alg: "HS256", State: "former", From: now.Add(-50 * time.Hour)}, {ID: "l1", Use: "link", Alg: "HS256", State: "current", From: now.Add(-50 * time.Hour)},
	}
	s["ring"] = SigningKeysPage(SigningKeys{Page: admin, Keys: ring[1:]})
	s["ring-coming"] = SigningKeysPage(SigningKeys{Page: admin, Keys: ring, Coming: now.Add(5 * time.Minute)})
}
