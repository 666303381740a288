package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"admitone/tokens/oauth"
)

// params are a request's parameters, each with its only value. One without a
// value is as one that is not there (RFC 6749, 3.1).
type params map[string]string

// query reads parameters as an address or a form has them. One that comes twice
// is refused, for whoever reads it elsewhere may take the other (RFC 6749, 3.1).
func query(text string) (params, error) {
	all, err := url.ParseQuery(text)
	if err != nil || !utf8.ValidString(text) {
		return nil, invalid("The parameters cannot be read.")
	}
	p := params{}
	for name, values := range all {
		if len(values) > 1 {
			return nil, twice()
		}
		p[name] = values[0]
	}
	return p, nil
}

func twice() error { return invalid("A parameter comes twice.") }

// need returns the parameter, or the refusal for its absence.
func (p params) need(name string) (string, error) {
	if p[name] == "" {
		return "", absent(name)
	}
	return p[name], nil
}

// inBody are the parameters that an address must not carry, for it is kept in
// logs and histories.
var inBody = []string{"grant_type", "code", "code_verifier", "redirect_uri", "scope", "refresh_token", "token", "token_type_hint",
	"client_id", "client_secret", "client_assertion", "username", "password"}

// posted reads the parameters of a POST, from a form or, as Mastodon's clients
// send them, from a JSON object of texts.
func posted(c echo.Context) (params, error) {
	r := c.Request()
	for name := range r.URL.Query() {
		if slices.Contains(inBody, name) {
			return nil, invalid("Parameters belong in the body.")
		}
	}
	kind, text, err := body(r)
	switch {
	case err != nil:
		return nil, err
	case kind == echo.MIMEApplicationForm:
		return query(string(text))
	}
	members, err := object(text)
	if err != nil {
		return nil, err
	}
	p := params{}
	for name, raw := range members {
		var value *string
		if json.Unmarshal(raw, &value) != nil {
			continue // none of the parameters there are: those are texts
		}
		if value != nil {
			p[name] = *value
		}
	}
	return p, nil
}

// body is a request's form or JSON, and which of both it is.
func body(r *http.Request) (kind string, text []byte, err error) {
	kind, _, err = mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || kind != echo.MIMEApplicationForm && kind != echo.MIMEApplicationJSON {
		return "", nil, invalid("The body is application/x-www-form-urlencoded, or application/json.")
	}
	text, err = io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return "", nil, err
	case err != nil || !utf8.Valid(text):
		return "", nil, invalid("The body cannot be read.")
	}
	return kind, text, nil
}

// object is a JSON object's members; one that comes twice is refused.
func object(text []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') || !json.Valid(text) {
		return nil, invalid("The body is no JSON object.")
	}
	members := map[string]json.RawMessage{}
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil {
			return nil, invalid("The body is no JSON object.")
		}
		key, _ := name.(string)
		if _, again := members[key]; again {
			return nil, twice()
		}
		members[key] = value
	}
	return members, nil
}

// refused tells whether an error is one of these refusals, and gives it whole.
func refused(err error, of ...oauth.Fault) (fault oauth.Fault, is bool) {
	return fault, errors.As(err, &fault) && slices.ContainsFunc(of, func(f oauth.Fault) bool { return f.Code == fault.Code })
}
