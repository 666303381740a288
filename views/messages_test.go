package views

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// call is a place in the code where a message is said.
type call struct {
	at string
	// key is the message's, with a * for each part that is only known when the program runs.
	key *regexp.Regexp
	// params are the names it gives; nil where they come from elsewhere.
	params []string
}

// speakers are the functions that say a message, by the place of its key among their arguments.
var speakers = map[string]int{"t": 1, "say": 0, "Says": 0, "quiet": 0, "nth": 1}

// calls finds every call that says a message, in the Go files below these folders.
func calls(t *testing.T, folders ...string) (found []call) {
	t.Helper()
	inspect(t, func(set *token.FileSet, n ast.Node) {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		name := ""
		switch f := c.Fun.(type) {
		case *ast.Ident:
			name = f.Name
		case *ast.SelectorExpr:
			if p, ok := f.X.(*ast.Ident); ok && p.Name == "views" {
				name = f.Sel.Name
			}
		}
		place, ok := speakers[name]
		if !ok || len(c.Args) <= place {
			return
		}
		key := pattern(c.Args[place])
		if key == ".*" {
			return // one speaker handing on to another
		}
		said := call{at: set.Position(c.Pos()).String(), key: regexp.MustCompile("^" + key + "$")}
		if c.Ellipsis == token.NoPos && name != "nth" {
			said.params = []string{}
			for i := place + 1; i < len(c.Args); i += 2 {
				said.params = append(said.params, pattern(c.Args[i]))
			}
		}
		found = append(found, said)
	}, folders...)
	return found
}

// pattern is a regular expression for the texts that an expression can be.
func pattern(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return regexp.QuoteMeta(text)
	case *ast.BinaryExpr:
		return pattern(e.X) + pattern(e.Y)
	}
	return ".*"
}

// inspect visits the Go code below the folders, except for tests.
func inspect(t *testing.T, visit func(*token.FileSet, ast.Node), folders ...string) {
	t.Helper()
	set := token.NewFileSet()
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, path, nil, 0)
			if err == nil {
				ast.Inspect(file, func(n ast.Node) bool { visit(set, n); return true })
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The keys that are found by other ways than a call: see the tests below, and tongue.page, tongue.name and tongue.forHosts.
var found = regexp.MustCompile(`^(invalid: .*|invalid|language\.name|language\.dir|language\.readers)$`)

func TestEveryMessageSaidIsThereWithItsParameters(t *testing.T) {
	t.Parallel()
	all := calls(t, ".", "../handlers")
	if len(all) < 200 {
		t.Fatalf("only %d calls were found: the test looks in the wrong place", len(all))
	}
	for _, c := range all {
		known, wanted := false, map[string]bool{}
		for key, m := range tongues()[0].messages {
			if !c.key.MatchString(key) {
				continue
			}
			known = true
			for name := range m.params() {
				wanted[name] = true
				if c.params != nil && !slices.Contains(c.params, name) {
					t.Errorf("%s: %s needs {%s}", c.at, key, name)
				}
			}
			if len(m) > 1 {
				wanted["n"] = true
				if c.params != nil && !slices.Contains(c.params, "n") {
					t.Errorf("%s: %s needs n", c.at, key)
				}
			}
		}
		if !known {
			t.Errorf("%s: there is no message %s", c.at, c.key)
		}
		for _, name := range c.params {
			// Between several messages, what one needs another may leave out.
			if !wanted[name] {
				t.Errorf("%s: %s has no place for %q", c.at, c.key, name)
			}
		}
	}
}

func TestEveryMessageIsSaid(t *testing.T) {
	t.Parallel()
	all := calls(t, ".", "../handlers")
	script, err := os.ReadFile("../static/app.js")
	if err != nil {
		t.Fatal(err)
	}
	for key := range tongues()[0].messages {
		if !found.MatchString(key) && !strings.Contains(string(script), "'"+key+"'") && !slices.ContainsFunc(all, func(c call) bool { return c.key.MatchString(key) }) {
			t.Errorf("nobody says %s", key)
		}
	}
}

func TestTheScriptSaysWhatThePageBringsIt(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile("../static/app.js")
	if err != nil {
		t.Fatal(err)
	}
	words := "\n" + tongues()[0].script
	said := map[string]bool{}
	for _, m := range regexp.MustCompile(`'((?:time|script)\.[a-z-]+)'`).FindAllStringSubmatch(string(code), -1) {
		said[m[1]] = true
		if !strings.Contains(words, "\n"+m[1]+"=") {
			t.Errorf("the script says %s, which no page brings", m[1])
		}
	}
	for key := range tongues()[0].messages {
		if strings.HasPrefix(key, "script.") && !said[key] {
			t.Errorf("the script never says %s", key)
		}
	}
	// Words between quotes would be a language of the script's own.
	if m := regexp.MustCompile(`['"\x60][A-Z][a-z]+ [a-z]+`).FindString(string(code)); m != "" {
		t.Errorf("the script has words of its own: %s", m)
	}
}

func TestEveryRefusedInputIsSaidInWordsOfThePage(t *testing.T) {
	t.Parallel()
	// What forms of ours cannot send, and what only programs are told.
	never := []string{"is no column of a guest list, which are name, email, role, expires_in, expires_at, not_before, max_uses, pin, external_id and locale", "give expires_in or expires_at, not both", "is not a mail address", `is "short" or "jwt"`, "is 64 to 2048 pixels", "is not a language tag such as en or zh-Hans",
		`is "newest", "oldest" or "name"`, "is none of ours", "is none of a list in this order", // an address that was tampered with
		"is no query", "is wished more than once", "is true or false", `is written like "01:30:00", or "unlimited"`, "is no wish that a back end knows",
		"is 16 to 128 characters, the same for a retry and another for another person",
		"is none of this account's, or is too old: begin again", "is yourself: turn your own off with your password"}
	details := map[string]bool{}
	inspect(t, func(_ *token.FileSet, n ast.Node) {
		c, ok := n.(*ast.CompositeLit)
		if !ok || !named(c.Type, "Invalid") || len(c.Elts) != 2 {
			return
		}
		e := c.Elts[1]
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		if lit, ok := e.(*ast.BasicLit); ok {
			text, _ := strconv.Unquote(lit.Value)
			details[text] = true
		}
	}, "../rooms", "../tokens")
	if len(details) < 10 {
		t.Fatalf("only %d details were found: the test looks in the wrong place", len(details))
	}
	for text := range details {
		if _, known := tongues()[0].messages["invalid: "+text]; !known && !slices.Contains(never, text) {
			t.Errorf("no page has words for %q", text)
		}
	}
	for key := range tongues()[0].messages {
		if text, ok := strings.CutPrefix(key, "invalid: "); ok && !details[text] {
			t.Errorf("no rule says %q", text)
		}
	}
	if got := say2(t.Context(), Invalid("is new").key, Invalid("is new").params...); got != "This is new." {
		t.Errorf("a new detail: %q", got)
	}
}

func named(e ast.Expr, name string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == name
	case *ast.SelectorExpr:
		return e.Sel.Name == name
	}
	return false
}

func TestEveryEventOfAnInvitationHasWords(t *testing.T) {
	t.Parallel()
	kinds := 0
	inspect(t, func(_ *token.FileSet, n ast.Node) {
		lit, ok := n.(*ast.BasicLit)
		if !ok || !strings.HasPrefix(lit.Value, `"invitation.`) {
			return
		}
		kinds++
		kind, _ := strconv.Unquote(lit.Value)
		if _, known := tongues()[0].messages["event."+kind]; !known {
			t.Errorf("no words for %s", kind)
		}
	}, "../rooms/audit")
	if kinds < 5 {
		t.Errorf("only %d kinds were found: the test looks in the wrong place", kinds)
	}
}
