package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/tokens"
)

// TestTheGuestsCookie: random, persistent, for us alone, and never replaced
// while it is one of ours.
func TestTheGuestsCookie(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, cookie string
		secure       bool
		change       []func(*bench)
	}{
		{"http", "guest", false, []func(*bench){plain}},
		{"https", "__Host-guest", true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, tt.change...)
			inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{MaxUses: 5})
			first := b.nobody(t).get(b.short(inv)).wants(http.StatusOK).Cookies()
			if len(first) != 1 {
				t.Fatalf("%d cookies", len(first))
			}
			k := first[0]
			if k.Name != tt.cookie || k.Secure != tt.secure || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Path != "/" || k.Domain != "" || k.MaxAge < int((300*24*time.Hour).Seconds()) || len(k.Value) != 26 {
				t.Errorf("the cookie is %q", k.Raw)
			}
			if again := b.nobody(t).get(b.short(inv)).Cookies(); again[0].Value == k.Value {
				t.Error("two browsers got one cookie")
			}
			mine := header("Cookie", tt.cookie+"="+k.Value)
			for _, path := range []string{b.short(inv), b.long(t, inv), "/join/standup/admitted"} {
				if got := b.nobody(t).get(path, mine).Cookies(); len(got) != 0 {
					t.Errorf("%s replaces the cookie: %v", path, got)
				}
			}
			for name, bad := range map[string]string{"short": k.Value[:25], "long": k.Value + "A", "other letters": strings.ToLower(k.Value), "empty": "", "markup": "<script>alert(1)</script>xx"} {
				got := b.nobody(t).get(b.short(inv), header("Cookie", tt.cookie+"="+bad)).wants(http.StatusOK).Cookies()
				if len(got) != 1 || len(got[0].Value) != 26 {
					t.Errorf("a cookie that is %s stays", name)
				}
			}
			for _, path := range []string{"/i/" + strings.Repeat("0", 26), "/join/standup/admitted"} {
				if got := b.nobody(t).get(path).wants(http.StatusNotFound).Cookies(); len(got) != 0 {
					t.Errorf("a refusal at %s sets %v", path, got)
				}
			}
		})
	}
}
