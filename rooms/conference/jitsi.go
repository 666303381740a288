package conference

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/rooms"
)

// jitsi is the kind "jitsi": a Jitsi Meet whose Prosody authenticates by token
// (lib-jitsi-meet, doc/tokens.md).
//
// There every token holder is a moderator, unless a plugin such as
// token_affiliation sets roles by the token, which "roles" says. Without it guests
// come without a token, as guests of the server's own, who wait there for a host.
type jitsi struct {
	asker
	url           *url.URL
	app, aud, sub string
	method        jwt.SigningMethod
	key           any
	kid           string
	roles         bool
}

func newJitsi(raw json.RawMessage) (Provider, error) {
	var c struct {
		head
		URL        string `json:"url"`
		AppID      string `json:"app_id"`
		Secret     string `json:"secret"`
		PrivateKey string `json:"private_key"`
		KID        string `json:"kid"`
		Aud        string `json:"aud"`
		Sub        string `json:"sub"`
		Roles      bool   `json:"roles"`
	}
	if err := members(raw, &c); err != nil {
		return nil, err
	}
	u, err := address("url", c.URL, "https")
	if err != nil {
		return nil, err
	}
	if c.AppID == "" {
		return nil, missing("app_id")
	}
	p := &jitsi{newAsker(), u, c.AppID, c.Aud, c.Sub, jwt.SigningMethodHS256, []byte(c.Secret), c.KID, c.Roles}
	if p.aud == "" {
		p.aud = "jitsi"
	}
	if p.sub == "" {
		p.sub = tenant(u)
	}
	switch {
	case (c.Secret == "") == (c.PrivateKey == ""):
		return nil, errors.New("one of secret and private_key is needed, and one alone")
	case c.Secret != "" && c.KID != "":
		return nil, errors.New("kid goes with private_key")
	case c.PrivateKey != "" && c.KID == "":
		return nil, errors.New("kid is missing, by which the server finds the public key")
	case c.PrivateKey != "":
		p.method = jwt.SigningMethodRS256
		p.key, err = rsaKey(c.PrivateKey)
	default:
		err = guarded("secret", c.Secret, u)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// tenant is what the claim sub names: the tenant in the address's path, or else
// the host, in lower case.
func tenant(u *url.URL) string {
	if u.Path != "" {
		return strings.ToLower(strings.TrimPrefix(u.Path, "/"))
	}
	return strings.ToLower(u.Hostname())
}

func (p *jitsi) Origin() string { return origin(p.url) }

// bare tells whether this visit's link has no token.
func (p *jitsi) bare(v Visit) bool { return v.Role != "host" && !p.roles }

// Lasts is Forever for a link without a token: the room's name is all it takes.
func (p *jitsi) Lasts(v Visit) time.Duration {
	if p.bare(v) {
		return Forever
	}
	return linkLife
}

func (p *jitsi) JoinLink(_ context.Context, v Visit) (string, error) {
	link := p.url.String() + "/" + encode(v.Place)
	if p.bare(v) {
		return link + called(v.Name), nil
	}
	token, err := p.token(v)
	if err != nil {
		return "", err
	}
	return link + "?jwt=" + token, nil
}

func (p *jitsi) token(v Visit) (string, error) {
	// The server calls an error on whatever of the user is no text.
	user := map[string]string{"id": v.Admission.Show(rooms.AdmissionPrefix), "affiliation": "member", "moderator": "false"}
	if v.Name != "" {
		user["name"] = v.Name
	}
	if v.Role == "host" {
		user["affiliation"], user["moderator"] = "owner", "true"
	}
	return sign(p.method, p.key, p.kid, jwt.MapClaims{
		"aud": p.aud, "iss": p.app, "sub": p.sub, "room": v.Place,
		"nbf": time.UnixMilli(v.At).Add(-behind).Unix(), "exp": expiry(v),
		"context": map[string]any{"user": user},
	})
}

// called is the fragment by which Jitsi Meet takes a name without a token: JSON,
// percent-encoded, in which & and # are never themselves.
func called(name string) string {
	if name == "" {
		return ""
	}
	text, err := json.Marshal(name)
	if err != nil {
		return ""
	}
	return "#userInfo.displayName=" + encode(string(text))
}

var sidShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

var domainShape = regexp.MustCompile(`\bdomain\s*[:=]\s*['"]([A-Za-z0-9.-]+)['"]`)

// Check looks at the page's own settings and signs in with a token at the XMPP
// server behind it, without entering a room.
func (p *jitsi) Check(ctx context.Context) error {
	got, err := p.ask(ctx, http.MethodGet, origin(p.url)+"/config.js", nil, nil)
	if err != nil {
		return err
	}
	if got.Status != http.StatusOK {
		return got.unexpected()
	}
	if !strings.Contains(string(got.Body), "config") {
		return errors.New("what answers at url is no Jitsi Meet: its config.js is not there")
	}
	domain := strings.ToLower(p.url.Hostname())
	if found := domainShape.FindSubmatch(got.Body); found != nil {
		domain = string(found[1])
	}
	return p.signIn(ctx, domain)
}

// bosh is what the XMPP server answers (XEP-0124), as far as we read it.
type bosh struct {
	SID     string `xml:"sid,attr"`
	Failure *struct {
		NotAllowed *struct{} `xml:"not-allowed"`
	} `xml:"failure"`
}

// signIn fails if the XMPP server says that it does not allow our token. Where it
// does not speak BOSH, or not of tokens, nobody can tell.
func (p *jitsi) signIn(ctx context.Context, domain string) error {
	now := time.Now()
	v := Visit{Place: "admitone-doctor", Role: "host", At: now.UnixMilli(), Until: now.Add(linkLife).UnixMilli()}
	token, err := p.token(v)
	if err != nil {
		return err
	}
	door := origin(p.url) + "/http-bind?room=" + v.Place + "&token=" + token
	say := func(rid int, attributes, inner string) (heard bosh) {
		body := fmt.Sprintf(`<body xmlns="http://jabber.org/protocol/httpbind" rid="%d" %s>%s</body>`, rid, attributes, inner)
		got, err := p.ask(ctx, http.MethodPost, door, http.Header{"Content-Type": {"text/xml; charset=utf-8"}}, []byte(body))
		if err != nil || got.Status != http.StatusOK || xml.Unmarshal(got.Body, &heard) != nil {
			return bosh{}
		}
		return heard
	}
	hello := say(1, `to="`+domain+`" xml:lang="en" wait="5" hold="1" ver="1.6" xmpp:version="1.0" xmlns:xmpp="urn:xmpp:xbosh"`, "")
	if !sidShape.MatchString(hello.SID) {
		return nil
	}
	heard := say(2, `sid="`+hello.SID+`"`, `<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>`)
	say(3, `sid="`+hello.SID+`" type="terminate"`, "")
	if heard.Failure != nil && heard.Failure.NotAllowed != nil {
		return errors.New("the server does not allow our token: app_id, aud, or secret or key with kid, is another there, or its clock is wrong")
	}
	return nil
}
