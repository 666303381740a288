package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// pace is one round of requests: how fast they were answered, and what each cost
// the server.
type pace struct {
	perSecond float64
	p50, p99  time.Duration
	cpu       time.Duration
}

// target is a server to be measured.
type target struct {
	addr string
	pid  int
}

// cpu is the processor time that the target has used so far; 0 where there is no /proc.
func (g target) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(b), ") ") // behind the name, which may hold anything
	var ticks int
	if f := strings.Fields(after); len(f) > 12 {
		for _, field := range f[11:13] { // utime, stime: hundredths of a second
			n, _ := strconv.Atoi(field)
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// hammer sends the requests over so many keep-alive connections and returns how
// fast they were answered, all with that status. It spends little on a request:
// the bytes are there already, and of an answer only status and length are read,
// so that the server and not the generator is measured.
func hammer(t testing.TB, server target, connections, status int, requests [][]byte) pace {
	t.Helper()
	want := "HTTP/1.1 " + strconv.Itoa(status)
	took := make([]time.Duration, len(requests))
	conns := make([]net.Conn, connections)
	for i := range conns {
		var err error
		if conns[i], err = net.Dial("tcp", server.addr); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conns[i].Close() }()
	}
	var next atomic.Int64
	var all sync.WaitGroup
	began, used := time.Now(), server.cpu()
	for _, conn := range conns {
		all.Go(func() {
			in := bufio.NewReaderSize(conn, 16<<10)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(requests) {
					return
				}
				sent := time.Now()
				if _, err := conn.Write(requests[i]); err != nil {
					t.Error(err)
					return
				}
				if err := skipAnswer(in, want); err != nil {
					t.Error(err)
					return
				}
				took[i] = time.Since(sent)
			}
		})
	}
	all.Wait()
	whole, used := time.Since(began), server.cpu()-used
	slices.Sort(took)
	return pace{float64(len(requests)) / whole.Seconds(), took[len(took)/2], took[len(took)*99/100], used / time.Duration(len(requests))}
}

// skipAnswer reads one answer, which must begin with want.
func skipAnswer(in *bufio.Reader, want string) error {
	first, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(first, []byte(want)) {
		said := string(first)
		rest, _ := in.Peek(in.Buffered())
		return fmt.Errorf("answered %s%s, want %s", said, rest, want)
	}
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length >= 0 {
		_, err = in.Discard(length)
		return err
	}
	for { // chunked
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if _, err := in.Discard(int(size) + 2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

// post is the bytes of an API call.
func post(path, bearer, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, bearer, len(body), body)
}

// noopAddr in the environment makes the test binary the ceiling that the program
// is measured against: an Echo server that decodes the body of a redemption and
// answers a constant, in a process of its own like the program.
const noopAddr = "ADMITONE_TEST_NOOP"

func serveNoop(addr string) error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.POST("/noop", func(c echo.Context) error {
		var in struct {
			Token string `json:"token"`
			Nonce string `json:"nonce"`
		}
		if err := c.Bind(&in); err != nil || in.Token == "" {
			return echo.ErrBadRequest
		}
		return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
	})
	e.GET("/readyz", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	go func() { // it ends with the test, which holds the other end of its input
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = e.Close()
	}()
	if err := e.Start(addr); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func startNoop(t testing.TB) target {
	t.Helper()
	addr := "127.0.0.1:" + freePort(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "GOCOVERDIR=") }), noopAddr+"="+addr)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	until(t, "the no-op server", func() bool {
		resp, err := http.Get("http://" + addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	})
	return target{addr, cmd.Process.Pid}
}
