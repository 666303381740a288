package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// layers is the table of the house, bottom first. A package may import packages of earlier lines
// only, so those of one line are strangers to each other.
var layers = [][]string{
	{"rooms/audit"},
	{"rooms", "tokens/keys", "static"},
	{"rooms/hosts", "rooms/conference", "rooms/outbox"},
	{"rooms/webhooks"},
	{"tokens", "tokens/oauth"},
	{"tokens/mail"},
	{"views", "data"},
	{"data/datatest", "handlers/session"},
	{"handlers/api", "handlers/dashboard", "handlers/join", "handlers/oauth"},
	{"handlers"},
	{"cmd/admitone"},
}

// knownTo narrows the table: handlers ask their own interfaces and never see who answers, and the
// test databases are for tests.
var knownTo = map[string][]string{
	"data":          {"data/datatest", "cmd/admitone"},
	"data/datatest": {},
}

// topLevel is every folder of the repository, but for hidden ones and bin, which git ignores.
var topLevel = []string{"cmd", "data", "handlers", "rooms", "static", "tokens", "views"}

// emptyNames say nothing about what a package is for.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "models", "manager", "managers", "service", "services"}

const module = "admitone"

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()
	for _, v := range layerViolations(t, os.DirFS("../..")) {
		t.Error(v)
	}
}

// layerViolations reads the imports of every Go file, whatever its build tags, so that it also
// judges a tree that does not compile.
func layerViolations(t *testing.T, tree fs.FS) (found []string) {
	t.Helper()
	packages := map[string]bool{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if hidden(name) {
				return fs.SkipDir
			}
			if name != "." && !strings.Contains(name, "/") && !slices.Contains(topLevel, name) {
				found = append(found, name+": a new folder at the top level; the house has its rooms")
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		if dir := path.Dir(name); !packages[dir] {
			packages[dir] = true
			found = append(found, misplaced(dir)...)
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if v := judge(name, imported); v != "" {
				found = append(found, v)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// hidden folders hold no package of ours; go itself skips most of them too.
func hidden(dir string) bool {
	base := path.Base(dir)
	return dir != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
		base == "testdata" || base == "node_modules" || dir == "bin")
}

func misplaced(dir string) (found []string) {
	if line(dir) < 0 {
		found = append(found, dir+": an unknown package; give it a line in the table")
	}
	if slices.Contains(emptyNames, path.Base(dir)) {
		found = append(found, dir+": the name says nothing; call it what it is for")
	}
	return found
}

func line(pkg string) int {
	return slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, pkg) })
}

// judge says what is wrong with file importing a package, or nothing.
func judge(file, imported string) string {
	to, ours := strings.CutPrefix(imported, module+"/")
	from := path.Dir(file)
	if !ours || line(from) < 0 {
		return ""
	}
	if strings.HasSuffix(file, "_test.go") && testMayImport(from, to) {
		return ""
	}
	if line(to) < 0 {
		return fmt.Sprintf("%s imports %s, an unknown package; give it a line in the table", file, to)
	}
	if line(to) >= line(from) {
		return fmt.Sprintf("%s imports %s, which is not below it", file, to)
	}
	if who, narrowed := knownTo[to]; narrowed && !slices.Contains(who, from) {
		return fmt.Sprintf("%s imports %s, which it must not know", file, to)
	}
	return ""
}

// testMayImport is what tests may import beyond what their package may: the package itself, the test
// databases, in handlers the data that answers them, and for the two kinds of tokens each other, as none
// may pass for the other's. Tests of the program see everything.
func testMayImport(from, to string) bool {
	switch {
	case from == "cmd/admitone", to == from, to == "data/datatest":
		return true
	case from == "tokens" && to == "tokens/oauth", from == "tokens/oauth" && to == "tokens":
		return true
	case to == "data":
		return from == "handlers" || strings.HasPrefix(from, "handlers/")
	}
	return false
}

func TestLayerRuleSeesViolations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file, imports string
		want                string // part of the only violation; empty for none
	}{
		{"downwards", "tokens/tokens.go", "rooms", ""},
		{"the standard library and others", "rooms/rooms.go", "net/http", ""},
		{"upwards", "rooms/rooms.go", "tokens", "not below it"},
		{"sideways", "handlers/api/api.go", "handlers/join", "not below it"},
		{"sideways into a parent", "tokens/oauth/oauth.go", "tokens", "not below it"},
		{"strangers", "views/views.go", "data", "not below it"},
		{"handlers into data", "handlers/api/api.go", "data", "must not know"},
		{"the program into data", "cmd/admitone/main.go", "data", ""},
		{"test databases in the program", "cmd/admitone/main.go", "data/datatest", "must not know"},
		{"test databases in a test", "rooms/rooms_test.go", "data/datatest", ""},
		{"a test's own package", "rooms/rooms_test.go", "rooms", ""},
		{"a test of a handler into data", "handlers/join/join_test.go", "data", ""},
		{"a test upwards", "rooms/rooms_test.go", "handlers", "not below it"},
		{"a test of tokens into data", "tokens/tokens_test.go", "data", "not below it"},
		{"a test of tokens into its sister", "tokens/x_test.go", "tokens/oauth", ""},
		{"a test of tokens into keys' users", "tokens/x_test.go", "handlers/api", "not below it"},
		{"a test of the program", "cmd/admitone/main_test.go", "handlers/join", ""},
		{"an unknown package", "rooms/lobby/lobby.go", "rooms", "give it a line"},
		{"an import of an unknown package", "tokens/tokens.go", "rooms/lobby", "give it a line"},
		{"a build tag hides nothing", "rooms/rooms_windows.go", "data", "not below it"},
		{"fixtures", "cmd/admitone/testdata/x/x.go", "handlers", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			imports := tt.imports
			if line(imports) >= 0 || imports == "rooms/lobby" {
				imports = module + "/" + imports
			}
			tree := fstest.MapFS{tt.file: {Data: []byte("package x\n\nimport _ \"" + imports + "\"\n")}}
			got := layerViolations(t, tree)
			if tt.want == "" && len(got) > 0 {
				t.Errorf("found %q, want nothing", got)
			}
			if tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)) {
				t.Errorf("found %q, want one with %q", got, tt.want)
			}
		})
	}
}

func TestLayerRuleSeesMisplacedFolders(t *testing.T) {
	t.Parallel()
	tests := []struct{ file, want string }{
		{"pkg/README.md", "top level"},
		{"rooms/util/util.go", "says nothing"},
		{".github/x.go", ""},
		{"data/migrations/001.sql", ""},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(layerViolations(t, fstest.MapFS{tt.file: {Data: []byte("package x\n")}}), "\n")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}
