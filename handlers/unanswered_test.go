package handlers_test

import (
	"net/http"
	"testing"
	"time"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/keys"
)

// TestALinkThatCannotBeLookedUpIsNoGuess: another instance made it with a key that
// is not known here, and the database that would tell is down.
func TestALinkThatCannotBeLookedUpIsNoGuess(t *testing.T) {
	t.Parallel()
	cluster := datatest.Cluster(t)
	b := serve(t, datatest.On(t, cluster.Create(t)))
	b.Clock.Add(time.Minute)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{ExpiresIn: 24 * time.Hour})
	guest, program := b.browser(t), b.nobody(t)
	guest.get(b.short(inv)).wants(http.StatusOK)
	ring, err := keys.Open(t.Context(), data.NewKeys(b.DB, b.IDs), keys.Settings{Root: datatest.Root(t), Now: b.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, done, err := ring.Rotate(t.Context(), audit.Actor{Kind: audit.System}); err != nil || !done {
		t.Fatal(done, err)
	}
	b.Clock.Add(2 * keys.Lead)
	links := tokens.Links{Ring: ring, Base: b.base}
	long, err := links.URL(inv)
	if err != nil {
		t.Fatal(err)
	}
	short := "/i/" + links.Code(b.IDs.Next(b.Clock.Millis()))
	bob, err := b.app.Directory.ByName(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	token, err := (&hosts.Tokens{Ring: ring, Directory: b.app.Directory, Base: b.base, Now: b.Clock.Now}).Mint(bob)
	if err != nil {
		t.Fatal(err)
	}
	b.Clock.Add(time.Millisecond)
	cluster.Stop()
	for range 12 {
		for _, path := range []string{long[len(b.base):], short} {
			guest.get(path).wants(http.StatusServiceUnavailable).says("We cannot let you in right now")
			guest.post(path, fields("nonce", "x")).wants(http.StatusServiceUnavailable)
		}
		program.get(v1+"/rooms", header("Authorization", "Bearer "+token)).wants(http.StatusServiceUnavailable).says(`"code":"unavailable"`)
	}
	cluster.Start()
	b.Clock.Add(time.Second)
	guest.get(long[len(b.base):]).wants(http.StatusOK)
	program.get(v1+"/rooms", header("Authorization", "Bearer "+token)).wants(http.StatusOK)
	if guest.guess() {
		t.Error("what could not be looked up counted as guesses")
	}
}
