package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// At a start names that are kept no longer go, with a line in the log; that
// somebody came stays, and whoever was in comes back when the room opens again.
func TestServerRemovesNamesAfterRetentionAndKeepsCounts(t *testing.T) {
	t.Parallel()
	s := startServer(t, "RETENTION=1s", "LOG_FORMAT=text")
	room := s.createRoom(t, "Standup")
	grace := s.mint(t, room, members{"name": "Grace Hopper", "email": "grace@mail.example", "external_id": "booking-grace"})
	s.mint(t, room, members{"name": "Hedy Lamarr", "email": "hedy@mail.example"})
	guest := &guestBrowser{s: s}
	_, nonce := guest.Look(t, grace.Short)
	if in := guest.Press(t, grace.Short, nonce); in.Status != http.StatusSeeOther {
		t.Fatal(in)
	}
	s.call(t, http.StatusNoContent, http.MethodDelete, "/rooms/"+room, nil)
	// The sweep of a start is over when the server has stopped.
	for until := time.Now().Add(patience); !strings.Contains(s.Log(), "names removed"); s.Stop() {
		if time.Now().After(until) {
			t.Fatalf("no name went\n%s", s.Log())
		}
		s.Restart()
	}
	if log := s.Log(); strings.Count(log, "names removed") != 1 || !strings.Contains(log, `msg="names removed" invitations=2`) || strings.Contains(log, "Grace") {
		t.Errorf("the log says\n%s", log)
	}
	s.Restart()
	listed := s.call(t, http.StatusOK, http.MethodGet, "/rooms/"+room+"/invitations", nil)
	came := s.call(t, http.StatusOK, http.MethodGet, "/rooms/"+room+"/attendance.csv", nil)
	history := s.call(t, http.StatusOK, http.MethodGet, "/rooms/"+room+"/events", nil)
	for what, a := range map[string]answer{"list": listed, "attendance": came, "history": history} {
		for _, word := range []string{"grace", "hopper", "hedy", "lamarr", "mail.example"} {
			if strings.Contains(strings.ToLower(string(a.Body)), word) {
				t.Errorf("the %s still says %q: %v", what, word, a)
			}
		}
	}
	for _, want := range []string{"name removed,,,came", "name removed,,,did_not_come"} {
		if strings.Count(string(came.Body), want) != 1 {
			t.Errorf("%q is not once in %s", want, came.Body)
		}
	}
	if !strings.Contains(string(history.Body), "names.removed") {
		t.Errorf("the history: %v", history)
	}

	s.call(t, http.StatusOK, http.MethodPost, "/rooms/"+room+"/reopen", nil)
	if in := guest.visit(t, http.MethodGet, "/join/"+room+"/admitted", nil); in.Status != http.StatusOK {
		t.Errorf("who was in, back: %v", in)
	}
	if in := guest.Press(t, grace.Short, nonce); in.Status != http.StatusSeeOther {
		t.Errorf("who was in, by the link: %v", in)
	}
	other := &guestBrowser{s: s}
	if page, _ := other.Look(t, grace.Short); page.Status != http.StatusConflict {
		t.Errorf("somebody else: %v", page)
	}
}
