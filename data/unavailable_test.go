package data_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// asks is every question to every Store, as one that must not be answered "no such thing".
func (s *stage) asks(inv tokens.Invitation) map[string]func() error {
	ctx, ev := context.Background(), audit.Event{}
	r, i, k, h := s.Rooms.Store, s.Invitations.Store, data.NewKeys(s.DB, s.IDs), s.Hosts
	sessions := data.NewSessions(s.DB, s.Clock.Now)
	fresh := rooms.Room{ID: s.IDs.Next(s.Clock.Millis()), Slug: "fresh"}
	all := map[string]func() error{
		"rooms.Insert":       func() error { return r.Insert(ctx, []rooms.Room{fresh}, []audit.Event{ev}) },
		"rooms.ByID":         func() error { _, err := r.ByID(ctx, inv.Room.ID); return err },
		"rooms.BySlug":       func() error { _, err := r.BySlug(ctx, inv.Room.Slug); return err },
		"rooms.List":         func() error { _, err := r.List(ctx, rooms.Query{Caller: s.by, Limit: 1}); return err },
		"rooms.Update":       func() error { return r.Update(ctx, inv.Room, rooms.Shift{}, ev) },
		"rooms.SetClosed":    func() error { _, err := r.SetClosed(ctx, inv.Room.ID, 1, ev); return err },
		"rooms.Events":       func() error { _, err := r.Events(ctx, inv.Room.ID, 0, 1); return err },
		"invitations.Insert": func() error { return i.Insert(ctx, []tokens.Invitation{inv}, []audit.Event{ev}) },
		"invitations.InsertBatch": func() error {
			_, err := i.InsertBatch(ctx, tokens.Batch{ID: inv.ID, Last: inv.ID, Room: inv.Room.ID}, "wish", []tokens.Invitation{inv})
			return err
		},
		"invitations.Batch":     func() error { _, err := i.Batch(ctx, 1, 1); return err },
		"invitations.Batches":   func() error { _, err := i.Batches(ctx, 1, 1); return err },
		"invitations.Granted":   func() error { _, err := i.Granted(ctx, "wish"); return err },
		"invitations.Invited":   func() error { _, err := i.Invited(ctx, 1, 1); return err },
		"invitations.ByID":      func() error { _, err := i.ByID(ctx, inv.ID); return err },
		"invitations.List":      func() error { _, err := i.List(ctx, tokens.Query{Room: inv.Room.ID, Limit: 1}); return err },
		"invitations.Update":    func() error { return i.Update(ctx, inv, ev) },
		"invitations.Revoke":    func() error { _, err := i.Revoke(ctx, inv.ID, 1, ev); return err },
		"invitations.Restore":   func() error { _, err := i.Restore(ctx, inv.ID, 0, ev); return err },
		"invitations.Reissue":   func() error { return i.Reissue(ctx, inv.ID, inv, ev) },
		"invitations.Opened":    func() error { return i.Opened(ctx, inv.ID, 1, ev) },
		"invitations.Claim":     func() error { _, err := s.claim(inv, "n"); return err },
		"invitations.Admission": func() error { _, err := i.Admission(ctx, inv.ID, "n"); return err },
		"invitations.Latest": func() error {
			_, err := i.Latest(ctx, inv.Room.ID, "b", tokens.Guest, 0)
			return err
		},
		"invitations.Events": func() error { _, err := i.Events(ctx, inv.ID, 0, 1); return err },
		"keys.Add":           func() error { _, err := k.Add(ctx, nil, 0, ev); return err },
		"keys.Keys":          func() error { _, err := k.Keys(ctx); return err },
		"hosts.Generated":    func() error { _, err := h.Generated(ctx); return err },
		"hosts.SetGenerated": func() error { _, err := h.SetGenerated(ctx, hosts.Generated{}, 0, false); return err },
		"hosts.KnowsAddress": func() error { _, err := h.KnowsAddress(ctx, "a"); return err },
		"hosts.Guessed":      func() error { _, err := h.Guessed(ctx, "device 0001"); return err },
		"hosts.Guess":        func() error { return h.Guess(ctx, "device 0001", 1, 1, 1) },
		"hosts.Settle":       func() error { _, _, err := h.Settle(ctx, nil, true, nil); return err },
		"hosts.Sealed":       func() error { _, err := h.Sealed(ctx, "k", nil); return err },
		"hosts.SealAgain":    func() error { return h.SealAgain(ctx, "k", nil) },
		"inv.NoteEntry":      func() error { return i.NoteEntry(ctx, tokens.HostEntering{Invitation: inv.ID, Host: "ada"}, 1, ev) },
		"inv.EntriesEnded":   func() error { _, err := i.EntriesEnded(ctx, "ada", 1); return err },
		"hosts.Remember":     func() error { return h.RememberAddress(ctx, "ada", "a", 1) },
		"sessions.Find":      func() error { _, _, err := sessions.Find("t"); return err },
		"sessions.Commit":    func() error { return sessions.Commit("t", nil, s.Clock.Now()) },
		"sessions.Delete":    func() error { return sessions.Delete("t") },
		"Ping":               func() error { return s.DB.Ping(ctx) },
	}
	maps.Copy(all, s.asksApps())
	maps.Copy(all, s.asksPasskeys())
	return all
}

// asksPasskeys is asks for the Store of passkeys.
func (s *stage) asksPasskeys() map[string]func() error {
	ctx, ev, h := context.Background(), audit.Event{}, s.Hosts
	return map[string]func() error{
		"passkeys.Handle":        func() error { _, err := h.Handle(ctx, "ada", []byte("x")); return err },
		"passkeys.HandleOf":      func() error { _, err := h.HandleOf(ctx, []byte("x")); return err },
		"passkeys.Passkeys":      func() error { _, err := h.Passkeys(ctx, "ada"); return err },
		"passkeys.AddPasskey":    func() error { return h.AddPasskey(ctx, hosts.Passkey{ID: 1}, "c", hosts.Kept{}, ev) },
		"passkeys.UsePasskey":    func() error { return h.UsePasskey(ctx, hosts.PasskeyUse{ID: 1}, ev) },
		"passkeys.RemovePasskey": func() error { return h.RemovePasskey(ctx, "ada", 1, ev) },
	}
}

// asksApps is asks for the Stores of apps and keys.
func (s *stage) asksApps() map[string]func() error {
	ctx, ev, a := context.Background(), audit.Event{}, data.NewOAuth(s.DB, s.IDs)
	return map[string]func() error{
		"apps.AddClient":    func() error { return a.AddClient(ctx, oauth.Client{ID: "app~fresh"}, ev) },
		"apps.Client":       func() error { _, err := a.Client(ctx, "app~1"); return err },
		"apps.ClientsOf":    func() error { _, err := a.ClientsOf(ctx, "ada", "v"); return err },
		"apps.OtherClients": func() error { _, err := a.OtherClients(ctx, "ada", "v", oauth.Place{}, 1); return err },
		"apps.AddStranger":  func() error { _, err := a.AddStranger(ctx, oauth.Client{ID: "app~other"}, 1, 0, ev); return err },
		"apps.LimitClient":  func() error { return a.LimitClient(ctx, "app~1", nil, ev) },
		"apps.SetSecret":    func() error { return a.SetSecret(ctx, "app~1", "h", "v", ev) },
		"apps.EndClient":    func() error { return a.EndClient(ctx, "app~1", 1, ev) },
		"apps.AddGrant":     func() error { return a.AddGrant(ctx, oauth.Grant{ID: 1}, ev) },
		"apps.GrantByCode":  func() error { _, err := a.GrantByCode(ctx, "h"); return err },
		"apps.Grants":       func() error { _, err := a.Grants(ctx, "ada", ""); return err },
		"apps.EndGrant":     func() error { return a.EndGrant(ctx, 1, 1, ev) },
		"apps.Used":         func() error { _, err := a.Used(ctx, oauth.CodeUse, "h"); return err },
		"apps.Exchange":     func() error { _, err := a.Exchange(ctx, "h", oauth.Access{ID: 1}, nil, ev); return err },
		"apps.Rotate":       func() error { _, err := a.Rotate(ctx, "h", oauth.Access{ID: 1}, nil, ev); return err },
		"apps.Refresh":      func() error { _, _, err := a.Refresh(ctx, "h"); return err },
		"apps.AddAccess":    func() error { return a.AddAccess(ctx, oauth.Access{ID: 1}, ev) },
		"apps.Access":       func() error { _, err := a.Access(ctx, 1); return err },
		"apps.EndAccess":    func() error { return a.EndAccess(ctx, 1, 1, ev) },
		"apps.EventsBy":     func() error { _, err := a.EventsBy(ctx, "app~1", "", 0, 1); return err },
		"apps.Sweep":        func() error { return a.Sweep(ctx, 1, 1) },
		"keys.AddKey":       func() error { return a.AddKey(ctx, oauth.APIKey{ID: 1}, "", ev) },
		"keys.Key":          func() error { _, err := a.Key(ctx, "h"); return err },
		"keys.KeyByID":      func() error { _, err := a.KeyByID(ctx, 1); return err },
		"keys.Keys of":      func() error { _, err := a.Keys(ctx, "ada"); return err },
		"keys.UsedKey":      func() error { return a.UsedKey(ctx, 1, 1) },
		"keys.EndKey":       func() error { return a.EndKey(ctx, "ada", 1, 1, ev) },
	}
}

func TestWithoutItsServerEveryStoreIsUnavailableAndThenRecovers(t *testing.T) {
	t.Parallel()
	cluster := datatest.Cluster(t)
	s := newStage(t, datatest.On(t, cluster.Create(t)))
	inv := s.mint(1)
	cluster.Stop()
	for name, ask := range s.asks(inv) {
		if err := ask(); !errors.Is(err, rooms.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cluster.Start()
	if a, err := s.claim(inv, "n"); err != nil || a.Invitation != inv.ID {
		t.Errorf("after the server came back: %+v, %v", a, err)
	}
}

func TestACutConnectionIsUnavailableOrUnnoticed(t *testing.T) {
	t.Parallel()
	cluster := datatest.Cluster(t)
	s := newStage(t, datatest.On(t, cluster.Create(t)))
	inv := s.mint(1)
	for what, ask := range map[string]func() error{
		"reading": func() error { _, err := s.Invitations.Store.ByID(context.Background(), inv.ID); return err },
		"writing": func() error { _, err := s.claim(inv, "n"); return err },
	} {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		cluster.Restart()
		err := ask()
		for n := 0; err != nil && n < 40; n++ { // one dead connection less each time
			if !errors.Is(err, rooms.ErrUnavailable) {
				t.Fatalf("%s: %v", what, err)
			}
			err = ask()
		}
		if err != nil {
			t.Errorf("%s did not recover: %v", what, err)
		}
	}
}

func TestAServerWhoseCommitsMayBeLostIsRefused(t *testing.T) {
	t.Parallel()
	cluster := datatest.Cluster(t, "fsync=off", "synchronous_commit=off")
	_, err := data.Open(t.Context(), cluster.Create(t), data.Options{IDs: &rooms.IDs{}})
	if err == nil || !strings.Contains(err.Error(), "fsync=off") || !strings.Contains(err.Error(), "lost") {
		t.Errorf("error %v", err)
	}
}

func TestCommitsAreDurableWhateverTheServersDefault(t *testing.T) {
	t.Parallel()
	cluster := datatest.Cluster(t, "synchronous_commit=off")
	b := datatest.On(t, cluster.Create(t))
	var is, others string
	if err := b.DB.Row(t.Context(), "SELECT current_setting('synchronous_commit')").Scan(&is); err != nil {
		t.Fatal(err)
	}
	if err := b.Raw(t).QueryRowContext(t.Context(), "SELECT current_setting('synchronous_commit')").Scan(&others); err != nil {
		t.Fatal(err)
	}
	if is != "on" || others != "off" {
		t.Errorf("synchronous_commit is %s for us and %s for others", is, others)
	}
}

func TestAClosedDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		inv := s.mint(1)
		other := *s.Bench
		var err error
		if other.DB, err = data.Open(t.Context(), b.URL, data.Options{IDs: b.IDs}); err != nil {
			t.Fatal(err)
		}
		other.Hosts = data.NewHosts(other.DB)
		registry, invitations := *b.Rooms, *b.Invitations
		registry.Store, invitations.Store = data.NewRooms(other.DB, b.IDs), data.NewInvitations(other.DB, b.IDs)
		other.Rooms, other.Invitations = &registry, &invitations
		if err := other.DB.Close(); err != nil {
			t.Fatal(err)
		}
		for name, ask := range (&stage{T: t, Bench: &other, by: s.by}).asks(inv) {
			if err := ask(); !errors.Is(err, rooms.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// This one takes the five seconds that a writer waits for another's lock.
func TestAForeignLockIsUnavailableForWritersAndPasses(t *testing.T) {
	t.Parallel()
	s := newStage(t, datatest.SQLite(t))
	inv := s.mint(1)
	foreign, err := s.Raw(t).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = foreign.Close() }()
	if _, err := foreign.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	refused := make(chan error, 1)
	go func() { _, err := s.claim(inv, "n"); refused <- err }()
	if _, err := s.Invitations.Store.ByID(t.Context(), inv.ID); err != nil {
		t.Errorf("a reader was kept waiting: %v", err)
	}
	if err := <-refused; !errors.Is(err, rooms.ErrUnavailable) {
		t.Errorf("a writer: %v", err)
	}
	if waited := time.Since(began); waited < 4*time.Second {
		t.Errorf("the writer gave up after %s", waited)
	}
	if _, err := foreign.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.claim(inv, "n"); err != nil {
		t.Errorf("after the lock was gone: %v", err)
	}
}
