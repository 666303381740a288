package hosts_test

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"admitone/rooms/hosts"
)

// secret is the password of these tests; it must show up nowhere.
const secret = "Tr0ub4dor-and-3" // gitleaks:allow

func TestParseRefusesABadEntryAndNeverQuotesIt(t *testing.T) {
	t.Parallel()
	quoted := `"` + secret + `"`
	for _, row := range []struct{ name, text, says string }{
		{"no JSON", secret, "JSON"},
		{"cut short", `[{"username":"ada","password":` + quoted, "JSON"},
		{"an object", `{"username":"ada","password":` + quoted + `}`, "JSON"},
		{"more behind it", `[{"username":"ada","password":` + quoted + `}] []`, "JSON"},
		{"an unknown member", `[{"username":"ada","pasword":` + quoted + `}]`, "JSON"},
		{"a number as password", `[{"username":"ada","password":31415926535}]`, "JSON"},
		{"a text as admin", `[{"username":"ada","password":` + quoted + `,"admin":"yes"}]`, "JSON"},
		{"nobody", `[]`, "nobody"},
		{"no name", `[{"password":` + quoted + `}]`, "username"},
		{"a name with a space", `[{"username":"x y","password":` + quoted + `}]`, "username"},
		{"a name with NUL", `[{"username":"a\u0000","password":` + quoted + `}]`, "username"},
		{"a name too long", `[{"username":"` + strings.Repeat("a", 65) + `","password":` + quoted + `}]`, "username"},
		{"one name twice", `[{"username":"ada","password":` + quoted + `},{"username":"ADA","password":` + quoted + `}]`, "entry 2: username stands twice"},
		{"no password", `[{"username":"ada"}]`, "password"},
		{"a short password", `[{"username":"ada","password":"Tr0ub4d"}]`, "shorter than 8"},
		{"a long password", `[{"username":"ada","password":"` + strings.Repeat("ab", 513) + `"}]`, "longer than 1024"},
		{"the name as password", `[{"username":"adalovelace","password":"AdaLovelace"}]`, "choose another"},
		{"the commonest password", `[{"username":"ada","password":"Password1"}]`, "choose another"},
		{"MiroTalk's default", `[{"username":"ada","password":"mirotalk"}]`, "choose another"},
		{"one character", `[{"username":"ada","password":"zzzzzzzzzz"}]`, "over and over"},
		{"half a bcrypt hash", `[{"username":"ada","password":"$2a$10$Tr0ub4dor"}]`, "bcrypt"},
		{"half an argon2id hash", `[{"username":"ada","password":"$argon2id$v=19$m=1$Tr0ub4dor"}]`, "argon2id"},
		{"no slug in allowed_rooms", `[{"username":"ada","password":` + quoted + `,"allowed_rooms":["Tr0ub4dor x"]}]`, "allowed_rooms"},
		{"NUL in display_name", `[{"username":"ada","password":` + quoted + `,"display_name":"Tr0ub4dor\u0000"}]`, "display_name"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			list, err := hosts.Parse(row.text)
			if err == nil || list != nil {
				t.Fatalf("taken: %d hosts, %v", len(list), err)
			}
			if !strings.Contains(err.Error(), row.says) {
				t.Errorf("%q does not say %q", err, row.says)
			}
			for _, part := range []string{"Tr0ub4d", "31415926", "adalovelace", "AdaLovelace", "Password1", "zzz", "x y", "aaaa"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%q quotes the setting", err)
				}
			}
		})
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " \n"} {
		if list, err := hosts.Parse(text); list != nil || err != nil {
			t.Errorf("%q: %v, %v", text, list, err)
		}
	}
	list, err := hosts.Parse(`[{"username":"ada@example.org","password":"` + secret + `","display_name":" Ada\n","allowed_rooms":["one","*"]},
		{"username":"bo","password":"` + secret + `","admin":true}]`)
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	if h := list[0]; h.Username != "ada@example.org" || h.Shown() != "Ada" || h.Admin || len(h.Slugs) != 2 || len(h.Caller().Named()) != 1 {
		t.Errorf("%+v", h)
	}
	if h := list[1]; h.Shown() != "bo" || !h.Admin || !h.Caller().Admin || h.Caller().Owner != "bo" || h.Caller().Actor.Name != "bo" {
		t.Errorf("%+v", h)
	}
}

func TestAPasswordMayBePlainOrAHash(t *testing.T) {
	t.Parallel()
	slow, err := hosts.Hash(secret)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(slow, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hashed as %s", slow[:30])
	}
	for name, password := range map[string]string{"plain": secret, "argon2id": slow, "bcrypt": quick(t, secret)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := directory(t, bench(t), host("ada", password))
			for _, try := range []struct {
				name, password string
				good           bool
			}{
				{"ada", secret, true}, {"ADA", secret, true}, {"ada", secret + "x", false}, {"ada", secret[1:], false}, {"ada", "", false},
				{"ada", strings.ToLower(secret), false}, {"ada", password + " ", false}, {"bo", secret, false}, {"", secret, false}, {"ada", "\x00", false},
				{"ada", strings.Repeat("x", 1<<20), false},
			} {
				h, err := d.Check(t.Context(), try.name, try.password)
				if (err == nil) != try.good || try.good && h.Username != "ada" || !try.good && h.Username != "" {
					t.Errorf("%q with %.20q: %+v, %v", try.name, try.password, h, err)
				}
			}
			if password != secret {
				if _, err := d.Check(t.Context(), "ada", password); err == nil {
					t.Error("the hash itself is a password")
				}
			}
		})
	}
}

// quick is a bcrypt hash that costs next to nothing.
func quick(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}
