package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// validator holds what the server answers against openapi.json. It is safe for concurrent use.
type validator struct {
	doc    *openapi3.T
	router routers.Router
}

// loadDocument parses openapi.json once: every test of the API wants it, and it never changes.
var loadDocument = sync.OnceValues(func() (*validator, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("api/openapi.json")
	if err != nil {
		return nil, err
	}
	// NewRouter also validates the document, its examples included. The legacy router matches
	// /invitations/inspect (POST) and /invitations/{id} (GET) by method and path together.
	router, err := legacy.NewRouter(doc)
	return &validator{doc, router}, err
})

func newValidator(t testing.TB) *validator {
	t.Helper()
	v, err := loadDocument()
	if err != nil {
		t.Fatalf("openapi.json: %v", err)
	}
	return v
}

// check reports an error for an answer that openapi.json does not describe: its call, status,
// headers, content type or body; and for a 2xx to a request that it does not describe either.
// It leaves req and resp unread, takes their bodies from the arguments, and may be called from
// any goroutine of the test.
func (v *validator) check(t testing.TB, req *http.Request, reqBody []byte, resp *http.Response, body []byte) {
	t.Helper()
	if err := v.verify(req, reqBody, resp.StatusCode, resp.Header, body); err != nil {
		t.Errorf("%s %s → %d is not as openapi.json says: %v\n%s", req.Method, req.URL.Path, resp.StatusCode, err, body)
	}
}

// checkProblem is check for answers at addresses or methods that the document does not have,
// such as 404 for an unknown path and 405: only the problem itself can be held against it.
func (v *validator) checkProblem(t testing.TB, resp *http.Response, body []byte) {
	t.Helper()
	if err := v.verifyProblem(resp.StatusCode, resp.Header, body); err != nil {
		t.Errorf("the problem of status %d is not as openapi.json says: %v\n%s", resp.StatusCode, err, body)
	}
}

func (v *validator) verify(req *http.Request, reqBody []byte, status int, head http.Header, body []byte) error {
	sent := request(req, reqBody)
	route, params, err := v.router.FindRoute(sent)
	if err != nil {
		return err
	}
	input := &openapi3filter.RequestValidationInput{Request: sent, PathParams: params, Route: route, Options: &openapi3filter.Options{
		AuthenticationFunc:                bearerSent,
		IncludeResponseStatus:             true,
		MultiError:                        true,
		RejectWhenRequestBodyNotSpecified: true,
		SchemaValidationOptions:           formats,
		SkipSettingDefaults:               true,
	}}
	if err := verifyResponse(input, status, head, body); err != nil {
		return err
	}
	if status < 200 || status > 299 {
		return nil
	}
	if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
		return fmt.Errorf("accepted a request that it should refuse: %w", err)
	}
	for name := range sent.URL.Query() {
		if route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			return fmt.Errorf("accepted the query parameter %q, which is not documented", name)
		}
	}
	return nil
}

// verifyResponse looks itself at what kin-openapi lets pass: redirects, bodies where none is
// documented, none where one is, and what follows the first JSON value.
func verifyResponse(input *openapi3filter.RequestValidationInput, status int, head http.Header, body []byte) error {
	documented := input.Route.Operation.Responses.Status(status)
	switch {
	case documented == nil:
		return errors.New("the status is not documented")
	case len(documented.Value.Content) == 0 && len(body) > 0:
		return errors.New("a body, where none is documented")
	case len(documented.Value.Content) > 0 && len(body) == 0:
		return errors.New("no body, where one is documented")
	case len(body) > 0 && strings.Contains(head.Get("Content-Type"), "json") && !json.Valid(body):
		return errors.New("the body is not one JSON value")
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input,
		Status:                 status,
		Header:                 head,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                input.Options,
	})
}

func (v *validator) verifyProblem(status int, head http.Header, body []byte) error {
	if got := head.Get("Content-Type"); got != "application/problem+json" {
		return fmt.Errorf("Content-Type is %q", got)
	}
	var problem any
	if err := json.Unmarshal(body, &problem); err != nil {
		return err
	}
	if err := v.doc.Components.Schemas["Problem"].Value.VisitJSON(problem, strict...); err != nil {
		return err
	}
	if got := problem.(map[string]any)["status"]; got != float64(status) {
		return fmt.Errorf("its status member is %v", got)
	}
	return nil
}

// request copies req with a fresh body, and without the host: the document's server is "/",
// which kin-openapi matches against the whole URL.
func request(req *http.Request, body []byte) *http.Request {
	sent := req.Clone(context.Background())
	sent.URL = &url.URL{Path: req.URL.Path, RawPath: req.URL.RawPath, RawQuery: req.URL.RawQuery}
	sent.GetBody, sent.ContentLength, sent.Body = nil, int64(len(body)), io.NopCloser(bytes.NewReader(body))
	return sent
}

// bearerSent makes a 2xx without credentials, at a call that is not public, an error.
func bearerSent(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if in.SecuritySchemeName == "apiKeySecret" && strings.HasSuffix(in.RequestValidationInput.Request.Header.Get("Authorization"), keySecret) {
		return nil
	}
	if !strings.HasPrefix(in.RequestValidationInput.Request.Header.Get("Authorization"), "Bearer ") {
		return errors.New("no bearer token was sent")
	}
	return nil
}

// formats are the formats of the document, read as strictly as their RFCs: JSON Schema leaves
// them to the validator, and kin-openapi knows a pattern for date-time only, which 30 February fits.
var formats = []openapi3.SchemaValidationOption{
	openapi3.WithStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(s string) error {
		_, err := time.Parse(time.RFC3339Nano, s)
		return err
	})),
	openapi3.WithStringFormatValidator("uri", openapi3.NewCallbackValidator(func(s string) error {
		if u, err := url.Parse(s); err != nil || !u.IsAbs() {
			return fmt.Errorf("%q is no absolute URI", s)
		}
		return nil
	})),
	openapi3.WithStringFormatValidator("email", openapi3.NewCallbackValidator(func(s string) error {
		_, err := mail.ParseAddress(s)
		return err
	})),
}

// strict is how a value is held against a schema outside of an exchange.
var strict = append(slices.Clone(formats), openapi3.EnableJSONSchema2020(), openapi3.MultiErrors())
