package handlers_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
)

const v1 = "/api/v1"

// TestEveryDocumentedAnswerIsGiven calls all there is, once for each status
// that openapi.json promises, and holds every answer against it. What it never
// met, the document should not promise.
func TestEveryDocumentedAnswerIsGiven(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob := validating(b.program(t, "bob"))
	good(t, b, bob)
	refused(t, b, bob)
	scripts(t, b, bob)
	authorizing(t, b, bob)
	securing(t, b, bob)
	mailing(t, b, bob)
	slowed(t, b, bob)

	// 503 has a test of its own. Host tokens have every scope, and only wrong
	// guesses are slowed down: these two are promised for other credentials.
	unreachable := func(id string, status int) bool {
		guessing := slices.Contains([]string{"createHostToken", "inspectInvitation", "redeemInvitation", "createMeeting", "createJoinLink", "createJoinToken"}, id)
		return status == http.StatusServiceUnavailable || status == http.StatusForbidden && !guessing || status == http.StatusTooManyRequests && !guessing
	}
	for _, item := range bob.doc.doc.Paths.Map() {
		for _, op := range item.Operations() {
			for status := range op.Responses.Map() {
				code, err := strconv.Atoi(status)
				if err != nil {
					t.Fatal(err)
				}
				if !bob.met[op.OperationID+" "+status] && !unreachable(op.OperationID, code) {
					t.Errorf("%s never answered %s", op.OperationID, status)
				}
			}
		}
	}
}

// good calls everything as it is meant to be called.
func good(t *testing.T, b *bench, r *checked) {
	t.Helper()
	nobody := r.as(t, b.nobody(t))
	nobody.get("/healthz").wants(http.StatusOK)
	nobody.get("/readyz").wants(http.StatusOK)
	nobody.get("/openapi.json").wants(http.StatusOK)
	signIn := nobody.json("POST", v1+"/users/token", map[string]any{"username": "bob", "password": passwords["bob"]}).wants(http.StatusOK)
	form := fields("username", "bob", "password", passwords["bob"]).Encode()
	nobody.do("POST", v1+"/users/token", form, header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")).wants(http.StatusOK)
	fresh := b.nobody(t)
	fresh.head.Set("Authorization", "bearer "+signIn.object()["access_token"].(string)) // the scheme in any case
	r.as(t, fresh).v.get(v1 + "/rooms").wants(http.StatusOK)

	full := map[string]any{"name": "Daily stand-up", "slug": "standup", "starts_at": "2030-01-15T12:30:00+01:00", "ends_at": "2030-01-15T14:00:00Z",
		"timezone": "Europe/Berlin", "backend": "conf", "external_id": "booking-4711", "locale": "en"}
	room := r.json("POST", v1+"/rooms", full).wants(http.StatusCreated).object()
	for name, want := range full {
		if name == "starts_at" {
			want = "2030-01-15T11:30:00Z"
		}
		if room[name] != want {
			t.Errorf("%s came back as %v, want %v", name, room[name], want)
		}
	}
	at := v1 + "/rooms/standup"
	r.get(v1 + "/rooms?limit=1").wants(http.StatusOK).says(`"standup"`)
	r.get(at).wants(http.StatusOK)
	r.get(v1 + "/rooms/" + room["id"].(string)).wants(http.StatusOK)
	r.patch(at, `{"name": "Stand-up", "timezone": null, "locale": null, "external_id": null, "ends_at": "2030-01-15T15:00:00Z", "move_invitations": false}`).wants(http.StatusOK).says(`"Stand-up"`, `"timezone":null`)
	r.do("DELETE", at, "").wants(http.StatusNoContent)
	r.do("DELETE", at, "").wants(http.StatusNoContent)
	r.get(at).wants(http.StatusOK).says(`"state":"closed"`)
	r.post(at+"/reopen", "").wants(http.StatusOK).says(`"state":"open"`)

	inv := r.post(at+"/invitations", `{"role": "guest", "name": "Ada", "email": "ada@example.org", "expires_in": "PT1H30M", "not_before": "2030-01-15T12:00:00Z", "max_uses": 2, "external_id": "x-1", "locale": "de"}`).
		wants(http.StatusCreated).says(`"uses":0,"max_uses":2`, `"expires_at":"2030-01-15T13:30:00Z"`).object()
	mine := v1 + "/invitations/" + inv["id"].(string)
	r.get(at+"/attendance.csv").wants(http.StatusOK).says("not_yet", "Ada")
	r.post(at+"/invitations", `{"role": "host"}`).wants(http.StatusCreated).says(`"expires_at":"2030-01-15T15:00:00Z"`) // the room's end
	r.post(at+"/invitations/bulk", `{"invitations": [{"role": "guest", "name": "Bo"}, {"role": "nobody"}], "atomic": false}`).wants(http.StatusOK)
	r.post(at+"/invitations", `{"role": "guest", "expires_in": 90.5}`).wants(http.StatusCreated)
	r.get(at+"/invitations?state=pending&role=guest&q=ADA&external_id=x-1&limit=500").wants(http.StatusOK).says(`"token":null`, `"Ada"`)
	r.get(mine).wants(http.StatusOK).says(inv["token"].(string))
	r.patch(mine, `{"name": "Ada L.", "email": null, "not_before": null, "expires_at": "2030-01-15T14:30:00Z", "max_uses": 3}`).wants(http.StatusOK).says(`"max_uses":3`, `"email":null`)
	r.get(mine + "/qr.png?size=64").wants(http.StatusOK)
	r.get(mine + "/qr.png?form=jwt").wants(http.StatusOK)
	r.get(mine + "/qr.svg").wants(http.StatusOK)
	r.get(mine + "/invite.ics").wants(http.StatusOK).says("METHOD:REQUEST")
	for _, token := range []any{inv["token"], inv["url"], inv["short_url"], strings.ToUpper(inv["short_url"].(string))} {
		r.json("POST", v1+"/invitations/inspect", map[string]any{"token": token}).wants(http.StatusOK).says(`"redeemable":true`, `"reason":null`)
	}
	redeem(r, b.base+"/i/"+b.Invitations.Links.Code(inviteID(t, inv)), "turnstile-000042", "room", "standup", "name", "Ada").wants(http.StatusOK).
		says(`"uses":1`, `"join_url":"https://conf.example/standup?n=Ada\u0026r=guest\u0026a=adm_`)
	r.patch(mine, `{"max_uses": 2}`).wants(http.StatusOK)
	r.post(at+"/invitations", `{"role": "guest", "name": null, "email": null, "expires_in": null, "expires_at": null, "not_before": null, "max_uses": null, "external_id": null, "locale": null}`).wants(http.StatusCreated)
	r.post(mine+"/revoke", `{"reason": "lost"}`).wants(http.StatusOK).says(`"state":"revoked"`)
	r.post(mine+"/revoke", "").wants(http.StatusOK)
	r.post(mine+"/restore", `{"reason": "found"}`).wants(http.StatusOK).says(`"state":"pending"`)
	r.post(mine+"/restore", `{}`).wants(http.StatusOK)
	r.post(mine+"/reissue", `{"keep_old": true}`).wants(http.StatusCreated).says(`"uses":1`)
	r.post(mine+"/reissue", "").wants(http.StatusCreated)
	r.get(mine + "/invite.ics").wants(http.StatusGone)
	r.get(mine + "/events?limit=2").wants(http.StatusOK).says(`"next_cursor":"`)
	r.get(at+"/events").wants(http.StatusOK).says("room.created", "invitation.minted", "invitation.redeemed", `"lost"`)
}

func inviteID(t *testing.T, inv map[string]any) rooms.ID {
	t.Helper()
	id, err := rooms.ParseID(rooms.InvitationPrefix, inv["id"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// refused meets the refusals that stand to reason, on every call by its method.
func refused(t *testing.T, b *bench, r *checked) {
	t.Helper()
	nobody := r.as(t, b.nobody(t))
	room := b.room(t, "bob", "taken")
	inv := b.mint(t, room, tokens.Draft{Name: "Ada"})
	closed := b.room(t, "bob", "closed")
	there := b.mint(t, closed, tokens.Draft{})
	r.do("DELETE", v1+"/rooms/closed", "").wants(http.StatusNoContent)
	for path, item := range r.doc.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Security != nil {
				continue
			}
			at := strings.NewReplacer("{room}", "taken", "{id}", shown(inv.ID)).Replace(path)
			if a := nobody.do(method, at, ""); op.OperationID == "verifyApp" { // which speaks as OAuth does
				a.wants(http.StatusUnauthorized).says(`"error":"invalid_token"`)
			} else {
				a.refuses(http.StatusUnauthorized, "invalid_credentials")
			}
			if none := strings.NewReplacer("{room}", "no-such-room", "{id}", "inv_0000000000000").Replace(path); none != path {
				r.do(method, none, "").refuses(http.StatusNotFound, "not_found")
			}
			if op.Responses.Status(http.StatusRequestEntityTooLarge) != nil {
				wrongBodies(r, method, at)
			}
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				if bad := map[string]string{"limit": "0", "cursor": "!", "size": "63", "form": "long", "state": "lost", "role": "admin"}[p.Value.Name]; bad != "" && p.Value.In == openapi3.ParameterInQuery {
					r.get(at+"?"+p.Value.Name+"="+bad).refuses(http.StatusUnprocessableEntity, "invalid_request", p.Value.Name)
				}
			}
		}
	}
	wrongBodies(nobody, http.MethodPost, v1+"/users/token")
	nobody.post(v1+"/users/token", `{"username": "bob", "password": "wrong"}`).refuses(http.StatusUnauthorized, "invalid_credentials")
	nobody.do("POST", v1+"/users/token", `{}`, header("Sec-Fetch-Site", "cross-site")).refuses(http.StatusForbidden, "cross_site")
	r.post(v1+"/rooms", `{"name": "x", "slug": "taken"}`).refuses(http.StatusConflict, "conflict")
	r.post(v1+"/rooms/closed/invitations", `{"role": "guest"}`).refuses(http.StatusGone, "room_closed")
	r.post(v1+"/rooms/closed/invitations/bulk", `{"invitations": [{"role": "guest"}]}`).refuses(http.StatusGone, "room_closed")
	r.post(v1+"/invitations/"+shown(there.ID)+"/reissue", "").refuses(http.StatusGone, "room_closed")
	at := v1 + "/invitations/" + shown(inv.ID)
	r.post(at+"/revoke", "").wants(http.StatusOK)
	r.post(at+"/reissue", `{"keep_old": true}`).refuses(http.StatusGone, "revoked")
	b.Clock.Add(61 * time.Second)
	r.post(at+"/restore", "").refuses(http.StatusConflict, "conflict")
	redeem(r, b.short(inv), "turnstile-000042").refuses(http.StatusGone, "revoked")
	r.post(at+"/reissue", "").wants(http.StatusCreated)
	r.patch(at, `{"name": "x"}`).refuses(http.StatusGone, "superseded")
	r.post(at+"/reissue", "").refuses(http.StatusGone, "superseded")
	once := b.mint(t, room, tokens.Draft{})
	redeem(r, b.short(once), "turnstile-000042").wants(http.StatusOK)
	redeem(r, b.short(once), "turnstile-000043").refuses(http.StatusConflict, "used")
	twice := b.mint(t, room, tokens.Draft{MaxUses: 2})
	redeem(r, b.short(twice), "turnstile-000042").wants(http.StatusOK)
	redeem(r, b.short(twice), "turnstile-000043").wants(http.StatusOK)
	r.patch(v1+"/invitations/"+shown(twice.ID), `{"max_uses": 1}`).refuses(http.StatusConflict, "conflict")
	redeem(r, b.long(t, once), "turnstile-000043", "room", "closed").refuses(http.StatusForbidden, "wrong_room")
	misplaced := strings.Replace(b.base+b.long(t, once), "/join/taken", "/join/closed", 1)
	r.json("POST", v1+"/invitations/inspect", map[string]any{"token": misplaced}).refuses(http.StatusForbidden, "wrong_room")

	stale := r.as(t, b.program(t, "bob"))
	b.Clock.Add(hosts.TokenLife)
	if got := stale.get(v1+"/rooms").refuses(http.StatusUnauthorized, "token_expired").Header.Get("WWW-Authenticate"); got != b.invalidToken("The access token has expired.") {
		t.Errorf("an expired token: WWW-Authenticate is %q", got)
	}
	b.Clock.Add(-hosts.TokenLife)
}

// wrongBodies meets 400, 413, 415 and 422.
func wrongBodies(r *checked, method, at string) {
	r.v.t.Helper()
	asJSON := header("Content-Type", "application/json")
	r.do(method, at, `{"name": `, asJSON).refuses(http.StatusBadRequest, "invalid_request")
	r.do(method, at, `{}`, header("Content-Type", "text/plain")).refuses(http.StatusUnsupportedMediaType, "unsupported_media_type")
	most := 1 << 20
	if strings.HasSuffix(at, "/bulk") {
		most = tokens.MaxGuestList
	}
	r.do(method, at, strings.Repeat(" ", most)+`{}`, asJSON).refuses(http.StatusRequestEntityTooLarge, "content_too_large")
	r.do(method, at, `{"nonsense": 1}`, asJSON).refuses(http.StatusUnprocessableEntity, "invalid_request", "nonsense")
}

// slowed guesses until it is told to wait, wherever guessing is possible.
func slowed(t *testing.T, b *bench, r *checked) {
	t.Helper()
	for i, call := range []func(*checked, string) answer{
		func(c *checked, guess string) answer {
			return c.json("POST", v1+"/users/token", map[string]any{"username": "nobody", "password": guess})
		},
		func(c *checked, guess string) answer {
			return c.json("POST", v1+"/invitations/inspect", map[string]any{"token": guess})
		},
		func(c *checked, guess string) answer { return redeem(c, guess, "turnstile-000042") },
	} {
		b.Clock.Add(2 * time.Minute) // a program's guesses count for it at every call
		guesser := b.from(t, fmt.Sprintf("127.0.1.%d", i+1))
		guesser.head = r.v.head
		c := r.as(t, guesser)
		for n := range 10 {
			if got := call(c, strconv.Itoa(n)); got.StatusCode == http.StatusTooManyRequests {
				t.Fatalf("guess %d was too many", n+1)
			}
		}
		got := call(c, "11").refuses(http.StatusTooManyRequests, "too_many_requests")
		wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
		if err != nil || wait < 1 || wait > 90 {
			t.Errorf("Retry-After is %q", got.Header.Get("Retry-After"))
		}
		b.Clock.Add(time.Duration(wait) * time.Second)
		if got := call(c, "12"); got.StatusCode == http.StatusTooManyRequests {
			t.Errorf("after the time that Retry-After said → %d", got.StatusCode)
		}
	}
}

// TestWithoutADatabaseEveryCallIsUnavailable stops the server below: 503 with
// Retry-After for programs, and a page that says so for guests.
func TestWithoutADatabaseEveryCallIsUnavailable(t *testing.T) {
	t.Parallel()
	cluster := datatest.Cluster(t)
	b := serve(t, datatest.On(t, cluster.Create(t)))
	inv := b.mint(t, b.room(t, "bob", "last"), tokens.Draft{})
	link := b.base + b.short(inv)
	r := validating(b.program(t, "bob"))
	r.get("/readyz").wants(http.StatusOK)
	factors := b.aboutFactors(t, "bob")
	cluster.Stop()
	r.get("/healthz").wants(http.StatusOK)
	bodies := map[string]any{
		"createRoom": map[string]any{"name": "x"}, "createInvitation": map[string]any{"role": "guest"}, "updateRoom": map[string]any{"name": "x"},
		"inspectInvitation": map[string]any{"token": link}, "redeemInvitation": map[string]any{"token": link, "nonce": "turnstile-000042"},
		"createJoinToken": map[string]any{"username": "bob", "password": passwords["bob"]},
	}
	maps.Copy(bodies, factors)
	asked := 0
	for path, item := range r.doc.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Responses.Status(http.StatusServiceUnavailable) == nil || op.OperationID == "createHostToken" || slices.Contains(op.Tags, "OAuth") {
				continue // what is for apps has a test of its own; a sign-in needs no database, so that it works when nothing can be written
			}
			body := bodies[op.OperationID]
			if body == nil {
				body = map[string]any{}
			}
			asked++
			who := r
			if keyed(op) {
				who = r.as(t, b.script(t).v)
			}
			who.json(method, strings.NewReplacer("{room}", "last", "{id}", shown(inv.ID)).Replace(path), body).refuses(http.StatusServiceUnavailable, "unavailable")
		}
	}
	if asked < 20 {
		t.Errorf("only %d calls", asked)
	}
	if page := b.nobody(t).get(b.short(inv)).wants(http.StatusServiceUnavailable).says("We cannot let you in right now"); page.Header.Get("Retry-After") == "" {
		t.Error("the page does not say when to come again")
	}
}

// TestTheAPIIsTheSameOnEveryDatabase runs the good calls on each of them.
func TestTheAPIIsTheSameOnEveryDatabase(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, d *datatest.Bench) {
		b := serve(t, d)
		good(t, b, validating(b.program(t, "bob")))
	})
}
