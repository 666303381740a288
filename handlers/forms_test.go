package handlers_test

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// fields is a form of name, value, name, value, …
func fields(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// post sends a form.
func (v *visitor) post(path string, form url.Values, change ...func(*http.Request)) answer {
	v.t.Helper()
	return v.do(http.MethodPost, path, form.Encode(), append([]func(*http.Request){header("Content-Type", "application/x-www-form-urlencoded")}, change...)...)
}

// form is the page's form with that action as a browser without JavaScript
// would send it untouched; the test fails if there is none.
func (a answer) form(action string) url.Values {
	a.t.Helper()
	root, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Data == "form" && attr(n, "action") == action && strings.EqualFold(attr(n, "method"), "post") {
			return typed(n)
		}
	}
	a.t.Fatalf("%s has no form to %s:\n%.6000s", a.Request.URL, action, a.body)
	return nil
}

func typed(form *html.Node) url.Values {
	v := url.Values{}
	for n := range form.Descendants() {
		name := attr(n, "name")
		switch {
		case name == "":
		case n.Data == "select":
			v.Set(name, chosen(n))
		case n.Data != "input", (attr(n, "type") == "radio" || attr(n, "type") == "checkbox") && !has(n, "checked"):
		default:
			v.Set(name, attr(n, "value"))
		}
	}
	return v
}

func chosen(list *html.Node) (value string) {
	first := true
	for n := range list.Descendants() {
		if n.Data == "option" && (first || has(n, "selected")) {
			value, first = attr(n, "value"), false
		}
	}
	return value
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// with is the form with some fields typed over.
func with(form url.Values, pairs ...string) url.Values {
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// links are the page's links whose address begins so.
func (a answer) links(prefix string) (out []string) {
	a.t.Helper()
	root, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Data == "a" && strings.HasPrefix(attr(n, "href"), prefix) {
			out = append(out, attr(n, "href"))
		}
	}
	return out
}
