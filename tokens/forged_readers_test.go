package tokens_test

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/keys"
	"admitone/tokens/oauth"
)

// reader is whoever reads tokens of one kind, and a genuine one.
type reader struct {
	use     keys.Use
	genuine string
	read    func(token string) error
	refuses []error
}

// readers are all there are, over a ring that signs by that algorithm.
func readers(t *testing.T, b *datatest.Bench, alg string) []reader {
	t.Helper()
	ctx := context.Background()
	b.SignBy(t, alg)

	inv := mint(t, b, makeRoom(t, b, rooms.Draft{Slug: "standup"}), tokens.Draft{})
	invite, err := b.Invitations.Links.Token(inv)
	must(t, err)
	her, err := b.Apps.Directory.ByName(ctx, "ada")
	must(t, err)
	scripts := &hosts.Tokens{Ring: b.Ring, Directory: b.Apps.Directory, Base: datatest.Base, Now: b.Clock.Now}
	script, err := scripts.Mint(her)
	must(t, err)
	app, _, err := b.Apps.Register(ctx, &her, oauth.Draft{Name: "Gate"})
	must(t, err)
	got, err := b.Apps.ForItself(ctx, app, "")
	must(t, err)

	access := reader{keys.Access, got.Access, func(token string) error { _, err := b.Apps.Read(ctx, token); return err }, []error{oauth.ErrInvalidToken}}
	introspected := access
	introspected.read = func(token string) error {
		in, err := b.Apps.Introspect(ctx, app, token)
		if err == nil && !in.Active {
			return oauth.ErrInvalidToken
		}
		return err
	}
	return []reader{
		{keys.Invite, invite, func(token string) error { _, _, err := b.Invitations.Links.Read(ctx, token); return err }, []error{tokens.ErrInvalidLink}},
		{keys.HostIn, script, func(token string) error { _, err := scripts.Read(ctx, token); return err }, []error{hosts.ErrBadToken, hosts.ErrTokenExpired}},
		access, introspected,
	}
}

// Whatever signs our tokens, whoever reads them: nothing passes but the genuine
// one, though its forger has every key there is.
func TestNoReaderTakesAForgery(t *testing.T) {
	t.Parallel()
	for _, alg := range keys.Algs() {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			b := datatest.SQLite(t)
			for n, r := range readers(t, b, alg) {
				h := handFor(t, b, string(r.use), r.genuine)
				if h.alg != alg {
					t.Fatalf("signed by %s", h.alg)
				}
				for what, token := range map[string]string{"genuine": r.genuine, "made by hand": h.sign(h.header, h.claim)} {
					if err := r.read(token); err != nil {
						t.Fatalf("%s, %s: %v: the rows below prove nothing", r.use, what, err)
					}
				}
				rows := slices.Concat(algorithms(t, h), signatures(t, h), keyIDs(t, b, h), headers(h), anyClaims(h), spellings(h, r.genuine))
				for _, row := range rows {
					err := r.read(row.token)
					if !slices.ContainsFunc(r.refuses, func(want error) bool { return errors.Is(err, want) }) {
						t.Errorf("%s (%d), %s: %v", r.use, n, row.name, err)
					}
				}
				if len(rows) < 300 {
					t.Errorf("%s: only %d forgeries", r.use, len(rows))
				}
				if err := r.read(r.genuine); err != nil {
					t.Errorf("%s: the genuine one afterwards: %v", r.use, err)
				}
			}
		})
	}
}

// anyClaims are tokens that say something else than a genuine one in what every
// reader looks at, or say the same otherwise.
func anyClaims(h hand) (rows []forgery) {
	add := func(name, claim string) { rows = append(rows, forgery{"claims: " + name, h.sign(h.header, claim)}) }
	member := func(name string) string {
		from := strings.Index(h.claim, `"`+name+`":`)
		if from < 0 {
			panic("no " + name + " in " + h.claim)
		}
		rest := h.claim[from:]
		if to := strings.Index(rest, `,"`); to >= 0 {
			return rest[:to]
		}
		return strings.TrimSuffix(rest, "}")
	}
	closed := strings.NewReplacer(",,", ",", "{,", "{", ",}", "}")
	for name, wrongs := range map[string][]string{
		"exp": {"", "null", "0", "-5", `"4102444800"`, "4102444800.5", "[4102444800]", "{}", "true", "1e400", "4e9", "99999999999999999999", "NaN"},
		"iss": {"", "null", `""`, `"https://evil.example"`, `"` + datatest.Base + `/"`, `"` + strings.ToUpper(datatest.Base) + `"`, `["` + datatest.Base + `"]`, `"http://meet.example"`, "1"},
		"aud": {"", "null", `""`, `"https://evil.example/api/v1"`, `"` + datatest.Base + `"`, `"` + datatest.Base + `/api/v1/"`, `"` + datatest.Base + `/API/v1"`, `"/api/v1"`,
			`["https://evil.example","` + datatest.Base + `/api/v2"]`, `{"` + datatest.Base + `/api/v1":1}`, "1"},
	} {
		is := member(name)
		for _, wrong := range wrongs {
			if wrong == "" {
				add("no "+name, closed.Replace(swap(h.claim, is, "")))
				continue
			}
			add(name+" of "+wrong, swap(h.claim, is, `"`+name+`":`+wrong))
		}
		add(name+" twice", swap(h.claim, is, is+","+is))
		add(name+" null before it", swap(h.claim, is, `"`+name+`":null,`+is))
		add(name+" null after it", swap(h.claim, is, is+`,"`+name+`":null`))
		add(name+" in capitals", swap(h.claim, `"`+name+`"`, `"`+strings.ToUpper(name)+`"`))
		add(name+" with an escape", swap(h.claim, `"`+name+`"`, fmt.Sprintf(`"\u%04x%s"`, name[0], name[1:])))
	}
	for name, claim := range map[string]string{
		"one more": swap(h.claim, "}", `,"admin":true}`), "one more, without a name": swap(h.claim, "}", `,"":1}`),
		"a space": swap(h.claim, ":", ": "), "a space before": " " + h.claim, "a newline after": h.claim + "\n", "a NUL after": h.claim + "\x00", "more after": h.claim + "{}",
		"an array": "[" + h.claim + "]", "a string": `"ada"`, "null": "null", "nothing": "", "an empty object": "{}", "broken JSON": h.claim[:len(h.claim)-1],
		"broken UTF-8": swap(h.claim, "meet", "meet\xff"), "a byte order mark": "\ufeff" + h.claim, "100,000 brackets": swap(h.claim, "}", `,"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+"}"),
		"a megabyte": swap(h.claim, "}", `,"x":"`+strings.Repeat("x", 1<<20)+`"}`),
	} {
		add(name, claim)
	}
	return rows
}

// What everybody may hold against us is only the text: an ES256 signature has a
// twin (n less s) that is as good. It is the same token, and ends with it.
func TestATwinOfASignatureIsTheSameToken(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	all := readers(t, b, "ES256")
	for _, r := range all {
		h := handFor(t, b, string(r.use), r.genuine)
		at := strings.LastIndex(r.genuine, ".") + 1
		sig, err := raw64.DecodeString(r.genuine[at:])
		must(t, err)
		order := private(t, h.secret).(*ecdsa.PrivateKey).Params().N
		s := new(big.Int).Sub(order, new(big.Int).SetBytes(sig[32:]))
		twin := r.genuine[:at] + raw64.EncodeToString(append(sig[:32:32], s.FillBytes(make([]byte, 32))...))
		if err := r.read(twin); twin == r.genuine || err != nil {
			t.Errorf("%s: %v", r.use, err)
		}
		if r.use != keys.Access {
			continue
		}
		_, err = b.Raw(t).ExecContext(t.Context(), "UPDATE oauth_access SET ended_at = 1")
		must(t, err)
		b.Clock.Add(time.Second)
		for _, token := range []string{twin, r.genuine} {
			if err := r.read(token); !errors.Is(err, oauth.ErrInvalidToken) {
				t.Errorf("after it was ended: %v", err)
			}
		}
		break
	}
}

// A token is refused for its time only when it is otherwise good: an old one
// with another signature says nothing of its age.
func TestOnlyAGenuineTokenIsTooOld(t *testing.T) {
	t.Parallel()
	for _, alg := range keys.Algs() {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			b := datatest.SQLite(t)
			for _, r := range readers(t, b, alg)[1:3] {
				h := handFor(t, b, string(r.use), r.genuine)
				b.Clock.Add(2 * time.Hour)
				err := r.read(r.genuine)
				if !errors.Is(err, hosts.ErrTokenExpired) && err != oauth.ErrTokenExpired { //nolint:errorlint // which of the two is what counts
					t.Errorf("%s: %v", r.use, err)
				}
				for _, row := range signatures(t, h) {
					if err := r.read(row.token); errors.Is(err, hosts.ErrTokenExpired) || err == oauth.ErrTokenExpired || errors.Is(err, jwt.ErrTokenExpired) || err == nil { //nolint:errorlint // as above
						t.Errorf("%s, %s: %v", r.use, row.name, err)
					}
				}
				b.Clock.Add(-2 * time.Hour)
			}
		})
	}
}
