package conference

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestBadKeysAndAccountsAreRefusedByName(t *testing.T) {
	t.Parallel()
	const wrong = "tiger"
	_, good := privateKey(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that it is weak is the point
	if err != nil {
		t.Fatal(err)
	}
	quoted := func(text string) string {
		q, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(q)
	}
	short := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(weak)}))
	talk := func(members string) string {
		return `"kind":"mirotalk","url":"https://talk.example",` + members
	}
	jitsi := func(members string) string {
		return `"kind":"jitsi","url":"https://meet.example","app_id":"a",` + members
	}
	galene := func(members string) string { return `"kind":"galene","url":"https://galene.example",` + members }
	for _, row := range []struct{ members, says string }{
		{`"kind":"mirotalk","jwt_key":"k","username":"u","password":"tiger"`, "url is missing"},
		{`"kind":"mirotalk","url":"http://tiger.example","jwt_key":"k","username":"u","password":"p"`, "url needs https"},
		{`"kind":"mirotalk","url":"https://talk.example?tiger","jwt_key":"k","username":"u","password":"p"`, "url has no user, query"},
		{talk(`"username":"u","password":"tiger"`), "jwt_key is missing"},
		{talk(`"jwt_key":"tiger","password":"p"`), "username is missing"},
		{talk(`"jwt_key":"tiger","username":"u"`), "password is missing"},
		{talk(`"jwt_key":"tiger","username":"u","password":"p","sfu":"tiger"`), `member "sfu" is of another type`},
		{talk(`"jwt_key":"tiger","username":"u","password":"p","presenter":"tiger"`), "the members of its kind are name, kind, url, jwt_key, username, password, sfu"},

		{`"kind":"jitsi","app_id":"a","secret":"tiger"`, "url is missing"},
		{`"kind":"jitsi","url":"http://tiger.example","app_id":"a","secret":"s"`, "url needs https"},
		{`"kind":"jitsi","url":"https://meet.example","secret":"tiger"`, "app_id is missing"},
		{jitsi(`"aud":"tiger"`), "one of secret and private_key"},
		{jitsi(`"secret":"tiger","private_key":` + quoted(good) + `,"kid":"k"`), "one of secret and private_key"},
		{jitsi(`"secret":"tiger","kid":"k"`), "kid goes with private_key"},
		{jitsi(`"private_key":` + quoted(good)), "kid is missing"},
		{jitsi(`"private_key":"tiger","kid":"k"`), "private_key is an RSA key in PEM"},
		{jitsi(`"private_key":` + quoted(strings.Replace(good, "A", "B", 9)) + `,"kid":"tiger"`), "private_key is an RSA key in PEM"},
		{jitsi(`"private_key":` + quoted(short) + `,"kid":"k"`), "of 2048 bits or more"},
		{jitsi(`"secret":"tiger","roles":1`), `member "roles" is of another type`},
		{jitsi(`"secret":"tiger","tenant":"t"`), "the members of its kind are name, kind, url, app_id"},

		{`"kind":"galene","key":` + octetKey, "url is missing"},
		{`"kind":"galene","url":"http://tiger.example","key":` + octetKey, "url needs https"},
		{`"kind":"galene","url":"https://galene.example/tiger","key":` + octetKey, "url has no path"},
		{galene(`"group":"meetings"`), "one of key, admin_token, and username with password"},
		{galene(`"admin_token":"tiger","key":` + octetKey), "one of key, admin_token"},
		{galene(`"admin_token":"tiger","username":"u","password":"p"`), "one of key, admin_token"},
		{galene(`"username":"tiger"`), "one of key, admin_token"},
		{galene(`"password":"tiger"`), "one of key, admin_token"},
		{galene(`"admin_token":"t","group":"/tiger"`), "group is a path"},
		{galene(`"admin_token":"t","group":"tiger/"`), "group is a path"},
		{galene(`"admin_token":"t","group":"../tiger"`), "group is a path"},
		{galene(`"admin_token":"t","group":"a/.tiger"`), "group is a path"},
		{galene(`"admin_token":"t","group":"tiger?x"`), "group is a path"},
		{galene(`"key":"tiger"`), "key is a JSON object"},
		{galene(`"key":{"kty":7}`), "key is a JSON object"},
		{galene(`"key":null`), "key is a JWK of kty"},
		{galene(`"key":{"kty":"oct","k":"tiger"}`), "key is a JWK of kty"},
		{galene(`"key":{"kty":"oct","alg":"none","k":"tiger"}`), "key is a JWK of kty"},
		{galene(`"key":{"kty":"RSA","alg":"RS256","d":"tiger"}`), "key is a JWK of kty"},
		{galene(`"key":{"kty":"EC","alg":"ES256","crv":"P-384","d":"tiger"}`), "key is a JWK of kty"},
		{galene(`"key":{"kty":"oct","alg":"HS256","k":"tiger"}`), "key has a k that is not"},
		{galene(`"key":{"kty":"oct","alg":"HS512","k":"MYz3IfCq4Yq-UmPdNqWEOdPl4C_m9imHHs9uveDUJGQ"}`), "key has a k that is not"}, // gitleaks:allow
		{galene(`"key":{"kty":"oct","alg":"HS256","k":"!tiger"}`), "key has a k that is not"},
		{galene(`"key":{"kty":"EC","alg":"ES256","crv":"P-256","d":"!tiger"}`), "key has a d that is no base64url"},
		{galene(`"key":{"kty":"EC","alg":"ES256","crv":"P-256","x":"tiger"}`), "key has no private part"},
		{galene(`"key":{"kty":"EC","alg":"ES256","crv":"P-256","d":"tigers"}`), "key has no private part"},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(`[{"name":"conf",` + row.members + `}]`)
			if err == nil || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "entry 1 (conf)") {
				t.Fatalf("%s\n%v does not say %q", row.members, err, row.says)
			}
			if strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), "BEGIN") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q quotes the setting", err)
			}
		})
	}
}

// asked are the kinds of which a server is asked now and then, at that address.
func asked(t testing.TB, address string) map[string]*Backends {
	t.Helper()
	return map[string]*Backends{
		"mirotalk":               miroTalkAt(t, address),
		"jitsi":                  jitsiAt(t, `"url":"`+address+`","secret":"`+jitsiSecret+`"`),
		"galene":                 galeneAt(t, address, `"key":`+octetKey),
		"galene with an admin":   galeneAt(t, address, `"admin_token":"`+galeneAdminToken+`"`),
		"galene with a password": galeneAt(t, address, `"group":"meetings","username":"admin","password":"`+galenePassword+`"`),
	}
}

func TestAServerInTroubleIsSaidToBe(t *testing.T) {
	t.Parallel()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "tiger", http.StatusBadGateway) }))
	t.Cleanup(broken.Close)
	moved := httptest.NewServer(http.RedirectHandler("https://tiger.example/", http.StatusMovedPermanently))
	t.Cleanup(moved.Close)
	for fault, address := range map[string]string{"gone": nowhere, "broken": broken.URL, "moved": moved.URL} {
		for kind, b := range asked(t, address) {
			t.Run(kind+" is "+fault, func(t *testing.T) {
				t.Parallel()
				v := visit("Ada")
				errs := map[string]error{}
				_, errs["check"] = b.Check(t.Context(), "conf")
				if b.Can(v.Room).Removes {
					_, errs["join"] = b.JoinLink(t.Context(), v)
					errs["remove"] = b.Remove(t.Context(), v)
				}
				for what, err := range errs {
					if !errors.Is(err, ErrUnreachable) {
						t.Errorf("%s: %v", what, err)
						continue
					}
					for _, no := range []string{"tiger", "token=", "\n", galeneAdminToken, galenePassword, "adm_"} {
						if strings.Contains(err.Error(), no) {
							t.Errorf("%s: %q holds %q", what, err, no)
						}
					}
				}
			})
		}
	}
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/.tokens/") {
			_, _ = w.Write([]byte(`["one"]`))
			return
		}
		_, _ = w.Write([]byte("<title>tiger</title>"))
	}))
	t.Cleanup(odd.Close)
	for kind, b := range asked(t, odd.URL) {
		v := visit("Ada")
		if !b.Can(v.Room).Removes {
			continue
		}
		if _, err := b.Check(t.Context(), "conf"); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: a web page checks as %v", kind, err)
		}
		if err := b.Remove(t.Context(), v); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: a web page as token: %v", kind, err)
		}
		if _, err := b.JoinLink(t.Context(), v); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: a web page makes a token: %v", kind, err)
		}
	}
}
