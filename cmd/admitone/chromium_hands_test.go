package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience bounds one step. A page answers in milliseconds, but the race detector and a busy
// machine each take their part.
func (b *browserTab) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, 30*time.Second)
}

func (b *browserTab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := b.patience()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.failed(what, err)
	}
}

func ask[T any](b *browserTab, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := b.patience()
	defer cancel()
	answer, err := chromedp.Run(ctx, action)
	if err != nil {
		b.failed(what, err)
	}
	return answer
}

// failed ends the test with the step that could not be done and what the page showed instead.
func (b *browserTab) failed(what string, err error) {
	b.t.Helper()
	shown, evalErr := eval[string](b, `location.href + "\n" + (document.body ? document.body.innerText.slice(0, 1000) : "")`)
	if evalErr != nil {
		shown = "nothing: " + evalErr.Error()
	}
	b.t.Fatalf("%s: %v\nthe page showed %s", what, err, shown)
}

// Open loads a page of the server under test, given by its path, or any other by its whole address.
func (b *browserTab) Open(address string) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = strings.TrimSuffix(b.options.Server, "/") + address
	}
	b.do("open "+address, chromedp.Navigate(address))
}

// Loads does a step that leads to another document, such as pressing a form's button, and returns when that has loaded.
func (b *browserTab) Loads(step func()) {
	b.t.Helper()
	ctx, cancel := b.patience()
	defer cancel()
	_, err := chromedp.RunResponse(ctx, chromedp.Func(func(context.Context, *chromedp.Target) error {
		step()
		return nil
	}))
	if err != nil {
		b.failed("load the next page", err)
	}
}

// Click presses the mouse on the middle of the first element that sel names, once it is visible. Where a live page puts
// a fresh element into its place meanwhile, it is that one.
func (b *browserTab) Click(sel string) {
	b.t.Helper()
	ctx, cancel := b.patience()
	defer cancel()
	err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(sel), chromedp.NodeVisible))
	for err != nil && strings.Contains(err.Error(), "Could not find node with given id") {
		err = chromedp.Do(ctx, chromedp.Click(chromedp.CSS(sel), chromedp.NodeVisible))
	}
	if err != nil {
		b.failed("click "+sel, err)
	}
}

// Follow is a Click that leads to another document.
func (b *browserTab) Follow(sel string) {
	b.t.Helper()
	b.Loads(func() { b.Click(sel) })
}

// Press sends keys to whatever has the focus: kb.Tab, kb.Enter, kb.Escape, or plain text.
func (b *browserTab) Press(keys string, modifiers ...chromedp.Modifier) {
	b.t.Helper()
	b.do("press "+keys, chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// Fill replaces what a form field holds: text is typed, key by key; a list, a date and the like, which every
// browser lets people enter in its own way, is set.
func (b *browserTab) Fill(sel, value string) {
	b.t.Helper()
	b.WaitVisible(sel)
	const script = `((sel, value) => {
		const field = document.querySelector(sel);
		field.focus();
		if (field.tagName === "TEXTAREA" || field.tagName === "INPUT" &&
			["text", "search", "email", "password", "tel", "url", "number"].includes(field.type)) {
			field.select();
			return true;
		}
		field.value = value;
		for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, {bubbles: true}));
		return false;
	})(%s, %s)`
	typed := ask(b, "fill "+sel, chromedp.Evaluate[bool](fmt.Sprintf(script, quote(sel), quote(value))))
	switch {
	case typed && value == "":
		b.Press(kb.Delete)
	case typed:
		b.Press(value)
	}
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return string(text)
}

// WaitVisible returns when the first element that sel names can be seen.
func (b *browserTab) WaitVisible(sel string) {
	b.t.Helper()
	b.do("wait for "+sel, chromedp.WaitVisible(chromedp.CSS(sel)))
}

// WaitGone returns when sel names no element, or none that can be seen.
func (b *browserTab) WaitGone(sel string) {
	b.t.Helper()
	b.do("wait until there is no "+sel, chromedp.Poll[chromedp.Void](fmt.Sprintf(
		`![...document.querySelectorAll(%s)].some((e) => e.checkVisibility())`, quote(sel))))
}

// Text is what can be read in the first element that sel names, once it is visible.
func (b *browserTab) Text(sel string) string {
	b.t.Helper()
	return strings.TrimSpace(ask(b, "read "+sel, chromedp.Text(chromedp.CSS(sel), chromedp.NodeVisible)))
}

// Count is the number of elements that sel names now.
func (b *browserTab) Count(sel string) int {
	b.t.Helper()
	return ask(b, "count "+sel, chromedp.Evaluate[int](`document.querySelectorAll(`+quote(sel)+`).length`))
}

// Value is what a form field holds, or what an attribute says where name is given.
func (b *browserTab) Value(sel string) string {
	b.t.Helper()
	return ask(b, "value of "+sel, chromedp.Value(chromedp.CSS(sel)))
}

// Attribute is empty where the element does not have it.
func (b *browserTab) Attribute(sel, name string) string {
	b.t.Helper()
	return ask(b, name+" of "+sel, chromedp.AttributeValue(chromedp.CSS(sel), name)).Value
}

// Focused reports whether the keyboard goes to the first element that sel names.
func (b *browserTab) Focused(sel string) bool {
	b.t.Helper()
	return ask(b, "focus of "+sel, chromedp.Evaluate[bool](
		`document.activeElement !== null && document.activeElement === document.querySelector(`+quote(sel)+`)`))
}

// URL is the address in the window, path and query only where it is the server's own.
func (b *browserTab) URL() string {
	b.t.Helper()
	address := ask(b, "address", chromedp.Location())
	if path, ours := strings.CutPrefix(address, strings.TrimSuffix(b.options.Server, "/")); ours {
		return path
	}
	return address
}

// Screenshot leaves a picture of the whole page in $ADMITONE_SCREENSHOTS, if that is set.
func (b *browserTab) Screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("ADMITONE_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture := ask(b, "take a picture of "+name, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
