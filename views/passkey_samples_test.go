package views

import (
	"time"

	"github.com/a-h/templ"
)

// passkeySamples are the pages on which passkeys are made and used.
func passkeySamples(s map[string]templ.Component) {
	keys := []Passkey{
		{ID: "pass_01", Name: bidiName, Made: now.Add(-50 * time.Hour), Used: now.Add(-time.Hour)},
		{ID: "pass_02", Name: scriptName, Made: now.Add(-3 * time.Hour)},
	}
	s["passkeys"] = PasskeysPage(Passkeys{Page: page(""), Offered: true, Keys: keys})
	s["passkeys-first"] = PasskeysPage(Passkeys{Page: page(""), Offered: true, Must: true, First: true})
	s["passkeys-refused"] = PasskeysPage(Passkeys{Page: page(""), Offered: true, Keys: keys, Asked: "pass_02", Wrong: Says("factor.password-wrong")})
	s["passkeys-new"] = PasskeysPage(Passkeys{Page: page(""), Offered: true, New: &NewPasskey{Options: `{"publicKey":{"challenge":"x"}}`}})
	s["passkeys-not-offered"] = PasskeysPage(Passkeys{Page: page("")})
	s["signin-passkey-refused"] = SignInPage(SignIn{Page: guestPage(""), Next: "/rooms/standup", Passkeys: true, Refused: Says("passkeys.wrong")})
	s["signin-code-passkey"] = CodeStepPage(CodeStep{Page: guestPage(""), Passkey: true, NoApp: true})
	s["signin-code-both"] = CodeStepPage(CodeStep{Page: guestPage(""), Passkey: true, Refused: Says("passkeys.late")})
}
