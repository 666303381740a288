package conference

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"admitone/tokens/keys"
)

// head are the members that every kind has.
type head struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// members reads a back end's members into the struct that into points to, which
// holds head and the kind's own. Unknown ones and those of another type are
// refused. The error names what there may be and quotes nothing.
func members(raw json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil {
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fmt.Errorf("member %q is of another type", wrong.Field)
	}
	var names []string
	t := reflect.TypeOf(into).Elem()
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return fmt.Errorf("the members of its kind are name, kind, %s", strings.Join(names, ", "))
}

// guarded refuses a secret that whoever holds something signed with it finds by
// guessing: short, repetitive or out of a manual. On this machine alone any will do.
func guarded(member, secret string, u *url.URL) error {
	if loopback(u.Hostname()) {
		return nil
	}
	if _, err := keys.NewRoot(secret); err != nil {
		return fmt.Errorf("%s %w", member, err)
	}
	return nil
}

// oneWord refuses a key or secret that is not there, or that has something in it
// which no such text has and copying easily adds. The error quotes nothing.
func oneWord(member, text string) error {
	if text == "" {
		return missing(member)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%s has spaces or other characters in it that do not belong there", member)
	}
	return nil
}
