package handlers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"admitone/data/datatest"
)

// TestNamesComeBackAsTheyAreMeant is F33, on every database.
func TestNamesComeBackAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, d *datatest.Bench) {
		b := serve(t, d)
		b.room(t, "bob", "standup")
		r := validating(b.program(t, "bob"))
		for _, tt := range []struct{ name, sent, want string }{
			{"emoji", "👩🏽‍🚀 🇪🇺 é", "👩🏽‍🚀 🇪🇺 é"},
			{"Chinese and Arabic", "李雷 和 مرحبا", "李雷 和 مرحبا"},
			{"bidi characters are kept", "a\u202eb\u2066c\u2069", "a\u202eb\u2066c\u2069"},
			{"control characters become spaces", "a\x01b\x1bc\u0085d", "a b c d"},
			{"lines become spaces", "a\nb\r\nc\u2028d", "a b  c d"},
			{"the ends are trimmed", "  a b \t", "a b"},
			{"markup is text", `<script>"&'</script>`, `<script>"&'</script>`},
			{"quotes of SQL", `'; DROP TABLE rooms; --`, `'; DROP TABLE rooms; --`},
			{"a formula", "=1+2", "=1+2"},
			{"two hundred characters", strings.Repeat("👍", 200), strings.Repeat("👍", 200)},
		} {
			inv := r.json("POST", mintAt, map[string]any{"role": "guest", "name": tt.sent}).wants(http.StatusCreated).object()
			if inv["name"] != tt.want {
				t.Errorf("%s: minted as %q, want %q", tt.name, inv["name"], tt.want)
			}
			if got := r.get(v1 + "/invitations/" + inv["id"].(string)).wants(http.StatusOK).object()["name"]; got != tt.want {
				t.Errorf("%s: read as %q, want %q", tt.name, got, tt.want)
			}
			room := r.json("POST", roomsAt, map[string]any{"name": tt.sent}).wants(http.StatusCreated).object()
			if room["name"] != tt.want {
				t.Errorf("%s: a room is called %q, want %q", tt.name, room["name"], tt.want)
			}
		}
	})
}

// TestSlugs: a chosen one that is or was taken is a conflict, a derived one
// gets a suffix, and allowed_rooms bounds both.
func TestSlugs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, carol := validating(b.program(t, "bob")), validating(b.program(t, "carol"))
	name := func(r *checked, body map[string]any) string {
		t.Helper()
		slug, _ := r.json("POST", roomsAt, body).wants(http.StatusCreated).object()["slug"].(string)
		return slug
	}
	if got := name(bob, map[string]any{"name": "Daily  Stand-up!"}); got != "daily-stand-up" {
		t.Errorf("derived %q", got)
	}
	if got := name(bob, map[string]any{"name": "daily stand up"}); !regexp.MustCompile(`^daily-stand-up-[a-z0-9]{5}$`).MatchString(got) {
		t.Errorf("derived again %q", got)
	}
	for _, tt := range []struct{ sent, want string }{
		{"李雷", `^room$`}, {"---", `^room-[a-z0-9]{5}$`}, {"Café 7", `^cafe-7$`}, {strings.Repeat("long ", 30), `^long-[a-z-]*[a-z]$`},
	} {
		if got := name(bob, map[string]any{"name": tt.sent}); !regexp.MustCompile(tt.want).MatchString(got) || len(got) > 64 {
			t.Errorf("from %q derived %q, want %s", tt.sent, got, tt.want)
		}
	}
	name(bob, map[string]any{"name": "x", "slug": "mine"})
	bob.do("DELETE", roomsAt+"/mine", "").wants(http.StatusNoContent)
	for _, r := range []*checked{bob, carol, validating(b.program(t, "alice"))} {
		if got := r.json("POST", roomsAt, map[string]any{"name": "x", "slug": "mine"}); r != carol {
			got.refuses(http.StatusConflict, "conflict") // closed, and still never used again
		} else {
			got.refuses(http.StatusUnprocessableEntity, "invalid_request", "slug") // says nothing of whether it is taken
		}
	}
	carol.json("POST", roomsAt, map[string]any{"name": "Anything else"}).refuses(http.StatusUnprocessableEntity, "invalid_request", "slug")
	if got := name(carol, map[string]any{"name": "Carols"}); got != "carols" {
		t.Errorf("carol derived %q", got)
	}
	carol.json("POST", roomsAt, map[string]any{"name": "Carols"}).refuses(http.StatusConflict, "conflict") // no suffix is allowed to her
	name(bob, map[string]any{"name": "x", "slug": "a"})
	name(bob, map[string]any{"name": "x", "slug": strings.Repeat("a", 64)})
}
