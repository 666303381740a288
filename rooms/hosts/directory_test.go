package hosts_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/hosts"
)

func bench(t *testing.T) *datatest.Bench {
	t.Helper()
	return datatest.SQLite(t)
}

func host(name, password string) string {
	return `{"username":"` + name + `","password":"` + password + `"}`
}

// directory is that of a program started with these entries of HOST_USERS.
func directory(t *testing.T, b *datatest.Bench, entries ...string) *hosts.Directory {
	t.Helper()
	var set []hosts.Host
	if len(entries) > 0 {
		var err error
		if set, err = hosts.Parse("[" + strings.Join(entries, ",") + "]"); err != nil {
			t.Fatal(err)
		}
	}
	return hosts.NewDirectory(datatest.Root(t), b.Hosts, b.Clock.Now, set)
}

func version(t *testing.T, d *hosts.Directory, name string) string {
	t.Helper()
	h, err := d.ByName(t.Context(), name)
	if err != nil || h.Version == "" {
		t.Fatalf("%q: %v", h.Version, err)
	}
	return h.Version
}

func TestVersionChangesWithThePasswordAndNothingElse(t *testing.T) {
	t.Parallel()
	b := bench(t)
	hash := quick(t, secret)
	first := version(t, directory(t, b, host("ada", secret)), "ada")
	for name, row := range map[string]struct {
		entry string
		same  bool
	}{
		"after a restart":      {host("ada", secret), true},
		"with another name":    {`{"username":"ada","password":"` + secret + `","display_name":"Countess"}`, true},
		"with other rights":    {`{"username":"ada","password":"` + secret + `","admin":true,"allowed_rooms":["x"]}`, true},
		"another password":     {host("ada", secret+"x"), false},
		"hashed from now on":   {host("ada", hash), false},
		"another who chose it": {host("bo", secret), false},
	} {
		who := "ada"
		if strings.Contains(row.entry, `"bo"`) {
			who = "bo"
		}
		if got := version(t, directory(t, b, row.entry), who); (got == first) != row.same {
			t.Errorf("%s: %s, at first %s", name, got, first)
		}
	}
	if strings.Contains(first, secret) {
		t.Error("the version holds the password")
	}
}

func TestByNameKnowsNobodyElse(t *testing.T) {
	t.Parallel()
	d := directory(t, bench(t), host("ada", secret))
	if h, err := d.ByName(t.Context(), "aDa"); err != nil || h.Username != "ada" {
		t.Errorf("%+v, %v", h, err)
	}
	for _, name := range []string{"", "bo", "ada ", "ada\x00"} {
		if _, err := d.ByName(t.Context(), name); !errors.Is(err, rooms.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTheGeneratedHost(t *testing.T) {
	t.Parallel()
	b := bench(t)
	ctx := t.Context()
	password, err := hosts.Generate(ctx, b.Hosts, b.Clock.Now(), false)
	if err != nil || len(password) != 19 {
		t.Fatalf("password %q, %v", password, err)
	}
	d := directory(t, b)
	h, err := d.Check(ctx, "host", password)
	if err != nil || !h.Admin || h.Username != "host" {
		t.Errorf("%+v, %v", h, err)
	}
	again, err := hosts.Generate(ctx, b.Hosts, b.Clock.Now(), false)
	if err != nil || again != "" {
		t.Errorf("the one there is does not stay: %q, %v", again, err)
	}
	if g, err := b.Hosts.Generated(ctx); err != nil || strings.Contains(g.Hash, password) || !strings.HasPrefix(g.Hash, "$argon2id$") {
		t.Errorf("kept as %q, %v", g.Hash, err)
	}
	reset, err := hosts.Generate(ctx, b.Hosts, b.Clock.Now(), true)
	if err != nil || reset == "" || reset == password {
		t.Errorf("reset to %q, %v", reset, err)
	}
	b.Clock.Add(time.Second) // within which a running program notices
	if _, err := d.Check(ctx, "host", password); !errors.Is(err, hosts.ErrCredentials) {
		t.Errorf("the old password: %v", err)
	}
	if after, err := d.Check(ctx, "host", reset); err != nil || after.Version == h.Version {
		t.Errorf("the new password: version %q, %v", after.Version, err)
	}
}

func TestInstancesThatStartAtOnceGenerateOneHost(t *testing.T) {
	t.Parallel()
	b := bench(t)
	var all sync.WaitGroup
	passwords := make([]string, 4)
	for n := range passwords {
		all.Go(func() {
			var err error
			if passwords[n], err = hosts.Generate(t.Context(), b.Hosts, b.Clock.Now(), false); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	said := slices.DeleteFunc(passwords, func(s string) bool { return s == "" })
	if len(said) != 1 {
		t.Fatalf("%d passwords were told", len(said))
	}
	if _, err := directory(t, b).Check(t.Context(), "host", said[0]); err != nil {
		t.Errorf("the one that was told is not the one that counts: %v", err)
	}
}

// A check without its hash would be thousands of times as fast, so a factor of
// ten tells, whatever else the machine does. Compared is the least time that
// each takes: what disturbs only adds to it.
func TestAnUnknownNameCostsTheTimeOfAKnownOne(t *testing.T) {
	slow, err := hosts.Hash(secret)
	if err != nil {
		t.Fatal(err)
	}
	crypt, err := bcrypt.GenerateFromPassword([]byte(secret), 8)
	if err != nil {
		t.Fatal(err)
	}
	for kind, password := range map[string]string{"plain": secret, "argon2id": slow, "bcrypt": string(crypt)} {
		d := directory(t, bench(t), host("ada", password))
		least := map[string]time.Duration{"ada": time.Hour, "nobody": time.Hour}
		for range 2 {
			for name := range least {
				began := time.Now()
				_, _ = d.Check(t.Context(), name, "wrong guess")
				least[name] = min(least[name], time.Since(began))
			}
		}
		for name, took := range least {
			if known := least["ada"]; took < known/10 || took > known*10 {
				t.Errorf("%s: a known name takes %s, %q %s", kind, known, name, took)
			}
		}
	}
}

func TestAHostsToken(t *testing.T) {
	t.Parallel()
	b := bench(t)
	tokens := func(entries ...string) *hosts.Tokens {
		return &hosts.Tokens{Ring: b.Ring, Directory: directory(t, b, entries...), Base: datatest.Base, Now: b.Clock.Now}
	}
	before := tokens(host("ada", secret), host("bo", secret))
	ada, err := before.Directory.ByName(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	token, err := before.Mint(ada)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := tokens(host("ada", secret))
	elsewhere.Base = "https://other.example"
	for name, row := range map[string]struct {
		tokens *hosts.Tokens
		token  string
		err    error
	}{
		"the same":              {before, token, nil},
		"after a restart":       {tokens(host("ada", secret)), token, nil},
		"the password changed":  {tokens(host("ada", secret+"x")), token, hosts.ErrBadToken},
		"the host was removed":  {tokens(host("bo", secret)), token, hosts.ErrBadToken},
		"of another origin":     {elsewhere, token, hosts.ErrBadToken},
		"nothing":               {before, "", hosts.ErrBadToken},
		"changed at the end":    {before, token[:len(token)-2] + "AA", hosts.ErrBadToken},
		"without its signature": {before, token[:strings.LastIndex(token, ".")+1], hosts.ErrBadToken},
	} {
		h, err := row.tokens.Read(t.Context(), row.token)
		if !errors.Is(err, row.err) || err == nil && h.Username != "ada" || err != nil && h.Username != "" {
			t.Errorf("%s: %+v, %v; want %v", name, h, err, row.err)
		}
	}
	b.Clock.Add(hosts.TokenLife - time.Second)
	if _, err := before.Read(t.Context(), token); err != nil {
		t.Errorf("a second before its end: %v", err)
	}
	b.Clock.Add(time.Second)
	if _, err := before.Read(t.Context(), token); !errors.Is(err, hosts.ErrTokenExpired) {
		t.Errorf("at its end: %v", err)
	}
	if _, err := before.Read(t.Context(), token[:len(token)-2]+"AA"); !errors.Is(err, hosts.ErrBadToken) {
		t.Errorf("changed and at its end: %v", err)
	}
}

func TestFirstIsTheFirstAdminOrTheOnlyHost(t *testing.T) {
	t.Parallel()
	admin := func(name string) string {
		return `{"username":"` + name + `","password":"` + secret + `","admin":true}`
	}
	for name, row := range map[string]struct {
		entries []string
		want    string
	}{
		"the only host":              {[]string{host("ada", secret)}, "ada"},
		"the only admin":             {[]string{host("ada", secret), admin("bob")}, "bob"},
		"the first of two admins":    {[]string{host("ada", secret), admin("bob"), admin("carol")}, "bob"},
		"two hosts without an admin": {[]string{host("ada", secret), host("bob", secret)}, ""},
		"nobody yet":                 {nil, ""},
	} {
		h, err := directory(t, bench(t), row.entries...).First(t.Context())
		if h.Username != row.want || (row.want == "") != errors.Is(err, rooms.ErrNotFound) {
			t.Errorf("%s: %q, %v, want %q", name, h.Username, err, row.want)
		}
	}
}
