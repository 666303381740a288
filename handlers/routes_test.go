package handlers_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/static"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// route is a route of the server with real values in its address, so that a
// test over all routes cannot forget a new one.
type route struct {
	method, pattern, path string
}

func (r route) name() string { return r.method + " " + r.pattern }

// api tells whether programs call it with a bearer.
func (r route) api() bool {
	return strings.HasPrefix(r.pattern, "/api/")
}

// oauth tells whether apps call it with their own id and secret, or with nothing.
func (r route) oauth() bool {
	return strings.HasPrefix(r.pattern, "/oauth/") && r.pattern != "/oauth/authorize" || strings.HasPrefix(r.pattern, "/.well-known/")
}

// guest tells whether it is a page of a link.
func (r route) guest() bool {
	return strings.HasPrefix(r.pattern, "/join/") || strings.HasPrefix(strings.ToLower(r.pattern), "/i/") ||
		r.pattern == "/m" || strings.HasPrefix(strings.ToLower(r.pattern), "/m/")
}

// unsafe tells whether its method may change something (RFC 9110, 9.2.1).
func (r route) unsafe() bool {
	return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.method)
}

// owned tells whether its address names something of one host.
func (r route) owned() bool {
	return !r.guest() && (strings.Contains(r.pattern, ":room") || strings.Contains(r.pattern, ":id"))
}

// routes are all routes, with this room and invitation in their addresses.
func (b *bench) routes(t *testing.T, room string, inv tokens.Invitation) (all []route) {
	t.Helper()
	request := b.request(t, inv)
	batch := b.batch(t, inv)
	for _, r := range b.echo.Routes() {
		if r.Method == echo.RouteNotFound {
			continue
		}
		path := strings.NewReplacer("/requests/:id", "/requests/"+request, ":room", room, ":id", shown(inv.ID), ":batch", batch, ":code", b.Invitations.Links.Code(inv.ID), ":signin", rooms.ID(1).Show(rooms.SignInPrefix), ":key", rooms.ID(1).Show(oauth.KeyIDPrefix), ":app", oauth.ClientPrefix+"none", ":passkey", rooms.ID(1).Show(hosts.PasskeyPrefix),
			"problems/:code", "problems/used", "/static/*", static.URL("app.css")).Replace(r.Path)
		if r.Path == "/join/:room" {
			path = b.long(t, inv)
		}
		if strings.ContainsAny(path, ":*") {
			t.Fatalf("%s %s: the test has no value for this address", r.Method, r.Path)
		}
		all = append(all, route{r.Method, r.Path, path})
	}
	slices.SortFunc(all, func(a, b route) int { return strings.Compare(a.pattern+a.method, b.pattern+b.method) })
	if len(all) < 40 {
		t.Fatalf("only %d routes: what was left out?", len(all))
	}
	return all
}

// request is an open request for a new link in the place of this invitation. It
// is put there past all rules, so that no history tells of it.
func (b *bench) request(t *testing.T, inv tokens.Invitation) string {
	t.Helper()
	id := b.IDs.Next(b.Clock.Millis())
	if _, err := b.Raw(t).ExecContext(t.Context(), `INSERT INTO requests (id, invitation_id, room_id, browser, name, reason, created_at, closed_at, answer)
		SELECT $1, id, room_id, $2, '', 'used', $3, 0, 0 FROM invitations WHERE id = $4`, int64(id), id.Show(""), b.Clock.Millis(), int64(inv.ID)); err != nil {
		t.Fatal(err)
	}
	return id.Show(rooms.RequestPrefix)
}

// batch makes a batch of this one invitation, unless it is there.
func (b *bench) batch(t *testing.T, inv tokens.Invitation) string {
	t.Helper()
	if _, err := b.Raw(t).ExecContext(t.Context(), `INSERT INTO batches (id, last, room_id, wish, created_at, created_by_kind, created_by)
		SELECT id, id, room_id, $1, created_at, created_by_kind, created_by FROM invitations WHERE id = $2 ON CONFLICT DO NOTHING`, inv.ID.Show(""), int64(inv.ID)); err != nil {
		t.Fatal(err)
	}
	return inv.ID.Show(rooms.BatchPrefix)
}

// state is all that the database holds about a room, as its owner's programs see it.
func (b *bench) state(t *testing.T, room rooms.Room) string {
	t.Helper()
	owner, at := b.program(t, room.Owner), "/api/v1/rooms/"+room.ID.Show(rooms.RoomPrefix)
	out := ""
	for _, path := range []string{at, at + "/invitations?limit=500", at + "/events?limit=500", "/api/v1/rooms?limit=500"} {
		out += owner.get(path).wants(http.StatusOK).body + "\n"
	}
	return out
}

func TestTheDocumentDescribesEveryRouteOfTheAPIAndNoOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var served []string
	for _, r := range b.routes(t, "any", tokens.Invitation{ID: 1}) {
		if r.api() || r.oauth() || r.name() == "GET /oauth/authorize" || slices.Contains([]string{"/healthz", "/readyz", "/openapi.json"}, r.pattern) {
			served = append(served, r.method+" "+strings.NewReplacer(":room", "{room}", ":id", "{id}").Replace(r.pattern))
		}
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal([]byte(b.nobody(t).get("/openapi.json").wants(http.StatusOK).body), &doc); err != nil {
		t.Fatal(err)
	}
	var described []string
	for path, methods := range doc.Paths {
		for method := range methods {
			if method != "parameters" {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
	}
	served = slices.DeleteFunc(served, func(s string) bool { return strings.HasPrefix(s, "HEAD ") })
	slices.Sort(served)
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served:\n%s\ndescribed:\n%s", strings.Join(served, "\n"), strings.Join(described, "\n"))
	}
}
