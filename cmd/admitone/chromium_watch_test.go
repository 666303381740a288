package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// watch collects what must not happen in a page: an error or a warning in the console, an uncaught
// exception, a breach of the content security policy, a request to another origin.
type watch struct {
	origin string

	mu       sync.Mutex
	problems []problem
	expected []string
	status   int64
	refusals map[network.RequestID]bool // documents that were answered 4xx
}

type problem struct {
	kind, text string
	request    network.RequestID // set where the console complains about an answer
}

func (p problem) String() string { return p.kind + ": " + p.text }

func newWatch(server string) *watch {
	return &watch{origin: origin(server), refusals: map[network.RequestID]bool{}}
}

// see is called with every event of the window, in order; it must not ask the browser anything.
func (w *watch) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		switch e.Type {
		case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
			w.report("console "+string(e.Type), spell(e.Args), "")
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		w.report("exception", text, "")
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			w.report(string(e.Entry.Source), e.Entry.Text+" "+e.Entry.URL, e.Entry.NetworkRequestID)
		}
	case *network.EventRequestWillBeSent:
		w.request(e.Request.URL)
	case *network.EventWebSocketCreated:
		w.request(e.URL)
	case *network.EventResponseReceived:
		// A frame would have a loader of its own; the document's request carries its loader's id.
		if e.Type == network.ResourceTypeDocument && string(e.RequestID) == string(e.LoaderID) {
			w.status = e.Response.Status
			w.refusals[e.RequestID] = w.status >= 400 && w.status < 500
		}
	}
}

func (w *watch) report(kind, text string, request network.RequestID) {
	w.problems = append(w.problems, problem{kind, text, request})
}

func (w *watch) request(address string) {
	if o := origin(address); o != "" && o != w.origin {
		w.report("request to another origin", address, "")
	}
}

// origin is empty for what never leaves the browser, such as data: and about:.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	switch u.Scheme {
	case "http", "ws":
		return "http://" + u.Host
	case "https", "wss":
		return "https://" + u.Host
	}
	return ""
}

// spell writes the arguments of a console call as the console would.
func spell(args []*runtime.RemoteObject) string {
	words := make([]string, 0, len(args))
	for _, a := range args {
		word := a.Description
		if word == "" {
			word = string(a.Value)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// found lists what went wrong so far. A refusal is a page like any other: that its document was answered
// 4xx, which the console calls a failure to load, is left out.
func (w *watch) found() (unexpected, missing []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	missing = slices.Clone(w.expected)
	for _, p := range w.problems {
		if p.request != "" && w.refusals[p.request] {
			continue
		}
		named := func(part string) bool { return strings.Contains(p.String(), part) }
		if slices.ContainsFunc(w.expected, named) {
			missing = slices.DeleteFunc(missing, named)
			continue
		}
		unexpected = append(unexpected, p.String())
	}
	return unexpected, missing
}

// Expect lets problems pass whose text contains part. It must then happen: check fails if it does not.
func (w *watch) Expect(part string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = append(w.expected, part)
}

// Status is that of the answer that brought the document in the window, 0 before the first.
func (w *watch) Status() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int(w.status)
}

// check fails the test for each problem so far.
func (b *browserTab) check() {
	b.t.Helper()
	b.settle()
	unexpected, missing := b.found()
	for _, p := range unexpected {
		b.t.Errorf("in the browser: %s", p)
	}
	for _, part := range missing {
		b.t.Errorf("in the browser: nothing contained %q, which the test expected", part)
	}
}

// settle returns when the page has said what it had to say: events come in order, so those of before
// an answer are seen by the time it is there.
func (b *browserTab) settle() {
	b.t.Helper()
	if _, err := eval[int](b, `1`); err != nil {
		b.t.Errorf("the page no longer answers: %v", fmt.Errorf("%s: %w", b.options.Server, err))
	}
}

// eval runs a script in the page, past its content security policy.
func eval[T any](b *browserTab, script string) (T, error) {
	ctx, cancel := b.patience()
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}
