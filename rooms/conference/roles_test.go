package conference

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// moderates are, for each way of each kind that knows roles, how its back end is
// made and how its server tells from a join link whether who follows it is a
// moderator.
func moderates() map[string]func(testing.TB) (b *Backends, moderator func(link string) bool) {
	return map[string]func(testing.TB) (*Backends, func(string) bool){
		"mirotalk": func(t testing.TB) (*Backends, func(string) bool) {
			return miroTalkAt(t, "https://talk.example"), func(link string) bool {
				return miroTalkAccount(t, link)["presenter"] != "false"
			}
		},
		"jitsi": func(t testing.TB) (*Backends, func(string) bool) {
			return jitsiAt(t, `"secret":"`+jitsiSecret+`"`), func(link string) bool {
				return follow(t, link).Query().Has("jwt")
			}
		},
		"jitsi with roles": func(t testing.TB) (*Backends, func(string) bool) {
			return jitsiAt(t, `"secret":"`+jitsiSecret+`","roles":true`), func(link string) bool {
				user := jitsiUser(t, payload(t, follow(t, link).Query().Get("jwt")))
				return user["affiliation"] != "member" || user["moderator"] != "false"
			}
		},
		"galene with a key": func(t testing.TB) (*Backends, func(string) bool) {
			return galeneAt(t, "https://galene.example", `"key":`+octetKey), func(link string) bool {
				permissions, _ := payload(t, follow(t, link).Query().Get("token"))["permissions"].([]any)
				return galeneModerator(t, permissions)
			}
		},
		"galene with an admin": func(t testing.TB) (*Backends, func(string) bool) {
			s := newGaleneServer(t)
			return galeneAt(t, s.URL, `"admin_token":"`+galeneAdminToken+`"`), func(link string) bool {
				permissions, _ := s.stored(t, follow(t, link).Query().Get("token"))["permissions"].([]any)
				return galeneModerator(t, permissions)
			}
		},
		"livekit": func(t testing.TB) (*Backends, func(string) bool) {
			return liveKitAt(t, newLiveKitServer(t)), func(link string) bool {
				video, _ := payload(t, follow(t, link).Query().Get("token"))["video"].(map[string]any)
				return video["roomAdmin"] != false || video["roomCreate"] != nil || video["roomList"] != nil || video["roomRecord"] != nil
			}
		},
		"bigbluebutton": func(t testing.TB) (*Backends, func(string) bool) {
			s := newBBBServer(t)
			return bbbAt(t, s), func(link string) bool {
				q, ok := s.enter(link)
				return !ok || len(q["role"]) != 1 || q.Get("role") != "VIEWER"
			}
		},
	}
}

// galeneModerator tells whether among the permissions is one that ordinary people
// do not have.
func galeneModerator(t testing.TB, permissions []any) bool {
	t.Helper()
	if !slices.Contains(permissions, any("present")) {
		t.Errorf("permissions %v let nobody be seen", permissions)
	}
	return slices.ContainsFunc(permissions, func(p any) bool { return p != "present" && p != "message" })
}

func TestOnlyAHostsLinkMakesAModerator(t *testing.T) {
	t.Parallel()
	for kind, made := range moderates() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b, moderator := made(t)
			for role, want := range map[string]bool{"guest": false, "host": true} {
				// A name that is a host's word, and a moderator's, changes nothing.
				for _, name := range []string{"Ada", "", "host", `","presenter":"true`, "x&moderator=true&role=MODERATOR&jwt=1&token=1#op"} {
					v := visit(name)
					v.Role = role
					link, err := b.JoinLink(t.Context(), v)
					if err != nil {
						t.Fatal(err)
					}
					if got := moderator(link); got != want {
						t.Errorf("a %s called %q is a moderator: %v", role, name, got)
					}
				}
			}
			for _, role := range []string{"", "HOST", "host ", "moderator"} {
				v := visit("Ada")
				v.Role = role
				link, err := b.JoinLink(t.Context(), v)
				if err != nil {
					t.Fatal(err)
				}
				if moderator(link) {
					t.Errorf("the unknown role %q makes a moderator", role)
				}
			}
		})
	}
}

// follow is a join link as the browser takes it.
func follow(t testing.TB, link string) *url.URL {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatalf("%q is no link: %v", link, err)
	}
	return u
}

// payload are the claims of a JWT, whoever signed it.
func payload(t testing.TB, token string) (claims map[string]any) {
	t.Helper()
	return part(t, token, 1)
}

// part is the first or second part of a JWT.
func part(t testing.TB, token string, i int) (members map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	return members
}
