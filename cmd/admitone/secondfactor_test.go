package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// needsPackage ends a test whose npm package is not there.
func needsPackage(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("testdata", "npm", "node_modules", name, "package.json")); err != nil {
		lacking(t, name+" is not installed (npm ci in cmd/admitone/testdata/npm)")
	}
}

// secure gives the host a second factor.
func (s *server) secure(t *testing.T) {
	t.Helper()
	asked := s.call(t, 200, "POST", "/users/me/two-factor/request", members{"current_password": hostPassword})
	code, err := totp.GenerateCode(asked.Get("otp_request", "secret"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.call(t, 200, "POST", "/users/me/two-factor/confirm-request", members{"request_token": asked.Get("otp_request", "request_token"), "otp_token": code})
}

// TestTheREADMEsHandlerSignsInWithCodesOfOtpauth: the script that the README
// shows tells the refusals apart, and codes of the npm library otpauth are good.
func TestTheREADMEsHandlerSignsInWithCodesOfOtpauth(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	node, err := exec.LookPath("node")
	if err != nil {
		lacking(t, "node is not installed")
	}
	needsPackage(t, "otpauth")
	out, err := exec.CommandContext(t.Context(), node, "testdata/npm/otp.mjs", s.URL, hostName, hostPassword, "../../README.md").CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s\n%s", err, out, s.Log())
	}
	var said []any
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("the script printed %s", out)
	}
	want := []any{"AdmitOne host@localhost SHA1 6 30 true", "200 10", "asked for a code", 200.0, "Wrong name or password.",
		"The code is wrong, or was used before.", 200.0, 200.0, "new"}
	if !slices.Equal(said, want) {
		t.Errorf("the script said %q, want %q", said, want)
	}
}

// run runs the program's own command line on the server's data, beside it.
func (s *server) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	cmd.Dir, cmd.Env = s.Dir, s.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestTheCommandLineResetsASecondFactor beside a running server.
func TestTheCommandLineResetsASecondFactor(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.secure(t)
	run := func(args ...string) (string, error) {
		return s.run(t, append([]string{"hosts", "reset-two-factor"}, args...)...)
	}
	signIn := members{"username": hostName, "password": hostPassword}
	if a, err := s.try("", "POST", "/users/token", signIn); err != nil || a.Get("code") != "missing_two_factor" || a.Header.Get("X-AdmitOne-OTP") != "required; app" {
		t.Fatalf("before: %v, %v", a, err)
	}
	for _, wrong := range [][]string{{}, {"nobody"}, {hostName, "more"}} {
		if out, err := run(wrong...); err == nil {
			t.Errorf("%q: %s", wrong, out)
		}
	}
	if out, err := run(strings.ToUpper(hostName)); err != nil || !strings.Contains(out, "The second factor of host is gone") {
		t.Fatalf("%v: %s", err, out)
	}
	if a, err := s.try("", "POST", "/users/token", signIn); err != nil || a.Status != 200 {
		t.Errorf("after: %v, %v", a, err)
	}
	if out, err := run(hostName); err == nil || !strings.Contains(out, "has no second factor") {
		t.Errorf("again: %v: %s", err, out)
	}
	for deadline := time.Now().Add(5 * time.Second); ; {
		a, err := s.try(s.token(t), "GET", "/rooms", nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status == 401 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("what was signed in goes on: %v", a)
		}
	}
}
