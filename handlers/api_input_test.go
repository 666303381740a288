package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// input is a request that must be refused, and the member it blames.
type input struct {
	name, path, body string
	status           int
	field            string
}

const (
	roomsAt = v1 + "/rooms"
	mintAt  = v1 + "/rooms/standup/invitations"
)

func badRooms() []input {
	return []input{
		{"nothing", roomsAt, "", 400, ""},
		{"half a document", roomsAt, `{"name": "x"`, 400, ""},
		{"no JSON", roomsAt, `name=x`, 400, ""},
		{"a second document", roomsAt, `{"name": "x"}{}`, 400, ""},
		{"garbage after the end", roomsAt, `{"name": "x"} x`, 400, ""},
		{"a comment", roomsAt, `{"name": "x"} // y`, 400, ""},
		{"single quotes", roomsAt, `{'name': 'x'}`, 400, ""},
		{"a byte order mark", roomsAt, "\ufeff" + `{"name": "x"}`, 400, ""},
		{"broken UTF-8", roomsAt, "{\"name\": \"a\xff\xfeb\"}", 400, ""},
		{"a cut rune", roomsAt, "{\"name\": \"\xf0\x9f\x98\"}", 400, ""},
		{"depth", roomsAt, strings.Repeat(`[`, 200000), 400, ""},
		{"an array for the object", roomsAt, `[{"name": "x"}]`, 422, ""},
		{"a string for the object", roomsAt, `"x"`, 422, ""},
		{"null for the object", roomsAt, `null`, 422, ""},
		{"no member at all", roomsAt, `{}`, 422, "name"},
		{"an unknown member", roomsAt, `{"name": "x", "color": "red"}`, 422, "color"},
		{"a member in another case", roomsAt, `{"Name": "x"}`, 422, "Name"},
		{"a number for the name", roomsAt, `{"name": 7}`, 422, "name"},
		{"an array for the name", roomsAt, `{"name": ["x"]}`, 422, "name"},
		{"an object for the name", roomsAt, `{"name": {"en": "x"}}`, 422, "name"},
		{"an empty name", roomsAt, `{"name": ""}`, 422, "name"},
		{"a name of spaces", roomsAt, `{"name": " \t\n "}`, 422, "name"},
		{"a long name", roomsAt, `{"name": "` + strings.Repeat("é", 201) + `"}`, 422, "name"},
		{"NUL in the name", roomsAt, `{"name": "a\u0000b"}`, 422, "name"},
		{"NUL in the external id", roomsAt, `{"name": "x", "external_id": "\u0000"}`, 422, "external_id"},
		{"a slug in upper case", roomsAt, `{"name": "x", "slug": "Standup"}`, 422, "slug"},
		{"a slug with a space", roomsAt, `{"name": "x", "slug": "a b"}`, 422, "slug"},
		{"a slug that climbs", roomsAt, `{"name": "x", "slug": "../a"}`, 422, "slug"},
		{"a slug with a hyphen at its end", roomsAt, `{"name": "x", "slug": "a-"}`, 422, "slug"},
		{"a long slug", roomsAt, `{"name": "x", "slug": "` + strings.Repeat("a", 65) + `"}`, 422, "slug"},
		{"a slug like an id", roomsAt, `{"name": "x", "slug": "room_0123456789abc"}`, 422, "slug"},
		{"a time without offset", roomsAt, `{"name": "x", "starts_at": "2030-02-01T09:00:00"}`, 422, "starts_at"},
		{"a day", roomsAt, `{"name": "x", "starts_at": "2030-02-01"}`, 422, "starts_at"},
		{"30 February", roomsAt, `{"name": "x", "ends_at": "2030-02-30T09:00:00Z"}`, 422, "ends_at"},
		{"an empty time", roomsAt, `{"name": "x", "ends_at": ""}`, 422, "ends_at"},
		{"a time in milliseconds", roomsAt, `{"name": "x", "starts_at": 1893456000000}`, 422, "starts_at"},
		{"a time in the year 0", roomsAt, `{"name": "x", "starts_at": "0000-01-01T00:00:00Z"}`, 422, "starts_at"},
		{"an end before the start", roomsAt, `{"name": "x", "starts_at": "2030-02-01T09:00:00Z", "ends_at": "2030-02-01T09:00:00Z"}`, 422, "ends_at"},
		{"an unknown zone", roomsAt, `{"name": "x", "timezone": "Mars/Olympus"}`, 422, "timezone"},
		{"a zone that climbs", roomsAt, `{"name": "x", "timezone": "../../etc/passwd"}`, 422, "timezone"},
		{"the server's own zone", roomsAt, `{"name": "x", "timezone": "Local"}`, 422, "timezone"},
		{"an unknown back end", roomsAt, `{"name": "x", "backend": "elsewhere"}`, 422, "backend"},
		{"a locale that is none", roomsAt, `{"name": "x", "locale": "<script>"}`, 422, "locale"},
	}
}

func badInvitations() []input {
	return []input{
		{"no role", mintAt, `{}`, 422, "role"},
		{"null for the role", mintAt, `{"role": null}`, 422, "role"},
		{"a role that is none", mintAt, `{"role": "admin"}`, 422, "role"},
		{"a role in another case", mintAt, `{"role": "Guest"}`, 422, "role"},
		{"a long name", mintAt, `{"role": "guest", "name": "` + strings.Repeat("x", 201) + `"}`, 422, "name"},
		{"NUL in the name", mintAt, `{"role": "guest", "name": "\u0000"}`, 422, "name"},
		{"an address that is none", mintAt, `{"role": "guest", "email": "ada"}`, 422, "email"},
		{"an address with a name", mintAt, `{"role": "guest", "email": "Ada <ada@example.org>"}`, 422, "email"},
		{"a header in the address", mintAt, `{"role": "guest", "email": "a@example.org\r\nBcc: b@example.org"}`, 422, "email"},
		{"a duration of bare digits", mintAt, `{"role": "guest", "expires_in": "3600"}`, 422, "expires_in"},
		{"a duration of months", mintAt, `{"role": "guest", "expires_in": "P1M"}`, 422, "expires_in"},
		{"an empty duration", mintAt, `{"role": "guest", "expires_in": ""}`, 422, "expires_in"},
		{"a duration of nothing", mintAt, `{"role": "guest", "expires_in": 0}`, 422, "expires_in"},
		{"a negative duration", mintAt, `{"role": "guest", "expires_in": -5}`, 422, "expires_in"},
		{"half a second", mintAt, `{"role": "guest", "expires_at": "2030-01-15T12:00:00.5Z"}`, 422, "expires_at"},
		{"a huge duration", mintAt, `{"role": "guest", "expires_in": 1e300}`, 422, "expires_in"},
		{"an overflowing duration", mintAt, `{"role": "guest", "expires_in": 1e999}`, 422, "expires_in"},
		{"a long duration", mintAt, `{"role": "guest", "expires_in": "999999999w"}`, 422, "expires_in"},
		{"a duration that is true", mintAt, `{"role": "guest", "expires_in": true}`, 422, "expires_in"},
		{"more than a year", mintAt, `{"role": "guest", "expires_in": "367d"}`, 422, "expires_at"},
		{"two ends", mintAt, `{"role": "guest", "expires_in": "1h", "expires_at": "2030-01-16T00:00:00Z"}`, 422, "expires_at"},
		{"an end in the past", mintAt, `{"role": "guest", "expires_at": "2030-01-15T11:00:00Z"}`, 422, "expires_at"},
		{"an end without offset", mintAt, `{"role": "guest", "expires_at": "2030-01-16T00:00:00"}`, 422, "expires_at"},
		{"an empty end", mintAt, `{"role": "guest", "expires_at": ""}`, 422, "expires_at"},
		{"a start after the end", mintAt, `{"role": "guest", "expires_in": "1h", "not_before": "2030-01-17T00:00:00Z"}`, 422, "expires_at"},
		{"no uses", mintAt, `{"role": "guest", "max_uses": 0}`, 422, "max_uses"},
		{"negative uses", mintAt, `{"role": "guest", "max_uses": -1}`, 422, "max_uses"},
		{"too many uses", mintAt, `{"role": "guest", "max_uses": 1001}`, 422, "max_uses"},
		{"overflowing uses", mintAt, `{"role": "guest", "max_uses": 99999999999999999999}`, 422, "max_uses"},
		{"half a use", mintAt, `{"role": "guest", "max_uses": 1.5}`, 422, "max_uses"},
		{"uses as text", mintAt, `{"role": "guest", "max_uses": "3"}`, 422, "max_uses"},
		{"a PIN too short", mintAt, `{"role": "guest", "pin": "123"}`, 422, "pin"},
		{"no place at all", v1 + "/rooms", `{"name": "Small", "capacity": 0}`, 422, "capacity"},
		{"fewer places than none", v1 + "/rooms", `{"name": "Small", "capacity": -1}`, 422, "capacity"},
		{"a member of a later day", mintAt, `{"role": "guest", "seat": "12A"}`, 422, "seat"},
		{"an empty token", v1 + "/invitations/inspect", `{"token": ""}`, 422, "token"},
		{"no token", v1 + "/invitations/redeem", `{"nonce": "0123456789abcdef"}`, 422, "token"},
		{"no nonce", v1 + "/invitations/redeem", `{"token": "x"}`, 422, "nonce"},
		{"a short nonce", v1 + "/invitations/redeem", `{"token": "x", "nonce": "0123456789abcde"}`, 422, "nonce"},
		{"a long nonce", v1 + "/invitations/redeem", `{"token": "x", "nonce": "` + strings.Repeat("x", 129) + `"}`, 422, "nonce"},
		{"a room that is none", v1 + "/invitations/redeem", `{"token": "x", "nonce": "0123456789abcdef", "room": "nowhere"}`, 422, "room"},
		{"a null password", v1 + "/users/token", `{"username": "bob", "password": null}`, 422, "password"},
		{"no username", v1 + "/users/token", `{"password": "x"}`, 422, "username"},
	}
}

// TestBadInputIsRefusedAndChangesNothing holds each answer against the document too.
func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	b.mint(t, room, tokens.Draft{Name: "Ada"})
	r := validating(b.program(t, "bob"))
	before := b.state(t, room)
	for _, tt := range append(badRooms(), badInvitations()...) {
		t.Run(tt.name, func(t *testing.T) {
			bob := r.as(t, b.program(t, "bob"))
			got := bob.do("POST", tt.path, tt.body, header("Content-Type", "application/json"))
			if tt.status == http.StatusUnprocessableEntity {
				got.refuses(tt.status, "invalid_request", tt.field)
			} else {
				got.refuses(tt.status, "invalid_request")
			}
		})
	}
	if after := b.state(t, room); after != before {
		t.Errorf("refused calls changed something:\n%s\n%s", before, after)
	}
}

func TestBadChangesAreRefusedAndChangeNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{Name: "Ada", MaxUses: 2})
	r := validating(b.program(t, "bob"))
	redeem(r, b.short(inv), "turnstile-000042").wants(http.StatusOK)
	redeem(r, b.short(inv), "turnstile-000043").wants(http.StatusOK)
	before := b.state(t, room)
	at, there := v1+"/rooms/standup", v1+"/invitations/"+shown(inv.ID)
	for _, tt := range []input{
		{"the slug", at, `{"slug": "other"}`, 422, "slug"},
		{"an empty name", at, `{"name": ""}`, 422, "name"},
		{"null for the name", at, `{"name": null}`, 422, "name"},
		{"an empty time", at, `{"starts_at": ""}`, 422, "starts_at"},
		{"a time without offset", at, `{"ends_at": "2030-02-01T09:00:00"}`, 422, "ends_at"},
		{"text for a boolean", at, `{"move_invitations": "no"}`, 422, "move_invitations"},
		{"null for the room", at, `null`, 422, ""},
		{"no end", there, `{"expires_at": null}`, 422, "expires_at"},
		{"an end in the past", there, `{"expires_at": "2030-01-15T12:00:00Z"}`, 422, "expires_at"},
		{"another role", there, `{"role": "host"}`, 422, "role"},
		{"another state", there, `{"state": "pending"}`, 422, "state"},
		{"null for the uses", there, `{"max_uses": null}`, 422, "max_uses"},
		{"no uses", there, `{"max_uses": 0}`, 422, "max_uses"},
		{"an array", there, `[]`, 422, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.as(t, b.program(t, "bob")).patch(tt.path, tt.body).refuses(tt.status, "invalid_request", tt.field)
		})
	}
	for _, tt := range []input{
		{"a long reason", there + "/revoke", `{"reason": "` + strings.Repeat("x", 201) + `"}`, 422, "reason"},
		{"NUL in the reason", there + "/revoke", `{"reason": "\u0000"}`, 422, "reason"},
		{"an array", there + "/revoke", `[]`, 422, ""},
		{"null", there + "/revoke", `null`, 422, ""},
		{"text for keep_old", there + "/reissue", `{"keep_old": "yes"}`, 422, "keep_old"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.as(t, b.program(t, "bob")).post(tt.path, tt.body).refuses(tt.status, "invalid_request", tt.field)
		})
	}
	r.patch(there, `{"max_uses": 1}`).refuses(http.StatusConflict, "conflict") // two were taken
	if after := b.state(t, room); after != before {
		t.Errorf("refused calls changed something:\n%s\n%s", before, after)
	}
}

// TestStrangeAddressesAreRefusedOnEveryDatabase: what PostgreSQL cannot even
// hold is not found or not valid, and never a fault of ours.
func TestStrangeAddressesAreRefusedOnEveryDatabase(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, d *datatest.Bench) {
		b := serve(t, d)
		room := b.room(t, "bob", "standup")
		inv := b.mint(t, room, tokens.Draft{Name: "100% Ada_"})
		r := b.program(t, "bob")
		page := b.signedIn(t, "bob")
		for _, text := range []string{"\x00", "a\x00b", "\xff", "\xf0\x9f\x98", "' OR 1=1 --", "%", "_", "\\", "💥", "room_", "inv_" + strings.Repeat("z", 13), strings.Repeat("x", 9000)} {
			in := url.PathEscape(text)
			for _, path := range []string{v1 + "/rooms/" + in, v1 + "/rooms/" + in + "/invitations", v1 + "/invitations/" + in, v1 + "/invitations/" + in + "/events"} {
				r.get(path).refuses(http.StatusNotFound, "not_found")
			}
			for _, path := range []string{"/rooms/" + in, "/invitations/" + in, "/join/" + in + "/admitted"} {
				page.get(path).wants(http.StatusNotFound)
			}
			b.Clock.Add(10e9)
			page.get("/i/" + in).wants(http.StatusNotFound)
			b.Clock.Add(10e9)
			page.get("/join/standup?token=" + url.QueryEscape(text)).wants(http.StatusNotFound)
			for _, path := range []string{mintAt + "?q=" + url.QueryEscape(text), mintAt + "?external_id=" + url.QueryEscape(text), v1 + "/rooms?external_id=" + url.QueryEscape(text)} {
				if got := r.get(path); got.StatusCode != http.StatusOK && got.StatusCode != http.StatusUnprocessableEntity {
					t.Errorf("GET %s → %d %s", path, got.StatusCode, got.body)
				}
			}
			if got := page.get("/rooms/standup?q=" + url.QueryEscape(text)); got.StatusCode != http.StatusOK && got.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("GET /rooms/standup?q=%q → %d", text, got.StatusCode)
			}
			if got := page.post("/signin", fields("username", text, "password", text)); got.StatusCode != http.StatusUnauthorized && got.StatusCode != http.StatusTooManyRequests {
				t.Errorf("signing in as %q → %d", text, got.StatusCode)
			}
		}
		for query, found := range map[string]bool{"ada": true, "100%": true, "a_": true, "%%": false, "a__": false, "_d": false} {
			if got := strings.Contains(r.get(mintAt+"?q="+url.QueryEscape(query)).wants(http.StatusOK).body, shown(inv.ID)); got != found {
				t.Errorf("searching for %q finds the invitation: %v", query, got)
			}
		}
	})
}

func TestLimitsAndCursors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	for i := range 7 {
		b.mint(t, room, tokens.Draft{Name: fmt.Sprint("Guest ", i)})
		b.Clock.Add(1e6)
	}
	r := validating(b.program(t, "bob"))
	for _, list := range []string{roomsAt, mintAt, v1 + "/rooms/standup/events"} {
		for _, limit := range []string{"0", "-1", "501", "99999999999999999999", "1.5", "ten", "0x10", " 5"} {
			r.get(list+"?limit="+url.QueryEscape(limit)).refuses(http.StatusUnprocessableEntity, "invalid_request", "limit")
		}
		for _, cursor := range []string{"!", "AAAA", "AAAAAAAAAAAAAAAA", "//////////8", "_________-8", rooms.ID(1).Show("")} {
			r.get(list+"?cursor="+url.QueryEscape(cursor)).refuses(http.StatusUnprocessableEntity, "invalid_request", "cursor")
		}
	}
	seen, at := []string{}, mintAt+"?limit=3&state=pending"
	for range 5 {
		got := r.get(at).wants(http.StatusOK)
		for _, item := range got.object()["items"].([]any) {
			seen = append(seen, item.(map[string]any)["name"].(string))
		}
		next, link := got.object()["next_cursor"], got.Header.Get("Link")
		if next == nil {
			if link != "" {
				t.Errorf("the last page links to %s", link)
			}
			break
		}
		to, rel, _ := strings.Cut(link, ">")
		if at = strings.TrimPrefix(to, "<"); rel != `; rel="next"` || !strings.Contains(at, url.QueryEscape(next.(string))) || !strings.Contains(at, "state=pending") {
			t.Fatalf("Link is %q, next_cursor %v", link, next)
		}
	}
	if got := strings.Join(seen, ","); got != "Guest 6,Guest 5,Guest 4,Guest 3,Guest 2,Guest 1,Guest 0" {
		t.Errorf("walking the pages gave %s", got)
	}
}

func TestInvitationsAreSorted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	for _, name := range []string{"bo", "Ada", "", "cy", "ada b"} {
		b.mint(t, room, tokens.Draft{Name: name})
		b.Clock.Add(1e6)
	}
	r := validating(b.program(t, "bob"))
	first := map[string]string{}
	for sort, want := range map[string]string{"": "ada b,cy,,Ada,bo", "newest": "ada b,cy,,Ada,bo", "oldest": "bo,Ada,,cy,ada b", "name": ",Ada,ada b,bo,cy"} {
		var seen []string
		at := mintAt + "?limit=2"
		if sort != "" {
			at += "&sort=" + sort
		}
		for at != "" {
			got := r.get(at).wants(http.StatusOK)
			for _, item := range got.object()["items"].([]any) {
				name, _ := item.(map[string]any)["name"].(string)
				seen = append(seen, name)
			}
			if next, more := got.object()["next_cursor"].(string); more && first[sort] == "" {
				first[sort] = next
			}
			to, _, _ := strings.Cut(got.Header.Get("Link"), ">")
			at = strings.TrimPrefix(to, "<")
		}
		if got := strings.Join(seen, ","); got != want {
			t.Errorf("sorted by %q: %s, want %s", sort, got, want)
		}
	}
	for sort, cursor := range first {
		for _, other := range []string{"newest", "oldest", "name"} {
			if other != sort && sort+other != "newest" {
				r.get(mintAt+"?sort="+other+"&cursor="+cursor).refuses(http.StatusUnprocessableEntity, "invalid_request", "cursor")
			}
		}
	}
	for _, sort := range []string{"id", "Name", "name,id"} {
		r.get(mintAt+"?sort="+url.QueryEscape(sort)).refuses(http.StatusUnprocessableEntity, "invalid_request", "sort")
	}
}
