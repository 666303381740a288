package conference

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	miroTalkKey      = "tram 4711 lantern, with ünïcödé Kq7"   // gitleaks:allow
	miroTalkPassword = `pass"word\ with & and 🎟 and </script>` // gitleaks:allow
)

func miroTalkAt(t testing.TB, address string) *Backends {
	t.Helper()
	return configured(t, map[string]string{"kind": "mirotalk", "url": address, "jwt_key": miroTalkKey, "username": "admitone", "password": miroTalkPassword})
}

func miroTalkSFUAt(t testing.TB, address string) *Backends {
	t.Helper()
	b, err := Parse(`[{"name":"conf","kind":"mirotalk","url":"` + address + `","jwt_key":"Kq7-tram-4711-lantern-Zx93-violet","username":"u","password":"p","sfu":true}]`) // gitleaks:allow
	if err != nil {
		t.Fatal(err)
	}
	return settled(b)
}

// The script is how MiroTalk P2P and SFU read a token (isValidToken, decodeToken).
func TestMiroTalksOwnLibrariesTakeOurTokens(t *testing.T) {
	t.Parallel()
	b := miroTalkAt(t, "https://talk.example")
	presenter := map[string]string{"host": "true", "guest": "false"}
	tokens := map[string]string{}
	for role := range presenter {
		v := visit("Ada")
		v.Role = role
		link, err := b.JoinLink(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		tokens[role] = follow(t, link).Query().Get("token")
	}
	got := map[string]struct {
		Header, Token, Account map[string]any
		Late, Other            string
	}{}
	node(t, `
		const jwt = require("jsonwebtoken"), CryptoJS = require("crypto-js");
		const refused = (text, key, at) => { try { jwt.verify(text, key, { clockTimestamp: at }); return "taken"; } catch (e) { return e.message; } };
		const read = (text) => {
			const token = jwt.verify(text, asked.key, { clockTimestamp: asked.now });
			return {
				header: jwt.decode(text, { complete: true }).header, token,
				account: JSON.parse(CryptoJS.AES.decrypt(token.data, asked.key).toString(CryptoJS.enc.Utf8)),
				late: refused(text, asked.key, asked.now + asked.life), other: refused(text, asked.key + "x", asked.now),
			};
		};
		answer(Object.fromEntries(Object.entries(asked.tokens).map(([role, text]) => [role, read(text)])));`,
		map[string]any{"tokens": tokens, "key": miroTalkKey, "now": clock().Unix(), "life": int(linkLife.Seconds())},
		&got, "jsonwebtoken", "crypto-js")
	for role, read := range got {
		if read.Header["alg"] != "HS256" {
			t.Errorf("header %v", read.Header)
		}
		if read.Token["iat"] != float64(clock().Unix()) || read.Token["exp"] != float64(clock().Add(linkLife).Unix()) || len(read.Token) != 3 {
			t.Errorf("claims %v", read.Token)
		}
		if want := map[string]any{"username": "admitone", "password": miroTalkPassword, "presenter": presenter[role]}; !maps.Equal(read.Account, want) {
			t.Errorf("a %s's account is %v", role, read.Account)
		}
		if read.Late != "jwt expired" || read.Other != "invalid signature" {
			t.Errorf("too late: %s; by another key: %s", read.Late, read.Other)
		}
	}
	if len(got) != len(presenter) {
		t.Errorf("read are %v", got)
	}
}

// The script is how MiroTalk P2P makes a token (getToken).
func TestWeReadMiroTalksOwnTokens(t *testing.T) {
	t.Parallel()
	accounts := []map[string]string{
		{"username": "a", "password": "", "presenter": "true"},
		{"username": "sixteen bytes!!!", "password": miroTalkPassword, "presenter": "false"},
		{"username": strings.Repeat("long ", 500), "password": "密码", "presenter": "1"},
	}
	var made []string
	node(t, `
		const jwt = require("jsonwebtoken"), CryptoJS = require("crypto-js");
		answer(asked.accounts.map((payload) =>
			jwt.sign({ data: CryptoJS.AES.encrypt(JSON.stringify(payload), asked.key).toString() }, asked.key, { expiresIn: "1h" })));`,
		map[string]any{"accounts": accounts, "key": miroTalkKey}, &made, "jsonwebtoken", "crypto-js")
	for i, token := range made {
		read, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return []byte(miroTalkKey), nil }, jwt.WithValidMethods([]string{"HS256"}))
		if err != nil {
			t.Fatal(err)
		}
		claims, _ := read.Claims.(jwt.MapClaims)
		data, _ := claims["data"].(string)
		if got := account(t, data, miroTalkKey); !maps.Equal(got, accounts[i]) {
			t.Errorf("%v is read as %v", accounts[i], got)
		}
	}
}

func TestTheSameAccountIsNeverEncryptedTheSame(t *testing.T) {
	t.Parallel()
	first := encrypt([]byte("text"), "key")
	if first == encrypt([]byte("text"), "key") {
		t.Error("twice the same, so without a salt of its own")
	}
}

func TestAMiroTalkLinkHasTheRoomTheNameAndTheWishes(t *testing.T) {
	t.Parallel()
	b := miroTalkAt(t, "https://talk.example/p2p/")
	place := b.settle(visit("")).Place
	for _, row := range []struct {
		name, person, wishes string
		want                 url.Values
	}{
		{"nothing known", "", "", url.Values{}},
		{"a name", "Zoë & #1+1 🎟", "", url.Values{"name": {"Zoë & #1+1 🎟"}}},
		{"wishes", "Ada", "audio=true&video=false&screen=0&chat=1&hide=false&notify=true",
			url.Values{"name": {"Ada"}, "audio": {"true"}, "video": {"false"}, "screen": {"false"}, "chat": {"true"}, "hide": {"false"}, "notify": {"true"}}},
		{"an avatar and a duration", "", "avatar=https%3A%2F%2Fa.example%2Fx.png%3Fa%3Db%26c&duration=00:30:00",
			url.Values{"avatar": {"https://a.example/x.png?a=b&c"}, "duration": {"00:30:00"}}},
		{"no end", "", "duration=unlimited", url.Values{"duration": {"unlimited"}}},
		{"wishes that are none", "", "room=other&name=Eve&token=x&isPresenter=1&roomPassword=x&audio=maybe&duration=1h&avatar=javascript:alert(1)", url.Values{}},
		{"an avatar in the open", "", "avatar=http://a.example/x.png", url.Values{}},
		{"an avatar nowhere", "", "avatar=https:x.png", url.Values{}},
		{"the first of two", "", "audio=true&audio=false", url.Values{"audio": {"true"}}},
		{"broken text", "", "audio=%zz&video=true;&%", url.Values{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			v := visit(row.person)
			v.Wishes = row.wishes
			link, err := b.JoinLink(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			u := follow(t, link)
			q := u.Query()
			token := q.Get("token")
			q.Del("token")
			row.want.Set("room", place)
			if u.Host != "talk.example" || u.Path != "/p2p/join" || u.Fragment != "" || token == "" || q.Encode() != row.want.Encode() {
				t.Errorf("%s", link)
			}
		})
	}
	link, err := miroTalkSFUAt(t, "https://sfu.example").JoinLink(t.Context(), visit("Ada"))
	if u := follow(t, link); err != nil || u.Path != "/join" || u.Query().Get("roomPassword") != "0" || u.Query().Get("name") != "Ada" {
		t.Errorf("SFU: %s, %v", link, err)
	}
}

func TestMiroTalkHoldsGuestsAndItsLinksEndWithTheAdmission(t *testing.T) {
	t.Parallel()
	b := miroTalkAt(t, "https://talk.example")
	v := visit("Ada")
	if can := b.Can(v.Room); !can.Holds || can.Removes || can.Ends || can.Tells {
		t.Errorf("%+v", can)
	}
	for until, want := range map[int64]time.Duration{
		0:                                     linkLife,
		clock().Add(time.Hour).UnixMilli():    linkLife,
		clock().Add(time.Minute).UnixMilli():  time.Minute,
		clock().Add(-time.Minute).UnixMilli(): 0,
	} {
		v.Until = until
		link, err := b.JoinLink(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		exp, _ := payload(t, follow(t, link).Query().Get("token"))["exp"].(float64)
		if int64(exp) != clock().Add(want).Unix() || b.Lasts(v) < want {
			t.Errorf("until %d: lasts %v, ends at %v", until, b.Lasts(v), exp)
		}
	}
}

func FuzzANameAddsNothingToAMiroTalkLink(f *testing.F) {
	for _, seed := range []string{"Ada", "a&token=x", "#", "/../", "\xff", "\x00", "%26token=", "x;y", "+"} {
		f.Add(seed, "audio=true")
		f.Add("Ada", seed)
	}
	b := miroTalkAt(f, "https://talk.example")
	place := b.settle(visit("")).Place
	f.Fuzz(func(t *testing.T, name, wishes string) {
		v := visit(name)
		v.Wishes = wishes
		link, err := b.JoinLink(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		u := follow(t, link)
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil || u.Host != "talk.example" || u.Path != "/join" || u.Fragment != "" || q.Get("room") != place || q.Get("name") != name {
			t.Fatalf("%q, %q: %s", name, wishes, link)
		}
		for member, values := range q {
			if len(values) != 1 || !strings.Contains(" room name token avatar audio video screen chat hide notify duration ", " "+member+" ") {
				t.Errorf("%q, %q: %s is %q", name, wishes, member, values)
			}
		}
	})
}

func TestMiroTalkIsCheckedAtItsDoor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, key, password string
		protected           bool
		says                string
	}{
		{"all is good", miroTalkKey, miroTalkPassword, true, ""},
		{"another key", "other", miroTalkPassword, true, "jwt_key is not"},
		{"another password", miroTalkKey, "other", true, "username and password are none"},
		{"nothing protected", miroTalkKey, miroTalkPassword, false, "neither HOST_USER_AUTH nor"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := miroTalkAt(t, miroTalkServer(t, row.key, row.password, row.protected).URL)
			checks(t, b, row.says)
		})
	}
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/join" {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(old.Close)
	checks(t, miroTalkAt(t, old.URL), "")
}

// checks fails the test unless the check finds this wrong, and nothing if it is
// empty, and says so without a secret.
func checks(t *testing.T, b *Backends, says string) {
	t.Helper()
	checked, err := b.Check(t.Context(), "conf")
	if !checked || says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
		t.Errorf("%v, %v; want %q", checked, err, says)
	}
	if err == nil {
		return
	}
	for _, secret := range []string{miroTalkKey, miroTalkPassword, jitsiSecret, galeneAdminToken, galenePassword, "token=", "jwt="} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q holds %q", err, secret)
		}
	}
}
