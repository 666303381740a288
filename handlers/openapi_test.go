package handlers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// operations calls fn for each documented call, as a subtest named like "GET /healthz".
func (v *validator) operations(t *testing.T, fn func(t *testing.T, item *openapi3.PathItem, op *openapi3.Operation)) {
	for path, item := range v.doc.Paths.Map() {
		for method, op := range item.Operations() {
			t.Run(method+" "+path, func(t *testing.T) { fn(t, item, op) })
		}
	}
}

func TestDocumentIsWrittenTidily(t *testing.T) {
	raw := readDocument(t)
	var tidy bytes.Buffer
	if err := json.Indent(&tidy, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(tidy.Bytes(), raw) {
		t.Error("openapi.json is not indented by two spaces throughout")
	}
	if v := newValidator(t); v.doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi is %q", v.doc.OpenAPI)
	}
}

func TestEveryReferenceResolvesAndEveryComponentIsUsed(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(readDocument(t), &doc); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	walk(doc, func(object map[string]any) {
		ref, ok := object["$ref"].(string)
		if !ok {
			return
		}
		used[ref] = true
		at := any(doc)
		for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at = at.(map[string]any)[name]
			if at == nil {
				t.Fatalf("%s leads nowhere", ref)
			}
		}
	})
	for kind, all := range doc["components"].(map[string]any) {
		for name := range all.(map[string]any) {
			if ref := "#/components/" + kind + "/" + name; kind != "securitySchemes" && !used[ref] {
				t.Errorf("nothing refers to %s", ref)
			}
		}
	}
}

func TestEveryOperationSaysWhatACallerNeeds(t *testing.T) {
	public := []string{"getHealth", "getReadiness", "getOpenAPI", "createHostToken", "getAuthorizationServer", "getKeys", "askHost",
		"createToken", "revokeToken", "introspectToken", "registerClient", "createApp"}
	known := []string{"rooms:read", "rooms:write", "invitations:read", "invitations:write", "redeem"}
	camelCase := regexp.MustCompile(`^[a-z]+([A-Z]+[a-z]*)*$`)
	seen := map[string]bool{}
	newValidator(t).operations(t, func(t *testing.T, item *openapi3.PathItem, op *openapi3.Operation) {
		if !camelCase.MatchString(op.OperationID) || seen[op.OperationID] {
			t.Errorf("operationId %q is not unique camelCase", op.OperationID)
		}
		seen[op.OperationID] = true
		if op.Summary == "" || op.Description == "" {
			t.Error("no summary or no description")
		}
		if !hasExample(item, op) {
			t.Error("a body or parameter without an example")
		}
		scopes, _ := op.Extensions["x-required-scopes"].([]any)
		if keyed(op) {
			if len(scopes) > 0 || !strings.Contains(op.Description, "`API_KEY_SECRET`") {
				t.Error("a call that the key opens asks for a scope, or does not say the key")
			}
			return
		}
		if slices.Contains(public, op.OperationID) {
			if len(scopes) > 0 || op.Security == nil || len(*op.Security) > 0 {
				t.Error("a public call must ask for no scope, and say security: []")
			}
			return
		}
		if op.OperationID == "verifyApp" || strings.HasSuffix(op.OperationID, "TwoFactor") {
			return // any scope will do, or none: these take a host's own token alone
		}
		if len(scopes) == 0 || op.Security != nil {
			t.Error("no scope, or a security of its own")
		}
		for _, scope := range scopes {
			if !slices.Contains(known, scope.(string)) || !strings.Contains(op.Description, fmt.Sprintf("`%s`", scope)) {
				t.Errorf("scope %v is unknown, or the description does not say it", scope)
			}
		}
		for _, status := range []int{401, 403, 429, 503} {
			if op.Responses.Status(status) == nil {
				t.Errorf("%d is not documented", status)
			}
		}
	})
}

func TestEveryRefusalIsAProblem(t *testing.T) {
	newValidator(t).operations(t, func(t *testing.T, _ *openapi3.PathItem, op *openapi3.Operation) {
		kind := "application/problem+json"
		switch {
		case op.OperationID == "askHost":
			kind = "text/html"
		case slices.Contains(op.Tags, "OAuth"):
			kind = "application/json" // RFC 6749's own
		}
		for status, response := range op.Responses.Map() {
			code, err := strconv.Atoi(status)
			if err != nil {
				t.Errorf("%s is no single status", status)
			}
			if code < 400 {
				continue
			}
			if code == http.StatusForbidden && keyed(op) {
				continue // MiroTalk's own answer
			}
			if len(response.Value.Content) != 1 || response.Value.Content[kind] == nil {
				t.Errorf("%s is not %s alone", status, kind)
			}
			wants := map[int]string{401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}[code]
			if h := response.Value.Headers[wants]; wants != "" && (h == nil || !h.Value.Required) {
				t.Errorf("%s does not promise %s", status, wants)
			}
		}
	})
}

// kin-openapi validates the examples of bodies and parameters, but not those inside schemas.
func TestEveryExampleOfASchemaFitsIt(t *testing.T) {
	for name, schema := range newValidator(t).doc.Components.Schemas {
		for _, example := range schema.Value.Examples {
			if err := schema.Value.VisitJSON(example, strict...); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// keyed tells whether API_KEY_SECRET opens the call.
func keyed(op *openapi3.Operation) bool {
	return op.Security != nil && len(*op.Security) == 1 && (*op.Security)[0]["apiKeySecret"] != nil
}

func TestEveryObjectRefusesUnknownMembers(t *testing.T) {
	lenient := []string{"JoinRequest", "JoinTokenRequest", "JoinCredentials", // what scripts for MiroTalk send
		"TokenRequest", "TokenQuestion", "ClientRegistration", "AppRequest"} // what the RFCs have servers ignore
	for name, schema := range newValidator(t).doc.Components.Schemas {
		closed := schema.Value.AdditionalProperties.Has
		if schema.Value.Type.Is(openapi3.TypeObject) && (closed == nil || *closed) && !slices.Contains(lenient, name) {
			t.Errorf("%s takes unknown members", name)
		}
	}
}

func readDocument(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile("api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(raw, []byte("\n"))
}

// walk calls fn for every JSON object within value.
func walk(value any, fn func(map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		fn(value)
		for _, inner := range value {
			walk(inner, fn)
		}
	case []any:
		for _, inner := range value {
			walk(inner, fn)
		}
	}
}

// hasExample tells whether every body but pictures, and every parameter, has one; a call without
// either does not occur.
func hasExample(item *openapi3.PathItem, op *openapi3.Operation) bool {
	bodies := []openapi3.Content{}
	if op.RequestBody != nil {
		bodies = append(bodies, op.RequestBody.Value.Content)
	}
	for _, response := range op.Responses.Map() {
		bodies = append(bodies, response.Value.Content)
	}
	for _, content := range bodies {
		for kind, media := range content {
			if media.Example == nil && !strings.HasPrefix(kind, "image/") {
				return false
			}
		}
	}
	for _, parameter := range slices.Concat(item.Parameters, op.Parameters) {
		if parameter.Value.Example == nil {
			return false
		}
	}
	return true
}
