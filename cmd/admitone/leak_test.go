package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
)

// secrets are what must be found nowhere, each with what it is.
type secrets map[string]string

// add keeps a secret. Of a JWT and of a short code, the part that nobody can
// guess is a secret by itself.
func (k secrets) add(what, secret string) {
	if secret == "" {
		return
	}
	k[strings.ToLower(secret)] = what
	if parts := strings.Split(secret, "."); len(parts) == 3 {
		k[strings.ToLower(parts[2])] = what + "'s signature"
	}
	if what == "short code" {
		k[strings.ToLower(secret[len(secret)-12:])] = "short code's end"
	}
}

// in returns what text holds, in whatever case and encoding it stands there,
// but for what the reader said himself.
func (k secrets) in(text, except string) (found []string) {
	text, except = strings.ToLower(text), strings.ToLower(except)
	for secret, what := range k {
		for _, spelt := range []string{secret, strings.ToLower(url.QueryEscape(secret)), strings.ToLower(escaped(secret))} {
			if strings.Contains(text, spelt) && !strings.Contains(except, secret) {
				found = append(found, what)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// escaped is a text as it stands inside JSON.
func escaped(s string) string {
	b, _ := json.Marshal(s)
	return strings.Trim(string(b), `"`)
}

// visitor sends requests, collects the secrets in the answers and holds each
// refusal against them.
type visitor struct {
	t      *testing.T
	s      *server
	known  secrets
	bearer string
	cookie []string
	own    []string // secrets that answers gave to this visitor
}

func (v *visitor) ask(want int, method, path, body string, header ...string) answer {
	v.t.Helper()
	r, err := http.NewRequest(method, v.s.URL+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if v.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+v.bearer)
	}
	if len(v.cookie) > 0 {
		r.Header.Set("Cookie", strings.Join(v.cookie, "; "))
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	a, err := v.s.send(r)
	if err != nil {
		v.t.Fatal(err)
	}
	if a.Status != want {
		v.t.Fatalf("%s %s: got %v, want %d", method, path, a, want)
	}
	if a.Status >= http.StatusBadRequest {
		var said bytes.Buffer
		_ = a.Header.Write(&said)
		said.Write(a.Body)
		if found := v.known.in(said.String(), path+" "+body+" "+strings.Join(header, " ")+" "+strings.Join(v.own, " ")); found != nil {
			v.t.Errorf("the refusal of %s, %d, holds %q:\n%s", method, a.Status, found, said.String())
		}
	}
	// What this answer gives is known from now on, and this visitor's own: a
	// refusal hands out the cookie and the nonce of the form that asks for a new link.
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		v.known.add(c.Name+" cookie", c.Value)
		v.own = append(v.own, c.Value)
		v.cookie = append(slices.DeleteFunc(v.cookie, func(k string) bool { return strings.HasPrefix(k, c.Name+"=") }), c.Name+"="+c.Value)
	}
	if m := formNonce.FindSubmatch(a.Body); m != nil {
		v.known.add("page nonce", string(m[1]))
		v.own = append(v.own, string(m[1]))
	}
	return a
}

// mint mints over the API.
func (v *visitor) mint(room, body string) minted {
	v.t.Helper()
	a := v.ask(http.StatusCreated, http.MethodPost, "/api/v1/rooms/"+room+"/invitations", body)
	inv := minted{a.Get("id"), a.Get("token"), a.Get("url"), a.Get("short_url")}
	v.known.add("JWT", inv.Token)
	v.known.add("short code", inv.Code())
	return inv
}

func (v *visitor) page(want int, method, link, nonce string, header ...string) answer {
	v.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		v.t.Fatal(err)
	}
	body := ""
	if method == http.MethodPost {
		body = url.Values{"nonce": {nonce}}.Encode()
	}
	return v.ask(want, method, u.RequestURI(), body, header...)
}

func TestSecretsAreInNoOutput(t *testing.T) {
	t.Parallel()
	const key, metrics = "Zx3vB8nM1kQ6wE9rT4yU7iO2pA5sD0fG", "metrics-opener-52803" // gitleaks:allow
	env := []string{"LOG_LEVEL=debug", "JWT_KEY=" + key, "METRICS_TOKEN=" + metrics, "API_KEY_SECRET=" + apiKey,
		`BACKENDS=[{"name":"main","kind":"url","template":"https://conf.example/{room}?k=backend-secret-7731&n={name}"},` + heldBackend() + "," + downBackend + "]"}
	for name, kind := range map[string]struct {
		env  func(t *testing.T) string
		dump func(t *testing.T, s *server, dsn string) map[string]string
	}{
		"sqlite":   {func(*testing.T) string { return "" }, func(t *testing.T, s *server, _ string) map[string]string { return files(t, s.Dir) }},
		"postgres": {func(t *testing.T) string { return datatest.Postgres(t) }, func(t *testing.T, _ *server, dsn string) map[string]string { return tables(t, dsn) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn, env := kind.env(t), slices.Clone(env)
			if dsn != "" {
				env = append(env, "DATABASE_URL="+dsn)
			}
			s := startServer(t, env...)
			known := secrets{}
			known.add("JWT_KEY", key)
			known.add("METRICS_TOKEN", metrics)
			known.add("API_KEY_SECRET", apiKey)
			known.add("password", hostPassword)
			known.add("back end's secret", "backend-secret-7731")
			fullRun(t, s, known)
			outputs := kind.dump(t, s, dsn)
			outputs["stdout"], outputs["the log"] = s.Said(), s.Log()
			scrape := &visitor{t: t, s: s, known: known}
			outputs["/metrics"] = string(scrape.ask(http.StatusOK, http.MethodGet, "/metrics", "").Body)
			for where, text := range outputs {
				if found := known.in(text, ""); found != nil {
					t.Errorf("%s holds %q", where, found)
				}
				// Searching nothing finds nothing: each must hold what it is about.
				if want := map[string]string{"stdout": "AdmitOne is at", "the log": "/api/v1/invitations/redeem", "/metrics": `admitone_redeem_total{result="used"}`}[where]; !strings.Contains(text, want) {
					t.Errorf("%s does not hold %q: nothing was searched", where, want)
				}
			}
			if len(known) < 40 || len(outputs) < 5 {
				t.Errorf("%d secrets were searched in %d outputs, which is too few for a full run", len(known), len(outputs))
			}
			if !strings.Contains(strings.Join(slices.Sorted(mapValues(outputs)), ""), "Grace the Guest") {
				t.Error("the database's content is not among what was searched")
			}
			for secret, what := range known { // the searcher sees a planted one, in any spelling
				for _, planted := range []string{secret, strings.ToUpper(secret), url.QueryEscape(secret), escaped(secret)} {
					if known.in("x"+planted+"y", "") == nil {
						t.Errorf("a planted %s is not found", what)
					}
				}
			}
		})
	}
}

func mapValues(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// files are those of the server's folder, of whatever kind.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = string(b)
	}
	return out
}

// tables are all rows of a PostgreSQL database as text.
func tables(t *testing.T, dsn string) map[string]string {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	column := func(query string) (out []string) {
		rows, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := map[string]string{}
	for _, table := range column(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`) {
		out["table "+table] = strings.Join(column(fmt.Sprintf(`SELECT t::text FROM "%s" t`, table)), "\n")
	}
	return out
}

// until asks until the answer is right, for something that only time brings about.
func until(t testing.TB, what string, right func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !right(); {
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}
