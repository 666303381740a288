package api

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"admitone/rooms"
	"admitone/tokens"
)

// FuzzPickTakesOnlyWhatItNames: members of other names, in another case or of
// another day, change nothing, and broken ones break nothing.
func FuzzPickTakesOnlyWhatItNames(f *testing.F) {
	for _, seed := range []string{`{}`, `{"username":"ada"}`, `{"Username":"ada"}`, `{"username":1}`, `[]`, `null`, `{"x":{"username":"ada"}}`, `{"username":"ada","username":"bob"}`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var by credentials
		err := pick(text, &by)
		var plain map[string]any
		if json.Unmarshal(text, &plain) != nil || plain == nil {
			if err == nil {
				t.Errorf("%q is taken", text)
			}
			return
		}
		if want, is := plain["username"].(string); is && err == nil && by.Username != want || !is && by.Username != "" {
			t.Errorf("%q gives %q", text, by.Username)
		}
	})
}

func TestALongListIsNotTakenApart(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"[" + strings.Repeat("1,", 1<<20) + "1]":                          tokens.MaxBatch + 1,
		"[" + strings.Repeat("1,", tokens.MaxBatch-1) + `{"name":"Ada"}]`: tokens.MaxBatch,
		`[ ]`: 0, `null`: 0, `[[], {"a": [1]} , "]"]`: 3,
	} {
		var in struct {
			List elements `json:"list"`
		}
		if err := strictly([]byte(`{"list": [1,2], "list": `+text+`}`), &in); err != nil || len(in.List) != want {
			t.Errorf("%.20s: %d, %v, want %d", text, len(in.List), err, want)
		}
	}
	for text, want := range map[string]string{`"x"`: "string", `{}`: "object", `1`: "number"} {
		var in struct {
			List elements `json:"list"`
		}
		if err := strictly([]byte(`{"list": `+text+`}`), &in); !errors.Is(err, rooms.Invalid{Field: "list", Detail: "must not be a JSON " + want}) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzExactSeesEveryMember: against encoding/json's own map of an object's members.
func FuzzExactSeesEveryMember(f *testing.F) {
	for _, seed := range []string{`{}`, `{"role":"guest"}`, ` {"rol\u0065" : ["}", {"a":","}] , "pin":"\\\""} `, `{"Role":1}`, `{"":1}`, `null`, `[]`, `{"a\"b":1,"x":{"y":[1,2]}}`, `{"\ud800":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || !utf8.Valid(text) {
			return
		}
		var members map[string]json.RawMessage
		bad := json.Unmarshal(text, &members) != nil || members == nil
		for name := range members {
			bad = bad || !slices.Contains(names(&wanted{}), name)
		}
		if err := exact(text, &wanted{}); bad != (err != nil) {
			t.Errorf("%q: %v, want bad %v", text, err, bad)
		}
	})
}
