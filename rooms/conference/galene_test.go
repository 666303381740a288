package conference

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
)

// octetKey is of Galene's manual.
const octetKey = `{"kty":"oct","alg":"HS256","k":"MYz3IfCq4Yq-UmPdNqWEOdPl4C_m9imHHs9uveDUJGQ"}` // gitleaks:allow

// galeneAt is a Galene at that address with these further members.
func galeneAt(t testing.TB, address, more string) *Backends {
	t.Helper()
	b, err := Parse(`[{"name":"conf","kind":"galene","url":"` + address + `",` + more + `}]`)
	if err != nil {
		t.Fatal(err)
	}
	return settled(b)
}

func TestAGaleneTokenKeepsToTheServersRules(t *testing.T) {
	t.Parallel()
	secret, err := base64.RawURLEncoding.DecodeString("MYz3IfCq4Yq-UmPdNqWEOdPl4C_m9imHHs9uveDUJGQ") // gitleaks:allow
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("k", 64)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	ec := `{"kty":"EC","alg":"ES256","crv":"P-256","x":"` + b64(point[1:33]) + `","y":"` + b64(point[33:]) + `","d":"` + b64(d) + `","kid":"k1"}`
	now := clock().Unix()
	v := visit("Zoë & #1+1 🎟")
	for _, row := range []struct {
		name, members, alg string
		signed             func(text, signature []byte) bool
		group              func(place string) string
	}{
		{"an octet key", `"key":` + octetKey, "HS256", mac(sha256.New, secret), func(string) string { return "stand-up" }},
		{"a longer one", `"key":{"kty":"oct","alg":"HS512","k":"` + b64([]byte(long)) + `"}`, "HS512", mac(sha512.New, []byte(long)), func(string) string { return "stand-up" }},
		{"a key pair", `"key":` + ec, "ES256", es256(&key.PublicKey), func(string) string { return "stand-up" }},
		{"subgroups", `"group":"teaching/meetings","key":` + octetKey, "HS256", mac(sha256.New, secret), func(place string) string { return "teaching/meetings/" + place }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := galeneAt(t, "https://Galene.example:8443/", row.members)
			link, err := b.JoinLink(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			u := follow(t, link)
			group := row.group(b.settle(v).Place)
			token := u.Query().Get("token")
			if u.Path != "/group/"+group+"/" || len(u.Query()) != 1 || u.Fragment != "" {
				t.Errorf("%s", link)
			}
			for at, want := range map[int64]string{
				now: "", now - 65: "", now - 66: "iat", now + int64(linkLife.Seconds()): "", now + int64(linkLife.Seconds()) + 5: "exp",
			} {
				if err := galeneAdmits(t, token, "galene.example:8443", group, row.alg, at, row.signed); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
					t.Errorf("%d seconds later: %v, want %q", at-now, err, want)
				}
			}
			for _, other := range [][2]string{{"galene.example", group}, {"galene.example:8443", "other"}, {"galene.example:8443", group + "/sub"}} {
				if err := galeneAdmits(t, token, other[0], other[1], row.alg, now, row.signed); err == nil || err.Error() != "aud" {
					t.Errorf("it opens %v: %v", other, err)
				}
			}
			if sub := payload(t, token)["sub"]; sub != v.Name {
				t.Errorf("sub is %v", sub)
			}
			if kid := part(t, token, 0)["kid"]; row.alg == "ES256" && kid != "k1" || row.alg != "ES256" && kid != nil {
				t.Errorf("kid is %v", kid)
			}
		})
	}
	link, err := galeneAt(t, "https://galene.example", `"key":`+octetKey).JoinLink(t.Context(), visit(""))
	if err != nil {
		t.Fatal(err)
	}
	if sub, there := payload(t, follow(t, link).Query().Get("token"))["sub"]; there {
		t.Errorf("somebody without a name is %v, and not asked for one", sub)
	}
}

func TestGaleneMakesAndRevokesStatefulTokens(t *testing.T) {
	t.Parallel()
	for way, members := range map[string]string{
		"a token":    `"admin_token":"` + galeneAdminToken + `"`,
		"a password": `"username":"admin","password":"` + galenePassword + `"`,
		"subgroups":  `"group":"meetings","admin_token":"` + galeneAdminToken + `"`,
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := newGaleneServer(t)
			b := galeneAt(t, s.URL, members)
			ada, eve := visit("Zoë & #1 🎟"), visit("Eve")
			eve.Admission = 2
			names := map[rooms.ID][]string{}
			for _, v := range []Visit{ada, eve, ada} {
				link, err := b.JoinLink(t.Context(), v)
				if err != nil {
					t.Fatal(err)
				}
				u := follow(t, link)
				group := "stand-up"
				if way == "subgroups" {
					group = "meetings/" + b.settle(v).Place
				}
				if u.Path != "/group/"+group+"/" || len(u.Query()) != 1 || u.Fragment != "" {
					t.Errorf("%s", link)
				}
				names[v.Admission] = append(names[v.Admission], u.Query().Get("token"))
			}
			token := s.stored(t, names[1][0])
			if token["username"] != ada.Name || token["expires"] != clock().Add(linkLife).UTC().Format(time.RFC3339) {
				t.Errorf("%v", token)
			}
			s.mu.Lock()
			for id := range s.tokens {
				s.tokens[id]["data"] = json.RawMessage(`{"a":1}`) // of a later version
			}
			s.mu.Unlock()
			if err := b.Remove(t.Context(), ada); err != nil {
				t.Fatal(err)
			}
			for _, name := range names[1] {
				token := s.stored(t, name)
				at, err := time.Parse(time.RFC3339, token["expires"].(string))
				if err != nil || at.After(clock()) {
					t.Errorf("it lives until %v, %v", token["expires"], err)
				}
				if token["username"] != ada.Name || token["data"] == nil || token["permissions"] == nil {
					t.Errorf("more than the end is changed: %v", token)
				}
			}
			if token := s.stored(t, names[2][0]); token["expires"] != clock().Add(linkLife).UTC().Format(time.RFC3339) {
				t.Errorf("somebody else's token ends: %v", token)
			}
			// What is over is left alone.
			s.mu.Lock()
			s.asked = nil
			s.mu.Unlock()
			if err := b.Remove(t.Context(), ada); err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(s.asked, func(one string) bool { return strings.HasPrefix(one, http.MethodPut) }) {
				t.Errorf("revoked twice: %v", s.asked)
			}
		})
	}
}

func TestRevokingInGaleneLosesToNobody(t *testing.T) {
	t.Parallel()
	s := newGaleneServer(t)
	b := galeneAt(t, s.URL, `"admin_token":"`+galeneAdminToken+`"`)
	v := visit("Ada")
	link, err := b.JoinLink(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	name := follow(t, link).Query().Get("token")
	s.meddle = func() { // between our look and our change
		s.tokens["stand-up/"+name]["permissions"], s.tokens["stand-up/"+name]["version"] = json.RawMessage(`["observe"]`), json.RawMessage("99")
	}
	if err := b.Remove(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	token := s.stored(t, name)
	if p, _ := token["permissions"].([]any); len(p) != 1 || p[0] != "observe" {
		t.Errorf("somebody's change is lost: %v", token)
	}
	if at, err := time.Parse(time.RFC3339, token["expires"].(string)); err != nil || at.After(clock()) {
		t.Errorf("it lives until %v", token["expires"])
	}

	link, err = b.JoinLink(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	name = follow(t, link).Query().Get("token")
	s.meddle = func() { delete(s.tokens, "stand-up/"+name) }
	if err := b.Remove(t.Context(), v); err != nil {
		t.Errorf("a token that is gone: %v", err)
	}
}

func TestGaleneMayAnswerWithAWholeLocation(t *testing.T) {
	t.Parallel()
	for location, good := range map[string]bool{"": true, "/galene-api/v0/.groups/stand-up/.tokens/": true, "https://galene.example/x/": true, "%zz": false} {
		s := newGaleneServer(t)
		s.location = location
		link, err := galeneAt(t, s.URL, `"admin_token":"`+galeneAdminToken+`"`).JoinLink(t.Context(), visit("Ada"))
		if good && (err != nil || s.stored(t, follow(t, link).Query().Get("token")) == nil) || !good && !errors.Is(err, ErrUnreachable) {
			t.Errorf("%q: %q, %v", location, link, err)
		}
	}
	for _, location := range []string{"", "/", "stand-up/.tokens/"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusCreated)
		}))
		t.Cleanup(s.Close)
		if link, err := galeneAt(t, s.URL, `"admin_token":"a"`).JoinLink(t.Context(), visit("Ada")); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%q: %q, %v", location, link, err)
		}
	}
}

func TestOnlyAGaleneWithAnAdminRevokes(t *testing.T) {
	t.Parallel()
	v := visit("Ada")
	for members, removes := range map[string]bool{`"key":` + octetKey: false, `"admin_token":"a"`: true} {
		b := galeneAt(t, "https://galene.example", members)
		if can := b.Can(v.Room); can.Removes != removes || can.Holds || can.Ends || can.Tells {
			t.Errorf("%s: %+v", members, can)
		}
		if got := b.Lasts(v); got != linkLife {
			t.Errorf("%s: lasts %v", members, got)
		}
	}
}

func TestGaleneIsChecked(t *testing.T) {
	t.Parallel()
	s := newGaleneServer(t)
	admin := `"admin_token":"` + galeneAdminToken + `"`
	for _, row := range []struct{ members, says string }{
		{admin, ""},
		{`"username":"admin","password":"` + galenePassword + `"`, ""},
		{`"admin_token":"other"`, "our secret or right is not good"},
		{`"username":"admin","password":"other"`, "our secret or right is not good"},
		{`"group":"meetings",` + admin, ""},
		{`"group":"old/meetings",` + admin, ""},
		{`"group":"plain",` + admin, "no auto-subgroups"},
		{`"group":"nowhere",` + admin, "no such group"},
		{`"group":"meetings","admin_token":"other"`, "our secret or right is not good"},
		{`"key":` + octetKey, ""},
		{`"group":"meetings","key":` + octetKey, ""},
		{`"group":"nowhere","key":` + octetKey, "no such group"},
	} {
		checks(t, galeneAt(t, s.URL, row.members), row.says)
	}
}

func FuzzANameAddsNothingToAGaleneLink(f *testing.F) {
	for _, seed := range []string{"Ada", "a&token=x", "#", `","permissions":["op"]`, "\xff", "\x00"} {
		f.Add(seed)
	}
	b := galeneAt(f, "https://galene.example", `"key":`+octetKey)
	f.Fuzz(func(t *testing.T, name string) {
		link, err := b.JoinLink(t.Context(), visit(name))
		if err != nil {
			t.Fatal(err)
		}
		u := follow(t, link)
		claims := payload(t, u.Query().Get("token"))
		permissions, _ := claims["permissions"].([]any)
		if u.Host != "galene.example" || u.Path != "/group/stand-up/" || len(u.Query()) != 1 || u.Fragment != "" || galeneModerator(t, permissions) || len(claims) > 5 {
			t.Errorf("%q: %s", name, link)
		}
	})
}
