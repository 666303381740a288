package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// event is what another reader of RFC 5545 finds in a calendar file.
type event struct {
	Method, UID, Status, Start, Starts, Ends, Summary, Description, Location, URL string
	Sequence, Events                                                              int
	Organizer, Attendee                                                           []string
}

// calendar is the invitation's file as ical.js reads it, its times also by the clocks of a zone.
func (s *server) calendar(t *testing.T, m minted, zone string) (e event) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		lacking(t, "node is not installed")
	}
	needsPackage(t, "ical.js")
	file := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+m.ID+"/invite.ics", nil).Body
	cmd := exec.CommandContext(t.Context(), node, "testdata/npm/calendar.mjs", zone)
	cmd.Stdin = bytes.NewReader(file)
	out, err := cmd.CombinedOutput()
	if err == nil {
		err = json.Unmarshal(out, &e)
	}
	if err != nil {
		t.Fatalf("ical.js: %v\n%s\n%s", err, out, file)
	}
	return e
}

// TestAnotherReaderFindsTheRoomsTimeInCalendarFiles: the instants, in winter and
// in summer, and every text as it was.
func TestAnotherReaderFindsTheRoomsTimeInCalendarFiles(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	const room = `会议 🎟 "Doe, Ada"; O'Brien \ Söhne: ` + "END:VEVENT"
	name := strings.Repeat("很长 ", 30) + `"Q", R; S: T\U`
	for _, row := range []struct{ start, end, starts, ends string }{
		{"2026-03-28T14:00:00+01:00", "2026-03-28T15:30:00+01:00", "2026-03-28 14:00", "2026-03-28 15:30"},
		{"2026-03-29T14:00:00+02:00", "2026-03-29T15:30:00+02:00", "2026-03-29 14:00", "2026-03-29 15:30"}, // the clocks went forward
		{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25 02:30", "2026-10-25 02:30"}, // an hour that comes twice
	} {
		slug := s.call(t, http.StatusCreated, http.MethodPost, "/rooms", members{"name": room, "starts_at": row.start, "ends_at": row.end, "timezone": "Europe/Berlin"}).Get("slug")
		m := s.mint(t, slug, members{"name": name, "email": "ada@guests.example", "expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
		e := s.calendar(t, m, "Europe/Berlin")
		if e.Starts != row.starts || e.Ends != row.ends || e.Summary != room || e.Method != "REQUEST" || e.Status != "CONFIRMED" || e.Events != 1 {
			t.Errorf("%+v", e)
		}
		if e.URL != m.Short || e.Location != m.Short || !strings.Contains(e.Description, room) || !strings.Contains(e.Description, m.Short+"\n") {
			t.Errorf("%+v", e)
		}
		if want := strings.ReplaceAll(strings.TrimSpace(name), `"`, "'"); len(e.Attendee) != 2 || e.Attendee[0] != want || e.Attendee[1] != "mailto:ada@guests.example" || len(e.Organizer) != 2 {
			t.Errorf("for %q from %q", e.Attendee, e.Organizer)
		}
		s.call(t, http.StatusOK, http.MethodPatch, "/rooms/"+slug, members{"starts_at": "2026-12-24T17:00:00Z", "ends_at": "2026-12-24T18:00:00Z"})
		moved := s.calendar(t, m, "Asia/Shanghai")
		if moved.UID != e.UID || moved.Sequence <= e.Sequence || moved.Start != "2026-12-24T17:00:00.000Z" || moved.Starts != "2026-12-25 01:00" {
			t.Errorf("moved: %+v", moved)
		}
		s.call(t, http.StatusOK, http.MethodPost, "/invitations/"+m.ID+"/revoke", nil)
		if off := s.calendar(t, m, "UTC"); off.Method != "CANCEL" || off.Status != "CANCELLED" || off.UID != e.UID || off.Sequence <= moved.Sequence {
			t.Errorf("revoked: %+v", off)
		}
	}
}
