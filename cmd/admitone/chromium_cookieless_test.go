package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// openCookieless is a window of a Chromium of its own, whose settings block all cookies.
func openCookieless(t testing.TB, options browserOptions) *browserTab {
	t.Helper()
	profile := t.TempDir()
	settings := filepath.Join(profile, "Default", "Preferences")
	if err := os.MkdirAll(filepath.Dir(settings), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, []byte(`{"profile":{"default_content_setting_values":{"cookies":2}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	process, err := startChromium(chromiumProgram(t), chromedp.UserDataDir(profile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.stop)
	options.Language, options.Timezone = "en", "UTC"
	return openTab(t, process.ctx, options)
}

// shifts opens a page whose scripts come late, and returns by how much its parts moved after they were first seen
// (Cumulative Layout Shift), and which did.
func (b *browserTab) shifts(path string) (sum float64, parts []string) {
	b.t.Helper()
	b.do("delay the scripts", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}); err != nil {
			return err
		}
		late := network.Conditions{URLPattern: "*://*:*/*.js", Latency: 400, DownloadThroughput: -1, UploadThroughput: -1}
		_, err := cdp.Call(ctx, tab, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{&late}})
		return err
	}))
	b.Open(path)
	const moved = `new Promise((done) => {
		const got = {sum: 0, parts: []};
		new PerformanceObserver((list) => {
			for (const e of list.getEntries()) {
				if (e.hadRecentInput) continue;
				got.sum += e.value;
				for (const s of e.sources) got.parts.push(s.node && (s.node.outerHTML || s.node.data).slice(0, 90));
			}
		}).observe({type: "layout-shift", buffered: true});
		setTimeout(() => done(got), 300);
	})`
	got, err := eval[struct {
		Sum   float64
		Parts []string
	}](b, moved)
	if err != nil {
		b.t.Fatal(err)
	}
	return got.Sum, got.Parts
}
