package data_test

import (
	"fmt"
	"testing"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

// A host's name is the same however its letters A to Z are written, also where the
// database has another opinion: in Turkish, I is not the capital of i.
func TestWhatAHostGaveEndsHoweverTheNameIsWrittenAndWhicheverTheDatabasesLanguage(t *testing.T) {
	t.Parallel()
	turkish := func(t *testing.T) *datatest.Bench {
		t.Helper()
		b := datatest.On(t, datatest.Postgres(t, "LOCALE_PROVIDER icu ICU_LOCALE 'tr' LOCALE 'C'"))
		var lower string
		if err := b.Raw(t).QueryRowContext(t.Context(), "SELECT LOWER('IDA')").Scan(&lower); err != nil || lower != "ıda" {
			t.Fatalf("this database is not Turkish: %q, %v", lower, err)
		}
		return b
	}
	for name, open := range map[string]func(*testing.T) *datatest.Bench{
		"sqlite": func(t *testing.T) *datatest.Bench { t.Helper(); return datatest.SQLite(t) }, "postgres in turkish": turkish,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			store, now := data.NewOAuth(b.DB, b.IDs), b.Clock.Millis()
			ev := func(string) audit.Event {
				return audit.Event{At: now, Actor: audit.Actor{Kind: audit.System, Name: "settings"}, Kind: audit.HostChanged}
			}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, host := range []string{"IDA", "Ida", "ida", "IDAS"} {
				id := b.IDs.Next(now)
				must(store.AddClient(t.Context(), oauth.Client{ID: "app~" + host, Name: "App", Scopes: oauth.All(), Owner: host, Credential: "v1", CreatedAt: now}, ev(host)))
				must(store.AddKey(t.Context(), oauth.APIKey{ID: id, Name: "Gate", Host: host, Credential: "v1", Scopes: oauth.All(), Hash: host, CreatedAt: now}, "", ev(host)))
				must(store.AddGrant(t.Context(), oauth.Grant{ID: id, Client: "app~" + host, Host: host, Scopes: oauth.All(), CodeHash: host, CreatedAt: now}, ev(host)))
				must(store.AddAccess(t.Context(), oauth.Access{ID: id, Client: "app~" + host, Host: host, Scopes: oauth.All(), CreatedAt: now, ExpiresAt: now + 1000}, ev(host)))
			}
			left := func() (all string) {
				for _, query := range []string{"SELECT COUNT(*) FROM api_keys WHERE ended_at = 0", "SELECT COUNT(*) FROM oauth_grants WHERE ended_at = 0",
					"SELECT COUNT(*) FROM oauth_access WHERE ended_at = 0", "SELECT COUNT(*) FROM oauth_clients WHERE credential <> ''"} {
					var n int
					must(b.Raw(t).QueryRowContext(t.Context(), query).Scan(&n))
					all += fmt.Sprint(n, " ")
				}
				return all
			}
			for _, step := range []struct{ secret, left string }{{"one", "4 4 4 4 "}, {"two", "1 1 1 1 "}} {
				_, _, err := b.Hosts.Settle(t.Context(), map[string]string{"ida": step.secret, "idas": "stays"}, true, ev)
				must(err)
				if got := left(); got != step.left {
					t.Errorf("with secret %s: %q are left, want %q", step.secret, got, step.left)
				}
			}
		})
	}
}
