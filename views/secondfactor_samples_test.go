package views

import (
	"time"

	"github.com/a-h/templ"
)

// factorSamples are the pages about the second factor.
func factorSamples(s map[string]templ.Component) {
	s["code"] = CodeStepPage(CodeStep{Page: guestPage(""), Next: "/rooms/standup"})
	s["code-wrong"] = CodeStepPage(CodeStep{Page: guestPage(""), Next: `"><script>`, Wrong: true})
	s["code-slow"] = CodeStepPage(CodeStep{Page: guestPage(""), RetryAfter: 150 * time.Second})
	s["signin-late"] = SignInPage(SignIn{Page: guestPage(""), Late: true})

	admin := page("")
	admin.Admin = true
	s["second-factor-off"] = SecondFactorPage(SecondFactor{Page: page(""), Asked: "request", Wrong: Says("factor.password-wrong")})
	s["second-factor-must"] = SecondFactorPage(SecondFactor{Page: admin, Must: true, Required: true, Hosts: []HostFactor{{Username: "bo"}}})
	s["second-factor-setup"] = SecondFactorPage(SecondFactor{Page: page(""), Setup: &FactorSetup{Token: "b3BhcXVl", Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
		URI: "otpauth://totp/x", QR: "data:image/svg+xml;base64,PHN2Zy8+", Wrong: Says("factor.code-wrong")}})
	s["second-factor-codes"] = SecondFactorPage(SecondFactor{Page: page(""), On: true, Codes: []string{"0A1B-2C3D-4E5F", "ZZZZ-YYYY-XXXX"}})
	s["second-factor-on"] = SecondFactorPage(SecondFactor{Page: admin, On: true, Since: now.Add(-90 * time.Hour), Left: 1, Required: true,
		Asked: "disable", Wrong: Says("factor.slow"), Hosts: []HostFactor{{Username: "bo", Name: bidiName, On: true}, {Username: "cy"}}})
}
