package handlers_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
)

// visitor is a program or a browser: it keeps what it is told to send, follows
// no redirect, and comes from an address of its own.
type visitor struct {
	b      *bench
	t      *testing.T
	client *http.Client
	head   http.Header
}

// from is a visitor without cookies who comes from that loopback address.
func (b *bench) from(t *testing.T, address string) *visitor {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, b.server.Listener.Addr().String())
		},
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true},
		DisableCompression: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{b: b, t: t, head: http.Header{}, client: &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// nobody is a program without credentials.
func (b *bench) nobody(t *testing.T) *visitor { t.Helper(); return b.from(t, "127.0.0.1") }

// program is a script with a host's token.
func (b *bench) program(t *testing.T, name string) *visitor {
	t.Helper()
	v := b.nobody(t)
	v.head.Set("Authorization", "Bearer "+b.token(t, name))
	return v
}

// browser keeps cookies, and says where its requests come from as browsers do.
func (b *bench) browser(t *testing.T) *visitor {
	t.Helper()
	v := b.nobody(t)
	v.client.Jar, _ = cookiejar.New(nil)
	v.head.Set("Sec-Fetch-Site", "same-origin")
	return v
}

// signedIn is a browser in which that host signed in.
func (b *bench) signedIn(t *testing.T, name string) *visitor {
	t.Helper()
	v := b.browser(t)
	v.post("/signin", fields("username", name, "password", passwords[name])).wants(http.StatusSeeOther)
	return v
}

// answer is what came back, read to its end.
type answer struct {
	*http.Response
	t    *testing.T
	sent []byte
	body string
}

// do sends a request; change may alter it before.
func (v *visitor) do(method, path, body string, change ...func(*http.Request)) answer {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.b.base+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	for name, values := range v.head {
		req.Header[name] = values
	}
	for _, c := range change {
		c(req)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{resp, v.t, []byte(body), string(got)}
}

func (v *visitor) get(path string, change ...func(*http.Request)) answer {
	v.t.Helper()
	return v.do(http.MethodGet, path, "", change...)
}

// header is for do: it sets a header.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
}

// without is for do: it takes a header away.
func without(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }

// wants fails the test unless the status is that.
func (a answer) wants(status int) answer {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s %s → %d, want %d\n%.2000s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.body)
	}
	return a
}

// says fails the test unless the body holds each text.
func (a answer) says(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.t.Errorf("%s %s → %d does not say %q:\n%.4000s", a.Request.Method, a.Request.URL, a.StatusCode, text, a.body)
		}
	}
	return a
}

// saysNot fails the test if the body holds one of the texts.
func (a answer) saysNot(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			a.t.Errorf("%s %s → %d says %q", a.Request.Method, a.Request.URL, a.StatusCode, text)
		}
	}
	return a
}

// object is the body as a JSON object.
func (a answer) object() (m map[string]any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		a.t.Fatalf("%s %s → %d: %v\n%s", a.Request.Method, a.Request.URL, a.StatusCode, err, a.body)
	}
	return m
}
