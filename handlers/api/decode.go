package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
)

// The refusals of a body.
var (
	ErrNotJSON   = errors.New("the body is not JSON")
	ErrMediaType = errors.New("the body must be application/json, or, of a list of guests, text/csv")
	ErrTooLarge  = errors.New("the body is too large")
)

// decode reads the request's JSON object into v: the refusals of body, or
// rooms.Invalid with the member at fault; unknown members are refused. With
// optional, no body at all leaves v as it is.
func decode(c echo.Context, v any, optional bool) error {
	text, err := body(c, optional)
	if text == nil || err != nil {
		return err
	}
	return strictly(text, v)
}

// strictly is decode of a text.
func strictly(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return misread(err)
	}
	if _, more := dec.Token(); !errors.Is(more, io.EOF) {
		return ErrNotJSON
	}
	return exact(text, v)
}

// lenient is decode for calls in the shape of another product, each of whose
// structs takes the members that it names; all others are passed over, and so is
// the lack of a body.
func lenient(c echo.Context, into ...any) error {
	text, err := body(c, true)
	if text == nil || err != nil {
		return err
	}
	for _, v := range into {
		if err := pick(text, v); err != nil {
			return err
		}
	}
	return nil
}

// pick reads the members that v names, in that spelling, out of a JSON object.
func pick(text []byte, v any) error {
	if !json.Valid(text) {
		return ErrNotJSON
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return notObject
	}
	known := names(v)
	maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool { return !slices.Contains(known, name) })
	picked, err := json.Marshal(members)
	if err != nil {
		return err
	}
	return misread(json.Unmarshal(picked, v))
}

// body is the request's JSON text: ErrMediaType, ErrTooLarge or ErrNotJSON.
// With optional it is nil where there is none.
func body(c echo.Context, optional bool) ([]byte, error) {
	r := c.Request()
	text, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, ErrTooLarge
	case err != nil:
		return nil, ErrNotJSON
	case optional && len(text) == 0:
		return nil, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, ErrMediaType
	}
	// encoding/json would put another character in the place of a broken one.
	if !utf8.Valid(text) {
		return nil, ErrNotJSON
	}
	return text, nil
}

// misread is what to tell of an error of encoding/json.
func misread(err error) error {
	if err == nil {
		return nil
	}
	var shape *json.UnmarshalTypeError
	if errors.As(err, &shape) {
		return rooms.Invalid{Field: shape.Field, Detail: "must not be a JSON " + shape.Value}
	}
	// encoding/json has no type for this one; its text is the only sign.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return rooms.Invalid{Field: strings.Trim(name, `"`), Detail: unknown}
	}
	return ErrNotJSON
}

const unknown = "is not a member of this call"

var notObject = rooms.Invalid{Detail: "must be a JSON object"}

// names are the members of the struct that v points to.
func names(v any) (out []string) {
	t := reflect.TypeOf(v).Elem()
	for i := range t.NumField() {
		out = append(out, t.Field(i).Tag.Get("json"))
	}
	return out
}

// exact refuses what encoding/json lets pass: null for the object, and members
// in another case. The text is known to be JSON.
func exact(text []byte, v any) error {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return notObject
	}
	known := names(v)
	for member := range pieces(text) {
		if name := memberName(member); !slices.Contains(known, name) {
			return rooms.Invalid{Field: name, Detail: unknown}
		}
	}
	return nil
}

// memberName is the name of an object's member.
func memberName(member []byte) string {
	end := 1
	for ; member[end] != '"'; end++ {
		if member[end] == '\\' {
			end++
		}
	}
	var name string
	if json.Unmarshal(member[:end+1], &name) != nil {
		return string(member[:end+1])
	}
	return name
}

// pieces are what stands between the commas of a JSON object or array, which the
// text is known to be.
func pieces(text []byte) iter.Seq[[]byte] {
	text = bytes.TrimSpace(text)
	text = bytes.TrimSpace(text[1 : len(text)-1])
	return func(yield func([]byte) bool) {
		from, depth, quoted := 0, 0, false
		for i := 0; i < len(text); i++ {
			switch c := text[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '{', c == '[':
				depth++
			case c == '}', c == ']':
				depth--
			case c == ',' && depth == 0:
				if !yield(bytes.TrimSpace(text[from:i])) {
					return
				}
				from = i + 1
			}
		}
		if len(text) > 0 {
			yield(bytes.TrimSpace(text[from:]))
		}
	}
}

// opt is a member that may be absent, null or a value.
type opt[T any] struct {
	given, null bool
	value       T // zero for null
}

func (o *opt[T]) UnmarshalJSON(b []byte) error {
	o.given, o.null = true, string(b) == "null"
	if o.null {
		return nil
	}
	return json.Unmarshal(b, &o.value)
}

// ptr is nil for an absent member, the zero value for null.
func (o opt[T]) ptr() *T {
	if !o.given {
		return nil
	}
	return &o.value
}

// when reads an instant in RFC 3339 as Unix milliseconds: nil for an absent
// member, 0 for null.
func when(field string, o opt[string]) (*int64, error) {
	if !o.given || o.null {
		return opt[int64]{given: o.given}.ptr(), nil
	}
	ms, err := rooms.ParseInstant(o.value)
	if err != nil {
		return nil, rooms.Invalid{Field: field, Detail: err.Error()}
	}
	return &ms, nil
}

// instant is when for a member that cannot be cleared: 0 for absent.
func instant(field string, o opt[string]) (int64, error) {
	at, err := when(field, o)
	if at == nil || err != nil {
		return 0, err
	}
	return *at, nil
}

// span reads a duration, a string with units or a number of seconds; 0 for
// absent or null.
func span(field string, raw json.RawMessage) (d time.Duration, err error) {
	var text string
	var number float64
	switch {
	case len(raw) == 0, string(raw) == "null":
		return 0, nil
	case json.Unmarshal(raw, &number) == nil:
		d, err = rooms.Seconds(number)
	case json.Unmarshal(raw, &text) == nil:
		d, err = rooms.ParseDuration(text)
	default:
		err = rooms.ErrBadDuration
	}
	if err != nil {
		return 0, rooms.Invalid{Field: field, Detail: err.Error()}
	}
	return d, nil
}
