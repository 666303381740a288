package main

import (
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A server's one host, unless the test sets HOST_USERS itself.
const (
	hostName     = "host"
	hostPassword = "violet-tram-4711-lantern" // gitleaks:allow
)

// patience bounds every wait for a server, on a machine that is busy with other tests.
const patience = 30 * time.Second

// server is the real binary, serving. What goes wrong ends the test, except
// where a method returns an error. Its calls (calls_test.go) are safe for
// concurrent use; Kill, Stop and Restart are not.
type server struct {
	URL  string // where it is reached, without a slash at its end
	Base string // where it says it is: the same, unless BASE_URL is set
	Dir  string // its folder, with the database in admitone.db

	t      testing.TB
	env    []string
	stdout output
	stderr output
	client *http.Client
	cmd    *exec.Cmd  // nil while it does not run
	ended  chan error // what Wait said

	mu     sync.Mutex
	bearer string
}

// startServer starts the binary on a free port of 127.0.0.1 and returns when it
// is ready. It has a SQLite file in a folder of its own and one admin host,
// unless env (lines of NAME=VALUE, the last one counts) says otherwise; nothing
// of the test's own environment reaches it. It is killed when the test ends,
// which fails if the server panicked or met a data race.
func startServer(t testing.TB, env ...string) *server {
	t.Helper()
	s := &server{t: t, Dir: t.TempDir(), client: newClient()}
	port := freePort(t)
	s.env = append([]string{
		"ADDR=127.0.0.1:" + port,
		"DATABASE_URL=sqlite:" + s.File(),
		`HOST_USERS=[{"username":"` + hostName + `","password":"` + hostPassword + `","admin":true}]`,
	}, env...)
	s.URL = "http://localhost:" + port
	for _, e := range env {
		if strings.HasPrefix(e, "TLS_CERT=") {
			s.URL = "https://localhost:" + port
		}
	}
	t.Cleanup(s.bury)
	s.start()
	return s
}

// File is the SQLite file's path, where the test set no DATABASE_URL.
func (s *server) File() string { return filepath.Join(s.Dir, "admitone.db") }

// Log is what the server wrote to stderr, over all its restarts.
func (s *server) Log() string { return s.stderr.String() }

// Said is what the server wrote to stdout, over all its restarts.
func (s *server) Said() string { return s.stdout.String() }

// Kill ends the server as a crash would (SIGKILL).
func (s *server) Kill() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	if err := <-s.ended; err == nil {
		s.t.Error("the server had ended by itself")
	}
	s.cmd = nil
}

// Stop asks the server to end (SIGTERM), which it does in time and with exit status 0.
func (s *server) Stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatal(err)
	}
	select {
	case err := <-s.ended:
		s.cmd = nil
		if err != nil {
			s.t.Fatalf("the server did not end well: %v\n%s", err, s.Log())
		}
	case <-time.After(patience):
		s.t.Fatalf("the server has not ended %s after SIGTERM\n%s", patience, s.Log())
	}
}

// Restart starts the server again, on the same data and port; one that still
// runs is stopped first.
func (s *server) Restart() {
	s.t.Helper()
	if s.cmd != nil {
		s.Stop()
	}
	s.client.CloseIdleConnections()
	s.start()
}

func (s *server) start() {
	s.t.Helper()
	cmd := exec.Command(binary(s.t))
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.Dir, s.env, &s.stdout, &s.stderr
	said := s.stdout.next("\nAdmitOne is at ")
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.cmd, s.ended = cmd, make(chan error, 1)
	go func(ended chan<- error) { ended <- cmd.Wait() }(s.ended)
	select {
	case s.Base = <-said:
	case err := <-s.ended:
		s.cmd = nil
		s.t.Fatalf("the server ended at its start: %v\n%s", err, s.Log())
	case <-time.After(patience):
		s.t.Fatalf("the server has said nothing for %s\n%s", patience, s.Log())
	}
	// It listens by now, and answers as soon as it serves.
	resp, err := s.client.Get(s.URL + "/readyz")
	if err != nil {
		s.t.Fatalf("ask whether it is ready: %v\n%s", err, s.Log())
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("/readyz answers %s\n%s", resp.Status, s.Log())
	}
}

func (s *server) bury() {
	s.client.CloseIdleConnections()
	s.Kill()
	for _, bad := range []string{"WARNING: DATA RACE", `"msg":"panic"`, "\ngoroutine "} {
		if log := s.Log(); strings.Contains(log, bad) {
			s.t.Errorf("the server's log holds %q:\n%s", bad, log)
		}
	}
}

// newClient has room for many connections, and leaves redirects to the test.
func newClient() *http.Client {
	return &http.Client{
		Timeout: patience,
		Transport: &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// freePort lies below the ports that Linux gives to outgoing connections, so
// that a server finds it free again after a restart.
func freePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("found no free port")
	return ""
}

// output keeps what a process writes, and tells when a line begins in a certain way.
type output struct {
	mu     sync.Mutex
	text   []byte
	from   int // where the search begins
	prefix string
	found  chan string
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	if o.found != nil {
		if _, rest, ok := strings.Cut(string(o.text[o.from:]), o.prefix); ok {
			if line, _, ok := strings.Cut(rest, "\n"); ok {
				o.found <- line
				o.found = nil
			}
		}
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// next gives the rest of the next line that begins with prefix.
func (o *output) next(prefix string) <-chan string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.prefix, o.found = len(o.text), prefix, make(chan string, 1)
	return o.found
}

// built is the program that all tests of this process drive.
var built struct {
	sync.Once
	dir, path string
	err       error
}

// binary builds the program once, under the race detector when the test runs under it.
func binary(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "admitone-test-"); built.err != nil {
			return
		}
		built.path = filepath.Join(built.dir, "admitone")
		args := []string{"build", "-o", built.path}
		if raceDetector() {
			args = append(args, "-race")
		}
		if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
			built.err = err
			t.Logf("go build: %s", out)
		}
	})
	if built.err != nil {
		t.Fatalf("build the program: %v", built.err)
	}
	return built.path
}

// raceDetector tells whether this test was built with -race.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			return true
		}
	}
	return false
}

func TestMain(m *testing.M) {
	if addr := os.Getenv(noopAddr); addr != "" {
		if err := serveNoop(addr); err != nil {
			panic(err)
		}
		return
	}
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}
