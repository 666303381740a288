package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServerKeepsItsDataOverEveryEnd(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	inv := s.mint(t, s.createRoom(t, "Standup"), nil)
	first := s.redeem(t, inv.Token, "nonce-of-one-guest")
	if first.Status != http.StatusOK {
		t.Fatal(first)
	}
	for name, end := range map[string]func(){"SIGKILL": s.Kill, "SIGTERM": s.Stop} {
		end()
		s.Restart()
		again := s.redeem(t, inv.Token, "nonce-of-one-guest")
		if again.Get("admission", "id") != first.Get("admission", "id") || again.Status != http.StatusOK {
			t.Errorf("after %s: %v, want the admission of before: %v", name, again, first)
		}
		if other := s.redeem(t, inv.Token, "nonce-of-another-guest"); other.Status != http.StatusConflict || other.Get("code") != "used" {
			t.Errorf("after %s a second guest: %v", name, other)
		}
	}
}

// A request that is half sent when SIGTERM comes is answered, and what it did is kept.
func TestStopLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	inv := s.mint(t, s.createRoom(t, "Standup"), nil)
	body, err := json.Marshal(members{"token": inv.Token, "nonce": "nonce-of-one-guest"})
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.Replace(strings.TrimPrefix(s.URL, "http://"), "localhost", "127.0.0.1", 1)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The server says "continue" when the handler reads the body: from then on the request is under way.
	fmt.Fprintf(conn, "POST /api/v1/invitations/redeem HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", s.token(t), len(body))
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatal(line, err)
	}
	_, _ = in.ReadString('\n') // the empty line after it

	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(patience)
	for {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break // it takes nobody new
		}
		_ = c.Close()
		if time.Now().After(until) {
			t.Fatal("it still takes new connections after SIGTERM")
		}
	}
	if _, err := conn.Write(body); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatalf("the answer to what was under way: %v", err)
	}
	said, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the answer to what was under way: %s %s %v", resp.Status, said, err)
	}
	s.Stop() // with status 0
	s.Restart()
	if again := s.redeem(t, inv.Token, "nonce-of-one-guest"); again.Get("admission", "id") != (answer{Body: said}).Get("admission", "id") {
		t.Errorf("after the restart: %v, want the admission of %s", again, said)
	}
}
