package data_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/data"
	"admitone/data/datatest"
	"admitone/rooms/audit"
	"admitone/tokens/keys"
)

func ringOf(t *testing.T, b *datatest.Bench, alg string) *keys.Ring {
	t.Helper()
	b.Clock.Add(time.Millisecond) // after the bench's own ring
	ring, err := keys.Open(t.Context(), data.NewKeys(b.DB, b.IDs), keys.Settings{Root: datatest.Root(t), Alg: alg, Now: b.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func rotate(t *testing.T, ring *keys.Ring) int64 {
	t.Helper()
	begins, done, err := ring.Rotate(t.Context(), audit.Actor{Kind: audit.System, Name: "cli"})
	if err != nil || !done {
		t.Fatalf("not rotated: %v, %v", done, err)
	}
	return begins
}

func kid(t *testing.T, token string) string {
	t.Helper()
	var h struct{ Kid, Alg string }
	head, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || json.Unmarshal(raw, &h) != nil {
		t.Fatalf("no header in %q", head)
	}
	return h.Alg + " " + h.Kid
}

func code(ring *keys.Ring, millis int64, n uint64) (id, mac []byte) {
	id = binary.BigEndian.AppendUint64(nil, uint64(millis)<<20+n)
	return id, ring.CodeMAC(millis, id)
}

// Whatever signs, the token is good here, elsewhere, and by the public key
// alone in a verifier that shares nothing with us but the library.
func TestEveryAlgorithmSignsVerifiesAndIsPublished(t *testing.T) {
	t.Parallel()
	for _, alg := range keys.Algs() {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			b := datatest.SQLite(t)
			ring, elsewhere := ringOf(t, b, alg), ringOf(t, b, alg)
			token := signed(t, ring, keys.Access, "at+jwt")
			if got := kid(t, token); !strings.HasPrefix(got, alg+" ") {
				t.Errorf("signed with %s", got)
			}
			for what, r := range map[string]*keys.Ring{"here": ring, "elsewhere": elsewhere} {
				if err := verified(r, keys.Access, "at+jwt", token); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			if err := verified(ring, keys.Access, "at+jwt", token[:len(token)-4]+"AAAA"); err == nil {
				t.Error("a changed signature is taken")
			}
			public := ring.Public(map[keys.Use]time.Duration{keys.Access: time.Hour})
			if alg == "HS256" {
				if len(public) != 0 {
					t.Fatalf("%d symmetric keys are published", len(public))
				}
				return
			}
			if len(public) != 1 || alg+" "+public[0].ID != kid(t, token) {
				t.Fatalf("published %+v", public)
			}
			if _, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return publicKey(t, public[0]), nil }, jwt.WithValidMethods([]string{alg})); err != nil {
				t.Errorf("by the public key: %v", err)
			}
		})
	}
}

func publicKey(t *testing.T, k keys.JWK) any {
	t.Helper()
	number := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || len(b) == 0 {
			t.Fatalf("%q: %v", s, err)
		}
		return b
	}
	switch k.KeyType + k.Curve {
	case "OKPEd25519":
		return ed25519.PublicKey(number(k.X))
	case "ECP-256":
		point, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, number(k.X), number(k.Y)))
		if err != nil {
			t.Fatal(err)
		}
		return point
	case "RSA":
		return &rsa.PublicKey{N: new(big.Int).SetBytes(number(k.N)), E: int(new(big.Int).SetBytes(number(k.E)).Int64())}
	}
	t.Fatalf("kty %q, crv %q", k.KeyType, k.Curve)
	return nil
}

func TestRotatingRefusesNoLink(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		here, elsewhere := ringOf(t, b, ""), ringOf(t, b, "")
		before := signed(t, here, keys.Invite, "x+jwt")
		was := b.Clock.Millis()
		oldID, oldMAC := code(here, was, 1)
		begins := rotate(t, here)
		if _, again, err := elsewhere.Rotate(t.Context(), audit.Actor{}); again || err != nil {
			t.Errorf("rotated again while new keys are on their way: %v, %v", again, err)
		}
		b.Clock.Add(keys.Lead - time.Minute)
		if got := signed(t, here, keys.Invite, "x+jwt"); kid(t, got) != kid(t, before) {
			t.Error("the new key signs before it begins")
		}
		// An instance that nobody asked for anything makes what the others read.
		b.Clock.Add(time.Minute)
		if now := b.Clock.Millis(); now != begins {
			t.Fatalf("begins at %d, want %d", begins, now)
		}
		third := ringOf(t, b, "")
		for _, made := range []*keys.Ring{elsewhere, here} {
			after := signed(t, made, keys.Invite, "x+jwt")
			if kid(t, after) == kid(t, before) {
				t.Error("the new key does not sign when it begins")
			}
			id, mac := code(made, b.Clock.Millis(), 2)
			for _, asked := range []*keys.Ring{here, elsewhere, third} {
				for what, token := range map[string]string{"of before": before, "of after": after} {
					if err := verified(asked, keys.Invite, "x+jwt", token); err != nil {
						t.Errorf("a token %s is refused: %v", what, err)
					}
				}
				if asked.CheckCode(t.Context(), b.Clock.Millis(), id, mac) != nil || asked.CheckCode(t.Context(), was, oldID, oldMAC) != nil {
					t.Error("a code is refused")
				}
			}
		}
		if _, mac := code(here, was, 1); !bytes.Equal(mac, oldMAC) {
			t.Error("a printed code reads differently now")
		}
	})
}

func TestPublicKeysComeBeforeTheirUseAndStayWhileTheirTokensLive(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	ring, life := ringOf(t, b, "ES256"), map[keys.Use]time.Duration{keys.Access: time.Hour}
	ids := func() (out []string) {
		for _, k := range ring.Public(life) {
			out = append(out, k.Alg+" "+k.ID)
		}
		return out
	}
	old := kid(t, signed(t, ring, keys.Access, "at+jwt"))
	rotate(t, ring)
	if got := ids(); len(got) != 2 || got[0] != old {
		t.Fatalf("before the new key's use %v are published", got)
	}
	b.Clock.Add(keys.Lead)
	if next := kid(t, signed(t, ring, keys.Access, "at+jwt")); next != ids()[1] {
		t.Errorf("%s signs and is not published", next)
	}
	b.Clock.Add(time.Hour - time.Millisecond)
	if got := ids(); len(got) != 2 {
		t.Errorf("while a token of the old key may live %v are published", got)
	}
	b.Clock.Add(time.Millisecond)
	if got := ids(); len(got) != 1 || got[0] == old {
		t.Errorf("after its last token %v are published", got)
	}
	if len(ring.Public(nil)) != 0 {
		t.Error("keys of uses that nobody asked for are published")
	}
	// Whoever kept our public keys just before looks again in time, and finds it.
	rotate(t, ringOf(t, b, "ES256"))
	b.Clock.Add(time.Second)
	if got := ids(); len(got) != 2 {
		t.Errorf("a second after another instance made new keys %v are published", got)
	}
}

func TestAnotherAlgorithmIsFollowedAtTheNextStart(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	running := ringOf(t, b, "")
	before := signed(t, running, keys.Invite, "x+jwt")
	b.Clock.Add(time.Second)
	started := ringOf(t, b, "EdDSA")
	after := signed(t, started, keys.Invite, "x+jwt")
	if !strings.HasPrefix(kid(t, after), "EdDSA ") {
		t.Errorf("signed with %s", kid(t, after))
	}
	b.Clock.Add(time.Second)
	for _, ring := range []*keys.Ring{running, started} {
		for _, token := range []string{before, after} {
			if err := verified(ring, keys.Invite, "x+jwt", token); err != nil {
				t.Errorf("%s: %v", kid(t, token), err)
			}
		}
	}
	n := len(listed(t, started))
	if ringOf(t, b, "EdDSA"); len(listed(t, started)) != n {
		t.Error("another start with the same algorithm makes other keys")
	}
	// A token whose header asks for another algorithm than its key's is refused.
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"` + strings.Fields(kid(t, after))[1] + `","typ":"x+jwt"}`))
	confused := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(time.Unix(4e9, 0))})
	confused.Header = map[string]any{"alg": "HS256", "kid": strings.Fields(kid(t, after))[1], "typ": "x+jwt"}
	for _, k := range started.Public(map[keys.Use]time.Duration{keys.Invite: time.Hour}) {
		raw, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil {
			t.Fatal(err)
		}
		forged, err := confused.SignedString(raw)
		if err != nil {
			t.Fatal(err)
		}
		if verified(started, keys.Invite, "x+jwt", forged) == nil || verified(started, keys.Invite, "x+jwt", head+after[strings.Index(after, "."):]) == nil {
			t.Error("a public key passes as a shared secret")
		}
	}
}

func listed(t *testing.T, ring *keys.Ring) []keys.Listed {
	t.Helper()
	all, err := ring.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestListTellsWhatEachKeyIsGoodFor(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	ring := ringOf(t, b, "")
	states := func() string {
		var out []string
		for _, k := range listed(t, ring) {
			if k.Use == keys.Invite {
				out = append(out, string(k.State))
			}
		}
		return strings.Join(out, " ")
	}
	if got := states(); got != "current" {
		t.Error(got)
	}
	rotate(t, ring)
	if got := states(); got != "next current" {
		t.Error(got)
	}
	b.Clock.Add(keys.Lead)
	if got := states(); got != "current former" {
		t.Error(got)
	}
}

// Keys of the former algorithm that are on their way when a start asks for
// another do not bring it back.
func TestAnotherAlgorithmOutlivesARotationUnderWay(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	rotate(t, ringOf(t, b, "HS256"))
	b.Clock.Add(time.Minute)
	ring := ringOf(t, b, "EdDSA")
	for _, after := range []time.Duration{0, keys.Lead - time.Minute, time.Second, keys.Lead} {
		b.Clock.Add(after)
		if got := kid(t, signed(t, ring, keys.Access, "at+jwt")); !strings.HasPrefix(got, "EdDSA ") {
			t.Errorf("%s later it signs with %s", after, got)
		}
	}
	if n := len(listed(t, ringOf(t, b, "EdDSA"))); n != len(listed(t, ring)) {
		t.Errorf("one more start added keys: %d", n)
	}
}
