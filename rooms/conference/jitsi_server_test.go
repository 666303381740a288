package conference

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// prosody is the configuration of the server's token plugin.
type prosody struct {
	alg, issuer, audience, domain string
	signed                        func(text, signature []byte) bool
}

// admits tells why the plugin does not let the token into the room at that moment
// of its own clock, which it compares without leeway (jitsi-meet's
// luajwtjitsi.lib.lua verify, token/util.lib.lua process_and_verify_token and
// verify_room with enable_domain_verification; lib-jitsi-meet's doc/tokens.md).
func (p prosody) admits(t testing.TB, token, room string, now int64) error {
	t.Helper()
	dot := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		return err
	}
	header, body := part(t, token, 0), payload(t, token)
	text := func(claims map[string]any, name string) string { s, _ := claims[name].(string); return s }
	number := func(name string) (n int64, there, good bool) {
		f, good := body[name].(float64)
		return int64(f), body[name] != nil, good && f == float64(int64(f))
	}
	exp, hasExp, goodExp := number("exp")
	nbf, hasNbf, goodNbf := number("nbf")
	switch {
	case text(header, "typ") != "JWT":
		return errors.New("typ")
	case text(header, "alg") != p.alg:
		return errors.New("alg")
	case strings.HasPrefix(p.alg, "RS") && text(header, "kid") == "":
		return errors.New("kid")
	case !p.signed([]byte(token[:dot]), signature):
		return errors.New("signature")
	case hasExp && !goodExp || hasExp && now >= exp:
		return errors.New("exp")
	case hasNbf && !goodNbf || hasNbf && now < nbf:
		return errors.New("nbf")
	case text(body, "iss") != p.issuer:
		return errors.New("iss")
	case text(body, "aud") != p.audience:
		return errors.New("aud")
	case text(body, "room") == "" || !strings.EqualFold(text(body, "room"), room):
		return errors.New("room")
	case !strings.EqualFold(text(body, "sub"), p.domain) && text(body, "sub") != "*":
		return errors.New("sub")
	}
	for name, value := range jitsiUser(t, body) {
		if _, isText := value.(string); !isText {
			return errors.New("context.user." + name)
		}
	}
	return nil
}

func hs256(secret string) func(text, signature []byte) bool {
	return func(text, signature []byte) bool {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(text)
		return hmac.Equal(mac.Sum(nil), signature)
	}
}

func rs256(key *rsa.PublicKey) func(text, signature []byte) bool {
	return func(text, signature []byte) bool {
		sum := sha256.Sum256(text)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	}
}

// jitsiServer serves the page's settings and, unless domain is empty, speaks BOSH
// for it as Prosody does with the token plugin.
func jitsiServer(t testing.TB, status int, settings, domain string, rules prosody) (address string, over func() bool) {
	t.Helper()
	var mu sync.Mutex
	var left bool
	token := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/config.js" {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(settings))
			return
		}
		var said struct {
			XMLName xml.Name `xml:"http://jabber.org/protocol/httpbind body"`
			RID     int      `xml:"rid,attr"`
			SID     string   `xml:"sid,attr"`
			To      string   `xml:"to,attr"`
			Type    string   `xml:"type,attr"`
			Auth    *struct {
				Mechanism string `xml:"mechanism,attr"`
			} `xml:"urn:ietf:params:xml:ns:xmpp-sasl auth"`
		}
		if r.URL.Path != "/http-bind" || domain == "" || xml.NewDecoder(r.Body).Decode(&said) != nil {
			http.NotFound(w, r)
			return
		}
		answer := `type="terminate" condition="host-unknown">`
		switch {
		case said.RID == 1 && said.To == domain:
			token = r.URL.Query().Get("token")
			answer = `sid="s-1" xmlns:stream="http://etherx.jabber.org/streams"><stream:features/>`
		case said.SID == "s-1" && said.Auth != nil && said.Auth.Mechanism == "ANONYMOUS":
			answer = `><success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>`
			if rules.admits(t, token, "admitone-doctor", time.Now().Unix()) != nil {
				answer = `><failure xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><not-allowed/><text>tiger</text></failure>`
			}
		case said.SID == "s-1" && said.Type == "terminate":
			left, answer = true, `>`
		}
		_, _ = w.Write([]byte(`<body xmlns="http://jabber.org/protocol/httpbind" ` + answer + `</body>`))
	}))
	t.Cleanup(s.Close)
	return s.URL, func() bool { mu.Lock(); defer mu.Unlock(); return left }
}
