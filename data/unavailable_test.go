package data_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens"
)

// asks is every question to every Store, as one that must not be answered "no such thing".
func (s *stage) asks(inv tokens.Invitation) map[string]func() error {
	ctx, ev := context.Background(), audit.Event{}
	r, i, k, h := s.Rooms.Store, s.Invitations.Store, data.NewKeys(s.DB, s.IDs), s.Hosts
	sessions := data.NewSessions(s.DB, s.Clock.Now)
	fresh := rooms.Room{ID: s.IDs.Next(s.Clock.Millis()), Slug: "fresh"}
	return map[string]func() error{
		"rooms.Insert":          func() error { return r.Insert(ctx, fresh, ev) },
		"rooms.ByID":            func() error { _, err := r.ByID(ctx, inv.Room.ID); return err },
		"rooms.BySlug":          func() error { _, err := r.BySlug(ctx, inv.Room.Slug); return err },
		"rooms.List":            func() error { _, err := r.List(ctx, rooms.Query{Caller: s.by, Limit: 1}); return err },
		"rooms.Update":          func() error { return r.Update(ctx, inv.Room, rooms.Shift{}, ev) },
		"rooms.SetClosed":       func() error { _, err := r.SetClosed(ctx, inv.Room.ID, 1, ev); return err },
		"rooms.Events":          func() error { _, err := r.Events(ctx, inv.Room.ID, 0, 1); return err },
		"invitations.Insert":    func() error { return i.Insert(ctx, []tokens.Invitation{inv}, []audit.Event{ev}) },
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
		"hosts.KnowsAddress": func() error { _, err := h.KnowsAddress(ctx, "ada", "a"); return err },
		"hosts.Remember":     func() error { return h.RememberAddress(ctx, "ada", "a", 1) },
		"sessions.Find":      func() error { _, _, err := sessions.Find("t"); return err },
		"sessions.Commit":    func() error { return sessions.Commit("t", nil, s.Clock.Now()) },
		"sessions.Delete":    func() error { return sessions.Delete("t") },
		"Ping":               func() error { return s.DB.Ping(ctx) },
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
