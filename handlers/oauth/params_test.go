package oauth

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"testing"
)

// FuzzObject: what is taken for a JSON object is one, whole, with no member twice.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":"b"}`, `{"a":1,"a":2}`, `{"a":{"a":1}}`, `{"a":1}{}`, `[]`, `null`, `{"a":`, `{"a" 1}`, `{"\u0061":1,"a":2}`, ` {"a":[1,{"b":null}]} `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		members, err := object(text)
		var plain map[string]json.RawMessage
		wrong := json.Unmarshal(text, &plain)
		switch {
		case err == nil && (wrong != nil || len(plain) != len(members)):
			t.Errorf("%q was taken with %d members, of %d: %v", text, len(members), len(plain), wrong)
		case err == nil:
			for name, value := range plain {
				if string(members[name]) != string(value) {
					t.Errorf("%q: %s is %q", text, name, members[name])
				}
			}
		}
	})
}

// FuzzQuery: a parameter has the only value that was sent.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b&a=c", "a", "a=%zz", "a=1;b=2", "a=b&%61=c", "a=%ff", "&&=&"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := query(text)
		all, wrong := url.ParseQuery(text)
		if err == nil && wrong != nil {
			t.Errorf("%q was taken: %v", text, wrong)
		}
		for name, value := range p {
			if len(all[name]) != 1 || all[name][0] != value {
				t.Errorf("%q: %q is %q of %q", text, name, value, all[name])
			}
		}
	})
}

// FuzzCredentials: what a client writes as the RFC says is read as it was meant.
func FuzzCredentials(f *testing.F) {
	f.Add("app~1", "a secret: +%&", "Basic !")
	f.Add("", ":", "Bearer x")
	f.Fuzz(func(t *testing.T, id, secret, header string) {
		credentials(header)
		text := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
		gotID, gotSecret, ok := credentials("basic " + text)
		if ok != (id != "") || ok && (gotID != id || gotSecret != secret) {
			t.Errorf("%q %q came as %q %q %v", id, secret, gotID, gotSecret, ok)
		}
	})
}
