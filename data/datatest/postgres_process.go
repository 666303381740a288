package datatest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// serverBinaries returns the folder that holds initdb and postgres: the newest of Debian's, else
// the one in PATH.
func serverBinaries(t testing.TB) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		t.Fatal(err)
	}
	version := func(path string) float64 { // 9.6 was a version of its own
		v, _ := strconv.ParseFloat(strings.Split(path, "/")[4], 64)
		return v
	}
	slices.SortFunc(found, func(a, b string) int { return int(10 * (version(a) - version(b))) })
	if inPath, err := exec.LookPath("postgres"); err == nil {
		found = append([]string{inPath}, found...)
	}
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	const missing = "the PostgreSQL server is not installed (Debian: apt-get install postgresql)"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// home is the folder of one cluster and whoever owns it. It goes when the test process does, however that
// ends: a shell waits on a pipe that only this process holds open, then stops the server and
// removes the folder. Unlike a parent-death signal this does not hang on the life of one thread,
// and it cleans up.
type home struct {
	dir   string
	owner *syscall.Credential // nil: whoever runs the tests
	guard *exec.Cmd
	pipe  io.Closer
}

const guardScript = `read -r nothing
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
tries=0
until rm -rf "$0" 2>/dev/null || [ $tries -ge 600 ]; do tries=$((tries + 1)); sleep 0.1; done`

func newHome() (*home, error) {
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(reachableTemp(), "admitone-postgres-")
	if err != nil {
		return nil, err
	}
	h := &home{dir: dir, owner: owner}
	if err := h.chown(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	// Not as the owner: the folder may lie where only whoever runs the tests can remove it.
	h.guard = exec.Command("/bin/sh", "-c", guardScript, dir)
	h.guard.Dir = "/"
	h.guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if h.pipe, err = h.guard.StdinPipe(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := h.guard.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return h, nil
}

func (h *home) data() string { return filepath.Join(h.dir, "data") }

func (h *home) remove() error {
	err := h.pipe.Close()
	return errors.Join(err, h.guard.Wait())
}

// write leaves a file that only the server's user can read.
func (h *home) write(name, content string) (path string, err error) {
	path = filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return "", err
	}
	return path, h.chown(path)
}

func (h *home) chown(path string) error {
	if h.owner == nil {
		return nil
	}
	return os.Chown(path, int(h.owner.Uid), int(h.owner.Gid))
}

// command runs as the owner, in a session of its own: an interrupt typed at the terminal is for
// the tests, which still need their server to end in order. It sees none of the PG* variables
// of whoever runs the tests.
func (h *home) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = h.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: h.owner}
	return cmd
}

// unprivileged is who runs the server when root runs the tests: PostgreSQL refuses to run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

// reachableTemp is a folder for temporary files that another user can enter; TMPDIR may lie in
// root's home.
func reachableTemp() string {
	for _, dir := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		if enterable(dir) {
			return dir
		}
	}
	return os.TempDir()
}

func enterable(dir string) bool {
	if os.Geteuid() != 0 {
		return true
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == "/" {
			return true
		}
	}
}

// freePort picks below the range from which systems give out ports by themselves, so that no
// outgoing connection takes it while a test has the server stopped.
func freePort() (int, error) {
	var last error
	for range 100 {
		port := 15000 + rand.IntN(15000)
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port: %w", last)
}

// postmaster is one run of the server; nil is one that never started.
type postmaster struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once the process has ended
}

// startPostmaster returns when the server accepts connections, or with what it said when it ended
// instead.
func startPostmaster(cmd *exec.Cmd) (*postmaster, error) {
	log := &serverLog{ready: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &postmaster{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // it ends by a signal, which is no news
	}()
	select {
	case <-log.ready:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("the PostgreSQL server ended at once:\n%s", log.tail())
	case <-time.After(patience):
		return nil, errors.Join(fmt.Errorf("the PostgreSQL server is not ready after %v:\n%s", patience, log.tail()),
			p.stop(syscall.SIGQUIT))
	}
}

func (p *postmaster) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop ends the server with its whole family of processes; again is no error.
func (p *postmaster) stop(sig os.Signal) error {
	if !p.running() {
		return nil
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("the PostgreSQL server has not stopped after %v", patience), p.cmd.Process.Kill())
	}
}

// logKept is how much of the log an error message shows.
const logKept = 8 << 10

// serverLog keeps the last of what the server says and notices when it is ready.
type serverLog struct {
	mu    sync.Mutex
	text  []byte
	once  sync.Once
	ready chan struct{}
}

func (l *serverLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	if bytes.Contains(l.text, []byte("database system is ready to accept connections")) {
		l.once.Do(func() { close(l.ready) })
	}
	if len(l.text) > 2*logKept {
		l.text = append([]byte(nil), l.text[len(l.text)-logKept:]...)
	}
	return len(b), nil
}

func (l *serverLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
