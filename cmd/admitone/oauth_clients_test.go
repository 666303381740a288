package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"admitone/tokens/keys"
	"admitone/tokens/oauth"
)

// wish is what a script has the test do: as the host follow a link and press a
// button, or wait until a token has ended.
type wish struct{ Press, Link, Until, Token string }

// play runs a script of testdata/npm/oauth with what it is told, and does what
// it wishes. The script checks what it gets, and fails by itself.
func play(t *testing.T, s *server, script string, told members, packages ...string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		lacking(t, "Node.js is not installed (Debian: apt-get install nodejs npm)")
	}
	dir := filepath.Join("testdata", "npm")
	for _, name := range packages {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", name, "package.json")); err != nil {
			lacking(t, name+" is not installed (npm ci in cmd/admitone/testdata/npm)")
		}
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join("oauth", script))
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	host := &guestBrowser{s: s, cookie: s.signedIn(t, hostName)}
	tell, wishes := json.NewEncoder(in), json.NewDecoder(out)
	err = tell.Encode(told)
	for err == nil {
		var w wish
		if err = wishes.Decode(&w); err != nil {
			break
		}
		if w.Until == "ended" {
			s.ends(t, w.Token)
			err = tell.Encode(true)
		} else {
			err = tell.Encode(host.decide(t, w.Link, w.Press))
		}
	}
	if ended := cmd.Wait(); ended != nil || !errors.Is(err, io.EOF) {
		t.Fatalf("%s: %v, %v\n%s\n%s", script, ended, err, said.Bytes(), s.Log())
	}
}

// command is the program as an operator runs it beside the server, at another time.
func (s *server) command(ago time.Duration) *program {
	getenv := func(name string) string {
		for _, line := range slices.Backward(s.env) {
			if value, ok := strings.CutPrefix(line, name+"="); ok {
				return value
			}
		}
		return map[string]string{"BASE_URL": s.Base}[name]
	}
	return &program{getenv: getenv, now: func() time.Time { return time.Now().Add(-ago) }, stdout: io.Discard, stderr: &s.stderr}
}

// beside is what such a command works with.
func (s *server) beside(t testing.TB, ago time.Duration) *house {
	t.Helper()
	h, err := s.command(ago).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	return h
}

// formerly is an access token that the app got then.
func (p app) formerly(t testing.TB, ago time.Duration) string {
	t.Helper()
	apps := p.s.beside(t, ago).apps
	c, err := apps.Authenticate(t.Context(), p.ID, p.Secret)
	if err != nil {
		t.Fatal(err)
	}
	got, err := apps.ForItself(t.Context(), c, "rooms:read")
	if err != nil {
		t.Fatal(err)
	}
	return got.Access
}

// TestClientsOfOthersGetTheirTokens: programs that nobody here wrote find the
// server by its metadata, are allowed by the host, and act within what was
// allowed; and they see each refusal for what it is.
func TestClientsOfOthersGetTheirTokens(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		script   string
		packages []string
	}{
		{"oauth4webapi.mjs", []string{"oauth4webapi"}},
		{"openid-client.mjs", []string{"openid-client", "oauth4webapi"}},
		{"simple-oauth2.mjs", []string{"simple-oauth2"}},
		{"masto.mjs", []string{"masto"}},
	} {
		t.Run(tt.packages[0], func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			room := s.createRoom(t, "Clients")
			inv := s.mint(t, room, nil)
			own := s.makeApp(t, "rooms:read", "invitations:read", "rooms:write")
			plain := s.register(t)
			credentials := func(p app) members { return members{"id": p.ID, "secret": p.Secret} }
			play(t, s, tt.script, members{"issuer": s.Base, "redirect": redirect, "room": room, "invitation": inv.Token,
				"own": credentials(own), "app": credentials(plain), "expired": own.formerly(t, oauth.AccessLife+time.Minute)}, tt.packages...)
		})
	}
}

// TestSignaturesVerifyWithOurPublicKeysAlone: also what was signed before the
// keys were rotated, and what is signed after.
func TestSignaturesVerifyWithOurPublicKeysAlone(t *testing.T) {
	t.Parallel()
	for _, alg := range keys.Algs() {
		if alg == "HS256" {
			continue // has no public key
		}
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "old.db")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			env := []string{"DATABASE_URL=sqlite:" + file, "JWT_ALG=" + alg, "JWT_KEY=Zx3vB8nM1kQ6wE9rT4yU7iO2pA5sD0fG"} // gitleaks:allow
			// There have been keys for an hour.
			(&server{env: env}).beside(t, time.Hour)
			s := startServer(t, env...)
			room := s.createRoom(t, "Signed")
			p := s.register(t)
			made := func() []members {
				return []members{{"kind": "access", "token": p.allowed(t).Access}, {"kind": "invitation", "token": s.mint(t, room, nil).Token}}
			}
			signed := made()
			verify := func() {
				t.Helper()
				play(t, s, "jose.mjs", members{"issuer": s.Base, "room": room, "alg": alg, "tokens": signed}, "jose")
			}
			verify()

			// As if that had been keys.Lead ago, so that the new keys begin now. The
			// server publishes them within a second, and signs with what it publishes.
			before := s.published(t)
			if status := s.command(keys.Lead).run(t.Context(), []string{"keys", "rotate"}); status != done {
				t.Fatalf("keys rotate: %d\n%s", status, s.Log())
			}
			rotated := time.Now()
			until(t, "the new public keys", func() bool {
				asked, all := time.Since(rotated), s.published(t) == 2*before
				if !all && asked > soon() {
					t.Fatalf("the new keys are not published after %s", asked)
				}
				return all
			})
			after := made()
			for i := range after {
				if before, now := header(t, signed[i]["token"].(string)), header(t, after[i]["token"].(string)); before == now {
					t.Errorf("the key is the same: %s", now)
				}
			}
			signed = append(signed, after...)
			verify()
			for _, token := range signed {
				if token["kind"] == "access" && !s.works(t, token["token"].(string)) {
					t.Error("an access token of before the rotation is refused")
				}
			}
		})
	}
}

// published is how many public keys there are.
func (s *server) published(t testing.TB) int {
	t.Helper()
	a, err := s.send(request(t, http.MethodGet, s.URL+"/.well-known/jwks.json"))
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("the public keys: %v %v", a, err)
	}
	return bytes.Count(a.Body, []byte(`"kid"`))
}

// header is a JWT's first part.
func header(t testing.TB, token string) string {
	t.Helper()
	head, _, ok := strings.Cut(token, ".")
	if !ok {
		t.Fatalf("%q is no JWT", token)
	}
	return head
}
