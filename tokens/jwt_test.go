package tokens_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// What the contract says of the JWT: these header members and claims, of these
// kinds, and nothing more.
func TestTokenIsExactlyTheContracts(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	room := makeRoom(t, b, rooms.Draft{Name: "Standup", Slug: "standup"})
	start := b.Clock.Millis() + 1_600_500
	for _, tt := range []struct {
		name  string
		draft tokens.Draft
		nbf   any
	}{
		{"with a start", tokens.Draft{NotBefore: start, Name: "Ada Lovelace", Email: "ada@example.org", ExternalID: "booking-7"}, float64(start / 1000)},
		{"without a start", tokens.Draft{Role: tokens.Host, MaxUses: 7}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inv := mint(t, b, room, tt.draft)
			h := handOf(t, b, inv)
			var header, claim map[string]any
			if err := json.Unmarshal([]byte(h.header), &header); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(h.claim), &claim); err != nil {
				t.Fatal(err)
			}
			wantHeader := map[string]any{"alg": "HS256", "kid": h.kid, "typ": "invite+jwt"}
			if !maps.Equal(header, wantHeader) || h.kid == "" {
				t.Errorf("header %v, want %v", header, wantHeader)
			}
			want := map[string]any{"iss": datatest.Base, "aud": datatest.Base + "/join/standup", "jti": inv.ID.Show("inv_"), "room": "standup",
				"role": string(inv.Role), "iat": float64(inv.CreatedAt / 1000), "exp": float64(inv.ExpiresAt) / 1000}
			if tt.nbf != nil {
				want["nbf"] = tt.nbf
			}
			if !maps.Equal(claim, want) {
				t.Errorf("claims %v, want %v", claim, want)
			}
		})
	}
}

func TestLinksReadRefusesForgedTokens(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{Slug: "standup"}), tokens.Draft{})
	makeRoom(t, b, rooms.Draft{Slug: "other-room"})
	h := handOf(t, b, inv)
	genuine, err := b.Invitations.Links.Token(inv)
	if err != nil {
		t.Fatal(err)
	}
	if again := h.sign(h.header, h.claim); again != genuine {
		t.Fatalf("the hand makes %s, the product %s: the rows below prove nothing", again, genuine)
	}
	if id, slug, err := b.Invitations.Links.Read(t.Context(), genuine); err != nil || id != inv.ID || slug != "standup" {
		t.Fatalf("the genuine token: %v %q %v", id, slug, err)
	}
	rows := slices.Concat(algorithms(t, h), signatures(t, h), keyIDs(t, b, h), headers(h), claims(h, inv), spellings(h, genuine))
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for how, text := range map[string]string{
				"bare":      tt.token,
				"in a link": datatest.Base + "/join/standup?token=" + url.QueryEscape(tt.token),
			} {
				id, slug, err := b.Invitations.Links.Read(context.Background(), text)
				if err != tokens.ErrInvalidLink || id != 0 || slug != "" { //nolint:errorlint // it wraps nothing and says no more
					t.Errorf("%s: %v %q %v, want ErrInvalidLink", how, id, slug, err)
				}
			}
		})
	}
	if n := count(t, b, inv); n != (taken{events: 1}) {
		t.Errorf("afterwards %+v, want the minting alone", n)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The row decides: the token's own exp and nbf only inform others.
func TestTokenOutlivesItsOwnTimes(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	inv := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{ExpiresIn: time.Minute})
	early := mint(t, b, inv.Room, tokens.Draft{NotBefore: b.Clock.Millis() + ms(20*time.Hour), ExpiresAt: b.Clock.Millis() + ms(30*time.Hour)})
	link, err := b.Invitations.Links.URL(inv)
	must(t, err)
	earlyLink, err := b.Invitations.Links.URL(early)
	must(t, err)
	b.Clock.Add(10 * time.Hour)
	_, err = b.Invitations.Redeem(t.Context(), tokens.Redemption{Link: link, Nonce: "n", Actor: gate("g")})
	wants(t, "an expired row", err, tokens.ErrExpired)
	_, err = b.Invitations.Redeem(t.Context(), tokens.Redemption{Link: earlyLink, Nonce: "n", Actor: gate("g")})
	wants(t, "a row before its time", err, tokens.ErrNotYet)
	later, none := b.Clock.Millis()+ms(time.Hour), int64(0)
	if _, err := b.Invitations.Change(t.Context(), ada(), fetch(t, b, inv), tokens.Change{ExpiresAt: &later}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Invitations.Change(t.Context(), ada(), fetch(t, b, early), tokens.Change{NotBefore: &none}); err != nil {
		t.Fatal(err)
	}
	for _, l := range []string{link, earlyLink} {
		if _, err := b.Invitations.Redeem(t.Context(), tokens.Redemption{Link: l, Nonce: "n", Actor: gate("g")}); err != nil {
			t.Errorf("the token sent before its row was moved: %v", err)
		}
	}
}
