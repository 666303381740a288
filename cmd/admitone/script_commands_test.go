package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// script is what one script's commands share.
type script struct {
	t       testing.TB
	dir     string
	browser *http.Client
	server  *server // nil while none runs
}

type scriptKey struct{}

func scripted(run func(*script, *testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command knows no !")
		}
		run(ts.Value(scriptKey{}).(*script), ts, args)
	}
}

func (*script) need(ts *testscript.TestScript, ok bool, usage string) {
	if !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

// settings are the script's variables that are settings of the program.
func (*script) settings(ts *testscript.TestScript) (env []string) {
	for _, s := range fields() {
		for _, name := range []string{s.name, s.name + "_FILE"} {
			if value := ts.Getenv(name); value != "" {
				env = append(env, name+"="+value)
			}
		}
	}
	return env
}

// run runs the program to its end, which comes soon also where it should have refused to serve.
func (sc *script) run(ts *testscript.TestScript, env []string, args ...string) (stdout, stderr string, status int) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(sc.t), args...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), env
	if in, err := os.Open(sc.path("stdin")); err == nil {
		defer func() { _ = in.Close() }()
		cmd.Stdin = in
	}
	var out, log output
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		ts.Fatalf("%v", err)
	}
	_ = cmd.Wait() // the status tells
	return out.String(), log.String(), cmd.ProcessState.ExitCode()
}

// admitone runs the program; a file named stdin is its input.
func (sc *script) admitone(ts *testscript.TestScript, args []string) {
	sc.status(ts, append([]string{"0"}, args...))
}

func (sc *script) status(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) > 0, "status N ARG…")
	out, log, status := sc.run(ts, sc.settings(ts), args[1:]...)
	fmt.Fprint(ts.Stdout(), out)
	fmt.Fprint(ts.Stderr(), log)
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("admitone %q: exit status %d, want %s\n%s%s", args[1:], status, args[0], out, log)
	}
}

func (sc *script) serve(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) == 0 && sc.server == nil, "serve, where nothing is being served")
	sc.server = &server{t: sc.t, Dir: sc.dir, URL: ts.Getenv("URL"), env: sc.settings(ts), client: newClient()}
	sc.t.Cleanup(sc.server.bury)
	sc.server.start()
	sc.show(ts)
}

func (sc *script) halt(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) == 0 && sc.server != nil, "halt, after serve")
	sc.server.Stop()
	sc.show(ts)
	sc.server = nil
}

func (sc *script) crash(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) == 0 && sc.server != nil, "crash, after serve")
	sc.server.Kill()
	sc.show(ts)
	sc.server = nil
}

func (sc *script) show(ts *testscript.TestScript) {
	ts.Check(os.WriteFile(sc.path("serve.out"), []byte(sc.server.Said()), 0o600))
	ts.Check(os.WriteFile(sc.path("serve.err"), []byte(sc.server.Log()), 0o600))
}

func (sc *script) http(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) >= 3, "http STATUS METHOD URL [-H HEADER] [-d BODY] [-for TIME]")
	want, method, url, body, wait := args[0], args[1], args[2], "", time.Duration(0)
	header := http.Header{}
	for rest := args[3:]; len(rest) > 0; rest = rest[2:] {
		sc.need(ts, len(rest) > 1, "every option has a value")
		switch rest[0] {
		case "-H":
			name, value, _ := strings.Cut(rest[1], ": ")
			header.Set(name, value)
		case "-d":
			body = rest[1]
		case "-for":
			var err error
			wait, err = time.ParseDuration(rest[1])
			ts.Check(err)
		default:
			ts.Fatalf("http knows no %s", rest[0])
		}
	}
	if body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(body, "{") {
			header.Set("Content-Type", "application/json")
		}
	}
	for until := time.Now().Add(wait); ; {
		a := sc.ask(ts, method, url, body, header)
		if strconv.Itoa(a.Status) != want && time.Now().Before(until) {
			continue
		}
		var header strings.Builder
		ts.Check(a.Header.Write(&header))
		fmt.Fprintf(ts.Stdout(), "%d\n%s\n%s\n", a.Status, strings.ReplaceAll(header.String(), "\r\n", "\n"), a.Body)
		if strconv.Itoa(a.Status) != want {
			ts.Fatalf("%s %s: got %v, want %s", method, url, a, want)
		}
		return
	}
}

func (sc *script) ask(ts *testscript.TestScript, method, url, body string, header http.Header) answer {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	ts.Check(err)
	r.Header = header.Clone()
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	a, err := (&server{client: sc.browser}).send(r)
	ts.Check(err)
	return a
}

func (sc *script) find(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) == 3, "find NAME REGEXP FILE")
	m := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile(args[2]))
	if m == nil {
		ts.Fatalf("nothing in %s matches %s:\n%s", args[2], args[1], ts.ReadFile(args[2]))
	}
	ts.Setenv(args[0], m[1])
}

// bad starts the program with a bad setting: it ends with status 1 and one line
// that names the setting and never holds its value, said directly or by a file;
// and so it does where both are set. The password in a value that holds one is
// tigerlily.
func (sc *script) bad(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) >= 2, "bad NAME VALUE [X=Y…]")
	name, value := args[0], args[1]
	file := sc.path("bad-setting")
	ts.Check(os.WriteFile(file, []byte(value+"\n"), 0o600))
	direct, byFile := name+"="+value, name+"_FILE="+file
	ways := map[string][]string{"directly": {direct}, "by a file": {byFile}, "twice": {direct, byFile}}
	if name == "TLS_KEY" {
		delete(ways, "by a file") // it is itself the name of a file
		delete(ways, "twice")
	}
	for way, env := range ways {
		out, log, status := sc.run(ts, append(append(sc.settings(ts), args[2:]...), env...))
		said := strings.TrimSuffix(log, "\n")
		switch {
		case status != refused || out != "":
			ts.Fatalf("%s, said %s: exit status %d, want 1 with no output\n%s%s", name, way, status, out, log)
		case !strings.Contains(said, name) || strings.Contains(said, "\n"):
			ts.Fatalf("%s, said %s: want one line that names it, got\n%s", name, way, log)
		case strings.Contains(said, value), strings.Contains(value, "tigerlily") && strings.Contains(said, "tigerlily"):
			ts.Fatalf("%s, said %s: its value is printed:\n%s", name, way, log)
		}
	}
}
