package conference

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/rooms"
)

const jitsiSecret = "violet tram 4711 🎟 lantern Zx93" // gitleaks:allow

// aKey is an RSA key for all tests, which takes a while to make.
var aKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func privateKey(t testing.TB) (key *rsa.PrivateKey, text string) {
	t.Helper()
	key, err := aKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// jitsiAt is a Jitsi with these further members, at a host of its own unless they
// say url.
func jitsiAt(t testing.TB, more string) *Backends {
	t.Helper()
	if !strings.Contains(more, `"url"`) {
		more = `"url":"https://Meet.example:8443",` + more
	}
	b, err := Parse(`[{"name":"conf","kind":"jitsi","app_id":"admitone",` + more + `}]`)
	if err != nil {
		t.Fatal(err)
	}
	return settled(b)
}

func jitsiUser(t testing.TB, claims map[string]any) map[string]any {
	t.Helper()
	context, _ := claims["context"].(map[string]any)
	user, _ := context["user"].(map[string]any)
	return user
}

func TestAJitsiTokenKeepsToTheRulesOfTheTokenPlugin(t *testing.T) {
	t.Parallel()
	key, text := privateKey(t)
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	now := clock().Unix()
	for _, row := range []struct {
		name, members string
		server        prosody
	}{
		{"a secret", `"secret":"` + jitsiSecret + `"`, prosody{"HS256", "admitone", "jitsi", "meet.example", hs256(jitsiSecret)}},
		{"a key", `"private_key":` + string(quoted) + `,"kid":"k1"`, prosody{"RS256", "admitone", "jitsi", "meet.example", rs256(&key.PublicKey)}},
		{"an audience and a domain", `"secret":"` + jitsiSecret + `","aud":"ours","sub":"meet.jitsi"`, prosody{"HS256", "admitone", "ours", "meet.jitsi", hs256(jitsiSecret)}},
		{"a tenant", `"url":"https://meet.example/Tenant1/","secret":"` + jitsiSecret + `"`, prosody{"HS256", "admitone", "jitsi", "tenant1", hs256(jitsiSecret)}},
		{"every domain", `"secret":"` + jitsiSecret + `","sub":"*"`, prosody{"HS256", "admitone", "jitsi", "meet.example", hs256(jitsiSecret)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := jitsiAt(t, row.members)
			v := visit("Zoë & #1+1 🎟")
			v.Role = "host"
			link, err := b.JoinLink(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			u := follow(t, link)
			place := b.settle(v).Place
			if !strings.HasSuffix(u.Path, "/"+place) || u.Fragment != "" || len(u.Query()) != 1 {
				t.Errorf("%s", link)
			}
			token := u.Query().Get("jwt")
			// A server whose clock is a minute behind still takes it.
			for at, want := range map[int64]string{
				now: "", now - 60: "", now - 61: "nbf", now + int64(linkLife.Seconds()) - 1: "", now + int64(linkLife.Seconds()): "exp",
			} {
				if err := row.server.admits(t, token, place, at); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
					t.Errorf("%d seconds later: %v, want %q", at-now, err, want)
				}
			}
			if err := row.server.admits(t, token, "another-room", now); err == nil {
				t.Error("it opens another room")
			}
			want := map[string]string{"id": rooms.ID(1).Show(rooms.AdmissionPrefix), "name": v.Name, "affiliation": "owner", "moderator": "true"}
			user := jitsiUser(t, payload(t, token))
			for name, value := range want {
				if user[name] != value {
					t.Errorf("context.user.%s is %v", name, user[name])
				}
			}
			if len(user) != len(want) {
				t.Errorf("context.user is %v", user)
			}
		})
	}
}

func TestJsonwebtokenTakesOurJitsiTokens(t *testing.T) {
	t.Parallel()
	key, text := privateKey(t)
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	verifies := map[string]string{"HS256": jitsiSecret, "RS256": public}
	tokens, places := map[string]string{}, map[string]string{}
	for alg, members := range map[string]string{
		"HS256": `"secret":"` + jitsiSecret + `","roles":true`, "RS256": `"private_key":` + string(quoted) + `,"kid":"jitsi/k1","roles":true`,
	} {
		b := jitsiAt(t, members)
		link, err := b.JoinLink(t.Context(), visit("Ada"))
		if err != nil {
			t.Fatal(err)
		}
		tokens[alg], places[alg] = follow(t, link).Query().Get("jwt"), b.settle(visit("Ada")).Place
	}
	got := map[string]struct {
		Header, Payload map[string]any
		Early           string
	}{}
	node(t, `
		const jwt = require("jsonwebtoken");
		const read = (alg, text) => {
			const rules = { algorithms: [alg], audience: "jitsi", issuer: "admitone", subject: "meet.example" };
			let early = "taken";
			try { jwt.verify(text, asked.keys[alg], { ...rules, clockTimestamp: asked.now - 61 }); } catch (e) { early = e.message; }
			return { ...jwt.verify(text, asked.keys[alg], { ...rules, clockTimestamp: asked.now, complete: true }), early };
		};
		answer(Object.fromEntries(Object.entries(asked.tokens).map(([alg, text]) => [alg, read(alg, text)])));`,
		map[string]any{"tokens": tokens, "keys": verifies, "now": clock().Unix()}, &got, "jsonwebtoken")
	for alg := range verifies {
		read := got[alg]
		if read.Payload["room"] != places[alg] || read.Payload["aud"] != "jitsi" || read.Early != "jwt not active" {
			t.Errorf("%s: %v, early: %s", alg, read.Payload, read.Early)
		}
		if kid := read.Header["kid"]; alg == "RS256" && kid != "jitsi/k1" || alg == "HS256" && kid != nil {
			t.Errorf("%s: kid is %v", alg, kid)
		}
	}
}

func TestWithoutRolesAGuestComesToJitsiWithoutAToken(t *testing.T) {
	t.Parallel()
	b := jitsiAt(t, `"secret":"`+jitsiSecret+`"`)
	for _, name := range []string{"Ada", `Zoë & #1+1 🎟 "\&"`, "</script>&jwt=x", ""} {
		v := visit(name)
		link, err := b.JoinLink(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		u := follow(t, link)
		if u.RawQuery != "" || strings.Contains(link, "?") || u.Path != "/"+b.settle(v).Place {
			t.Errorf("%s", link)
		}
		if got := displayName(t, u); got != name {
			t.Errorf("%q comes as %q", name, got)
		}
		if got := b.Lasts(v); got != Forever {
			t.Errorf("it lasts %v", got)
		}
		v.Role = "host"
		if got := b.Lasts(v); got != linkLife {
			t.Errorf("a host's lasts %v", got)
		}
	}
	v := visit("Ada")
	if got := jitsiAt(t, `"secret":"`+jitsiSecret+`","roles":true`).Lasts(v); got != linkLife {
		t.Errorf("with roles a guest's lasts %v", got)
	}
	if can := b.Can(v.Room); can.Holds || can.Removes || can.Ends || can.Tells {
		t.Errorf("%+v", can)
	}
}

// displayName is the name in the fragment as Jitsi Meet reads it
// (base/util/parseURLParams): parted at &, decoded, \& read as &, parsed as JSON.
func displayName(t testing.TB, u *url.URL) (name string) {
	t.Helper()
	fragment := u.EscapedFragment()
	if fragment == "" {
		return ""
	}
	for _, param := range strings.Split(fragment, "&") {
		key, value, _ := strings.Cut(param, "=")
		text, err := url.PathUnescape(value)
		if err != nil || key != "userInfo.displayName" {
			t.Fatalf("%q: %v", fragment, err)
		}
		if err := json.Unmarshal([]byte(strings.Replace(text, `\&`, "&", 1)), &name); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	return name
}

func FuzzANameAddsNothingToAJitsiLink(f *testing.F) {
	for _, seed := range []string{"Ada", "a&jwt=x", "#config.x=1", "/../", `\&`, "\xff", "\x00", "%26"} {
		f.Add(seed)
	}
	guests, all := jitsiAt(f, `"secret":"`+jitsiSecret+`"`), jitsiAt(f, `"secret":"`+jitsiSecret+`","roles":true`)
	f.Fuzz(func(t *testing.T, name string) {
		v := visit(name)
		whole := strings.ToValidUTF8(name, "\ufffd") // as JSON has it
		bare, err := guests.JoinLink(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if u := follow(t, bare); u.Host != "Meet.example:8443" || u.RawQuery != "" || u.Path != "/"+guests.settle(v).Place || len(displayName(t, u)) == 0 && name != "" {
			t.Errorf("%q: %s", name, bare)
		}
		link, err := all.JoinLink(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		u := follow(t, link)
		user := jitsiUser(t, payload(t, u.Query().Get("jwt")))
		if len(u.Query()) != 1 || u.Fragment != "" || user["affiliation"] != "member" || user["moderator"] != "false" || len(user) > 4 {
			t.Errorf("%q: %s", name, link)
		}
		if got, _ := user["name"].(string); strings.Count(got, "\ufffd") == 0 && got != whole {
			t.Errorf("%q comes as %q", name, got)
		}
	})
}

func TestJitsiIsCheckedAsFarAsItTells(t *testing.T) {
	t.Parallel()
	const settings = "/* eslint-disable */ var config = { hosts: {\n // anonymousdomain: 'guest.example',\n domain: 'meet.jitsi' } };"
	good := prosody{"HS256", "admitone", "jitsi", "127.0.0.1", hs256(jitsiSecret)}
	other, elsewhere, listens := good, good, good
	other.signed, elsewhere.issuer, listens.audience = hs256("other"), "someone", "other"
	for _, row := range []struct {
		name, settings, domain string
		status                 int
		rules                  prosody
		says                   string
		signsIn                bool
	}{
		{"all is good", settings, "meet.jitsi", http.StatusOK, good, "", true},
		{"the domain is the host", "var config = {}", "127.0.0.1", http.StatusOK, good, "", true},
		{"another secret", settings, "meet.jitsi", http.StatusOK, other, "does not allow our token", true},
		{"another app", settings, "meet.jitsi", http.StatusOK, elsewhere, "does not allow our token", true},
		{"another audience", settings, "meet.jitsi", http.StatusOK, listens, "does not allow our token", true},
		{"a domain that it does not have", settings, "other.example", http.StatusOK, other, "", false},
		{"no BOSH", settings, "", http.StatusOK, other, "", false},
		{"another page", "<title>Welcome</title>", "", http.StatusOK, good, "no Jitsi Meet", false},
		{"no page", "", "", http.StatusNotFound, good, "404", false},
		{"elsewhere", "", "", http.StatusFound, good, "302", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			address, over := jitsiServer(t, row.status, row.settings, row.domain, row.rules)
			checks(t, jitsiAt(t, `"url":"`+address+`","secret":"`+jitsiSecret+`"`), row.says)
			if over() != row.signsIn {
				t.Errorf("signed in, and out again: %v", over())
			}
		})
	}
}

func TestAJitsiLinkEndsWithTheAdmission(t *testing.T) {
	t.Parallel()
	b := jitsiAt(t, `"secret":"`+jitsiSecret+`","roles":true`)
	v := visit("Ada")
	v.Until = clock().Add(90 * time.Second).UnixMilli()
	link, err := b.JoinLink(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	if exp := payload(t, follow(t, link).Query().Get("jwt"))["exp"]; exp != float64(clock().Unix()+90) {
		t.Errorf("ends at %v", exp)
	}
}
