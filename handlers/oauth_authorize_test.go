package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"admitone/tokens/oauth"
)

func TestAHostIsAskedAndSaysYesOrNo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "", func(d *oauth.Draft) { d.Name, d.Website = "<b>Bookings</b>", "https://app.example" })
	bob := b.signedIn(t, "bob")
	page := bob.get(c.asks()).wants(http.StatusOK).says("<bdi>&lt;b&gt;Bookings&lt;/b&gt;</bdi> asks to act for you", "<bdi>bob</bdi>", "nobody here", "https://app.example",
		"<bdi class=\"mono\">app.example</bdi>", "See your rooms and their history", "Make, change and close rooms", "Go on while you are away").saysNot("Have what happens reported")
	page.kept()
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://app.example;") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the policy is %q", policy)
	}
	no := bob.answers(c.asks(), "deny").told(back)
	if no.Get("error") != "access_denied" || no.Get("state") != "xyz" || no.Get("iss") != b.base || no.Get("error_uri") != b.base+"/problems/access_denied" || no.Has("code") {
		t.Errorf("told %v", no)
	}
	a := bob.answers(c.asks(), "allow")
	yes := a.told(back)
	if len(yes.Get("code")) < 40 || yes.Get("state") != "xyz" || yes.Get("iss") != b.base || len(yes) != 3 {
		t.Errorf("told %v", yes)
	}
	a.kept()
	b.server.Close()
	if strings.Contains(b.log.String(), yes.Get("code")) || b.log.Len() == 0 {
		t.Error("the log holds the code, or nothing")
	}
}

func TestWhoMadeTheAppIsSaid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	bob.get(b.client(t, "bob").asks()).wants(http.StatusOK).says("<dd>you</dd>").saysNot("registered itself")
	bob.get(b.client(t, "alice").asks()).wants(http.StatusOK).says("<bdi>Alice Liddell</bdi>").saysNot("registered itself")
	bob.get(b.client(t, "").asks()).wants(http.StatusOK).says("registered itself")
}

func TestWhatWasAllowedIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, open := b.client(t, ""), b.client(t, "", public)
	bob := b.signedIn(t, "bob")
	bob.answers(c.asks("scope", "rooms:read rooms:write"), "allow").told(back)
	if again := bob.get(c.asks("scope", "rooms:read")).told(back); again.Get("code") == "" || again.Get("state") != "xyz" || again.Get("iss") != b.base {
		t.Errorf("told %v", again)
	}
	bob.get(c.asks("scope", "rooms:read invitations:read")).wants(http.StatusOK)
	bob.do(http.MethodHead, c.asks("scope", "rooms:read"), "").wants(http.StatusOK)
	bob.answers(open.asks(), "allow").told(back)
	bob.get(open.asks()).wants(http.StatusOK)
	b.signedIn(t, "carol").get(c.asks("scope", "rooms:read")).wants(http.StatusOK)
	oob := b.client(t, "", oob)
	bob.answers(oob.asks(), "allow").told(back)
	bob.get(oob.asks("redirect_uri", oauth.OOB)).wants(http.StatusOK).says("asks to act for you")

	// From the sign-in the browser is led on to the app, which that page's policy must allow.
	out := b.browser(t)
	at := out.get(c.asks("scope", "rooms:read")).wants(http.StatusSeeOther).Header.Get("Location")
	page := out.get(at).wants(http.StatusOK)
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://app.example;") {
		t.Errorf("the sign-in's policy is %q", policy)
	}
	on := out.post("/signin", with(page.form("/signin"), "username", "bob", "password", passwords["bob"])).wants(http.StatusSeeOther).Header.Get("Location")
	out.get(on).told(back)
	for _, next := range []string{"/oauth/authorize?client_id=" + url.QueryEscape(c.ID) + "&redirect_uri=https://evil.example", "/oauth/authorize", "https://evil.example" + c.asks(), "/"} {
		policy := b.browser(t).get("/signin?next=" + url.QueryEscape(next)).wants(http.StatusOK).Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "form-action 'self';") {
			t.Errorf("next %s: the policy is %q", next, policy)
		}
	}
}

func TestSigningInComesFirstAndLeadsBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "")
	out := b.browser(t)
	at := out.get(c.asks()).wants(http.StatusSeeOther).Header.Get("Location")
	on := out.post("/signin", with(out.get(at).wants(http.StatusOK).form("/signin"), "username", "bob", "password", passwords["bob"])).wants(http.StatusSeeOther).Header.Get("Location")
	if q := out.answers(on, "allow").told(back); q.Get("state") != "xyz" || q.Get("code") == "" {
		t.Errorf("told %v", q)
	}
	// Whose session ended meanwhile signs in and is asked again.
	stale := out.get(c.asks("scope", "invitations:read")).wants(http.StatusSeeOther)
	stale.told(back) // allowed before
	form := out.get(c.asks("force_login", "")).wants(http.StatusSeeOther)
	form.told(back)
}

func TestForcedSignInIsAskedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "")
	bob := b.signedIn(t, "bob")
	bob.answers(c.asks(), "allow").told(back)
	bob.get(c.asks()).told(back)
	b.Clock.Add(time.Second)
	at := bob.get(c.asks("force_login", "true")).wants(http.StatusSeeOther).Header.Get("Location")
	if !strings.HasPrefix(at, "/signin?again=true&next=") {
		t.Fatalf("led to %s", at)
	}
	page := bob.get(at).wants(http.StatusOK)
	next := page.form("/signin").Get("next")
	if to := bob.get(next).wants(http.StatusSeeOther).Header.Get("Location"); !strings.HasPrefix(to, "/signin?again=true") {
		t.Errorf("who did not sign in again is led to %s", to)
	}
	b.Clock.Add(time.Second)
	on := bob.post("/signin", with(page.form("/signin"), "username", "bob", "password", passwords["bob"])).wants(http.StatusSeeOther).Header.Get("Location")
	bob.get(on).wants(http.StatusOK).says("asks to act for you") // though it was allowed before
	bob.answers(on, "allow").told(back)
}

func TestTheAppPicksTheLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "")
	bob := b.signedIn(t, "bob")
	on := bob.get(c.asks("lang", "zh")).wants(http.StatusSeeOther).Header.Get("Location")
	if !strings.HasPrefix(on, "/oauth/authorize?") || strings.Contains(on, "lang=") {
		t.Fatalf("led to %s", on)
	}
	bob.get(on).wants(http.StatusOK).says(`lang="zh-CN"`, "请求代表您操作", "查看您的房间")
	out := b.browser(t)
	at := out.get(c.asks("lang", "zh-CN")).wants(http.StatusSeeOther).Header.Get("Location")
	out.get(out.get(at).wants(http.StatusSeeOther).Header.Get("Location")).wants(http.StatusOK).says(`lang="zh-CN"`)
}

func TestRefusalsGoToTheAppOnceItsAddressIsTrusted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, loose := b.client(t, "alice", public), b.client(t, "alice")
	nobodys := map[string]client{c.ID: b.client(t, "", public), loose.ID: b.client(t, "")}
	bob := b.signedIn(t, "bob")
	for name, tt := range map[string]struct {
		of           client
		change       []string
		code, reason string
	}{
		"no response_type":       {c, []string{"response_type", ""}, "invalid_request", "parameter_absent"},
		"a token":                {c, []string{"response_type", "token"}, "unsupported_response_type", ""},
		"a code and a token":     {c, []string{"response_type", "code token"}, "unsupported_response_type", ""},
		"no PKCE":                {c, []string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request", "parameter_absent"},
		"PKCE plain":             {c, []string{"code_challenge_method", "plain"}, "invalid_request", "invalid_param"},
		"PKCE of no method":      {c, []string{"code_challenge_method", ""}, "invalid_request", "invalid_param"},
		"PKCE of a method alone": {loose, []string{"code_challenge", ""}, "invalid_request", "parameter_absent"},
		"a short challenge":      {c, []string{"code_challenge", "short"}, "invalid_request", "invalid_param"},
		"an unknown scope":       {c, []string{"scope", "read"}, "invalid_scope", "parameter_rejected"},
		"too wide a scope":       {c, []string{"scope", "webhooks"}, "invalid_scope", "parameter_rejected"},
		"another response_mode":  {c, []string{"response_mode", "fragment"}, "invalid_request", "invalid_param"},
	} {
		q := bob.get(tt.of.asks(tt.change...)).told(back)
		if q.Get("error") != tt.code || q.Get("reason") != tt.reason || q.Get("state") != "xyz" || q.Get("iss") != b.base || q.Get("error_uri") != b.base+"/problems/"+tt.code ||
			q.Get("error_description") == "" || strings.Trim(q.Get("error_description"), printable) != "" || q.Has("code") {
			t.Errorf("%s: told %v", name, q)
		}
		// Who is not signed in is sent nowhere by an app that anybody could have registered.
		if to := b.browser(t).get(nobodys[tt.of.ID].asks(tt.change...)).wants(http.StatusSeeOther).Header.Get("Location"); !strings.HasPrefix(to, "/signin?") {
			t.Errorf("%s: a stranger is led to %s", name, to)
		}
	}
}

// TestTheRedirectAddressIsTakenLetterByLetter: what differs in anything is shown
// here, and nothing is sent there.
func TestTheRedirectAddressIsTakenLetterByLetter(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "", func(d *oauth.Draft) {
		d.Redirects = []string{back, "http://127.0.0.1:7000/cb", "com.example.app:/back", "https://app.example/with?a=b"}
	})
	bob := b.signedIn(t, "bob")
	for _, good := range c.Redirects {
		at, _, _ := strings.Cut(good, "?")
		to := bob.answers(c.asks("redirect_uri", good), "deny").wants(http.StatusSeeOther).Header.Get("Location")
		if !strings.HasPrefix(to, at+"?") || strings.Count(to, "?") != 1 || !strings.Contains(to, "error=access_denied") {
			t.Errorf("%s: led to %s", good, to)
		}
	}
	for _, bad := range []string{
		back + "/", back + "?", back + "?x=1", back + "#", back + "#x", back + "%20", back + "/..", back + "/../back", back + "//", back + "\\", back + ";x", back + "%00",
		"https://app.example", "https://app.example/", "https://app.example/Back", "https://app.example/back2", "https://app.example//back", "https://app.example/./back",
		"https://app.example/%62ack", "https://app.example:443/back", "https://app.example:444/back", "https://app.example./back", "https://APP.example/back", "HTTPS://app.example/back",
		"http://app.example/back", "https://evil.example/back", "https://app.example.evil.example/back", "https://app.example@evil.example/back", "https://evil.example/https://app.example/back",
		"https://evil.example#@app.example/back", "https://evil.example\\@app.example/back", "//app.example/back", "/back", "back", "https:app.example/back", "https:///app.example/back",
		" " + back, back + " ", "\t" + back, back + "\r\nX: y", back + "," + back, back + " https://app.example/with?a=b",
		"http://127.0.0.1:7001/cb", "http://127.0.0.1/cb", "http://localhost:7000/cb", "http://[::1]:7000/cb", "com.example.app:/back2", "com.example.app://back", "javascript:alert(1)", "data:text/html,x",
		oauth.OOB, "urn:ietf:wg:oauth:2.0:oob:auto", "https://xn--app-.example/back", "https://ａpp.example/back",
	} {
		for _, who := range []*visitor{bob, b.browser(t)} {
			a := who.get(c.asks("redirect_uri", bad)).wants(http.StatusBadRequest).says("not registered as its own", "invalid_redirect_uri")
			if a.Header.Get("Location") != "" || strings.Contains(a.Header.Get("Content-Security-Policy"), "evil") {
				t.Errorf("%q: %v", bad, a.Header)
			}
		}
	}
	bob.get(c.asks("redirect_uri", "")).wants(http.StatusBadRequest) // it has several
	one := b.client(t, "")
	bob.answers(one.asks("redirect_uri", ""), "deny").told(back)
}

func TestWhatIsShownHereInsteadOfSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "")
	bob := b.signedIn(t, "bob")
	for name, tt := range map[string]struct{ path, says string }{
		"no client":          {c.asks("client_id", ""), "client_id is missing"},
		"an unknown client":  {c.asks("client_id", "app~nobody"), "No app of that name is registered here"},
		"a host for an app":  {c.asks("client_id", "bob"), "No app of that name is registered here"},
		"a state twice":      {c.asks() + "&state=2", "comes twice"},
		"a redirect twice":   {c.asks() + "&redirect_uri=https://evil.example", "comes twice"},
		"a client twice":     {c.asks() + "&client_id=" + url.QueryEscape(c.ID), "comes twice"},
		"an unknown twice":   {c.asks() + "&x=1&x=1", "comes twice"},
		"half an escape":     {c.asks() + "&x=%", "cannot be read"},
		"no parameter":       {"/oauth/authorize", "client_id is missing"},
		"a broken character": {c.asks() + "&x=%ff", ""},
	} {
		status := http.StatusBadRequest
		if tt.says == "" {
			status = http.StatusOK // an unknown parameter is passed over
		}
		a := bob.get(tt.path).wants(status).says(tt.says)
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", name, a.Header.Get("Cache-Control"))
		}
	}
	removed := b.client(t, "bob")
	if err := b.app.Apps.Remove(t.Context(), b.host(t, "bob"), removed.ID); err != nil {
		t.Fatal(err)
	}
	bob.get(removed.asks()).wants(http.StatusBadRequest).says("No app of that name")
}

// The press is looked at as if it came for the first time, and only our own page
// of the same sign-in can have made it.
func TestAPressOnTheConsentPageIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, other := b.client(t, "alice"), b.client(t, "")
	bob, carol := b.signedIn(t, "bob"), b.signedIn(t, "carol")
	form := func() url.Values {
		return with(bob.get(c.asks()).wants(http.StatusOK).form("/oauth/authorize"), "decision", "allow")
	}
	press := func(v url.Values) answer { return bob.post("/oauth/authorize", v) }
	press(with(form(), "redirect_uri", "https://evil.example")).wants(http.StatusBadRequest).says("not registered as its own")
	press(with(form(), "client_id", "app~nobody")).wants(http.StatusBadRequest)
	if q := press(with(form(), "scope", "webhooks")).told(back); q.Get("error") != "invalid_scope" {
		t.Errorf("told %v", q)
	}
	press(with(form(), "decision", "maybe")).wants(http.StatusBadRequest)
	press(with(form(), "decision", "")).wants(http.StatusBadRequest)
	press(with(form(), "proof", "")).wants(http.StatusForbidden)
	press(with(form(), "proof", carol.get(other.asks()).wants(http.StatusOK).form("/oauth/authorize").Get("proof"))).wants(http.StatusForbidden)
	bob.post("/oauth/authorize", form(), header("Sec-Fetch-Site", "cross-site")).wants(http.StatusForbidden)
	bob.do(http.MethodPost, "/oauth/authorize", form().Encode()+"&scope=x&scope=y", header("Content-Type", "application/x-www-form-urlencoded")).wants(http.StatusBadRequest)
	bob.do(http.MethodPost, "/oauth/authorize", `{}`, header("Content-Type", "application/json")).wants(http.StatusBadRequest)
	bob.do(http.MethodPost, "/oauth/authorize?"+form().Encode(), "", header("Content-Type", "application/x-www-form-urlencoded")).wants(http.StatusBadRequest)
	last := form()
	bob.post("/signout", nil).wants(http.StatusSeeOther)
	to := press(last).wants(http.StatusSeeOther).Header.Get("Location")
	if !strings.HasPrefix(to, "/signin?next=%2Foauth%2Fauthorize") || strings.Contains(to, last.Get("proof")) {
		t.Errorf("led to %s", to)
	}
}

func TestACodeIsShownToWhomHasNoAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "", oob)
	bob := b.signedIn(t, "bob")
	bob.get(c.asks("redirect_uri", oauth.OOB)).wants(http.StatusOK).says("this screen, as a code")
	page := bob.answers(c.asks("redirect_uri", oauth.OOB), "allow").wants(http.StatusOK).says("Your code", "It works once")
	page.kept()
	_, rest, _ := strings.Cut(page.body, `<input id="code" value="`)
	code, _, _ := strings.Cut(rest, `"`)
	app := b.apps(t)
	app.post("/oauth/token", with(c.exchange(code), "redirect_uri", oauth.OOB), c.in).wants(http.StatusOK)
	bob.answers(c.asks("redirect_uri", oauth.OOB), "deny").wants(http.StatusOK).says("Not allowed").saysNot("Your code")
	bob.get(c.asks("redirect_uri", oauth.OOB, "response_type", "token")).wants(http.StatusBadRequest)
	b.server.Close()
	if strings.Contains(b.log.String(), code) || code == "" {
		t.Error("the log holds the code")
	}
}

func TestTheConsentPageLeadsToEveryKindOfApp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := b.signedIn(t, "bob")
	for redirect, want := range map[string]string{
		"https://app.example:8443/back": "https://app.example:8443",
		"http://127.0.0.1:7000/cb":      "http://127.0.0.1:7000",
		"http://[::1]:7000/cb":          "http:",
		"com.example.app:/back":         "com.example.app:",
		"https://x;img-src/back":        "https:",
		oauth.OOB:                       "",
	} {
		d := oauth.Draft{Name: "Bookings", Redirects: []string{redirect}}
		app, secret, err := b.app.Apps.Register(t.Context(), nil, d)
		if err != nil {
			continue // refused where apps are registered is as good
		}
		policy := bob.get(client{app, secret}.asks("redirect_uri", redirect)).wants(http.StatusOK).Header.Get("Content-Security-Policy")
		_, rest, _ := strings.Cut(policy, "form-action 'self'")
		got, _, _ := strings.Cut(rest, ";")
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: form-action 'self' %q, want %q", redirect, got, want)
		}
	}
}
