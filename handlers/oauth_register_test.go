package handlers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"admitone/rooms"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

func TestAppsRegisterThemselves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := b.apps(t)
	a := app.json("/oauth/register", map[string]any{"redirect_uris": []string{back}, "client_name": "Bookings", "client_uri": "https://app.example",
		"grant_types": []string{"authorization_code", "refresh_token"}, "scope": "rooms:read offline_access", "software_id": "x", "jwks": map[string]any{}}).wants(http.StatusCreated)
	a.kept()
	said := a.object()
	if said["client_secret"] == "" || said["client_secret_expires_at"] != 0.0 || said["client_id_issued_at"] != float64(b.Clock.Millis()/1000) ||
		said["token_endpoint_auth_method"] != "client_secret_basic" || said["scope"] != "rooms:read offline_access" || said["software_id"] != nil ||
		fmt.Sprint(said["redirect_uris"], said["response_types"], said["grant_types"]) != "["+back+"] [code] [authorization_code refresh_token]" {
		t.Errorf("%s", a.body)
	}
	c := client{oauth.Client{ID: said["client_id"].(string)}, said["client_secret"].(string)}
	app.post("/oauth/token", c.exchange(c.code(t, b)), c.in).wants(http.StatusOK)
	q := b.signedIn(t, "bob").get(c.asks("code_challenge", "", "code_challenge_method", "")).told(back) // PKCE is a must
	if q.Get("error") != "invalid_request" {
		t.Errorf("without PKCE: %v", q)
	}

	open := app.json("/oauth/register", map[string]any{"redirect_uris": []string{"com.example.app:/back", "http://127.0.0.1:7000/"}, "token_endpoint_auth_method": "none", "client_name": "Phone"}).wants(http.StatusCreated).object()
	if _, has := open["client_secret"]; has || open["token_endpoint_auth_method"] != "none" {
		t.Errorf("a public app: %v", open)
	}
	bare := app.json("/oauth/register", map[string]any{"grant_types": []string{"client_credentials"}, "client_name": "Robot"}).wants(http.StatusCreated).object()
	if fmt.Sprint(bare["redirect_uris"], bare["response_types"]) != "[] []" {
		t.Errorf("one that acts by itself: %v", bare)
	}
	if named := app.json("/oauth/register", map[string]any{"redirect_uris": []string{back}}).wants(http.StatusCreated).object(); named["client_name"] != "app.example" {
		t.Errorf("without a name: %v", named)
	}
}

func TestWhatCannotBeRegistered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := b.apps(t)
	for name, tt := range map[string]struct{ body, code, reason string }{
		"no redirect address":        {`{"client_name":"x"}`, "invalid_redirect_uri", "invalid_callback"},
		"an empty list":              {`{"client_name":"x","redirect_uris":[]}`, "invalid_redirect_uri", "invalid_callback"},
		"a text for the list":        {`{"client_name":"x","redirect_uris":"https://app.example/"}`, "invalid_redirect_uri", "invalid_callback"},
		"http elsewhere":             {`{"client_name":"x","redirect_uris":["http://app.example/"]}`, "invalid_redirect_uri", "invalid_callback"},
		"a script":                   {`{"client_name":"x","redirect_uris":["javascript:alert(1)"]}`, "invalid_redirect_uri", "invalid_callback"},
		"a fragment":                 {`{"client_name":"x","redirect_uris":["https://app.example/#x"]}`, "invalid_redirect_uri", "invalid_callback"},
		"a long name":                {`{"client_name":"` + strings.Repeat("x", 101) + `","redirect_uris":["https://app.example/"]}`, "invalid_client_metadata", ""},
		"a website that is a script": {`{"client_name":"x","client_uri":"javascript:1","redirect_uris":["https://app.example/"]}`, "invalid_client_metadata", ""},
		"a signing client":           {`{"redirect_uris":["https://app.example/"],"token_endpoint_auth_method":"private_key_jwt"}`, "invalid_client_metadata", ""},
		"implicit":                   {`{"redirect_uris":["https://app.example/"],"grant_types":["implicit"]}`, "invalid_client_metadata", ""},
		"tokens in the address":      {`{"redirect_uris":["https://app.example/"],"response_types":["token"]}`, "invalid_client_metadata", ""},
		"public and by itself":       {`{"client_name":"x","token_endpoint_auth_method":"none","grant_types":["client_credentials"]}`, "invalid_client_metadata", ""},
		"a number for a name":        {`{"client_name":1,"redirect_uris":["https://app.example/"]}`, "invalid_client_metadata", ""},
		"an unknown scope":           {`{"redirect_uris":["https://app.example/"],"scope":"read"}`, "invalid_scope", "parameter_rejected"},
		"a member twice":             {`{"redirect_uris":["https://app.example/"],"redirect_uris":["https://evil.example/"]}`, "invalid_request", ""},
		"no JSON":                    {`redirect_uris=x`, "invalid_request", ""},
	} {
		t.Run(name, func(t *testing.T) {
			app.do(http.MethodPost, "/oauth/register", tt.body, header("Content-Type", "application/json")).fails(http.StatusBadRequest, tt.code, tt.reason)
		})
	}
	app.post("/oauth/register", fields("redirect_uris", back)).fails(http.StatusBadRequest, "invalid_request", "")
}

func TestAppsRegisterAsWithMastodon(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := b.apps(t)
	typed := header("Content-Type", "application/x-www-form-urlencoded")
	for name, send := range map[string]func() answer{
		"a form": func() answer {
			return app.post(v1+"/apps", fields("client_name", "Bookings", "redirect_uris", back+"\n"+oauth.OOB, "scopes", "rooms:read rooms:write", "website", "https://app.example"))
		},
		"a form of fields": func() answer {
			return b.nobody(t).do("POST", v1+"/apps", "client_name=Bookings&redirect_uris[]="+back+"&redirect_uris[]="+oauth.OOB+"&scopes=rooms:read+rooms:write&website=https://app.example", typed)
		},
		"JSON": func() answer {
			return app.json(v1+"/apps", map[string]any{"client_name": "Bookings", "redirect_uris": back + " " + oauth.OOB, "scopes": "rooms:read rooms:write", "website": "https://app.example", "vapid": 1})
		},
		"JSON of lists": func() answer {
			return app.json(v1+"/apps", map[string]any{"client_name": "Bookings", "redirect_uris": []string{back, oauth.OOB}, "scopes": []string{"rooms:read", "rooms:write"}, "website": "https://app.example"})
		},
	} {
		a := send().wants(http.StatusOK)
		a.kept()
		said := a.object()
		if said["id"] != said["client_id"] || said["client_secret"] == "" || said["client_secret_expires_at"] != 0.0 || said["name"] != "Bookings" || said["website"] != "https://app.example" ||
			said["redirect_uri"] != back+"\n"+oauth.OOB || fmt.Sprint(said["redirect_uris"], said["scopes"]) != "["+back+" "+oauth.OOB+"] [rooms:read rooms:write]" {
			t.Errorf("%s: %s", name, a.body)
		}
		c := client{oauth.Client{ID: said["client_id"].(string)}, said["client_secret"].(string)}
		code := c.code(t, b, "code_challenge", "", "code_challenge_method", "") // PKCE is not forced
		app.post("/oauth/token", with(c.exchange(code), "code_verifier", ""), c.in).wants(http.StatusOK)
	}
	for name, tt := range map[string]struct{ body, code string }{
		"no name":            {"redirect_uris=" + back, "invalid_client_metadata"},
		"no address":         {"client_name=x", "invalid_redirect_uri"},
		"http elsewhere":     {"client_name=x&redirect_uris=http://app.example/", "invalid_redirect_uri"},
		"Mastodon's scope":   {"client_name=x&redirect_uris=" + back + "&scopes=read", "invalid_scope"},
		"a name twice":       {"client_name=x&client_name=y&redirect_uris=" + back, "invalid_request"},
		"both ways of lists": {"client_name=x&redirect_uris=" + back + "&redirect_uris[]=" + back, "invalid_request"},
		"no website":         {"client_name=x&website=x&redirect_uris=" + back, "invalid_client_metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			reason := map[string]string{"invalid_redirect_uri": "invalid_callback", "invalid_scope": "parameter_rejected"}[tt.code]
			app.do("POST", v1+"/apps", tt.body, typed).fails(http.StatusBadRequest, tt.code, reason)
		})
	}
}

func TestRegisteringIsSlowedByAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := b.apps(t)
	for range 30 {
		app.json("/oauth/register", map[string]any{"client_name": "x"}).wants(http.StatusBadRequest) // what is refused costs nothing
	}
	for i := range 20 {
		if i%2 == 0 {
			app.json("/oauth/register", map[string]any{"redirect_uris": []string{back}}).wants(http.StatusCreated)
		} else {
			app.post(v1+"/apps", fields("client_name", "x", "redirect_uris", back)).wants(http.StatusOK)
		}
	}
	app.json("/oauth/register", map[string]any{"redirect_uris": []string{back}}).fails(http.StatusTooManyRequests, "too_many_requests", "")
	app.post(v1+"/apps", fields("client_name", "x", "redirect_uris", back)).fails(http.StatusTooManyRequests, "too_many_requests", "")
	b.from(t, "127.0.5.1").post(v1+"/apps", fields("client_name", "x", "redirect_uris", back)).wants(http.StatusOK)
	b.Clock.Add(time.Minute)
	app.post(v1+"/apps", fields("client_name", "x", "redirect_uris", back)).wants(http.StatusOK)
}

// A network of IPv6 is one address, and whoever has a whole site of such networks has
// no more than a site's share.
func TestRegisteringIsSlowedByNetworkAndSiteOfIPv6(t *testing.T) {
	t.Parallel()
	b := setup(t)
	register := func(from string) int {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, b.base+"/oauth/register", strings.NewReader(`{"redirect_uris":["`+back+`"]}`))
		req.RemoteAddr = "[" + from + "]:1234"
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		b.echo.ServeHTTP(w, req)
		return w.Code
	}
	made := func(n int, from func(int) string) (good int) {
		for i := range n {
			switch code := register(from(i)); code {
			case http.StatusCreated:
				good++
			case http.StatusTooManyRequests:
			default:
				t.Fatalf("%s is answered %d", from(i), code)
			}
		}
		return good
	}
	for _, row := range []struct {
		what string
		n    int
		from func(int) string
		want int
	}{
		{"one network", 30, func(i int) string { return fmt.Sprintf("2001:db8:1:1:%x::1", i) }, 20},
		{"the rest of its site", 120, func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", 2+i) }, 80},
		{"another site", 1, func(int) string { return "2001:db8:2::1" }, 1},
		{"addresses of IPv4, as IPv6 writes them", 120, func(i int) string { return fmt.Sprintf("::ffff:203.0.113.%d", i) }, 120},
	} {
		if got := made(row.n, row.from); got != row.want {
			t.Errorf("%s: %d apps, want %d", row.what, got, row.want)
		}
	}
	b.Clock.Add(15 * time.Second)
	if got := made(3, func(i int) string { return fmt.Sprintf("2001:db8:1:ff%02x::1", i) }); got != 1 {
		t.Errorf("later: %d apps, want 1", got)
	}
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	of, alone, narrow, open := b.client(t, "bob"), b.client(t, ""), b.client(t, "bob", func(d *oauth.Draft) { d.Scopes = "rooms:read" }), b.client(t, "", public)
	app := b.apps(t)
	ask := func(c client, token string) map[string]any {
		a := app.post("/oauth/introspect", fields("token", token), c.in).wants(http.StatusOK)
		a.kept()
		said := a.object()
		if said["active"] == false && len(said) != 1 {
			t.Errorf("says more than that it is none: %s", a.body)
		}
		return said
	}
	given := app.post("/oauth/token", alone.exchange(alone.code(t, b)), alone.in).wants(http.StatusOK).object()
	access, refresh := given["access_token"].(string), given["refresh_token"].(string)
	for _, c := range []client{of, alone} { // the app itself, and one of the host for whom it acts
		if said := ask(c, access); said["active"] != true || said["username"] != "bob" || said["client_id"] != alone.ID || said["token_type"] != "Bearer" {
			t.Errorf("access: %v", said)
		}
		if said := ask(c, refresh); said["active"] != true || said["token_type"] != "refresh_token" {
			t.Errorf("refresh: %v", said)
		}
	}
	carols := b.client(t, "carol")
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{})
	long, err := b.Invitations.Links.Token(b.invitation(t, inv.ID))
	if err != nil {
		t.Fatal(err)
	}
	short := b.Invitations.Links.Code(inv.ID)
	for _, token := range []string{long, short, strings.ToUpper(short)} {
		said := ask(of, token)
		if said["active"] != true || said["token_type"] != "invite+jwt" || said["jti"] != inv.ID.Show(rooms.InvitationPrefix) || said["room"] != "standup" || said["role"] != "guest" ||
			said["iss"] != b.base || said["aud"] != b.base+"/join/standup" || said["exp"] != float64(inv.ExpiresAt/1000) || said["iat"] != float64(inv.CreatedAt/1000) {
			t.Errorf("an invitation: %v", said)
		}
		for name, c := range map[string]client{"nobody's": alone, "without the scope": narrow, "another host's": carols} {
			if said := ask(c, token); said["active"] != false {
				t.Errorf("%s app knows of an invitation: %v", name, said)
			}
		}
	}
	for name, token := range map[string]string{"nothing": "nothing", "a link": b.base + b.short(inv), "a host's token": b.token(t, "bob"), "a cut token": access[:len(access)-2], "a code": short[:20] + map[bool]string{true: "1", false: "0"}[short[20] == '0'] + short[21:]} {
		if said := ask(of, token); said["active"] != false {
			t.Errorf("%s: %v", name, said)
		}
	}
	for _, token := range []string{access, refresh} {
		if said := ask(carols, token); said["active"] != false {
			t.Errorf("a stranger's app: %v", said)
		}
	}
	b.browser(t).press(t, b.short(inv)).wants(http.StatusSeeOther)
	if said := ask(of, long); said["active"] != false {
		t.Errorf("used: %v", said)
	}
	app.post("/oauth/introspect", fields("token", access, "client_id", open.ID)).fails(http.StatusBadRequest, "unauthorized_client", "")
	app.post("/oauth/introspect", fields("token", access)).fails(http.StatusUnauthorized, "invalid_client", "")
	app.post("/oauth/introspect", nil, of.in).fails(http.StatusBadRequest, "invalid_request", "parameter_absent")
	app.get(v1+"/rooms", header("Authorization", "Bearer "+access)).wants(http.StatusOK)
}

func TestPagesElsewhereCallOnlyWhatProgramsCall(t *testing.T) {
	t.Parallel()
	const page = "https://page.example"
	b := setup(t, func(b *bench) { b.app.Origins = []string{page, "http://localhost:3000"} })
	b.room(t, "bob", "standup")
	program, bob := b.program(t, "bob"), b.signedIn(t, "bob")
	preflight := func(path, origin string) answer {
		return b.nobody(t).do(http.MethodOptions, path, "", header("Origin", origin), header("Access-Control-Request-Method", "POST"), header("Access-Control-Request-Headers", "authorization"))
	}
	for _, path := range []string{v1 + "/rooms", v1 + "/apps", "/oauth/token", "/oauth/revoke", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"} {
		a := preflight(path, page).wants(http.StatusNoContent)
		if a.Header.Get("Access-Control-Allow-Origin") != page || !strings.Contains(a.Header.Get("Access-Control-Allow-Headers"), "Authorization") ||
			!strings.Contains(a.Header.Get("Access-Control-Allow-Methods"), "POST") || a.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, a.Header)
		}
		if got := preflight(path, "https://evil.example").Header; got.Get("Access-Control-Allow-Origin") != "" || !slices.Contains(got.Values("Vary"), "Origin") {
			t.Errorf("%s for a stranger: %v", path, got)
		}
		for _, origin := range []string{"null", page + ".evil.example", "http://page.example", page + ":443", "https://PAGE.example"} {
			if got := preflight(path, origin).Header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("%s for %s: %s", path, origin, got)
			}
		}
	}
	list := program.get(v1+"/rooms?limit=1", header("Origin", page)).wants(http.StatusOK)
	if list.Header.Get("Access-Control-Allow-Origin") != page || !slices.Contains(list.Header.Values("Vary"), "Origin") {
		t.Errorf("%v", list.Header)
	}
	for _, name := range []string{"Link", "ETag", "Retry-After", "WWW-Authenticate", "Location", "X-AdmitOne-OTP"} {
		if !strings.Contains(list.Header.Get("Access-Control-Expose-Headers"), name) {
			t.Errorf("%s cannot be read", name)
		}
	}
	refused := b.nobody(t).get(v1+"/rooms", header("Origin", page)).wants(http.StatusUnauthorized)
	if refused.Header.Get("Access-Control-Allow-Origin") != page {
		t.Error("a refusal cannot be read")
	}
	b.nobody(t).post("/oauth/token", nil, header("Origin", page), header("Sec-Fetch-Site", "cross-site")).fails(http.StatusBadRequest, "invalid_request", "parameter_absent")
	for _, path := range []string{"/oauth/authorize", "/oauth/introspect", "/oauth/register", "/", "/signin", "/rooms/standup", "/account", "/metrics", "/api/v2/x"} {
		for _, a := range []answer{preflight(path, page), bob.get(path, header("Origin", page))} {
			for name := range a.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s: %s", a.Request.Method, path, name)
				}
			}
		}
	}
	for name := range setup(t).nobody(t).get(v1+"/rooms", header("Origin", page)).Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("without the setting: %s", name)
		}
	}
}

// A stranger's registrations and tokens are rows: among any number at once no
// more are made than an address has left.
func TestStrangersFillNoDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	at := func(path string, form url.Values, good int, more ...func(*http.Request)) (made int64) {
		var n atomic.Int64
		var all sync.WaitGroup
		for range 60 {
			all.Go(func() {
				if got := b.apps(t).post(path, form, more...); got.StatusCode == good {
					n.Add(1)
				} else if got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
					t.Errorf("%s: %d", path, got.StatusCode)
				}
			})
		}
		all.Wait()
		return n.Load()
	}
	if n := at("/api/v1/apps", fields("client_name", "Spam", "redirect_uris", back), http.StatusOK); n != 20 {
		t.Errorf("%d apps, want 20", n)
	}
	nobodys, bobs := b.client(t, ""), b.client(t, "bob")
	grant := fields("grant_type", "client_credentials")
	if n := at("/oauth/token", grant, http.StatusOK, nobodys.in); n != 20 {
		t.Errorf("%d tokens of an app that acts for nobody, want 20", n)
	}
	if n := at("/oauth/token", grant, http.StatusOK, bobs.in); n != 60 {
		t.Errorf("%d tokens of bob's own app, want 60", n)
	}
}
