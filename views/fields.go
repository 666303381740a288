package views

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"admitone/rooms"
)

// nameChars is how long a name may be, as a field's maxlength.
var nameChars = strconv.Itoa(rooms.MaxName)

// field is one labelled input.
type field struct {
	ID, Name, Label, Value, Hint, Wrong string
	// Type is the input's type; empty is text.
	Type string
	// Autocomplete is the browser's hint what to fill in; empty is "off".
	Autocomplete string
	// List is the id of a datalist.
	List               string
	Required, Optional bool
	// Browser lets app.js fill in the browser's time zone.
	Browser bool
	// Focus puts the keyboard there when the field arrives.
	Focus    bool
	MaxChars string
	Min, Max string
	Extra    templ.Attributes
}

func (f field) attributes() templ.Attributes {
	a := templ.Attributes{"type": "text", "autocomplete": "off"}
	set := func(name, value string) {
		if value != "" {
			a[name] = value
		}
	}
	set("type", f.Type)
	set("autocomplete", f.Autocomplete)
	set("list", f.List)
	set("maxlength", f.MaxChars)
	set("min", f.Min)
	set("max", f.Max)
	set("aria-describedby", f.describedBy())
	if f.Wrong != "" {
		a["aria-invalid"] = "true"
	}
	a["required"] = f.Required
	a["autofocus"] = f.Focus
	a["data-timezone"] = f.Browser
	for name, value := range f.Extra {
		a[name] = value
	}
	return a
}

// faulty marks a control that is no input as refused, where it was, and names the refusal.
func faulty(wrong string, was bool) templ.Attributes {
	if !was {
		return nil
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": wrong}
}

func (f field) describedBy() string {
	var ids []string
	if f.Wrong != "" {
		ids = append(ids, f.ID+"-wrong")
	}
	if f.Hint != "" {
		ids = append(ids, f.ID+"-hint")
	}
	return strings.Join(ids, " ")
}

// zone is the time zone that a form's local times are meant in. An empty value is UTC until the browser knows better.
type zone struct {
	ID, Value, Wrong string
}

func (z zone) value() string {
	if z.Value == "" {
		return "UTC"
	}
	return z.Value
}

// copyable is a link in a field with its buttons.
type copyable struct {
	ID, Label, Text string
	// Share is the title given to the device's share sheet. Empty: no share button.
	Share string
	// Main makes copying the page's main button.
	Main bool
}

// first is the first field of a form that was refused, where the keyboard should go.
func first(e Errors, names ...string) string {
	for _, name := range names {
		if _, refused := e[name]; refused {
			return name
		}
	}
	return ""
}
