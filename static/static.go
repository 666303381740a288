// Package static holds the look and the few scripts of AdmitOne's pages, each under an address that changes with
// its content, so that a browser may keep it for good.
//
// It never reads the disk or another origin, and never answers with anything that was not built into the program.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Prefix is the path below which Handler must be mounted.
const Prefix = "/static/"

//go:embed css/*.css app.js live.js passkeys.js door.js vendor/htmx.min.js vendor/qr.min.js *.svg *.png manifest.webmanifest
var files embed.FS

// sources names what each asset is made of. The style sheet is several files, each one thought, sent as one.
var sources = map[string][]string{
	"app.css":     {"css/tokens.css", "css/base.css", "css/controls.css", "css/parts.css", "css/ticket.css", "css/pages.css", "css/door.css", "css/sheet.css"},
	"app.js":      {"app.js", "live.js"},
	"passkeys.js": {"passkeys.js"},
	"door.js":     {"door.js"},
	"htmx.min.js": {"vendor/htmx.min.js"},
	"qr.min.js":   {"vendor/qr.min.js"},
	"icon.svg":    {"icon.svg"},
	"present.svg": {"present.svg"},

	// What a phone shows where AdmitOne is installed on it.
	"icon-192.png":      {"icon-192.png"},
	"icon-512.png":      {"icon-512.png"},
	"icon-maskable.png": {"icon-maskable.png"},
	"icon-touch.png":    {"icon-touch.png"},
}

// manifest names its icons as in the source; it is served with their addresses.
const manifest = "manifest.webmanifest"

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",

	".webmanifest": "application/manifest+json",
}

type asset struct {
	url, etag, contentType string
	plain, gzipped         []byte
}

// library is every asset, by its name and by its address. It does not change once built.
type library struct {
	byName, byURL map[string]*asset
}

var load = sync.OnceValue(func() library {
	lib := library{byName: map[string]*asset{}, byURL: map[string]*asset{}}
	for name, parts := range sources {
		lib.add(name, join(parts))
	}
	text := join([]string{manifest})
	for name, a := range lib.byName {
		text = bytes.ReplaceAll(text, []byte(`"`+name+`"`), []byte(`"`+a.url+`"`))
	}
	lib.add(manifest, text)
	return lib
})

func (lib library) add(name string, plain []byte) {
	a := build(name, plain)
	lib.byName[name], lib.byURL[a.url] = a, a
}

func join(parts []string) []byte {
	var plain bytes.Buffer
	for _, part := range parts {
		content, err := files.ReadFile(part)
		if err != nil {
			panic("static: " + err.Error()) // a part is missing from the binary: nothing could work
		}
		plain.Write(content)
	}
	return plain.Bytes()
}

func build(name string, plain []byte) *asset {
	sum := sha256.Sum256(plain)
	hash := hex.EncodeToString(sum[:8])
	ext := path.Ext(name)
	return &asset{
		url:         Prefix + strings.TrimSuffix(name, ext) + "." + hash + ext,
		etag:        `"` + hash + `"`,
		contentType: contentTypes[ext],
		plain:       plain,
		gzipped:     compress(plain),
	}
}

func compress(plain []byte) []byte {
	var out bytes.Buffer
	// Neither call can fail: the level is a constant of the package and the writer is memory.
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = w.Write(plain)
	_ = w.Close()
	return out.Bytes()
}

// URL is the address of an asset named as in the source ("app.css"). It panics on a name that does not exist, which
// only a mistake in a template can cause and every page test would show.
func URL(name string) string {
	a, ok := load().byName[name]
	if !ok {
		panic("static: no asset " + name)
	}
	return a.url
}

// Handler serves every asset below Prefix. It MUST be safe for concurrent use. What it does not know, also an address
// of an older version, is 404.
func Handler() http.Handler {
	lib := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		a, ok := lib.byURL[r.URL.Path]
		if !ok {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		a.serve(w, r)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", a.etag)
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("If-None-Match"), a.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", a.contentType)
	body := a.plain
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the reader has gone: nobody is left to tell
	}
}

// acceptsGzip reads only what clients really send; a quality of zero is the one way to refuse.
func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			quality = strings.ReplaceAll(quality, " ", "")
			return strings.Trim(strings.TrimPrefix(quality, "q="), "0.") != "" || quality == ""
		}
	}
	return false
}
