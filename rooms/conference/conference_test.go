package conference

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
)

func parse(t *testing.T, template string) *Backends {
	t.Helper()
	b, err := Parse(`[{"name":"conf","kind":"url","template":"` + template + `"}]`)
	if err != nil {
		t.Fatal(err)
	}
	return settled(b)
}

// settled gives the back ends a clock that stands and a secret.
func settled(b *Backends) *Backends {
	b.Now = func() time.Time { return time.Unix(1_800_000_000, 0) }
	b.Secret = func(made int64, text []byte) []byte {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", made, text))
		return sum[:8]
	}
	return b
}

func visit(name string) Visit {
	return Visit{Room: rooms.Room{Slug: "stand-up", Backend: "conf"}, Admission: 1, Role: "guest", Name: name}
}

func TestJoinLinkFillsInThePlaceholders(t *testing.T) {
	t.Parallel()
	adm := rooms.ID(1).Show(rooms.AdmissionPrefix)
	for _, row := range []struct{ name, template, person, want string }{
		{"each place", "https://c.example/{room}?n={name}&r={role}#a={admission}", "Ada", "https://c.example/stand-up?n=Ada&r=guest#a=" + adm},
		{"the room alone", "https://c.example/{room}", "Ada", "https://c.example/stand-up"},
		{"one twice", "https://c.example/{room}/{room}", "Ada", "https://c.example/stand-up/stand-up"},
		{"an unknown one stays", "https://c.example/{room}/{pin}", "Ada", "https://c.example/stand-up/{pin}"},
		{"no name", "https://c.example/{room}/?n={name}", "", "https://c.example/stand-up/?n="},
		{"a space", "https://c.example/{room}/{name}", "Ada L", "https://c.example/stand-up/Ada%20L"},
		{"what ends a value", "https://c.example/{room}/?n={name}&r={role}", "a&r=host#x?y/..", "https://c.example/stand-up/?n=a%26r%3Dhost%23x%3Fy%2F..&r=guest"},
		{"a plus", "https://c.example/{room}/?n={name}", "a+b", "https://c.example/stand-up/?n=a%2Bb"},
		{"a percent sign", "https://c.example/{room}/?n={name}", "100%25", "https://c.example/stand-up/?n=100%2525"},
		{"a placeholder as name", "https://c.example/{room}/?n={name}&r={role}", "{role}", "https://c.example/stand-up/?n=%7Brole%7D&r=guest"},
		{"beyond ASCII", "https://c.example/{room}/?n={name}", "Zoë 🎟", "https://c.example/stand-up/?n=Zo%C3%AB%20%F0%9F%8E%9F"},
		{"markup", "https://c.example/{room}/?n={name}", `"><script>`, "https://c.example/stand-up/?n=%22%3E%3Cscript%3E"},
		{"unreserved", "https://c.example/{room}/?n={name}", "a-b_c.d~e", "https://c.example/stand-up/?n=a-b_c.d~e"},
		{"a port and plain http", "http://localhost:3000/{room}", "Ada", "http://localhost:3000/stand-up"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, row.template).JoinLink(t.Context(), visit(row.person))
			if err != nil || got != row.want {
				t.Errorf("%q, %v; want %q", got, err, row.want)
			}
		})
	}
}

func FuzzANameStaysInItsPlace(f *testing.F) {
	for _, seed := range []string{"Ada", "a&r=host", "#", "/../", "{role}", "\xff", "\x00", "%", "@evil.example/"} {
		f.Add(seed)
	}
	b, err := Parse(`[{"name":"conf","kind":"url","template":"https://c.example/{name}?n={name}&r={role}&in={room}#n={name}"}]`)
	if err != nil {
		f.Fatal(err)
	}
	settled(b)
	f.Fuzz(func(t *testing.T, name string) {
		link, err := b.JoinLink(t.Context(), visit(name))
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(link)
		if err != nil {
			t.Fatalf("%q gives %q: %v", name, link, err)
		}
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil || u.Host != "c.example" || u.Path != "/"+name || len(q) != 3 || q.Get("n") != name || q.Get("r") != "guest" || u.Fragment != "n="+name {
			t.Errorf("%q gives %q", name, link)
		}
	})
}

func TestParseRefusesBadSettingsAndNeverQuotesThem(t *testing.T) {
	t.Parallel()
	const secret = "hunter22"
	one := func(members string) string { return `[{"name":"conf","kind":"url",` + members + `}]` }
	template := func(s string) string { return one(`"template":"` + s + `"`) }
	for _, row := range []struct{ name, text, says string }{
		{"no JSON", secret, "JSON array"},
		{"an object", `{"name":"` + secret + `"}`, "JSON array"},
		{"cut short", `[{"name":"` + secret, "JSON array"},
		{"a text as entry", `["` + secret + `"]`, "entry 1"},
		{"no name", `[{"kind":"url","template":"https://` + secret + `.example"}]`, "name"},
		{"no slug as name", `[{"name":"` + secret + ` x","kind":"url"}]`, "name"},
		{"one name twice", `[{"name":"a","kind":"url","template":"https://a.example/{room}/` + secret + `"},{"name":"a","kind":"url","template":"https://a.example/{room}"}]`, "entry 2: name \"a\" stands twice"},
		{"no kind", `[{"name":"a"}]`, "kind"},
		{"an unknown kind", `[{"name":"a","kind":"teleport","secret":"` + secret + `"}]`, "kind"},
		{"a secret as kind", `[{"name":"a","kind":"` + secret + `"}]`, "kind"},
		{"an unknown member", one(`"template":"https://a.example","secret":"` + secret + `"`), "template"},
		{"a number as template", one(`"template":31415`), "template"},
		{"no template", `[{"name":"conf","kind":"url"}]`, "{room}"},
		{"a template without the room", template("https://a.example/" + secret), "lacks {room}"},
		{"a path", template("/" + secret + "/{room}"), "absolute"},
		{"another scheme", template("javascript:" + secret + "/{room}"), "absolute"},
		{"a file", template("file:///" + secret + "/{room}"), "absolute"},
		{"no host", template("https:///" + secret + "/{room}"), "absolute"},
		{"a password in it", template("https://u:" + secret + "@a.example/" + "/{room}"), "absolute"},
		{"a host that depends on the person", template("https://{name}.example/" + secret + "/{room}"), "without placeholders"},
		{"a host that depends on the room", template("https://{room}/" + secret), "without placeholders"},
		{"a host that goes on", template("https://a.example{name}/" + secret + "/{room}"), "without placeholders"},
		{"a port that depends on the person", template("https://a.example:{name}/" + secret + "/{room}"), "absolute"},
		{"a scheme that depends on the person", template("{name}://a.example/" + secret + "/{room}"), "absolute"},
		{"a broken escape", template("https://a.example/%zz" + secret + "/{room}"), "absolute"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b, err := Parse(row.text)
			if err == nil || b != nil {
				t.Fatalf("taken: %v, %v", b, err)
			}
			if !strings.Contains(err.Error(), row.says) {
				t.Errorf("%q does not say %q", err, row.says)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "31415") {
				t.Errorf("%q quotes the setting", err)
			}
		})
	}
}

func TestBackends(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " \n", "[]"} {
		if b, err := Parse(text); err != nil || len(b.Names()) != 0 || b.Has("") {
			t.Errorf("%q: %v, %v", text, b, err)
		}
	}
	b, err := Parse(`[{"name":"two","kind":"url","template":"HTTPS://C.example:8443/{room}"},{"name":"one","kind":"url","template":"https://d.example/{room}"}]`)
	if err != nil || strings.Join(b.Names(), " ") != "two one" || !b.Has("one") || b.Has("three") {
		t.Fatalf("%v, %v", b.Names(), err)
	}
	p, err := b.Provider(rooms.Room{Backend: "two"})
	if err != nil || !strings.EqualFold(p.Origin(), "https://c.example:8443") {
		t.Errorf("%v, %v", p, err)
	}
	if p, err := b.Provider(rooms.Room{}); p != nil || err != nil {
		t.Errorf("the lobby: %v, %v", p, err)
	}
	if link, err := b.JoinLink(t.Context(), Visit{}); link != "" || err != nil {
		t.Errorf("into the lobby: %q, %v", link, err)
	}
	if link, err := b.JoinLink(t.Context(), Visit{Room: rooms.Room{Backend: "three"}}); link != "" || !errors.Is(err, ErrUnreachable) {
		t.Errorf("by a back end that is configured no more: %q, %v", link, err)
	}
}
