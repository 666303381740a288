package datatest

import (
	"time"

	"github.com/alexedwards/scs/v2"

	"admitone/data"
	"admitone/rooms/hosts"
)

func sessionsPromises() []promise {
	find := func(t *trial, token string) (string, bool) {
		t.Helper()
		content, found, err := t.sessions().FindCtx(t.ctx, token)
		t.must(err)
		return string(content), found
	}
	is := func(t *trial, token, want string) {
		t.Helper()
		if got, found := find(t, token); !found || got != want {
			t.Errorf("session %s: %q, %v; want %q", token, got, found, want)
		}
	}
	gone := func(t *trial, token string) {
		t.Helper()
		if got, found := find(t, token); found || got != "" {
			t.Errorf("session %s is still there: %q", token, got)
		}
	}
	return []promise{
		{"CommitCtx stores what FindCtx returns, and replaces it", func(t *trial) {
			gone(t, "a")
			t.must(t.sessions().CommitCtx(t.ctx, "a", []byte("one\x00\xff"), t.Clock.Now().Add(time.Hour)))
			t.must(t.sessions().CommitCtx(t.ctx, "b", nil, t.Clock.Now().Add(time.Hour)))
			is(t, "a", "one\x00\xff")
			is(t, "b", "")
			t.must(t.sessions().CommitCtx(t.ctx, "a", []byte("two"), t.Clock.Now().Add(time.Hour)))
			is(t, "a", "two")
		}},
		{"DeleteCtx forgets a session, and one that is not there", func(t *trial) {
			t.must(t.sessions().CommitCtx(t.ctx, "c", []byte("x"), t.Clock.Now().Add(time.Hour)))
			t.must(t.sessions().DeleteCtx(t.ctx, "c"))
			gone(t, "c")
			t.unchanged("DeleteCtx again", func() { t.must(t.sessions().DeleteCtx(t.ctx, "c")) })
		}},
		{"a session is over at its expiry, which another commit may move, and is then cleared away", func(t *trial) {
			t.must(t.sessions().CommitCtx(t.ctx, "short", []byte("x"), t.Clock.Now().Add(time.Minute)))
			t.must(t.sessions().CommitCtx(t.ctx, "moved", []byte("x"), t.Clock.Now().Add(time.Minute)))
			t.must(t.sessions().CommitCtx(t.ctx, "moved", []byte("y"), t.Clock.Now().Add(time.Hour)))
			t.Clock.Add(time.Minute - time.Millisecond)
			is(t, "short", "x")
			t.Clock.Add(time.Millisecond)
			gone(t, "short")
			is(t, "moved", "y")
			t.must(t.sessions().CommitCtx(t.ctx, "next", nil, t.Clock.Now().Add(time.Hour)))
			same(t, "rows of the one that is over", t.count("SELECT COUNT(*) FROM sessions WHERE token = 'short'"), 0)
		}},
		{"without a context it is the same", func(t *trial) {
			t.must(t.sessions().Commit("d", []byte("x"), t.Clock.Now().Add(time.Hour)))
			got, found, err := t.sessions().Find("d")
			t.must(err)
			same(t, "content", string(got), "x")
			same(t, "found", found, true)
			t.must(t.sessions().Delete("d"))
			gone(t, "d")
		}},
	}
}

func (t *trial) sessions() *data.Sessions { return data.NewSessions(t.DB, t.Clock.Now) }

// signIn stores a session in which that host signed in.
func (t *trial) signIn(token, host string, id int64, isNew bool) {
	t.Helper()
	until := t.Clock.Now().Add(24 * time.Hour)
	content, err := scs.GobCodec{}.Encode(until, map[string]any{hosts.SessionHost: host, hosts.SessionID: id,
		hosts.SessionDevice: hosts.Device{Browser: "Firefox", System: "Linux"}.String(), hosts.SessionNew: isNew, hosts.SessionAddress: "192.0.2.7"})
	t.must(err)
	t.must(t.sessions().CommitCtx(t.ctx, token, content, until))
}
