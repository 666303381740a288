package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	_ "image/png" // the product's codes are pictures in PNG
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// filmed is a video of somebody who holds that picture before a camera, for
// Chromium to play as one (YUV4MPEG2).
func filmed(t *testing.T, picture image.Image) string {
	t.Helper()
	const width, height = 640, 480
	var film bytes.Buffer
	fmt.Fprintf(&film, "YUV4MPEG2 W%d H%d F5:1 Ip A1:1 C420jpeg\n", width, height)
	size := picture.Bounds().Dx()
	for frame := range 5 {
		film.WriteString("FRAME\n")
		for y := range height {
			for x := range width {
				// Never quite still, and before a grey wall.
				at, light := image.Pt(x-150-3*frame, y-70+2*frame), byte(120)
				if scaled := at.Mul(size).Div(330); at.In(image.Rect(0, 0, 330, 330)) {
					light = color.GrayModel.Convert(picture.At(scaled.X, scaled.Y)).(color.Gray).Y
				}
				film.WriteByte(light)
			}
		}
		film.Write(bytes.Repeat([]byte{128}, width*height/2))
	}
	file := filepath.Join(t.TempDir(), "film.y4m")
	if err := os.WriteFile(file, film.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// newPhone is newBrowser on a device of its own, whose camera sees that film.
func newPhone(t *testing.T, options browserOptions, film string) *browserTab {
	t.Helper()
	process, err := startChromium(chromiumProgram(t), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-file-for-fake-video-capture", film))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.stop)
	options.Language = "en"
	b := openTab(t, process.ctx, options, chromedp.WithNewBrowserContext())
	t.Cleanup(b.check)
	return b
}

// connected gives the window its network, or takes it away.
func (b *browserTab) connected(yes bool) {
	b.t.Helper()
	b.do("change the network", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		all := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
			{Offline: !yes, DownloadThroughput: -1, UploadThroughput: -1}}}
		if _, err := cdp.Call(ctx, tab, network.EmulateNetworkConditionsByRule, all); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, tab, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !yes, DownloadThroughput: -1, UploadThroughput: -1})
		return err
	}))
}

// seenByAll is seen in each size and theme.
func (b *browserTab) seenByAll(name string) {
	b.t.Helper()
	for _, look := range everyLook {
		b.options.Width, b.options.Dark, b.options.Mobile = look.width, look.dark, look.mobile
		b.do("look at it as "+look.name, chromedp.Func(b.options.look))
		b.seenBy("door-"+name+"-"+look.name, look.rules)
	}
}

// answers fails the test unless the door says that of the latest code.
func (b *browserTab) answers(verdict string, words ...string) {
	b.t.Helper()
	b.WaitVisible(`#answer [data-verdict="` + verdict + `"]`)
	got := b.Text("#answer")
	for _, word := range words {
		if !strings.Contains(got, word) {
			b.t.Errorf("the door does not say %q: %s", word, got)
		}
	}
}

// types enters a code by the keyboard alone.
func (b *browserTab) types(code string) {
	b.t.Helper()
	for i := 0; !b.Focused("#door-code"); i++ {
		if i > 30 {
			b.t.Fatal("no Tab leads to the field for a code")
		}
		b.Press(kb.Tab)
	}
	b.Press(code)
	b.Press(kb.Enter)
}

func (s *server) uses(t *testing.T, inv minted, want string) {
	t.Helper()
	if got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID, nil).Get("uses"); got != want {
		t.Errorf("%s uses are taken, want %s", got, want)
	}
}

// A host at the door with a phone, and another host with a second one: codes
// seen by the camera and typed, undone, noted without a network, and settled when
// that is back, or when a host who was signed out is in again.
func TestBrowserDoor(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	room := s.createRoom(t, "The hall")
	mint := func(name string) minted { return s.mint(t, room, members{"name": name}) }
	ada, bo, cy, di := mint("Ada Lovelace"), mint("Bo"), mint("Cy"), mint("Di")
	code := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+ada.ID+"/qr.png", nil)
	picture, _, err := image.Decode(bytes.NewReader(code.Body))
	if err != nil {
		t.Fatal(err)
	}

	phone := newPhone(t, browserOptions{Server: s.URL, Width: 360, Height: 740, Mobile: true, Timezone: "Europe/Berlin"}, filmed(t, picture))
	phone.signIn()
	phone.Open("/rooms/" + room)
	phone.Follow(`main .doors a[href$="/door"]`)
	phone.seenByAll("ready")
	// Chromium's own camera has no light.
	if _, err := eval[int](phone, `Object.assign(MediaStreamTrack.prototype, {
		getCapabilities: () => ({ torch: true }), applyConstraints: async (c) => { door.dataset.lit = JSON.stringify(c); } }), 1`); err != nil {
		t.Fatal(err)
	}
	phone.Click("#start")
	phone.answers("admitted", "Admitted", "Ada Lovelace", "Guest")
	if below, err := eval[float64](phone, `document.getElementById("stop").getBoundingClientRect().bottom + scrollY - innerHeight`); err != nil || below > 0 {
		t.Errorf("answer and camera reach %.0f px below what the phone shows at once (%v)", below, err)
	}
	phone.Click("#torch")
	phone.WaitVisible(`#door[data-lit='{"advanced":[{"torch":true}]}']`)
	phone.Click(`#answer form button`)
	phone.answers("returned", "Undone")
	s.uses(t, ada, "0") // although the code is still before the camera
	phone.types(ada.Short)
	phone.answers("admitted", "Ada Lovelace")
	phone.seenByAll("admitted")
	s.uses(t, ada, "1")

	second := newBrowser(t, browserOptions{Server: s.URL, Timezone: "Europe/Berlin"})
	second.signIn()
	second.Open("/rooms/" + room + "/door")
	second.types(ada.Code())
	second.answers("used", "Used", "Ada Lovelace", "just now")
	second.seenByAll("used")
	second.Click("#start") // it has no camera
	second.WaitVisible("#failed")
	second.seenByAll("no-camera")

	second.Expect("413") // what cannot be asked is dropped, and the next is
	if _, err := eval[int](second, `(f => { f.removeAttribute("maxlength"); f.value = "x".repeat(2e6); f.form.requestSubmit(); return 1 })(document.getElementById("door-code"))`); err != nil {
		t.Fatal(err)
	}
	second.answers("invalid_link", "Unknown")
	second.types("__proto__")
	second.answers("invalid_link")
	second.types(ada.Code())
	second.answers("used", "Ada Lovelace")

	phone.Expect("ERR_INTERNET_DISCONNECTED")
	phone.connected(false)
	phone.types(bo.Code())
	phone.answers("noted", "Noted", "Not checked")
	phone.types(cy.Code())
	phone.WaitVisible("#scans [data-verdict=noted]")
	phone.types(cy.Code())
	phone.WaitVisible("#answer [data-again]")
	if away := phone.Text("#away"); !strings.Contains(away, "No connection") || !strings.Contains(away, "Waiting: 3") {
		t.Errorf("the banner says %s", away)
	}
	phone.seenByAll("offline")
	s.uses(t, bo, "0")
	second.types(bo.Code())
	second.answers("admitted", "Bo")

	phone.connected(true)
	phone.WaitGone("#away")
	phone.WaitVisible("#scans [data-verdict=used]")
	phone.WaitVisible("#scans [data-verdict=admitted]")
	phone.answers("used", "Cy", "not admitted") // the same code a second time
	if list := phone.Text("#scans"); strings.Contains(list, "Not checked") || !strings.Contains(list, "Whoever you let in with it then is not admitted") {
		t.Errorf("after it was settled: %s", list)
	}
	phone.seenByAll("conflict")
	s.uses(t, bo, "1")
	s.uses(t, cy, "1")

	phone.Expect("401")
	phone.do("sign out", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, network.ClearBrowserCookies, cdp.Empty{})
		return err
	}))
	phone.types(di.Code())
	phone.answers("noted")
	phone.WaitVisible("#away .signed-out")
	phone.seenByAll("signed-out")
	s.uses(t, di, "0")
	phone.Follow("#away a")
	phone.Fill("#username", hostName)
	phone.Fill("#password", hostPassword)
	phone.Follow("main form button[type=submit]")
	phone.WaitVisible("#scans [data-verdict=admitted]") // the answer is for who stands there now
	if list := phone.Text("#scans"); !strings.Contains(list, "Di") || !strings.Contains(list, "Noted here") {
		t.Errorf("after signing in again: %s", list)
	}
	s.uses(t, di, "1")
	phone.Open("/rooms/" + room + "/door")
	phone.says("undid letting Ada Lovelace in")
	phone.seenByAll("lately")
}
