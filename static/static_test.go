package static

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, method, target string, header map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestEveryAssetIsServedForGood(t *testing.T) {
	for name := range sources {
		t.Run(name, func(t *testing.T) {
			url := URL(name)
			if !regexp.MustCompile(`^/static/[a-z0-9.-]+\.[0-9a-f]{16}\.(css|js|svg|png|webmanifest)$`).MatchString(url) {
				t.Fatalf("address %q carries no fingerprint", url)
			}
			plain := get(t, "GET", url, nil)
			body, _ := io.ReadAll(plain.Body)
			for header, want := range map[string]string{
				"Cache-Control":          "public, max-age=31536000, immutable",
				"X-Content-Type-Options": "nosniff",
				"Content-Type":           contentTypes["."+url[strings.LastIndex(url, ".")+1:]],
				"Content-Encoding":       "",
			} {
				if got := plain.Header.Get(header); got != want {
					t.Errorf("%s: got %q, want %q", header, got, want)
				}
			}
			packed := get(t, "GET", url, map[string]string{"Accept-Encoding": "br, gzip;q=0.8"})
			if packed.Header.Get("Content-Encoding") != "gzip" {
				t.Fatal("not compressed for a browser that asks for it")
			}
			r, err := gzip.NewReader(packed.Body)
			if err != nil {
				t.Fatal(err)
			}
			unpacked, _ := io.ReadAll(r)
			if string(unpacked) != string(body) || len(body) == 0 {
				t.Error("the compressed answer differs from the plain one")
			}
			again := get(t, "GET", url, map[string]string{"If-None-Match": plain.Header.Get("ETag")})
			if again.StatusCode != http.StatusNotModified {
				t.Errorf("with its own ETag: %d", again.StatusCode)
			}
		})
	}
}

func TestWhatIsNotBuiltInIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		method, target string
		status         int
	}{
		"unknown name":         {"GET", "/static/other.css", 404},
		"no fingerprint":       {"GET", "/static/app.css", 404},
		"old fingerprint":      {"GET", "/static/app.0000000000000000.css", 404},
		"the source of a part": {"GET", "/static/css/tokens.css", 404},
		"climbing":             {"GET", "/static/../static.go", 404},
		"writing":              {"POST", URL("app.css"), 405},
	} {
		t.Run(name, func(t *testing.T) {
			if got := get(t, tc.method, tc.target, nil); got.StatusCode != tc.status {
				t.Errorf("got %d, want %d", got.StatusCode, tc.status)
			}
		})
	}
}

func TestGzipIsSentOnlyWhereAccepted(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "br": false, "gzip": true, "br, GZIP": true, "gzip;q=0": false, "gzip; q=0.0": false, "gzip;q=0.5": true, "x-gzip": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: got %v", header, got)
		}
	}
}

func TestThePagesStayLight(t *testing.T) {
	for name, limit := range map[string]int{"app.css": 15_000, "app.js": 7_200, "passkeys.js": 1_000, "door.js": 3_050} {
		if got := len(load().byName[name].gzipped); got > limit {
			t.Errorf("%s is %d bytes compressed, more than %d", name, got, limit)
		}
	}
	scripts := join([]string{"app.js", "door.js", "live.js", "passkeys.js"})
	if got := len(compress(scripts)); got > 10_000 {
		t.Errorf("the scripts are %d bytes compressed, more than 10000", got)
	}
}

func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	for _, name := range []string{"app.css", "app.js", "passkeys.js", "door.js", "icon.svg"} {
		text := strings.ReplaceAll(string(load().byName[name].plain), "http://www.w3.org/2000/svg", "")
		for _, bad := range []string{"http://", "https://", "//cdn", "@import", "eval(", "innerHTML", ".submit(", "requestSubmit"} {
			pressed := name == "passkeys.js" && bad == ".submit(" // it sends the form that was pressed
			if strings.Contains(text, bad) && !pressed {
				t.Errorf("%s contains %q", name, bad)
			}
		}
	}
}
