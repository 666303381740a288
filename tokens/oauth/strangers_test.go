package oauth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// What anybody may have stored here is bounded: each app, and all of them.
func TestStrangersAppsFillNoDisk(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		h := newHouse(t, b)
		long := "https://gate.example/" + strings.Repeat("x", 1900)
		for name, row := range map[string]struct {
			by    *hosts.Host
			draft oauth.Draft
			want  error
		}{
			"two long addresses":       {nil, oauth.Draft{Name: "Gate", Redirects: []string{long, long + "2"}}, nil},
			"three":                    {nil, oauth.Draft{Name: "Gate", Redirects: []string{long, long + "2", long + "3"}}, oauth.ErrInvalidMetadata},
			"two, and a website":       {nil, oauth.Draft{Name: "Gate", Website: long, Redirects: []string{long, long + "2"}}, oauth.ErrInvalidMetadata},
			"a host's three":           {&h.ada, oauth.Draft{Name: "Gate", Website: long, Redirects: []string{long, long + "2", long + "3"}}, nil},
			"a scope a thousand times": {nil, oauth.Draft{Name: "Gate", Redirects: []string{back}, Scopes: strings.Repeat("redeem ", 1000)}, nil},
		} {
			c, _, err := h.Apps.Register(h.ctx, row.by, row.draft)
			h.wants(name, err, row.want)
			if len(c.Scopes.String()) > len(everything()) {
				t.Errorf("%s: kept as %d bytes", name, len(c.Scopes.String()))
			}
		}

		if _, err := b.Raw(t).ExecContext(h.ctx, `INSERT INTO oauth_clients (id, name, website, redirects, scopes, public, pkce, owner, credential, secret_hash, created_at, used_at, ended_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT 'app~n' || i, 'Spam', '', '', '', 0, 0, '', '', 'h', $2, 0, 0 FROM n`,
			oauth.MaxStrangers-4, h.Clock.Millis()); err != nil {
			t.Fatal(err)
		}
		allowed, _ := h.app(nil) // the last but one
		h.tokens(allowed, h.ada)
		h.app(nil)
		last, _ := h.app(nil) // in the place of the one that is allowed
		refused := func() {
			t.Helper()
			var many hosts.TooMany
			if _, _, err := h.Apps.Register(h.ctx, nil, oauth.Draft{Name: "Gate", Redirects: []string{back}}); !errors.As(err, &many) || many.Wait < time.Minute {
				t.Errorf("one more than there may be: %v", err)
			}
		}
		refused()
		_, err := h.Apps.ForItself(h.ctx, last, "") // which is no use of it
		h.must(err)
		h.app(&h.bo) // a host's own are not counted
		h.Clock.Add(oauth.StrangerWait)
		refused()
		h.Clock.Add(time.Millisecond)
		h.app(nil) // for one that waited long enough
		if n := h.count("SELECT COUNT(*) FROM oauth_clients WHERE owner = ''"); n != oauth.MaxStrangers+1 {
			t.Errorf("there are %d of nobody's, want as many as there may be and the one that is allowed", n)
		}
		h.Clock.Add(oauth.UnusedLife + time.Millisecond)
		h.must(h.Apps.Sweep(h.ctx))
		h.app(nil)
		if n := h.count("SELECT COUNT(*) FROM oauth_clients WHERE owner = ''"); n != 2 {
			t.Errorf("%d of nobody's are left, want the one that is allowed and the new one", n)
		}
		if n := h.count("SELECT COUNT(*) FROM oauth_clients WHERE owner <> ''"); n != 2 {
			t.Errorf("%d of hosts' are left, want both", n)
		}
	})
}
