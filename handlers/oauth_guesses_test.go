package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"admitone/tokens"
)

// Guesses of links and tokens are counted by client and address; what is ours is
// told however many went before, also when it is over.
func TestGuessesAtIntrospectionAreCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, other := b.client(t, "bob"), b.client(t, "bob")
	app := b.apps(t)
	given := app.post("/oauth/token", c.exchange(c.code(t, b)), c.in).wants(http.StatusOK).object()
	access, refresh := given["access_token"].(string), given["refresh_token"].(string)
	app.post("/oauth/revoke", fields("token", refresh), c.in).wants(http.StatusOK)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
	foreign := b.mint(t, b.room(t, "carol", "carols"), tokens.Draft{})
	good, used := b.Invitations.Links.Code(inv.ID), b.Invitations.Links.Code(foreign.ID)
	ask := func(by client, token string) answer {
		return app.post("/oauth/introspect", fields("token", token), by.in)
	}
	guesses := []string{"nothing", good[:len(good)-1], access[:len(access)-2], "a.b.c", strings.Repeat("x", 64), used[:20] + "x" + used[21:]}
	for i := range 10 {
		if said := ask(c, guesses[i%len(guesses)]).wants(http.StatusOK).object(); said["active"] != false || len(said) != 1 {
			t.Errorf("%v", said)
		}
	}
	for _, guess := range guesses {
		slow := ask(c, guess)
		slow.fails(http.StatusTooManyRequests, "too_many_requests", "")
		if slow.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	for range 20 {
		if said := ask(c, good).wants(http.StatusOK).object(); said["active"] != true {
			t.Errorf("%v", said)
		}
		for _, over := range []string{access, refresh, used} { // ours, and nothing to tell of them
			if said := ask(c, over).wants(http.StatusOK).object(); said["active"] != false {
				t.Errorf("%v", said)
			}
		}
	}
	ask(other, "nothing").wants(http.StatusOK)
	b.from(t, "127.0.6.1").post("/oauth/introspect", fields("token", "nothing"), c.in).wants(http.StatusOK)
	app.post("/oauth/token", fields("grant_type", "refresh_token", "refresh_token", "x"), c.in).fails(http.StatusBadRequest, "invalid_grant", "") // counted apart
	b.Clock.Add(10 * time.Second)
	ask(c, "nothing").wants(http.StatusOK)
	ask(c, "nothing").wants(http.StatusTooManyRequests)
}

func TestGuessersOfSecretsWaitAndTheRightOneDoesNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client(t, "")
	ask := func(secret string) answer {
		return b.nobody(t).post("/oauth/token", fields("grant_type", "client_credentials", "client_id", c.ID, "client_secret", secret))
	}
	for range 10 {
		ask("wrong").fails(http.StatusUnauthorized, "invalid_client", "invalid_client_secret")
	}
	slow := ask("wrong")
	slow.fails(http.StatusTooManyRequests, "too_many_requests", "")
	if slow.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range 20 {
		ask(c.secret).wants(http.StatusOK) // at the guesser's own address
	}
	ask("wrong").wants(http.StatusTooManyRequests)
	b.from(t, "127.0.4.1").post("/oauth/token", fields("grant_type", "client_credentials", "client_id", c.ID, "client_secret", "wrong")).wants(http.StatusUnauthorized)
	for i := range 12 { // invented apps share a count
		a := b.from(t, "127.0.4.2").post("/oauth/token", fields("grant_type", "client_credentials", "client_id", "app~"+strings.Repeat("x", i+1), "client_secret", "x"))
		if want := map[bool]int{true: 401, false: 429}[i < 10]; a.StatusCode != want {
			t.Errorf("invented app %d → %d, want %d", i+1, a.StatusCode, want)
		}
	}
}
