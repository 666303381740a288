package api

import (
	"encoding/json"
	"testing"
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
