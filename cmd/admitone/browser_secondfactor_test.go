package main

import (
	"bytes"
	"image/png"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/pquerna/otp/totp"
)

const factorPath = "/account/second-factor"

// phone is an authenticator app that scanned a QR code. Each of its codes is of a
// later step than the one before; the server takes a step that begins soon.
type phone struct {
	t      testing.TB
	secret string
	ahead  time.Duration
}

func (p *phone) code() string {
	p.t.Helper()
	code, err := totp.GenerateCode(p.secret, time.Now().Add(p.ahead))
	if err != nil {
		p.t.Fatal(err)
	}
	p.ahead += 30 * time.Second
	return code
}

// scan reads the QR code on the page as a phone does, from how it looks.
func (b *browserTab) scan() *phone {
	b.t.Helper()
	img, err := png.Decode(bytes.NewReader(ask(b, "photograph the code", chromedp.Screenshot(chromedp.CSS(".qr img")))))
	if err != nil {
		b.t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		b.t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		b.t.Fatalf("no decoder reads the code: %v", err)
	}
	u, err := url.Parse(read.GetText())
	if err != nil || u.Scheme != "otpauth" || u.Path != "/AdmitOne:"+hostName+"@localhost" {
		b.t.Fatalf("the code says %q", read.GetText())
	}
	return &phone{t: b.t, secret: u.Query().Get("secret")}
}

// askFor begins to set a second factor up, with the host's password.
func (b *browserTab) askFor() *phone {
	b.t.Helper()
	b.Open(factorPath)
	b.Fill("#request-password", hostPassword)
	b.Follow(`form[action$="/request"] button`)
	return b.scan()
}

func (b *browserTab) enterCode(field, code string) {
	b.t.Helper()
	b.Fill(field, code)
	b.Follow("main form:has(" + field + ") button")
}

func (b *browserTab) at(path string) bool {
	b.t.Helper()
	at, _, _ := strings.Cut(b.URL(), "?")
	return at == path
}

// A host sets a second factor up by scanning, signs in with its codes and with a
// recovery code, makes new ones and turns it off.
func TestBrowserSecondFactor(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, strings.TrimSuffix(ladies, "]")+`,{"username":"grace","password":"`+hostPassword+`","display_name":"Grace Hopper"}]`)
		look.Server = s.URL
		if look.Dark {
			look.Language = "zh-CN"
		}
		host, other := newBrowser(t, look), newBrowser(t, look)
		host.signIn()
		other.signIn()
		host.Open("/account")
		host.seen(name + "-factor-account")
		host.Open(factorPath)
		host.seen(name + "-factor-off")
		host.Fill("#request-password", "not the password")
		host.Follow(`form[action$="/request"] button`)
		host.seen(name + "-factor-password-wrong")

		app := host.askFor()
		host.seen(name + "-factor-scan")
		host.enterCode("#factor-code", "000000")
		if host.Status() != 400 || host.Count("#factor-code-wrong") != 1 {
			t.Fatalf("a wrong code: %d %s", host.Status(), host.Text("main"))
		}
		host.seen(name + "-factor-scan-wrong")
		if again := host.scan(); again.secret != app.secret {
			t.Error("a wrong code changed the secret")
		}
		host.enterCode("#factor-code", app.code())
		if host.Count(".recovery li") != 10 {
			t.Fatalf("the right code: %s", host.Text("main"))
		}
		recovery := host.Text(".recovery li:nth-child(7)")
		host.seen(name + "-factor-codes")
		host.Follow(".recovery + div a")
		host.seen(name + "-factor-on")
		if other.Open("/account"); !other.at("/signin") {
			t.Errorf("the other browser is at %s", other.URL())
		}

		host.Open("/")
		host.Click("header details.menu summary")
		host.Follow(`form[action="/signout"] button`)
		host.signIn()
		if !host.at("/signin/code") {
			t.Fatalf("after the password at %s", host.URL())
		}
		host.do("wait for the keyboard to be at the code", chromedp.Poll[chromedp.Void](`document.activeElement.id === "code"`))
		host.seen(name + "-code")
		host.enterCode("#code", "000000")
		host.seen(name + "-code-wrong")
		host.enterCode("#code", app.code())
		if !host.at("/") || host.Count("header details.menu") != 1 {
			t.Fatalf("after the code at %s: %s", host.URL(), host.Text("main"))
		}
		other.signIn()
		other.Follow(`main form[action="/signout"] button`)
		if other.Open("/signin/code"); !other.at("/signin") {
			t.Errorf("signed out between the two, at %s", other.URL())
		}
		other.signIn()
		other.Click("details.more summary")
		other.seen(name + "-code-recovery")
		other.enterCode("#recovery", strings.ToLower(recovery))
		if !other.at("/") {
			t.Fatalf("after the recovery code at %s: %s", other.URL(), other.Text("main"))
		}

		host.Open(factorPath)
		host.Fill("#codes-password", hostPassword)
		host.Follow(`form[action$="/codes"] button`)
		if host.Count(".recovery li") != 10 || host.Text(".recovery li:nth-child(7)") == recovery {
			t.Errorf("new codes: %s", host.Text("main"))
		}
		host.Open(factorPath)
		host.Fill("#disable-password", hostPassword)
		host.Follow(`form[action$="/disable"] button`)
		if host.Count("#request-password") != 1 {
			t.Errorf("after it was turned off: %s", host.Text("main"))
		}
	})
}

// Where an admin requires it, a host without one is led to set it up, and gets on
// with it without JavaScript.
func TestBrowserMustSetUpASecondFactor(t *testing.T) {
	t.Parallel()
	s := startServer(t, strings.TrimSuffix(ladies, "]")+`,{"username":"grace","password":"`+hostPassword+`","display_name":"Grace Hopper"}]`)
	s.secure(t)
	h := newBrowser(t, browserOptions{Server: s.URL, NoScript: true, Width: 360})
	h.signIn()
	if !h.at("/signin/code") {
		t.Fatalf("the password alone leads to %s", h.URL())
	}
	if out, err := s.run(t, "hosts", "reset-two-factor", hostName); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h.signIn()
	h.Open(factorPath)
	h.Follow(`form[action$="/require"] button`)
	h.Open("/")
	if !h.at(factorPath) {
		t.Fatalf("without one, at %s", h.URL())
	}
	h.Screenshot("factor-must")
	h.enterCode("#factor-code", h.askFor().code())
	h.Follow(".recovery + div a")
	h.Screenshot("factor-everybody")
	h.Open("/")
	if !h.at("/") {
		t.Errorf("with one, at %s", h.URL())
	}
}
