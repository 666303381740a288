package keys_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"admitone/tokens/keys"
)

// Two good secrets, as openssl rand -base64 48 makes them.
const (
	good  = "pT0kq3m9u2rY7cWv5ZxA8dLh1Jb6NfGsEoQiRtUyKwXzMnVB4gCa+/DjHlPeS0F2" // gitleaks:allow
	other = "9vKxQ2nLw8bRmZ4TtYc6HsJd0PfGe7Ua5oWi3CkNl1XjBqMz+SgVrEhDyAuFpI/O" // gitleaks:allow
)

// What people type, or copy out of documentation, where a root secret is asked for.
func TestNewRootRefusesWeakSecrets(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, secret string }{
		{"nothing", ""},
		{"a word", "secret"},
		{"a byte too short", good[:31]},

		{"one letter", strings.Repeat("a", 64)},
		{"one letter, the last another", strings.Repeat("a", 63) + "b"},
		{"two letters in turn", strings.Repeat("xy", 32)},
		{"spaces", strings.Repeat(" ", 40)},
		{"NULs", strings.Repeat("\x00", 40)},
		{"digits up", "12345678901234567890123456789012"},
		{"digits over and over", "0123456789abcdef0123456789abcdef"},
		{"the alphabet", "abcdefghijklmnopqrstuvwxyz012345"},
		{"the alphabet backwards", "zyxwvutsrqponmlkjihgfedcba987654"},
		{"deadbeef", strings.Repeat("deadbeef", 8)},
		{"a good piece twice", good[:32] + good[:32]},
		{"a good piece three times and a bit", strings.Repeat(good[:12], 3) + good[:5]},
		{"a piece over and over, and another end", strings.Repeat("Tr0ub4dor&3", 3) + "9"},
		{"a piece over and over after another begin", "K9" + strings.Repeat("Tr0ub4dor&3", 3)},
		{"a date over and over", strings.Repeat("2024-01-01 ", 4)},
		{"rows of the keyboard", "qwertyuiopasdfghjklzxcvbnm123456"},

		{"MiroTalk P2P", "mirotalkp2p_jwt_secret_mirotalkp2p_jwt_secret"},
		{"MiroTalk SFU", "mirotalksfu_jwt_secret_and_more_of_it"},
		{"MiroTalk's API key", "mirotalkp2p_default_secret_0123456789"},
		{"Supabase", "super-secret-jwt-token-with-at-least-32-characters-long"},
		{"Supabase's example file", "your-super-secret-jwt-token-with-at-least-32-characters-long"},
		{"jwt.io", "a-string-secret-at-least-256-bits-long"},
		{"jwt.io, 384 bits", "a-valid-string-secret-that-is-at-least-384-bits-long"},
		{"jwt.io, 512 bits", "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long"},
		{"jwt.io of old, doubled", "your-256-bit-secret-your-256-bit-secret!"},
		{"Jitsi", "my_jitsi_app_secret_0123456789abcdef"},
		{"LexikJWT and Express guides", "my-32-character-ultra-secure-and-ultra-long-secret"},
		{"PostgREST", "reallyreallyreallyreallyverysafe"},
		{"PostgREST in capitals", "REALLYREALLYREALLYREALLYVERYSAFE123"},
		{"FastAPI's tutorial", "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"},             // gitleaks:allow
		{"Flask's tutorial", "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf"},               // gitleaks:allow
		{"Spring's tutorials", "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970"},             // gitleaks:allow
		{"Spring's tutorials in small", "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970"},    // gitleaks:allow
		{"RFC 7515", "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}, // gitleaks:allow
		{"Django", "django-insecure-k2#l9x!7vq@0p$w8z%r4t&y6u*i3o"},
		{"Superset", "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET"},
		{"a wish", "please-change-this-to-something-long-and-random"},
		{"a wish in other letters", "Replace_Me With.A-Long Random String 42"},
		{"a placeholder", "REPLACE_WITH_OUTPUT_OF_openssl_rand_-base64_48"},
		{"a placeholder in angles", "<your secret here, at least 32 characters>"},
		{"insert here", "insert-your-own-random-value-here-0001"},
		{"a phrase of everybody's", "correct horse battery staple is my favourite"},
		{"keyboard cat", "keyboard cat keyboard dog keyboard fish"},
		{"a password with trimmings", "Password1234567890!Password1234567890?"},
		{"this is a secret", "ThisIsASecretKeyForJWTTokenGeneration123"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := keys.NewRoot(tt.secret)
			if err == nil {
				t.Fatal("accepted")
			}
			if tt.secret != "" && strings.Contains(err.Error(), tt.secret) {
				t.Errorf("the error quotes the secret: %v", err)
			}
			for i := 0; i+10 <= len(tt.secret); i++ {
				if strings.Contains(err.Error(), tt.secret[i:i+10]) {
					t.Errorf("the error quotes a part of the secret: %v", err)
				}
			}
		})
	}
}

func TestNewRootAcceptsWhatRandomSourcesMake(t *testing.T) {
	t.Parallel()
	random := func(n int) []byte {
		b := make([]byte, n)
		_, _ = rand.Read(b)
		return b
	}
	uuid := func() string {
		b := random(16)
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	}
	tests := []struct {
		name  string
		fresh func() string
	}{
		{"openssl rand -base64 48", func() string { return base64.StdEncoding.EncodeToString(random(48)) }},
		{"openssl rand -base64 32", func() string { return base64.StdEncoding.EncodeToString(random(32)) }},
		{"openssl rand -hex 32", func() string { return hex.EncodeToString(random(32)) }},
		{"openssl rand -hex 64", func() string { return hex.EncodeToString(random(64)) }},
		{"two UUIDs", func() string { return uuid() + uuid() }},
		{"two UUIDs with a space", func() string { return uuid() + " " + uuid() }},
		{"raw bytes", func() string { return string(random(32)) }},
		{"our own", keys.NewSecret},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range 500 {
				if secret := tt.fresh(); len(secret) < keys.MinRoot {
					t.Fatalf("%q is no such secret", secret)
				} else if _, err := keys.NewRoot(secret); err != nil {
					t.Fatalf("%q: %v", secret, err)
				}
			}
		})
	}
	for _, secret := range []string{good, other} {
		if _, err := keys.NewRoot(secret); err != nil {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

func root(t *testing.T, secret string) keys.Root {
	t.Helper()
	r, err := keys.NewRoot(secret)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealIsBoundToRootAndLabel(t *testing.T) {
	t.Parallel()
	plain := []byte("thirty-two bytes of a signing key")
	a := root(t, good)
	box := a.Seal("key invite k1", plain)
	again := a.Seal("key invite k1", plain)
	if bytes.Contains(box, plain[:8]) || bytes.Equal(box, again) {
		t.Error("what is sealed shows through, or is the same twice")
	}
	if got, err := root(t, good).Open("key invite k1", box); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened as %q, %v", got, err)
	}

	flipped := func(i int) []byte {
		b := bytes.Clone(box)
		b[i] ^= 1
		return b
	}
	tests := []struct {
		name  string
		root  keys.Root
		label string
		box   []byte
	}{
		{"another root", root(t, other), "key invite k1", box},
		{"a root that begins the same", root(t, good+"x"), "key invite k1", box},
		{"another key's label", a, "key invite k2", box},
		{"another use's label", a, "key link k1", box},
		{"no label", a, "", box},
		{"nothing", a, "key invite k1", nil},
		{"less than a nonce", a, "key invite k1", box[:5]},
		{"a nonce alone", a, "key invite k1", box[:12]},
		{"cut short", a, "key invite k1", box[:len(box)-1]},
		{"made longer", a, "key invite k1", append(bytes.Clone(box), 0)},
		{"a bit of the nonce", a, "key invite k1", flipped(0)},
		{"a bit of the text", a, "key invite k1", flipped(14)},
		{"a bit of the tag", a, "key invite k1", flipped(len(box) - 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, err := tt.root.Open(tt.label, tt.box); !errors.Is(err, keys.ErrWrongRoot) || got != nil {
				t.Errorf("got %q, %v; want ErrWrongRoot", got, err)
			}
		})
	}
}

func TestDeriveDependsOnRootAndPurpose(t *testing.T) {
	t.Parallel()
	a := root(t, good)
	one := a.Derive("sessions")
	if len(one) != 32 || !bytes.Equal(one, root(t, good).Derive("sessions")) {
		t.Fatalf("%x is not the 32 bytes it was", one)
	}
	seen := map[string]string{}
	for name, b := range map[string][]byte{"it": one, "another purpose": a.Derive("seal"), "no purpose": a.Derive(""),
		"another root": root(t, other).Derive("sessions")} {
		if twin, ok := seen[string(b)]; ok {
			t.Errorf("%s and %s are the same", name, twin)
		}
		seen[string(b)] = name
	}
}
