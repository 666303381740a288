package oauth_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

func TestHostsSeeTheirAppsAndThoseTheyAllowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	mine, _ := h.app(&h.bo)
	h.Clock.Add(time.Second)
	allowed, _ := h.app(nil)
	h.Clock.Add(time.Second)
	other, _ := h.app(&h.ada)
	h.tokens(allowed, h.bo)
	ids := func(host hosts.Host) (out []string) {
		t.Helper()
		all, err := h.Apps.Apps(h.ctx, host)
		h.must(err)
		for _, l := range all {
			out = append(out, l.ID)
			if l.Mine != (l.Owner == host.Username) || len(l.Grants) != map[bool]int{true: 1}[l.ID == allowed.ID && host.Username == "bo"] {
				t.Errorf("%s sees %+v", host.Username, l)
			}
		}
		return out
	}
	if got := ids(h.bo); !slices.Equal(got, []string{allowed.ID, mine.ID}) {
		t.Errorf("bo sees %v", got)
	}
	if got := ids(h.ada); !slices.Equal(got, []string{other.ID}) {
		t.Errorf("an admin's own are %v", got)
	}
	rest := func(host hosts.Host, after oauth.Place) (out []string) {
		t.Helper()
		all, err := h.Apps.Others(h.ctx, host, after, 9)
		h.must(err)
		for _, l := range all {
			out = append(out, l.ID)
		}
		return out
	}
	if got := rest(h.ada, oauth.Place{}); !slices.Equal(got, []string{allowed.ID, mine.ID}) {
		t.Errorf("an admin sees besides %v", got)
	}
	if got := rest(h.ada, allowed.Place()); !slices.Equal(got, []string{mine.ID}) {
		t.Errorf("and then %v", got)
	}
	if got := rest(h.bo, oauth.Place{}); got != nil {
		t.Errorf("bo sees besides %v", got)
	}
	for host, knows := range map[*hosts.Host][]bool{&h.ada: {true, true, true, false}, &h.bo: {true, true, false, false}} {
		for i, id := range []string{mine.ID, allowed.ID, other.ID, "app~none"} {
			l, err := h.Apps.App(h.ctx, *host, id)
			if (err == nil) != knows[i] || err != nil && !errors.Is(err, rooms.ErrNotFound) || knows[i] && l.ID != id {
				t.Errorf("%s looks at %s: %+v, %v", host.Username, id, l, err)
			}
		}
	}
	// What bo may not change is not there for bo.
	for name, change := range map[string]func(id string) error{
		"Limit":     func(id string) error { return h.Apps.Limit(h.ctx, h.bo, id, nil) },
		"NewSecret": func(id string) error { _, err := h.Apps.NewSecret(h.ctx, h.bo, id); return err },
		"Remove":    func(id string) error { return h.Apps.Remove(h.ctx, h.bo, id) },
	} {
		for _, id := range []string{other.ID, allowed.ID, "app~none", ""} {
			h.wants(name, change(id), rooms.ErrNotFound)
		}
	}
	h.must(h.Apps.Disallow(h.ctx, h.bo, allowed.ID))
	if got := ids(h.bo); !slices.Equal(got, []string{mine.ID}) {
		t.Errorf("afterwards bo sees %v", got)
	}
	h.must(h.Apps.Remove(h.ctx, h.bo, mine.ID))
	if got := ids(h.bo); len(got) != 0 {
		t.Errorf("after removing it bo sees %v", got)
	}
	open, _ := h.app(&h.ada, public)
	_, err := h.Apps.NewSecret(h.ctx, h.ada, open.ID)
	h.wants("the secret of a public app", err, rooms.ErrNotFound)
}

func TestALimitCountsAtOnceAndCanBeTakenBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, secret := h.app(&h.ada)
	got, code := h.tokens(c, h.ada), h.code(c, h.ada)
	scopes := func(token string) string {
		t.Helper()
		b, err := h.Apps.Read(h.ctx, token)
		h.must(err)
		return b.Scopes.String()
	}
	now := func() oauth.Client {
		t.Helper()
		c, err := h.Apps.Authenticate(h.ctx, c.ID, secret)
		h.must(err)
		return c
	}
	if scopes(got.Access) != everything() {
		t.Fatal("less at first")
	}
	h.must(h.Apps.Limit(h.ctx, h.ada, c.ID, oauth.Scopes{oauth.RoomsRead, oauth.Offline}))
	if s := scopes(got.Access); s != "rooms:read offline_access" {
		t.Errorf("the token of before may %s", s)
	}
	if next, err := h.exchange(now(), code); err != nil || scopes(next.Access) != "rooms:read offline_access" {
		t.Errorf("the code of before gives %s, %v", next.Scopes, err)
	}
	got = h.refresh(now(), got.Refresh, "")
	if got.Scopes.String() != "rooms:read offline_access" {
		t.Errorf("refreshing gives %s", got.Scopes)
	}
	_, err := h.Apps.Refresh(h.ctx, now(), got.Refresh, "redeem")
	h.wants("refreshing for what it may no longer", err, oauth.ErrInvalidScope)
	_, err = h.Apps.ForItself(h.ctx, now(), "redeem")
	h.wants("asking for what it may no longer", err, oauth.ErrInvalidScope)
	h.must(h.Apps.Limit(h.ctx, h.ada, c.ID, oauth.Scopes{oauth.RoomsRead}))
	_, err = h.Apps.Refresh(h.ctx, now(), got.Refresh, "")
	h.wants("refreshing without leave to", err, oauth.ErrInvalidGrant)
	h.must(h.Apps.Limit(h.ctx, h.ada, c.ID, oauth.All()))
	if again := h.refresh(now(), got.Refresh, ""); again.Scopes.String() != everything() {
		t.Errorf("taken back, it may %s", again.Scopes)
	}
}

// Two who change an app at once do not undo each other: a secret that was
// replaced never comes back.
func TestALimitDoesNotBringBackASecret(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		for range 8 {
			c, _ := h.app(&h.ada)
			var all sync.WaitGroup
			var fresh string
			all.Go(func() {
				var err error
				if fresh, err = h.Apps.NewSecret(context.Background(), h.ada, c.ID); err != nil {
					t.Error(err)
				}
			})
			for range 4 {
				all.Go(func() {
					if err := h.Apps.Limit(context.Background(), h.ada, c.ID, oauth.Scopes{oauth.Redeem}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			got, err := h.Apps.Authenticate(h.ctx, c.ID, fresh)
			if err != nil || got.Scopes.String() != "redeem" {
				t.Fatalf("%s, %v", got.Scopes, err)
			}
		}
	})
}

func TestWhatAnAppDidForOthersIsNotAHostsBusiness(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(&h.bo)
	h.tokens(c, h.ada)
	h.tokens(c, h.bo)
	for name, row := range map[string]struct {
		host hosts.Host
		want []string
	}{"bo": {h.bo, []string{"bo"}}, "an admin": {h.ada, []string{"bo", "ada"}}} {
		evs, err := h.Apps.DidFor(h.ctx, row.host, c.ID, 0, 9)
		h.must(err)
		var done []string
		for _, ev := range evs {
			done = append(done, ev.Detail)
			if ev.Kind != audit.ClientToken || ev.Actor.Name != c.ID {
				t.Errorf("%s: %+v", name, ev)
			}
		}
		if !slices.Equal(done, row.want) {
			t.Errorf("%s sees what it did for %v", name, done)
		}
	}
}

// A host's own key works in rooms that are another's, where the host may.
func TestAHostSeesAllThatAKeyOfTheirsDid(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	k, text, err := h.Apps.MakeKey(h.ctx, h.bo, "Gate", oauth.All())
	h.must(err)
	b, err := h.Apps.ReadKey(h.ctx, text)
	h.must(err)
	room, err := h.Rooms.Create(h.ctx, h.ada.Caller(), rooms.Draft{Name: "Hers"})
	h.must(err)
	ev := audit.Event{At: h.Clock.Millis(), Actor: b.Actor, Kind: audit.RoomChanged, Room: int64(room.ID)}
	h.must(h.Rooms.Store.Update(h.ctx, room, rooms.Shift{}, ev))
	carol := hosts.Host{Username: "carol", Credential: h.bo.Credential}
	for name, row := range map[string]struct {
		host hosts.Host
		want int
	}{"its host": {h.bo, 1}, "another": {carol, 0}, "an admin": {h.ada, 1}} {
		evs, err := h.Apps.DidFor(h.ctx, row.host, k.ID.Show(oauth.KeyIDPrefix), 0, 9)
		if err != nil || len(evs) != row.want {
			t.Errorf("%s sees %d, %v", name, len(evs), err)
		}
	}
}

func TestHistoryCallsAppsAndKeysByTheirNames(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, _ := h.app(&h.ada)
	k, _, err := h.Apps.MakeKey(h.ctx, h.ada, "Door", oauth.All())
	h.must(err)
	h.must(h.Apps.Remove(h.ctx, h.ada, c.ID))
	h.must(h.Apps.RemoveKey(h.ctx, h.ada, k.ID))
	client := func(id string) audit.Actor { return audit.Actor{Kind: audit.Client, Name: id} }
	for range 2 {
		for who, want := range map[audit.Actor]string{
			client(c.ID): "Gate", client(k.ID.Show(oauth.KeyIDPrefix)): "Door", client("app~none"): "app~none", client("key_none"): "key_none", client(""): "",
			{Kind: audit.Host, Name: c.ID}: c.ID, {Kind: audit.Guest, Name: "Gate"}: "Gate",
		} {
			if got := h.Apps.Called(h.ctx, who); got != want {
				t.Errorf("%v is called %q", who, got)
			}
		}
	}
}

func TestSweepingForgetsWhatIsOfNoUse(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	unused, secret := h.app(nil)
	kept, _ := h.app(&h.ada)
	used, _ := h.app(nil)
	got := h.tokens(used, h.ada)
	h.Clock.Add(oauth.UnusedLife)
	h.must(h.Apps.Sweep(h.ctx))
	_, err := h.Apps.Authenticate(h.ctx, unused.ID, secret)
	h.wants("an hour too soon", err, nil)
	h.Clock.Add(time.Millisecond)
	h.must(h.Apps.Sweep(h.ctx))
	_, err = h.Apps.Authenticate(h.ctx, unused.ID, secret)
	h.wants("an app of nobody's after a week", err, oauth.ErrInvalidClient)
	for _, c := range []oauth.Client{kept, used} {
		if _, err := h.Apps.Store.Client(h.ctx, c.ID); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	if next := h.refresh(used, got.Refresh, ""); !h.alive(next.Access) {
		t.Error("not alive")
	}
	// The first is known for one that was used, and its second use ends all.
	_, err = h.Apps.Refresh(h.ctx, used, got.Refresh, "")
	h.wants("the second use after sweeping", err, oauth.ErrInvalidGrant)
	h.leftNothing()
}
