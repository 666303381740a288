package views

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Each file is one language, named by its BCP 47 tag: every message by its key, or those of guests (see guestMessages). A message is a text with parameters in
// braces, or several texts by the plural form (CLDR: one, two, few, many, other) that its parameter {n} asks for. The
// texts are whole sentences, so that each language puts names and times where it wants them.
//
//go:embed languages/*.json
var languageFiles embed.FS

// tongue is one language with all its messages.
type tongue struct {
	tag      language.Tag
	messages map[string]message
	// script is what app.js says, as lines "key=text".
	script string
}

// message is a text for each plural form; Other is always there.
type message map[plural.Form][]piece

// piece is a run of text, or else the place of a parameter.
type piece struct{ text, param string }

// tongues are the languages there are, English first: it is what everybody gets whose own is not among them.
var tongues = sync.OnceValue(func() []*tongue {
	all, err := readTongues(languageFiles)
	if err != nil {
		panic("views: " + err.Error()) // only a mistake in a file can cause it, and every test would show
	}
	return all
})

// readTongues reads each file of the folder languages: one more file is one more language.
func readTongues(files fs.FS) (all []*tongue, err error) {
	names, err := fs.Glob(files, "languages/*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		spoken, err := readTongue(strings.TrimSuffix(path.Base(name), ".json"), content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if spoken.tag == language.English {
			all = append([]*tongue{spoken}, all...)
		} else {
			all = append(all, spoken)
		}
	}
	return all, nil
}

func readTongue(tag string, content []byte) (*tongue, error) {
	parsed, err := language.Parse(tag)
	if err != nil {
		return nil, err
	}
	var raw map[string]any
	if err := json.Unmarshal(content, &raw); err != nil {
		return nil, err
	}
	spoken := &tongue{tag: parsed, messages: map[string]message{}}
	var script strings.Builder
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		forms, ok := raw[key].(map[string]any)
		if !ok {
			forms = map[string]any{"other": raw[key]}
		}
		m := message{}
		for name, text := range forms {
			form, known := pluralForms[name]
			text, isText := text.(string)
			if !known || !isText {
				return nil, fmt.Errorf("%s: %q is no text of a plural form", key, name)
			}
			m[form] = cut(text)
			if strings.HasPrefix(key, "time.") || strings.HasPrefix(key, "script.") {
				name := map[bool]string{true: key, false: key + "#" + name}[form == plural.Other]
				script.WriteString(name + "=" + text + "\n")
			}
		}
		if m[plural.Other] == nil {
			return nil, fmt.Errorf("%s: the form other is missing", key)
		}
		spoken.messages[key] = m
	}
	spoken.script = strings.TrimSpace(script.String())
	return spoken, nil
}

var pluralForms = map[string]plural.Form{"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other}

// cut takes a text apart at its parameters.
func cut(text string) (pieces []piece) {
	for {
		before, rest, found := strings.Cut(text, "{")
		if before != "" || !found && pieces == nil {
			pieces = append(pieces, piece{text: before})
		}
		param, after, closed := strings.Cut(rest, "}")
		if !closed {
			return pieces
		}
		pieces = append(pieces, piece{param: param})
		text = after
	}
}

type languageKey struct{}

// WithLanguage makes everything that is drawn in this context speak the language, or the nearest there is.
func WithLanguage(ctx context.Context, tag language.Tag) context.Context {
	all := everyones()
	_, i, _ := all.matcher.Match(tag)
	return context.WithValue(ctx, languageKey{}, all.tongues[i])
}

func speaks(ctx context.Context) *tongue {
	if spoken, ok := ctx.Value(languageKey{}).(*tongue); ok {
		return spoken
	}
	return tongues()[0]
}

// find is the pieces of a message in the form its parameter n asks for. One that is missing, which a test rules out,
// is said in English, and one that is nowhere shows its key.
func (spoken *tongue) find(key string, params []any) []piece {
	m, ok := spoken.messages[key]
	if !ok {
		if m, ok = tongues()[0].messages[key]; !ok {
			return []piece{{text: "⟦" + key + "⟧"}}
		}
	}
	if len(m) > 1 {
		if n, ok := value(params, "n").(int); ok {
			if pieces, ok := m[spoken.form(n)]; ok {
				return pieces
			}
		}
	}
	return m[plural.Other]
}

// form is the plural form that n asks for. Some languages say "a million of days", which browsers know, and the tables
// of x/text, which are those of CLDR 32, do not yet.
func (spoken *tongue) form(n int) plural.Form {
	if base, _ := spoken.tag.Base(); n != 0 && n%1_000_000 == 0 && slices.Contains([]string{"ca", "es", "fr", "it", "pt"}, base.String()) {
		return plural.Many
	}
	return plural.Cardinal.MatchPlural(spoken.tag, n, 0, 0, 0, 0)
}

// value is a parameter's value; parameters are given as "name", value, "name", value.
func value(params []any, name string) any {
	for i := 0; i+1 < len(params); i += 2 {
		if params[i] == name {
			return params[i+1]
		}
	}
	return "{" + name + "}"
}

func shown(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	}
	return fmt.Sprint(v)
}

// t is a message as text, with its parameters put in. A stranger's name given to it should be isolated.
func t(ctx context.Context, key string, params ...any) string {
	pieces := speaks(ctx).find(key, params)
	if len(pieces) == 1 && pieces[0].param == "" {
		return pieces[0].text
	}
	var b strings.Builder
	for _, p := range pieces {
		if p.param == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString(shown(value(params, p.param)))
		}
	}
	return b.String()
}

// say is a message as a piece of page: parameters that are components stand in it as elements, all others as text.
func say(key string, params ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, p := range speaks(ctx).find(key, params) {
			text := p.text
			if p.param != "" {
				v := value(params, p.param)
				if c, ok := v.(templ.Component); ok {
					if err := c.Render(ctx, w); err != nil {
						return err
					}
					continue
				}
				text = shown(v)
			}
			if _, err := io.WriteString(w, templ.EscapeString(text)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Message is something to say, by its key in the language files. Its zero value is silence.
type Message struct {
	key    string
	params []any
}

// Says is the message of that key, with its parameters as "name", value, "name", value.
func Says(key string, params ...any) Message { return Message{key, params} }

// Invalid is what a page says where a rule refuses an input with this detail.
func Invalid(detail string) Message {
	key := "invalid: " + detail
	if _, known := tongues()[0].messages[key]; known {
		return Message{key: key}
	}
	return Says("invalid", "detail", detail)
}

func (m Message) in(ctx context.Context) string {
	if m.key == "" {
		return ""
	}
	return t(ctx, m.key, m.params...)
}

// plain is a message that has neither forms nor parameters.
func (m message) plain() string { return m[plural.Other][0].text }
