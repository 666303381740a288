package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// guestBrowser is a guest's browser as far as the server can tell: it looks at
// a link, keeps the cookie that it is given, and presses the page's button.
type guestBrowser struct {
	s      *server
	cookie string // name=value, empty before the first look
}

var formNonce = regexp.MustCompile(`name="nonce" value="([^"]+)"`)

// Look opens a link and returns the page, with the nonce of its form, "" where it has none.
func (b *guestBrowser) Look(t testing.TB, link string) (page answer, nonce string) {
	t.Helper()
	page = b.visit(t, http.MethodGet, link, nil)
	for _, c := range (&http.Response{Header: page.Header}).Cookies() {
		if strings.HasSuffix(c.Name, "guest") {
			b.cookie = c.Name + "=" + c.Value
		}
	}
	if m := formNonce.FindSubmatch(page.Body); m != nil {
		nonce = string(m[1])
	}
	return page, nonce
}

// Press posts the form of the link's page.
func (b *guestBrowser) Press(t testing.TB, link, nonce string) answer {
	t.Helper()
	return b.visit(t, http.MethodPost, link, url.Values{"nonce": {nonce}, "name": {""}})
}

// visit asks the server that the browser was given for the link's path,
// whichever host the link names.
func (b *guestBrowser) visit(t testing.TB, method, link string, form url.Values) answer {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(method, b.s.URL+u.RequestURI(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	a, err := b.s.send(r)
	if err != nil {
		t.Fatalf("%s the guest's page: %v\n%s", method, err, b.s.Log())
	}
	return a
}
