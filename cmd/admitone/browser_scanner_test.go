package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// A scanner that runs the page's script stays on a link for half a minute, moves
// and scrolls like a person, and presses nothing: the link was opened, and that
// is all.
func TestBrowserScannerStaysThirtySeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	t.Parallel()
	s := startServer(t)
	inv := s.mint(t, s.createRoom(t, "Scanned"), nil)
	b := newBrowser(t, browserOptions{Server: s.URL, Height: 300})
	b.Open(inv.Short)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for i := range 120 {
		<-tick.C
		b.do("move and scroll", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			at := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: float64(i * 97 % 1280), Y: float64(i * 53 % 300)}
			if _, err := cdp.Call(ctx, tab, input.DispatchMouseEvent, at); err != nil {
				return err
			}
			at.Type, at.DeltaX, at.DeltaY = input.DispatchMouseEventTypeMouseWheel, 1, float64(120-i%2*200)
			_, err := cdp.Call(ctx, tab, input.DispatchMouseEvent, at)
			return err
		}))
	}
	if b.Count("main form button[type=submit]") != 1 {
		t.Errorf("the page is no longer the link's: %s", b.Text("main"))
	}
	got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID, nil)
	if got.Get("uses") != "0" || got.Get("state") != "pending" {
		t.Errorf("staying used it up: %v", got)
	}
	events := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+inv.ID+"/events", nil)
	var history struct{ Items []struct{ Kind string } }
	if err := json.Unmarshal(events.Body, &history); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, e := range history.Items {
		kinds[e.Kind]++
	}
	if want := map[string]int{"invitation.minted": 1, "invitation.opened": 1}; !maps.Equal(kinds, want) {
		t.Errorf("the history holds %v, want %v", kinds, want)
	}
}
