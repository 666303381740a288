package handlers_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/handlers"
	"admitone/rooms"
	"admitone/rooms/conference"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/mail"
	"admitone/tokens/oauth"
)

// The hosts of every bench: alice sees all, bob has rooms, carol may make two.
const hostUsers = `[
	{"username": "alice", "password": "tea-with-ada-at-nine", "display_name": "Alice Liddell", "admin": true},
	{"username": "bob", "password": "a-boat-called-bob"},
	{"username": "carol", "password": "carols-own-password", "allowed_rooms": ["carols", "shared"]}
]` // gitleaks:allow

// passwords are those of hostUsers.
var passwords = map[string]string{"alice": "tea-with-ada-at-nine", "bob": "a-boat-called-bob", "carol": "carols-own-password"} // gitleaks:allow

// bench is all of AdmitOne behind a real server, on a real database.
type bench struct {
	*datatest.Bench
	app     handlers.App
	echo    *echo.Echo
	server  *httptest.Server
	base    string
	log     bytes.Buffer // what the server logged; read it after close
	session func() time.Time
}

// setup serves a fresh SQLite database at https://meet.example.
func setup(t *testing.T, change ...func(*bench)) *bench {
	t.Helper()
	return serve(t, datatest.SQLite(t), change...)
}

// plain is for setup: http in place of https.
func plain(b *bench) { b.base = "http://meet.example" }

// serve serves a database; change may alter the settings before.
func serve(t *testing.T, d *datatest.Bench, change ...func(*bench)) *bench {
	t.Helper()
	b := &bench{Bench: d, base: datatest.Base, session: time.Now}
	b.app = handlers.App{Rooms: d.Rooms, Invitations: d.Invitations, Directory: b.directory(t, hostUsers), Backends: d.Invitations.Handover.(*conference.Backends),
		Lobby: d.Lobby, Watcher: d.Watcher, Post: &mail.Post{Store: d.Outbox, Invitations: d.Invitations, Now: d.Clock.Now, On: true}, Now: d.Clock.Now, Log: slog.New(slog.NewJSONHandler(&b.log, nil)), Ready: d.DB.Ping, APIKeySecret: keySecret}
	for _, c := range change {
		c(b)
	}
	d.Invitations.Links.Base, b.app.Base, b.app.Secure = b.base, b.base, strings.HasPrefix(b.base, "https:")
	if b.app.Gate == nil {
		b.app.Gate = hosts.NewGate(b.app.Directory, d.Hosts, d.Clock.Now)
	}
	b.app.Apps = &oauth.Server{Store: data.NewOAuth(d.DB, d.IDs), Ring: d.Ring, Directory: b.app.Directory, IDs: d.IDs, Base: b.base, Now: d.Clock.Now}
	b.app.Factors = &hosts.SecondFactors{Directory: b.app.Directory, Store: d.Hosts, Now: d.Clock.Now, Site: "meet.example"}
	b.app.HostTokens = &hosts.Tokens{Ring: d.Ring, Directory: b.app.Directory, Base: b.base, Now: d.Clock.Now}
	b.app.Sessions = data.NewSessions(d.DB, func() time.Time { return b.session() })
	b.app.Registry = prometheus.NewRegistry()
	b.echo = handlers.New(b.app).(*echo.Echo)
	b.server = httptest.NewUnstartedServer(b.echo)
	b.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if b.app.Secure {
		b.server.StartTLS()
	} else {
		b.server.Start()
	}
	t.Cleanup(b.server.Close)
	return b
}

func (b *bench) directory(t *testing.T, users string) *hosts.Directory {
	t.Helper()
	list, err := hosts.Parse(users)
	if err != nil {
		t.Fatal(err)
	}
	d := hosts.NewDirectory(datatest.Root(t), b.Hosts, b.Clock.Now, list)
	d.Ended = b.Invitations.HostEnded
	return d
}

// token is a host's token for scripts.
func (b *bench) token(t *testing.T, name string) string {
	t.Helper()
	h, err := b.app.Directory.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	token, err := b.app.HostTokens.Mint(h)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// room makes a room for that host.
func (b *bench) room(t *testing.T, owner, slug string, change ...func(*rooms.Draft)) rooms.Room {
	t.Helper()
	d := rooms.Draft{Name: "Room " + slug, Slug: slug}
	for _, c := range change {
		c(&d)
	}
	r, err := b.Rooms.Create(t.Context(), b.caller(t, owner), d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mint makes an invitation to the room, a guest's for an hour if d says nothing.
func (b *bench) mint(t *testing.T, r rooms.Room, d tokens.Draft) tokens.Invitation {
	t.Helper()
	if d.Role == "" {
		d.Role = tokens.Guest
	}
	inv, err := b.Invitations.Mint(t.Context(), b.caller(t, r.Owner), r, d, true)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func (b *bench) caller(t *testing.T, name string) rooms.Caller {
	t.Helper()
	h, err := b.app.Directory.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return h.Caller()
}

// invitation is the row as it is now.
func (b *bench) invitation(t *testing.T, id rooms.ID) tokens.Invitation {
	t.Helper()
	inv, err := b.Invitations.Store.ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// short and long are the paths of an invitation's two links.
func (b *bench) short(inv tokens.Invitation) string { return "/i/" + b.Invitations.Links.Code(inv.ID) }

func (b *bench) long(t *testing.T, inv tokens.Invitation) string {
	t.Helper()
	link, err := b.Invitations.Links.URL(inv)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(link, b.base)
}

func shown(id rooms.ID) string { return id.Show(rooms.InvitationPrefix) }
