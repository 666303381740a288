// Package datatest gives tests real databases to throw away, and states the
// promises that each must keep.
//
// It is never part of the program.
package datatest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"admitone/data"
	"admitone/rooms"
	"admitone/rooms/conference"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/keys"
	"admitone/tokens/oauth"
)

// Base is the public origin of a Bench's links.
const Base = "https://meet.example"

// Conferences are every Bench's back ends: one that takes all, and one whose
// guests wait for a host.
const Conferences = `[{"name":"conf","kind":"url","template":"https://conf.example/{room}?n={name}&r={role}&a={admission}"},
	{"name":"held","kind":"mirotalk","url":"https://held.example","jwt_key":"k7Q2vT9xL4mZp4Wd8sRn1cB6yHj3FgAe","username":"admitone","password":"p4Wd8sRn1c"}]` // gitleaks:allow

// Users are every Bench's hosts: ada, who sees all, and bo.
const Users = `[{"username":"ada","password":"adas-own-password","admin":true},{"username":"bo","password":"a-boat-called-bo"}]` // gitleaks:allow

// Bench is an open database with the stores and rules that stand on it, and a
// clock that only the test moves.
type Bench struct {
	URL         string
	DB          *data.DB
	IDs         *rooms.IDs
	Clock       *Clock
	Ring        *keys.Ring
	Rooms       *rooms.Registry
	Invitations *tokens.Invitations
	Hosts       *data.Hosts
	Apps        *oauth.Server
	Lobby       *tokens.Lobby
	Removals    *tokens.Removals
	Watcher     *rooms.Watcher
	Outbox      *data.Outbox
}

// Each runs the test on every kind of database: SQLite with and without group
// commit, and PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, b *Bench)) {
	t.Helper()
	t.Run("sqlite grouped", func(t *testing.T) { t.Parallel(); test(t, SQLite(t)) })
	t.Run("sqlite ungrouped", func(t *testing.T) { t.Parallel(); test(t, open(t, liteURL(t), true)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, open(t, Postgres(t), false)) })
}

// SQLite is a Bench on a fresh file, with group commit.
func SQLite(t testing.TB) *Bench {
	t.Helper()
	return open(t, liteURL(t), false)
}

// On is a Bench on the database of that URL, which other Benches may share.
func On(t testing.TB, url string) *Bench {
	t.Helper()
	return open(t, url, false)
}

func liteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// Root is the root secret of every Bench.
func Root(t testing.TB) keys.Root {
	t.Helper()
	root, err := keys.NewRoot("a7Rq0ZkP4vXw9LmT2sYd8HcB5nJf3GuE") // gitleaks:allow
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func open(t testing.TB, url string, ungrouped bool) *Bench {
	t.Helper()
	ctx := context.Background()
	b := &Bench{URL: url, IDs: &rooms.IDs{}, Clock: NewClock()}
	var err error
	if b.DB, err = data.Open(ctx, url, data.Options{IDs: b.IDs, Ungrouped: ungrouped}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.DB.Close(); err != nil {
			t.Error(err)
		}
	})
	if b.Ring, err = keys.Open(ctx, data.NewKeys(b.DB, b.IDs), keys.Settings{Root: Root(t), Now: b.Clock.Now}); err != nil {
		t.Fatal(err)
	}
	backends, err := conference.Parse(Conferences)
	if err != nil {
		t.Fatal(err)
	}
	backends.Now, backends.Secret = b.Clock.Now, b.Ring.CodeMAC
	store := data.NewRooms(b.DB, b.IDs)
	b.Rooms = &rooms.Registry{Store: store, IDs: b.IDs, Now: b.Clock.Now, Backends: backends.Has}
	b.Invitations = &tokens.Invitations{Store: data.NewInvitations(b.DB, b.IDs), Rooms: store, IDs: b.IDs,
		Links: &tokens.Links{Ring: b.Ring, Base: Base}, Handover: backends, Now: b.Clock.Now, Lifetime: time.Hour, PINs: tokens.NewPINs(b.Clock.Now)}
	b.Outbox = data.NewOutbox(b.DB, b.IDs)
	b.Hosts = data.NewHosts(b.DB)
	users, err := hosts.Parse(Users)
	if err != nil {
		t.Fatal(err)
	}
	b.Apps = &oauth.Server{Store: data.NewOAuth(b.DB, b.IDs), Ring: b.Ring, Directory: hosts.NewDirectory(Root(t), b.Hosts, b.Clock.Now, users),
		IDs: b.IDs, Base: Base, Now: b.Clock.Now}
	presence := data.NewPresence(b.DB, b.IDs)
	b.Removals = tokens.NewRemovals(b.Invitations.Store, presence, store, backends, b.Clock.Now, time.Millisecond)
	b.Rooms.Closed, b.Invitations.Removals = b.Removals.Closed, b.Removals
	t.Cleanup(b.Removals.Drain)
	b.Lobby = &tokens.Lobby{Store: presence, Now: b.Clock.Now, Removals: b.Removals, Entries: b.Invitations.Store, Handover: backends}
	b.Watcher = &rooms.Watcher{Pulse: presence, Now: b.Clock.Now, PerRoom: 50, Most: 100}
	return b
}

// SignBy replaces the ring by one that has signed by that algorithm from the first.
func (b *Bench) SignBy(t testing.TB, alg string) {
	t.Helper()
	if _, err := b.Raw(t).ExecContext(context.Background(), "DELETE FROM keys"); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(context.Background(), data.NewKeys(b.DB, b.IDs), keys.Settings{Root: Root(t), Alg: alg, Now: b.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	b.Ring, b.Apps.Ring, b.Invitations.Links.Ring = ring, ring, ring
}
