package conference

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"admitone/rooms"
)

// clock is where settled's clock stands.
func clock() time.Time { return time.Unix(1_800_000_000, 0) }

// configured is one back end called conf with these members.
func configured(t testing.TB, m map[string]string) *Backends {
	t.Helper()
	b, err := Parse(setting(t, m))
	if err != nil {
		t.Fatal(err)
	}
	return settled(b)
}

func setting(t testing.TB, m map[string]string) string {
	t.Helper()
	m = maps.Clone(m)
	m["name"] = "conf"
	text, err := json.Marshal([]map[string]string{m})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// asking are the kinds whose server is asked, each with members for the server
// at that address.
func asking(address string) map[string]map[string]string {
	return map[string]map[string]string{
		"livekit": {"kind": "livekit", "url": "ws" + strings.TrimPrefix(address, "http"), "key": liveKitKey, "secret": liveKitSecret,
			"join_url": liveKitPage},
		"bigbluebutton": {"kind": "bigbluebutton", "url": address, "secret": bbbSecret},
	}
}

func TestAServerThatDoesNotDoItsPartIsUnreachable(t *testing.T) {
	t.Parallel()
	said := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}
	}
	for fault, answer := range map[string]http.HandlerFunc{
		"an error of its own":   said(http.StatusInternalServerError, "sql: …"),
		"a gateway's error":     said(http.StatusBadGateway, "<html>"),
		"elsewhere":             said(http.StatusFound, ""),
		"a web page":            said(http.StatusOK, "<!doctype html><title>Welcome</title>"),
		"a page not found":      said(http.StatusNotFound, "<html>"),
		"another service":       said(http.StatusNotFound, `{"code":"bad_route","msg":"no handler"}`),
		"nothing":               said(http.StatusOK, ""),
		"a list":                said(http.StatusOK, "[]"),
		"JSON cut short":        said(http.StatusOK, `{"name":"`),
		"XML cut short":         said(http.StatusOK, "<response><returncode>SUCCESS</returncode><meetingID>"),
		"XML without a verdict": said(http.StatusOK, "<response></response>"),
		"XML with an odd one":   said(http.StatusOK, "<response><returncode>MAYBE</returncode></response>"),
		"a failure with markup": said(http.StatusOK, "<response><returncode>FAILED</returncode><messageKey>tiger lily</messageKey></response>"),
		"a number as time":      said(http.StatusOK, "<response><returncode>SUCCESS</returncode><createTime>soon</createTime></response>"),
		"an endless answer":     said(http.StatusOK, `{"name":"`+strings.Repeat("a", 2<<20)),
		"another protocol": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte("SSH-2.0-tigerlily\r\n"))
				_ = conn.Close()
			}
		},
	} {
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		for kind, m := range asking(server.URL) {
			t.Run(kind+" answers with "+fault, func(t *testing.T) {
				t.Parallel()
				everyQuestionFails(t.Context(), t, configured(t, m))
			})
		}
	}
}

func TestAServerThatNeverAnswersIsUnreachable(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	for kind, m := range asking(server.URL) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			everyQuestionFails(ctx, t, configured(t, m))
		})
	}
}

func TestAServerThatIsNotThereIsUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	for kind, m := range asking(server.URL) {
		t.Run(kind, func(t *testing.T) { t.Parallel(); everyQuestionFails(t.Context(), t, configured(t, m)) })
	}
}

// everyQuestionFails fails the test for each question whose answer is not
// ErrUnreachable on one line, without a secret and what the server said.
func everyQuestionFails(ctx context.Context, t *testing.T, b *Backends) {
	t.Helper()
	v := visit("Ada")
	errs := map[string]error{}
	var link string
	link, errs["join"] = b.JoinLink(ctx, v)
	if link != "" {
		t.Error("a link is made")
	}
	if can := b.Can(v.Room); can.Removes {
		errs["remove"] = b.Remove(ctx, v)
	}
	errs["end"] = b.End(ctx, v.Room)
	_, errs["inside"] = b.Inside(ctx, v.Room)
	_, errs["check"] = b.Check(ctx, "conf")
	for what, err := range errs {
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", what, err)
			continue
		}
		for _, no := range []string{liveKitKey, liveKitSecret, bbbSecret, "eyJ", "checksum=", "\n", "tiger", "elsewhere", rooms.AdmissionPrefix} { // gitleaks:allow
			if strings.Contains(err.Error(), no) {
				t.Errorf("%s: %q holds %q", what, err, no)
			}
		}
	}
}

func TestBadMembersAreRefusedByName(t *testing.T) {
	t.Parallel()
	good := asking("http://127.0.0.1:7880")
	for kind, m := range good {
		if _, err := Parse(setting(t, m)); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	const wrong = "hunter22"
	for _, row := range []struct{ kind, member, value, says string }{
		{"livekit", "url", "", "url is missing"},
		{"livekit", "url", "https://" + wrong + ".example", "url is an absolute wss URL"},
		{"livekit", "url", "ws://" + wrong + ".example", "url needs wss"},
		{"livekit", "url", "wss://u:" + wrong + "@lk.example", "url has no user"},
		{"livekit", "url", "wss://lk.example?" + wrong, "url has no user, query"},
		{"livekit", "key", "", "key is missing"},
		{"livekit", "key", "API" + wrong + " ", "key has spaces"},
		{"livekit", "secret", "", "secret is missing"},
		{"livekit", "secret", wrong + "\n" + liveKitSecret, "secret has spaces"},
		{"livekit", "join_url", "", "join_url lacks {url}"},
		{"livekit", "join_url", "https://" + wrong + ".example/{url}", "join_url lacks {token}"},
		{"livekit", "join_url", "https://" + wrong + ".example/{token}", "join_url lacks {url}"},
		{"livekit", "join_url", "http://" + wrong + ".example/{url}/{token}", "join_url needs https"},
		{"livekit", "join_url", "https://{token}" + wrong + ".example/{url}", "join_url has its scheme and host written out"},
		{"livekit", "join_url", "javascript:" + wrong + "{url}{token}", "join_url is an absolute"},
		{"livekit", "host", wrong, "the members of its kind are name, kind, url, key, secret, join_url"},
		{"bigbluebutton", "url", "", "url is missing"},
		{"bigbluebutton", "url", "http://" + wrong + ".example/bigbluebutton", "url needs https"},
		{"bigbluebutton", "url", "/" + wrong, "url is an absolute https URL"},
		{"bigbluebutton", "secret", "", "secret is missing"},
		{"bigbluebutton", "secret", wrong + " ", "secret has spaces"},
		{"bigbluebutton", "secret", "жжж" + wrong, "secret has spaces or other characters"},
		{"bigbluebutton", "salt", wrong, "the members of its kind are name, kind, url, secret"},
	} {
		t.Run(row.kind+" "+row.member+" "+row.says, func(t *testing.T) {
			t.Parallel()
			m := maps.Clone(good[row.kind])
			m[row.member] = row.value
			_, err := Parse(setting(t, m))
			if err == nil || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "entry 1 (conf)") {
				t.Fatalf("%v does not say %q", err, row.says)
			}
			if strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q quotes the setting", err)
			}
		})
	}
	short := maps.Clone(good["livekit"])
	short["url"], short["secret"] = "wss://lk.example", "devsecret-"+wrong
	if _, err := Parse(setting(t, short)); err == nil || !strings.Contains(err.Error(), "secret is shorter") {
		t.Errorf("a short secret: %v", err)
	}
	short["url"] = "ws://localhost:7880" // as a server started for trying has
	if _, err := Parse(setting(t, short)); err != nil {
		t.Error(err)
	}
}
