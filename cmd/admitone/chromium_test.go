package main

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browserOptions says what kind of visitor opens the pages of Server.
type browserOptions struct {
	Server        string // the origin under test, such as http://127.0.0.1:40123; Open is relative to it
	Width, Height int64  // in CSS pixels; 1280 by 800 if zero
	Dark          bool   // prefers-color-scheme
	NoScript      bool   // JavaScript is off
	Hidden        bool   // the page knows when another tab covers it
	Mobile        bool   // a phone: touch, two device pixels to one of CSS
	Language      string // Accept-Language and navigator.languages, such as "zh-CN"; "en" if empty
	Timezone      string // such as "Asia/Shanghai"; UTC if empty
}

// browserTab is one visitor: a window with cookies of its own in the Chromium that all tests of this
// process share. It belongs to the goroutine of its test.
type browserTab struct {
	*watch
	t       testing.TB
	ctx     context.Context
	options browserOptions
}

// newBrowser opens an empty window. When the test ends it fails for everything that went wrong in the pages,
// whether the test looked or not: see watch. Without Chromium the test is skipped, and under
// CI=true it fails.
func newBrowser(t testing.TB, options browserOptions) *browserTab {
	t.Helper()
	b := openBrowser(t, options)
	t.Cleanup(b.check) // runs before the cleanup that closes the window
	return b
}

// openBrowser is newBrowser without the check at the end.
func openBrowser(t testing.TB, options browserOptions) *browserTab {
	t.Helper()
	if options.Width == 0 {
		options.Width, options.Height = 1280, 800
	}
	if options.Height == 0 {
		options.Height = 800
	}
	if options.Language == "" {
		options.Language = "en"
	}
	if options.Timezone == "" {
		options.Timezone = "UTC"
	}
	return openTab(t, useChromium(t), options, chromedp.WithNewBrowserContext())
}

// beside is one more tab of b's window, with its cookies and its connections. The tabs hide one another.
func (b *browserTab) beside() *browserTab {
	b.t.Helper()
	options := b.options
	options.Hidden = true
	return openTab(b.t, b.ctx, options, chromedp.WithNewWindow(false))
}

func openTab(t testing.TB, in context.Context, options browserOptions, where ...chromedp.ContextOption) *browserTab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(in, where...)
	t.Cleanup(closeTab)
	b := &browserTab{t: t, ctx: ctx, options: options, watch: newWatch(options.Server)}
	// Not b.do: the first call on a context binds the window's life to the context it is given.
	if err := chromedp.Listen(ctx, b.see); err != nil {
		t.Fatal(err)
	}
	b.do("open a window", chromedp.Func(options.become))
	return b
}

// look gives the window that visitor's size and theme, also one that shows a page already.
func (o browserOptions) look(ctx context.Context, tab *chromedp.Target) error {
	viewport := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if o.Mobile {
		viewport = []chromedp.EmulateViewportOption{chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch}
	}
	if _, err := chromedp.EmulateViewport(o.Width, o.Height, viewport...)(ctx, tab); err != nil {
		return err
	}
	scheme := "light"
	if o.Dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		// Pictures and contrasts are of the page as it comes to rest.
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, media)
	return err
}

// become makes the window that visitor's.
func (o browserOptions) become(ctx context.Context, tab *chromedp.Target) error {
	if err := o.look(ctx, tab); err != nil {
		return err
	}
	// Windows of parallel tests would otherwise take the focus from one another.
	focus := emulation.SetFocusEmulationEnabledParams{Enabled: !o.Hidden}
	if _, err := cdp.Call(ctx, tab, emulation.SetFocusEmulationEnabled, focus); err != nil {
		return err
	}
	timezone := emulation.SetTimezoneOverrideParams{TimezoneID: o.Timezone}
	if _, err := cdp.Call(ctx, tab, emulation.SetTimezoneOverride, timezone); err != nil {
		return err
	}
	version, err := chromedp.CallBrowser(ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return err
	}
	agent := emulation.SetUserAgentOverrideParams{UserAgent: version.UserAgent, AcceptLanguage: o.Language}
	if _, err := cdp.Call(ctx, tab, emulation.SetUserAgentOverride, agent); err != nil {
		return err
	}
	script := emulation.SetScriptExecutionDisabledParams{Value: o.NoScript}
	_, err = cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, script)
	return err
}

// chromium is the one browser process of this test process. It runs while any test uses it, so that
// nothing of it is left when the tests end.
var chromium struct {
	sync.Mutex
	users   int
	process *chromiumProcess
}

type chromiumProcess struct {
	ctx  context.Context
	stop func()
}

// useChromium returns the context of the running browser, and gives it back when t ends.
func useChromium(t testing.TB) context.Context {
	t.Helper()
	program := chromiumProgram(t)
	chromium.Lock()
	defer chromium.Unlock()
	if chromium.users == 0 {
		process, err := startChromium(program)
		if err != nil {
			t.Fatalf("start %s: %v", program, err)
		}
		chromium.process = process
	}
	chromium.users++
	t.Cleanup(func() {
		chromium.Lock()
		defer chromium.Unlock()
		if chromium.users--; chromium.users == 0 {
			chromium.process.stop()
		}
	})
	return chromium.process.ctx
}

func startChromium(program string, more ...chromedp.ExecAllocatorOption) (*chromiumProcess, error) {
	// chromedp adds no-sandbox for root, a data directory of its own, and ends the browser with us.
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.Flag("headless", "new"),
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true),
		// A page that asks another host for something is caught asking; nothing leaves the machine.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE ::1"),
	)
	flags = append(flags, more...)
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, stopBrowser := chromedp.NewContext(allocator)
	stop := func() {
		polite, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_ = chromedp.Cancel(polite) // what it does not close in time, the next two lines kill
		stopBrowser()
		stopAllocator()
	}
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, err
	}
	return &chromiumProcess{ctx, stop}, nil
}

func chromiumProgram(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	lacking(t, "Chromium is not installed (Debian: apt-get install chromium)")
	return ""
}

// lacking ends a test whose tools are not there: skipped by name, but failed under CI=true.
func lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}
