package main

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// stroke presses keys as hands do: what a page takes for itself is not typed as well.
func (b *browserTab) stroke(keys string) {
	b.t.Helper()
	b.do("stroke "+keys, chromedp.KeyEvent(keys, func(k *input.DispatchKeyEventParams) {
		if k.Type == kb.KeyDown {
			k.Type = kb.KeyRawDown
		}
	}))
}

// The keyboard: "?" shows which keys there are, they work, and typing stays typing.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	looks(t, func(t *testing.T, look browserOptions, name string) {
		s := startServer(t, ladies)
		look.Server = s.URL
		host := newBrowser(t, look)
		host.signIn()
		room := s.createRoom(t, "Keys")
		s.mint(t, room, members{"name": "Grace Hopper"})
		host.Open("/rooms/" + room)
		const opened = "#keyboard:modal"

		host.stroke("n")
		host.waitFocused("#mint-name")
		host.stroke("?gr/n")
		if got := host.Value("#mint-name"); got != "?gr/n" || host.Count(opened) != 0 {
			t.Fatalf("typing does not stay typing: %q", got)
		}
		host.Click("main h1")
		host.stroke("/")
		host.waitFocused("#invitation-q")

		host.Click(".foot a[href='#keyboard']")
		host.WaitVisible(opened)
		host.Press(kb.Escape)
		host.WaitGone(opened)
		host.waitFocused(".foot a[href='#keyboard']")
		host.stroke("?")
		host.WaitVisible(opened)
		if text := host.Text(opened); !strings.Contains(text, "Show these keys") {
			t.Errorf("the map: %s", text)
		}
		host.seen(name + "-keyboard")
		host.stroke("n")
		if host.Focused("#mint-name") {
			t.Error("a key reached behind the map")
		}
		host.Click(opened + " [data-close]")
		host.WaitGone(opened)
		host.waitFocused(".foot a[href='#keyboard']")

		host.Loads(func() { host.stroke("gr") })
		if host.URL() != "/" {
			t.Fatalf("g r led to %s", host.URL())
		}
		host.stroke("n")
		host.waitFocused("#room-name")
		host.Click("main h1")
		host.Loads(func() { host.stroke("ga") })
		if host.URL() != "/account" {
			t.Fatalf("g a led to %s", host.URL())
		}

		// Who dictates or leans on the keyboard switches them off, for good.
		host.stroke("?")
		host.Click(opened + " label.use")
		host.Press(kb.Escape)
		host.Open("/rooms/" + room)
		host.stroke("n")
		host.stroke("?")
		if host.Count(opened) != 0 || host.Focused("#mint-name") {
			t.Error("keys work that were switched off")
		}
		host.Click(".foot a[href='#keyboard']")
		host.WaitVisible(opened)
	})
}
