package conference

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// node runs a script of Node.js that may require the npm packages named. The
// script finds what is asked as the value `asked`, and the value with which it
// calls `answer` is read into what into points to. Without Node or a package the
// test is skipped, and under CI=true it fails.
func node(t testing.TB, script string, asked, into any, packages ...string) {
	t.Helper()
	program, err := exec.LookPath("node")
	if err != nil {
		lacking(t, "Node.js is not installed (Debian: apt-get install nodejs npm)")
	}
	dir := filepath.Join("..", "..", "cmd", "admitone", "testdata", "npm")
	for _, name := range packages {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", filepath.FromSlash(name), "package.json")); err != nil {
			lacking(t, name+" is not installed (npm ci in cmd/admitone/testdata/npm)")
		}
	}
	question, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	const before = `const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answer = (value) => process.stdout.write(JSON.stringify(value));
`
	cmd := exec.CommandContext(t.Context(), program, "-e", before+script)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(question)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, said.Bytes())
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		t.Fatalf("node answers %q: %v", out.Bytes(), err)
	}
}

// lacking ends a test whose tools are not there: skipped by name, but failed under CI=true.
func lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}
