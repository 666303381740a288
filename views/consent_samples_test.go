package views

import "github.com/a-h/templ"

// consentSamples are the pages on which a host is asked to allow an app.
func consentSamples(s map[string]templ.Component) {
	asked := Consent{Page: page(""), App: bidiName, Website: "https://app.example/" + longName, Host: "Grace Hopper", Redirect: "app.example", Scopes: []string{"rooms:read", "invitations:host", "offline_access"},
		Fields: []HiddenField{{"client_id", "app~1"}, {"state", `"><script>`}}, Proof: "proof"}
	s["consent"] = ConsentPage(asked)
	mine := asked
	mine.App, mine.Website, mine.Maker, mine.Mine, mine.Redirect, mine.Scopes = scriptName, "", "grace", true, "", []string{"redeem", "webhooks", "rooms:write", "invitations:read", "invitations:write"}
	s["consent-mine"] = ConsentPage(mine)
	others := asked
	others.App, others.Maker = longName, emojiName
	s["consent-of-another"] = ConsentPage(others)
	s["consent-code"] = ConsentCodePage(ConsentCode{Page: page(""), App: bidiName, Code: "THECODETHECODETHECODETHECODETHECODETHECODETHECODE"})
	s["consent-denied"] = ConsentCodePage(ConsentCode{Page: page(""), App: scriptName})
	for _, code := range []string{"invalid_client", "invalid_redirect_uri", "invalid_request"} {
		s["consent-refused-"+code] = ConsentRefusedPage(ConsentRefused{Page: page(""), Status: 400, Code: code, Detail: "The redirect address is not one that the app is registered with."})
	}
	s["consent-unsent"] = ConsentRefusedPage(ConsentRefused{Page: page(""), Status: 400, Code: "invalid_scope", Detail: "The scope is not known.",
		Back: "https://app.example/back?error=invalid_scope&state=%22%3E", BackTo: "app.example"})
	s["problem-oauth"] = ProblemPage(Problem{Page: page("Code or refresh token not good"), Code: "invalid_grant", Title: "Code or refresh token not good", Meaning: "M.", Remedy: "R.", Former: Former("invalid_grant"), Status: 400})
}
