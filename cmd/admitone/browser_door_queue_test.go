package main

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	document "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// asked returns what the browser asks when that is done, and answers no.
func (b *browserTab) asked(step string) document.DialogType {
	b.t.Helper()
	opened := make(chan document.DialogType, 1)
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*document.EventJavascriptDialogOpening); ok {
			opened <- e.Type
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := eval[int](b, `setTimeout(() => {`+step+`}), 1`); err != nil {
		b.t.Fatal(err)
	}
	patience, cancel := b.patience()
	defer cancel()
	select {
	case kind := <-opened:
		b.do("answer no", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			_, err := cdp.Call(ctx, tab, document.HandleJavaScriptDialog, document.HandleJavaScriptDialogParams{Accept: false})
			return err
		}))
		return kind
	case <-patience.Done():
		return ""
	}
}

// keeps tells whether the device keeps that text.
func (b *browserTab) keeps(text string) bool {
	b.t.Helper()
	kept, err := eval[string](b, `JSON.stringify(localStorage)`)
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Contains(kept, text)
}

// What a door noted without a network and turns out not to admit stays until
// somebody has seen to it, also when the page is loaded again; PINs are kept nowhere.
func TestBrowserDoorKeepsConflicts(t *testing.T) {
	t.Parallel()
	s := startServer(t, ladies)
	room := s.createRoom(t, "The hall")
	used, secret := s.mint(t, room, members{"name": "Ada Lovelace"}), s.mint(t, room, members{"name": "Cy", "pin": "4711"})
	s.redeem(t, used.Token, "nonce-of-another-gate")
	door := newBrowser(t, browserOptions{Server: s.URL})
	door.signIn()
	door.Open("/rooms/" + room + "/door")

	door.Expect("ERR_INTERNET_DISCONNECTED")
	door.connected(false)
	door.types(used.Code())
	door.answers("noted", "up to you")
	door.types(secret.Code())
	door.WaitVisible("#scans [data-verdict=noted]")
	if kind := door.asked("location.reload()"); kind != document.DialogTypeBeforeunload {
		t.Errorf("before the page is loaded again, which cannot be, it asks %q", kind)
	}
	door.connected(true)
	door.answers("pin_required", "Cy", "is not admitted")
	door.WaitVisible("#scans [data-verdict=used]")
	if said := door.Text("#conflicts"); !strings.Contains(said, "conflicts") {
		t.Errorf("beside the answer the door says %s", said)
	}
	for range 2 {
		door.Open("/rooms/" + room + "/door")
		door.WaitVisible("#scans [data-verdict=used]")
		door.WaitVisible("#scans [data-verdict=pin_required]")
		if said := door.Text("#scans [data-verdict=used]"); !strings.Contains(said, "Ada Lovelace") || !strings.Contains(said, "is not admitted") {
			t.Errorf("loaded again: %s", said)
		}
	}
	if door.Focused(".pin") {
		t.Error("a conflict of before takes the focus from what is at the door now")
	}
	door.seenByAll("kept")
	door.Click("#scans [data-verdict=used] [data-dismiss]")
	door.WaitGone("#scans [data-verdict=used]")

	const card = "#scans [data-verdict=pin_required]"
	door.connected(false)
	door.Fill(card+" .pin", "4711")
	door.Click(card + " .button.main")
	door.WaitVisible("#away .offline")
	if door.keeps("4711") {
		t.Error("the PIN is kept on the device")
	}
	door.connected(true)
	door.WaitVisible("#scans [data-verdict=admitted]")
	s.uses(t, secret, "1")
	door.Open("/rooms/" + room + "/door")
	door.WaitVisible("#typed")
	door.WaitGone("#conflicts")
	if n := door.Count("#scans > .verdict"); n != 0 {
		t.Errorf("%d conflicts are left", n)
	}
	door.says("let Ada Lovelace in without a connection, and the code does not admit them")
}

// Another host signs in where a door's page was left open: what waits there is not
// sent in that one's name, and neither page is silent about it.
func TestBrowserDoorQueueIsOneHosts(t *testing.T) {
	t.Parallel()
	const other, password = "grace", "cobol flow-matic 1959"
	s := startServer(t, strings.TrimSuffix(ladies, "]")+`,{"username":"`+other+`","password":"`+password+`","admin":true}]`)
	room := s.createRoom(t, "The hall")
	bo, cy := s.mint(t, room, members{"name": "Bo"}), s.mint(t, room, members{"name": "Cy"})
	as := func(b *browserTab, username, password string) {
		b.Fill("#username", username)
		b.Fill("#password", password)
		b.Follow("main form button[type=submit]")
	}
	left := newBrowser(t, browserOptions{Server: s.URL})
	left.signIn()
	left.Open("/rooms/" + room + "/door")
	left.Expect("ERR_INTERNET_DISCONNECTED")
	left.connected(false)
	left.types(bo.Code())
	left.answers("noted")

	next := left.beside()
	next.Open("/signin?again=1&next=/rooms/" + room + "/door")
	as(next, other, password)
	next.WaitVisible("#others")
	if said := next.Text("#others"); !strings.Contains(said, hostName+" · "+room) {
		t.Errorf("the other host is told %s", said)
	}
	next.seenByAll("others")
	next.types(cy.Code())
	next.answers("admitted", "Cy")

	left.Expect("409")
	left.connected(true)
	left.WaitVisible("#away .signed-out")
	left.seenByAll("another-host")
	s.uses(t, bo, "0")
	left.Follow("#away a")
	as(left, hostName, hostPassword)
	left.WaitVisible("#scans [data-verdict=admitted]") // the answer is for who stands there now
	if said := left.Text("#scans"); !strings.Contains(said, "Bo") || !strings.Contains(said, "Noted here") {
		t.Errorf("when its host is back: %s", said)
	}
	s.uses(t, bo, "1")
}
