package main

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// apiKey is API_KEY_SECRET of the servers that set it.
const apiKey = "Vb6tQ9wLz2XhR4kN8mPd0sGy5jCe7uFa" // gitleaks:allow

// runScript runs what MiroTalk's users run, with node, and returns what it printed
// after "call: ".
func runScript(t *testing.T, s *server, key, call, body string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		lacking(t, "node is not installed")
	}
	out, err := exec.CommandContext(t.Context(), node, "testdata/mirotalk.mjs", s.URL+"/api/v1", key, call, body).CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s\n%s", err, out, s.Log())
	}
	said, ok := strings.CutPrefix(strings.TrimSpace(string(out)), call+": ")
	if !ok && !strings.HasPrefix(said, "Error: ") {
		t.Fatalf("the script printed %q", out)
	}
	return said
}

// TestAScriptWrittenForMiroTalkWorksUnchanged: its link admits one person once,
// in the role it asked for, also after a restart.
func TestAScriptWrittenForMiroTalkWorksUnchanged(t *testing.T) {
	t.Parallel()
	s := startServer(t, "API_KEY_SECRET="+apiKey)
	body := func(room, presenter string) string {
		return fmt.Sprintf(`{"room":%q,"name":"mirotalk","audio":true,"video":true,"screen":false,"hide":false,"notify":true,
			"token":{"username":%q,"password":%q,"presenter":%s,"expire":"1h"}}`, room, hostName, hostPassword, presenter)
	}
	for _, tt := range []struct{ name, presenter, role string }{
		{"a presenter", "true", "host"}, {"a presenter in text", `"true"`, "host"}, {"a guest", "false", "guest"},
	} {
		link := runScript(t, s, apiKey, "join", body("test", tt.presenter))
		if !strings.HasPrefix(link, s.Base+"/join/test?token=") || strings.Contains(link, hostPassword) {
			t.Fatalf("%s: the script got %s", tt.name, link)
		}
		one, two := &guestBrowser{s: s}, &guestBrowser{s: s}
		page, nonce := one.Look(t, link)
		if page.Status != http.StatusOK || !strings.Contains(string(page.Body), "mirotalk") {
			t.Fatalf("%s: opening the link: %v", tt.name, page)
		}
		_, late := two.Look(t, link)
		if a := one.Press(t, link, nonce); a.Status != http.StatusSeeOther {
			t.Errorf("%s: %v", tt.name, a)
		}
		if a := two.Press(t, link, late); a.Status != http.StatusConflict {
			t.Errorf("%s: a second person: %v", tt.name, a)
		}
		seen := s.call(t, http.StatusOK, http.MethodPost, "/invitations/inspect", members{"token": link})
		if seen.Get("role") != tt.role || seen.Get("reason") != "used" || seen.Get("name") != "mirotalk" {
			t.Errorf("%s: %v", tt.name, seen)
		}
	}

	meeting := runScript(t, s, apiKey, "meeting", "")
	if page, _ := (&guestBrowser{s: s}).Look(t, meeting); page.Status != http.StatusNotFound {
		t.Errorf("the meeting's address alone: %v", page)
	}
	room := strings.TrimPrefix(meeting, s.Base+"/join/")
	token := runScript(t, s, apiKey, "token", fmt.Sprintf(`{"username":%q,"password":%q,"presenter":true,"expire":"1d","room":%q}`, hostName, hostPassword, room))
	if seen := s.call(t, http.StatusOK, http.MethodPost, "/invitations/inspect", members{"token": token}); seen.Get("role") != "host" || seen.Get("room", "slug") != room {
		t.Errorf("the token: %v", seen)
	}
	s.Restart()
	one := &guestBrowser{s: s}
	link := meeting + "?token=" + token
	if _, nonce := one.Look(t, link); one.Press(t, link, nonce).Status != http.StatusSeeOther {
		t.Error("the token does not admit")
	}

	for name, row := range map[string][3]string{
		"a wrong key":           {apiKey + "x", body("test", "true"), "Error: Unauthorized!"},
		"a wrong password":      {apiKey, strings.ReplaceAll(body("test", "true"), hostPassword, "username"), "Error: Wrong name or password."},
		"digits for a duration": {apiKey, strings.ReplaceAll(body("test", "true"), `"1h"`, `"3600"`), "Error: Expire: say the unit"},
	} {
		if said := runScript(t, s, row[0], "join", row[1]); !strings.HasPrefix(said, row[2]) {
			t.Errorf("%s: the script printed %q", name, said)
		}
	}
}
