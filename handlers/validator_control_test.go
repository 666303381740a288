package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestValidatorRefuses proves that the validator sees each fault: every row differs in one point
// from an exchange that it accepts.
func TestValidatorRefuses(t *testing.T) {
	v := newValidator(t)
	example := func(schema string, change ...any) string { return changed(t, v, schema, change...) }
	problem := func(status int, code string, more ...any) string {
		return example("Problem", append([]any{"status", status, "code", code, "redeemed_at", nil}, more...)...)
	}
	room, invitation, ada := example("Room"), example("Invitation"), example("InvitationCreate")
	rooms, invitations, redeem := "/api/v1/rooms", "/api/v1/rooms/standup/invitations", "/api/v1/invitations/redeem"
	link := `{"token": "x", "nonce": "0123456789abcdef"}`
	for _, tt := range []struct {
		name, method, path, sent string
		status                   int
		answer, wants            string
	}{
		{"a room", "GET", rooms + "/standup", "", 200, room, ""},
		{"a room without a time", "GET", rooms + "/standup", "", 200, example("Room", "starts_at", "null"), ""},
		{"an unknown member", "GET", rooms + "/standup", "", 200, example("Room", "seats", 3), "seats"},
		{"a missing member", "GET", rooms + "/standup", "", 200, example("Room", "state", nil), "state"},
		{"a wrong type", "GET", rooms + "/standup", "", 200, example("Room", "name", 7), "name"},
		{"null where there is always a value", "GET", rooms + "/standup", "", 200, example("Room", "owner", "null"), "owner"},
		{"a value outside the enumeration", "GET", rooms + "/standup", "", 200, example("Room", "state", "busy"), "state"},
		{"an instant without offset", "GET", rooms + "/standup", "", 200, example("Room", "starts_at", "2026-01-01T10:00:00"), "starts_at"},
		{"an instant that is none", "GET", rooms + "/standup", "", 200, example("Room", "created_at", "2026-02-30T10:00:00Z"), "created_at"},
		{"another kind of id", "GET", rooms + "/standup", "", 200, example("Room", "id", "inv_1"), "id"},
		{"two JSON values", "GET", rooms + "/standup", "", 200, room + room, "one JSON value"},
		{"nothing", "GET", rooms + "/standup", "", 200, "", "no body"},
		{"an undocumented status", "GET", rooms + "/standup", "", 202, room, "not documented"},
		{"an undocumented redirect", "GET", rooms + "/standup", "", 308, "", "not documented"},
		{"an undocumented call", "GET", rooms + "/standup/nowhere", "", 200, room, "no matching operation"},
		{"an undocumented method", "PUT", rooms + "/standup", "", 200, room, "no matching operation"},
		{"closing", "DELETE", rooms + "/standup", "", 204, "", ""},
		{"a body after 204", "DELETE", rooms + "/standup", "", 204, room, "none is documented"},
		{"a list with its filters", "GET", invitations + "?state=pending&limit=500", "", 200, example("InvitationList"), ""},
		{"a list that shows a token", "GET", invitations, "", 200, `{"items": [` + invitation + `], "next_cursor": null}`, "token"},
		{"a limit out of bounds that was accepted", "GET", rooms + "?limit=501", "", 200, example("RoomList"), "limit"},
		{"an undocumented filter that was accepted", "GET", rooms + "?owner=host", "", 200, example("RoomList"), "owner"},
		{"minting", "POST", invitations, ada, 201, invitation, ""},
		{"a duration in seconds", "POST", invitations, `{"role": "guest", "expires_in": 5400}`, 201, invitation, ""},
		{"a duration after ISO 8601", "POST", invitations, `{"role": "guest", "expires_in": "PT1H30M"}`, 201, invitation, ""},
		{"bare digits that were accepted", "POST", invitations, `{"role": "guest", "expires_in": "5400"}`, 201, invitation, "expires_in"},
		{"two ends that were accepted", "POST", invitations, `{"role": "guest", "expires_in": 1, "expires_at": "2026-01-01T10:00:00Z"}`, 201, invitation, "accepted"},
		{"an unknown member that was accepted", "POST", invitations, `{"role": "guest", "seat": "12A"}`, 201, invitation, "seat"},
		{"a body where there is none", "POST", rooms + "/standup/reopen", `{}`, 200, room, "not allowed"},
		{"revoking without a body", "POST", "/api/v1/invitations/inv_1/revoke", "", 200, invitation, ""},
		{"redeeming", "POST", redeem, link, 200, example("Redemption"), ""},
		{"a short nonce that was accepted", "POST", redeem, `{"token": "x", "nonce": "short"}`, 200, example("Redemption"), "nonce"},
		{"used, with the time", "POST", redeem, link, 409, problem(409, "used", "redeemed_at", "2026-01-01T10:00:00Z"), ""},
		{"used, without the time", "POST", redeem, link, 409, problem(409, "used"), "redeemed_at"},
		{"not_yet, without the time", "POST", redeem, link, 403, problem(403, "not_yet"), "opens_at"},
		{"a status member that lies", "POST", redeem, link, 410, problem(409, "revoked"), "status"},
		{"a code of another status", "POST", redeem, link, 410, problem(410, "not_found"), "code"},
		{"an unknown member of a problem", "POST", redeem, link, 410, problem(410, "revoked", "hint", "no"), "hint"},
		{"no list of errors", "POST", rooms, `{}`, 422, problem(422, "invalid_request"), "errors"},
		{"a refused request need not be valid", "POST", rooms, `{`, 400, problem(400, "invalid_request"), ""},
		{"too many, with Retry-After", "GET", rooms, "", 429, problem(429, "too_many_requests"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req, head := exchange(t, tt.method, tt.path, tt.status)
			wantError(t, v.verify(req, []byte(tt.sent), tt.status, head, []byte(tt.answer)), tt.wants)
		})
	}
}

// TestValidatorLooksAtHeaders takes away or changes one header of an exchange that is accepted with it.
func TestValidatorLooksAtHeaders(t *testing.T) {
	v := newValidator(t)
	busy := changed(t, v, "Problem", "status", 429, "code", "too_many_requests")
	room := changed(t, v, "Room")
	for _, tt := range []struct {
		name   string
		status int
		answer string
		change func(req, resp http.Header)
		wants  string
	}{
		{name: "no Retry-After", status: 429, answer: busy, change: func(_, h http.Header) { h.Del("Retry-After") }, wants: "Retry-After"},
		{name: "a date in Retry-After", status: 429, answer: busy, change: func(_, h http.Header) { h.Set("Retry-After", "soon") }, wants: "Retry-After"},
		{name: "a problem as plain JSON", status: 429, answer: busy, change: func(_, h http.Header) { h.Set("Content-Type", "application/json") }, wants: "Content-Type"},
		{name: "a charset", status: 200, answer: room, change: func(_, h http.Header) { h.Set("Content-Type", "application/json; charset=UTF-8") }},
		{name: "an undocumented content type", status: 200, answer: room, change: func(_, h http.Header) { h.Set("Content-Type", "text/html") }, wants: "Content-Type"},
		{name: "no content type", status: 200, answer: room, change: func(_, h http.Header) { h.Del("Content-Type") }, wants: "Content-Type"},
		{name: "no credentials, and accepted", status: 200, answer: room, change: func(h, _ http.Header) { h.Del("Authorization") }, wants: "bearer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, head := exchange(t, "GET", "/api/v1/rooms/standup", tt.status)
			tt.change(req.Header, head)
			wantError(t, v.verify(req, nil, tt.status, head, []byte(tt.answer)), tt.wants)
		})
	}
}

func TestValidatorReadsFormsAndPictures(t *testing.T) {
	v := newValidator(t)
	req, head := exchange(t, "POST", "/api/v1/users/token", 200)
	req.Header.Del("Authorization")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := []byte(changed(t, v, "HostToken"))
	wantError(t, v.verify(req, []byte("username=host&password=a+b"), 200, head, answer), "")
	wantError(t, v.verify(req, []byte("username=host"), 200, head, answer), "password")

	req, head = exchange(t, "GET", "/api/v1/invitations/inv_1/qr.png?size=64&form=jwt", 200)
	head.Set("Content-Type", "image/png")
	wantError(t, v.verify(req, nil, 200, head, []byte("\x89PNG")), "")
	head.Set("Content-Type", "image/svg+xml")
	wantError(t, v.verify(req, nil, 200, head, []byte("<svg/>")), "Content-Type")
}

func TestValidatorReadsProblemsOfUndocumentedAddresses(t *testing.T) {
	v := newValidator(t)
	_, head := exchange(t, "GET", "/api/v1/nowhere", 405)
	wantError(t, v.verifyProblem(405, head, []byte(changed(t, v, "Problem", "status", 405, "code", "method_not_allowed"))), "")
	wantError(t, v.verifyProblem(405, head, []byte(changed(t, v, "Problem", "status", 404, "code", "not_found"))), "status")
	wantError(t, v.verifyProblem(405, head, []byte(changed(t, v, "Problem", "status", 405, "code", "no"))), "code")
}

// TestCheckFailsTheTest: the calls that other tests make do report what verify finds.
func TestCheckFailsTheTest(t *testing.T) {
	v := newValidator(t)
	req, head := exchange(t, "GET", "/api/v1/rooms", 418)
	resp := &http.Response{StatusCode: http.StatusTeapot, Header: head}
	var failed recorder
	v.check(&failed, req, nil, resp, []byte(`{}`))
	v.checkProblem(&failed, resp, []byte(`{}`))
	if len(failed.errors) != 2 {
		t.Errorf("two wrong answers made %d errors: %q", len(failed.errors), failed.errors)
	}
}

// recorder stands in for a test that fails; what check does not use of testing.TB is nil.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// exchange is a request with credentials and the header of its answer, complete.
func exchange(t *testing.T, method, target string, status int) (*http.Request, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://meet.example"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer opaque")
	req.Header.Set("Content-Type", "application/json")
	if status >= 400 {
		return req, http.Header{"Content-Type": {"application/problem+json"}, "Retry-After": {"30"}}
	}
	return req, http.Header{"Content-Type": {"application/json"}}
}

// changed is the document's own example of a schema as JSON, with members set (name, value, …):
// nil takes a member out, "null" makes it null.
func changed(t *testing.T, v *validator, schema string, change ...any) string {
	t.Helper()
	raw, err := json.Marshal(v.doc.Components.Schemas[schema].Value.Examples[0])
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(change, 2) {
		switch name := pair[0].(string); pair[1] {
		case nil:
			delete(value, name)
		case "null":
			value[name] = nil
		default:
			value[name] = pair[1]
		}
	}
	raw, err = json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// wantError wants no error where wants is empty, else one that speaks of it.
func wantError(t *testing.T, err error, wants string) {
	t.Helper()
	if wants == "" && err != nil {
		t.Errorf("refused: %v", err)
	}
	if wants != "" && (err == nil || !strings.Contains(err.Error(), wants)) {
		t.Errorf("got %v, want an error about %q", err, wants)
	}
}
