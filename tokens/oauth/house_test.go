package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// house is a bench with hosts to act for, and what an app of theirs would do.
type house struct {
	*testing.T
	*datatest.Bench
	ctx     context.Context
	ada, bo hosts.Host
}

func newHouse(t *testing.T, b *datatest.Bench) *house {
	t.Helper()
	h := &house{T: t, Bench: b, ctx: context.Background()}
	h.ada, h.bo = h.host("ada"), h.host("bo")
	return h
}

func (h *house) host(name string) hosts.Host {
	h.Helper()
	got, err := h.Apps.Directory.ByName(h.ctx, name)
	h.must(err)
	return got
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// wants fails the test unless err is want; nil wants none.
func (h *house) wants(what string, err, want error) {
	h.Helper()
	if !errors.Is(err, want) {
		h.Errorf("%s: %v, want %v", what, err, want)
	}
}

const back = "https://gate.example/back"

// everything is what an app can ask for.
func everything() string { return oauth.All().String() }

// verifier is one of an app's, and challenge is its S256.
var (
	verifier  = strings.Repeat("v", 42) + "~"
	challenge = s256(verifier)
)

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// app registers one that may do everything: by a host, or by nobody.
func (h *house) app(by *hosts.Host, changes ...func(*oauth.Draft)) (oauth.Client, string) {
	h.Helper()
	d := oauth.Draft{Name: "Gate", Redirects: []string{back}, Scopes: everything()}
	for _, change := range changes {
		change(&d)
	}
	c, secret, err := h.Apps.Register(h.ctx, by, d)
	h.must(err)
	return c, secret
}

func public(d *oauth.Draft) { d.Public = true }

// code is what the app gets when the host allows it, asked as given.
func (h *house) code(c oauth.Client, by hosts.Host, changes ...func(*oauth.Request)) string {
	h.Helper()
	r := oauth.Request{ClientID: c.ID, Redirect: back, ResponseType: "code", Challenge: challenge, Method: "S256"}
	for _, change := range changes {
		change(&r)
	}
	a, err := h.Apps.Ask(h.ctx, r)
	h.must(err)
	code, err := h.Apps.Allow(h.ctx, by, a)
	h.must(err)
	return code
}

func scope(text string) func(*oauth.Request) { return func(r *oauth.Request) { r.Scope = text } }

// exchange is how an app asks when it does everything right.
func (h *house) exchange(c oauth.Client, code string) (oauth.Tokens, error) {
	return h.Apps.Exchange(h.ctx, c, code, back, verifier)
}

// tokens are those of a code that the host allowed just now.
func (h *house) tokens(c oauth.Client, by hosts.Host, changes ...func(*oauth.Request)) oauth.Tokens {
	h.Helper()
	t, err := h.exchange(c, h.code(c, by, changes...))
	h.must(err)
	return t
}

func (h *house) refresh(c oauth.Client, token, scope string) oauth.Tokens {
	h.Helper()
	t, err := h.Apps.Refresh(h.ctx, c, token, scope)
	h.must(err)
	return t
}

// alive says of an access token whether it is good, and fails on any other error.
func (h *house) alive(token string) bool {
	h.Helper()
	_, err := h.Apps.Read(h.ctx, token)
	if err != nil && !errors.Is(err, oauth.ErrInvalidToken) {
		h.Fatal(err)
	}
	return err == nil
}

// dead shows that nothing which came of a grant is of any use: its access
// tokens and its last refresh token.
func (h *house) dead(c oauth.Client, refresh string, access ...string) {
	h.Helper()
	for n, token := range access {
		if h.alive(token) {
			h.Errorf("access token %d is alive", n)
		}
	}
	if refresh != "" {
		_, err := h.Apps.Refresh(h.ctx, c, refresh, "")
		h.wants("the last refresh token", err, oauth.ErrInvalidGrant)
	}
}

// users has the hosts read these settings from now on.
func (h *house) users(text string) {
	h.Helper()
	list, err := hosts.Parse(text)
	h.must(err)
	h.Apps.Directory = hosts.NewDirectory(datatest.Root(h), h.Hosts, h.Clock.Now, list)
}

// after are ways in which a host stops being who allowed something.
func after() map[string]string {
	return map[string]string{
		"another password":    strings.Replace(datatest.Users, "adas-own", "adas-new", 1),
		"the host is gone":    `[{"username":"bo","password":"a-boat-called-bo","admin":true}]`,                                                  // gitleaks:allow
		"another of the name": `[{"username":"Ada","password":"another-adas-own"},{"username":"bo","password":"a-boat-called-bo","admin":true}]`, // gitleaks:allow
	}
}

func (h *house) count(query string, args ...any) (n int) {
	h.Helper()
	h.must(h.Raw(h).QueryRowContext(h.ctx, query, args...).Scan(&n))
	return n
}

// second is an instance of its own on the same database.
func (h *house) second() *oauth.Server {
	s := h.Apps
	return &oauth.Server{Store: s.Store, Ring: s.Ring, Directory: s.Directory, IDs: s.IDs, Base: s.Base, Now: s.Now}
}

// hashed is what the database keeps of a secret.
func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
