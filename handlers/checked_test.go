package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// checked is a program whose every answer is held against openapi.json, and
// which remembers what it met.
type checked struct {
	v   *visitor
	doc *validator

	mu  sync.Mutex
	met map[string]bool // "operationId status"
}

func validating(v *visitor) *checked {
	return &checked{v: v, doc: newValidator(v.t), met: map[string]bool{}}
}

func (c *checked) do(method, path, body string, change ...func(*http.Request)) answer {
	c.v.t.Helper()
	a := c.v.do(method, path, body, change...)
	c.doc.check(c.v.t, a.Request, a.sent, a.Response, []byte(a.body))
	if route, _, err := c.doc.router.FindRoute(request(a.Request, nil)); err == nil {
		c.mu.Lock()
		c.met[fmt.Sprintf("%s %d", route.Operation.OperationID, a.StatusCode)] = true
		c.mu.Unlock()
	}
	return a
}

func (c *checked) get(path string) answer { c.v.t.Helper(); return c.do(http.MethodGet, path, "") }

// post sends a JSON text, or no body for "".
func (c *checked) post(path, body string) answer {
	c.v.t.Helper()
	if body == "" {
		return c.do(http.MethodPost, path, "")
	}
	return c.do(http.MethodPost, path, body, header("Content-Type", "application/json"))
}

func (c *checked) patch(path, body string) answer {
	c.v.t.Helper()
	return c.do(http.MethodPatch, path, body, header("Content-Type", "application/json"))
}

func (c *checked) json(method, path string, body any, change ...func(*http.Request)) answer {
	c.v.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		c.v.t.Fatal(err)
	}
	return c.do(method, path, string(raw), append([]func(*http.Request){header("Content-Type", "application/json")}, change...)...)
}

// as is the same program with other credentials, whose answers count as its own.
func (c *checked) as(t *testing.T, v *visitor) *checked {
	t.Helper()
	return &checked{v: v, doc: c.doc, met: c.met}
}

// refuses fails the test unless the answer is a problem of that status and
// code, and about that field where one is named.
func (a answer) refuses(status int, code string, field ...string) answer {
	a.t.Helper()
	p := a.object()
	if a.StatusCode != status || p["code"] != code {
		a.t.Errorf("%s %s ← %.200s → %d %v, want %d %s\n%.500s", a.Request.Method, a.Request.URL.Path, a.sent, a.StatusCode, p["code"], status, code, a.body)
		return a
	}
	if len(field) > 0 {
		errors, _ := p["errors"].([]any)
		if len(errors) == 0 || errors[0].(map[string]any)["field"] != field[0] {
			a.t.Errorf("%s %s ← %.200s: blames %v, want %s", a.Request.Method, a.Request.URL.Path, a.sent, errors, field[0])
		}
	}
	return a
}
