package views

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
	"golang.org/x/text/language"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden.html")

func render(t *testing.T, c templ.Component) string { return renderIn(t, language.English, c) }

func renderIn(t *testing.T, tag language.Tag, c templ.Component) string {
	t.Helper()
	var out strings.Builder
	if err := c.Render(WithAddress(WithLanguage(t.Context(), tag), "/here?a=b"), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Fingerprints and the words of app.js are left out of golden pages, so that a change of style or of a word does not
// touch each of them.
var (
	fingerprint = regexp.MustCompile(`\.[0-9a-f]{16}\.(css|js|svg|png|webmanifest)"`)
	words       = regexp.MustCompile(`data-words="[^"]+"`)
)

// goldens are the folders of golden pages, by the language they are in. Other languages need none: that every page
// draws in them, and says everything, is tested without.
var goldens = map[language.Tag]string{language.English: "testdata", language.MustParse("zh-CN"): "testdata/zh-CN"}

func TestPagesAreAsAgreed(t *testing.T) {
	for tag, folder := range goldens {
		for name, c := range samples() {
			t.Run(tag.String()+"/"+name, func(t *testing.T) { agreed(t, filepath.Join(folder, name+".golden.html"), renderIn(t, tag, c)) })
		}
	}
}

func agreed(t *testing.T, golden, page string) {
	t.Helper()
	got := words.ReplaceAllString(fingerprint.ReplaceAllString(page, `.HASH.$1"`), `data-words="…"`)
	got = strings.ReplaceAll(got, "><", ">\n<") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; look at it, and run with -update if it is meant", golden)
	}
}

func TestNoGoldenPageIsLeftOver(t *testing.T) {
	known := samples()
	for _, folder := range goldens {
		files, err := filepath.Glob(folder + "/*.golden.html")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if known[strings.TrimSuffix(filepath.Base(f), ".golden.html")] == nil {
				t.Errorf("%s belongs to no page", f)
			}
		}
	}
}

// walk visits every element of a page with its attributes.
func walk(t *testing.T, page string, visit func(tag string, attr map[string]string, n *html.Node)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		visit(n.Data, attr, n)
	}
}

// toGuests tells whether a page is drawn in the guests' frame.
func toGuests(t *testing.T, c templ.Component) bool {
	t.Helper()
	return strings.Contains(render(t, c), `<main id="main" class="alone"`)
}

// everywhere runs a test on every page in every language of its readers.
func everywhere(t *testing.T, test func(t *testing.T, name string, tag language.Tag, c templ.Component)) {
	for _, spoken := range tongues() {
		tag := spoken.tag
		for name, c := range samples() {
			if !spoken.forHosts() && !toGuests(t, c) {
				continue
			}
			t.Run(tag.String()+"/"+name, func(t *testing.T) { test(t, name, tag, c) })
		}
	}
}

func TestNothingRunsOrLoadsThatIsNotOurs(t *testing.T) {
	everywhere(t, func(t *testing.T, name string, tag language.Tag, c templ.Component) {
		page := renderIn(t, tag, c)
		if strings.Contains(page, "<script>") || strings.Contains(page, "<img src=x") || strings.Contains(page, "<b>\"") {
			t.Error("a name got out as markup")
		}
		if strings.Contains(page, "about:invalid") {
			t.Error("an address of our own was refused as unsafe")
		}
		walk(t, page, func(tag string, attr map[string]string, n *html.Node) {
			for key, value := range attr {
				switch {
				case strings.HasPrefix(key, "on"), key == "style":
					t.Errorf("<%s %s=%q> breaks the content security policy", tag, key, value)
				case key == "src", key == "href", key == "action", key == "hx-post", key == "hx-get":
					drawn := tag == "img" && strings.HasPrefix(value, "data:image/svg+xml;base64,") // it runs and loads nothing
					mails := strings.HasPrefix(value, "mailto:")                                    // in the reader's own program
					leaves := tag == "a" && (mails || name == "consent-unsent")                     // or to an app, by its name
					_, saves := attr["download"]
					saves = saves && tag == "a" && strings.HasPrefix(value, "data:text/csv;") // it opens nothing
					if !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "#") && !drawn && !leaves && !saves {
						t.Errorf("<%s %s=%q> leads elsewhere", tag, key, value)
					}
				}
			}
			if tag == "style" || tag == "script" && n.FirstChild != nil {
				t.Errorf("inline <%s>", tag)
			}
		})
	})
}

func TestEveryPageIsWellFormed(t *testing.T) {
	everywhere(t, func(t *testing.T, name string, spoken language.Tag, c templ.Component) {
		page := renderIn(t, spoken, c)
		if strings.HasPrefix(name, "fragment-") {
			if strings.Contains(page, "<html") {
				t.Error("a fragment is no page")
			}
			return
		}
		count, ids := map[string]int{}, map[string]bool{}
		var refs []string
		walk(t, page, func(tag string, attr map[string]string, n *html.Node) {
			count[tag]++
			if id := attr["id"]; id != "" {
				if ids[id] {
					t.Errorf("id %q twice", id)
				}
				ids[id] = true
			}
			if tag == "html" && (attr["lang"] != spoken.String() || attr["dir"] != "ltr") {
				t.Errorf("speaks %s %s", attr["lang"], attr["dir"])
			}
			for _, key := range []string{"for", "aria-describedby", "aria-labelledby", "list"} {
				refs = append(refs, strings.Fields(attr[key])...)
			}
			for _, key := range []string{"data-copy", "data-share", "hx-target"} {
				if attr[key] != "" {
					refs = append(refs, strings.TrimPrefix(attr[key], "#"))
				}
			}
		})
		for _, tag := range []string{"h1", "main", "title"} {
			if count[tag] != 1 {
				t.Errorf("%d <%s>", count[tag], tag)
			}
		}
		for _, id := range refs {
			if !ids[id] {
				t.Errorf("something points at #%s, which is not there", id)
			}
		}
	})
}

func TestGuestsSeeNoWayToTheDashboard(t *testing.T) {
	for name, c := range samples() {
		if !strings.HasPrefix(name, "join") && !strings.HasPrefix(name, "admitted") && !strings.HasPrefix(name, "refusal") && name != "error-guest" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			page := render(t, c)
			for _, want := range []string{`<meta name="robots" content="noindex">`, `<meta name="referrer" content="no-referrer">`} {
				if !strings.Contains(page, want) {
					t.Errorf("no %s", want)
				}
			}
			walk(t, page, func(tag string, attr map[string]string, _ *html.Node) {
				if tag == "a" && (attr["href"] == "/" || strings.HasPrefix(attr["href"], "/rooms")) {
					t.Errorf("links to %s", attr["href"])
				}
				if tag == "form" && attr["method"] != "post" {
					t.Error("a form that is no POST")
				}
			})
		})
	}
}

func TestStrangersNamesStandIsolated(t *testing.T) {
	everywhere(t, func(t *testing.T, name string, tag language.Tag, c templ.Component) {
		root, err := html.Parse(strings.NewReader(renderIn(t, tag, c)))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type != html.TextNode || !strings.ContainsAny(n.Data, "\u202e\u2066") {
				continue
			}
			if n.Parent.Data != "bdi" {
				t.Errorf("a directional override stands in <%s>: %q", n.Parent.Data, n.Data)
			}
		}
	})
}

func TestIsolate(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "",
		"Standup":              "Standup",
		"李雷":                   "\u2068李雷\u2069",
		"a\u202eb\u2069\u2066": "ab",
	} {
		if got := isolate(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
