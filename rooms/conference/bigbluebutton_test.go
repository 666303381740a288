package conference

import (
	"crypto/sha1" //nolint:gosec // what the documentation's example is made with
	"crypto/sha256"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"admitone/rooms"
)

func bbbAt(t testing.TB, s *bbbServer) *Backends {
	t.Helper()
	return configured(t, map[string]string{"kind": "bigbluebutton", "url": s.URL, "secret": bbbSecret})
}

func bbbJoin(t testing.TB, b *Backends, v Visit) string {
	t.Helper()
	link, err := b.JoinLink(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// The known answer of the API's documentation, "Usage".
func TestTheChecksumOfTheDocumentation(t *testing.T) {
	t.Parallel()
	const secret = "639259d4-9dd8-4b25-bf01-95f9567eaf4b" // gitleaks:allow
	const query = "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444"
	if got := checksum(sha1.New, "create", query, secret); got != "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17" { // gitleaks:allow
		t.Errorf("got %s", got)
	}
	if got := checksum(sha256.New, "create", query, secret); len(got) != 64 {
		t.Errorf("SHA-256 is %d digits long", len(got))
	}
}

func TestABigBlueButtonLinkIsForOnePersonOneRoleAndOneMeeting(t *testing.T) {
	t.Parallel()
	s := newBBBServer(t)
	b := bbbAt(t, s)
	links := map[string]string{}
	for role, want := range map[string]string{"guest": "VIEWER", "host": "MODERATOR"} {
		v := visit("Ada & Zoë #1+1 🎟")
		v.Role = role
		links[role] = bbbJoin(t, b, v)
		q, ok := s.enter(links[role])
		if !ok {
			t.Fatalf("a %s is not let in: %v", role, q)
		}
		if len(q) != 6 || q.Get("fullName") != v.Name || q.Get("meetingID") != b.settle(v).Place || q.Get("role") != want ||
			q.Get("userID") != rooms.ID(1).Show(rooms.AdmissionPrefix) || q.Get("createTime") != "1531155809613" {
			t.Errorf("a %s's link: %v", role, q)
		}
	}
	if len(s.meetings) != 1 {
		t.Errorf("there are %d meetings", len(s.meetings))
	}
	// Nobody makes a moderator's link out of a viewer's.
	if _, ok := s.enter(strings.Replace(links["guest"], "VIEWER", "MODERATOR", 1)); ok {
		t.Error("a changed link is taken")
	}
	if err := b.End(t.Context(), visit("").Room); err != nil {
		t.Fatal(err)
	}
	bbbJoin(t, b, visit("Bob"))
	if _, ok := s.enter(links["guest"]); ok {
		t.Error("a link of the former meeting opens the next")
	}
	for _, name := range []string{"", " \t"} {
		if _, ok := s.enter(bbbJoin(t, b, visit(name))); !ok {
			t.Errorf("somebody called %q is not let in", name)
		}
	}
	if got := b.byName["conf"].Origin(); !strings.HasPrefix(got, "http://127.0.0.1:") {
		t.Errorf("on this machine the origin is %s", got)
	}
}

func TestBigBlueButtonTakesEveryRoomName(t *testing.T) {
	t.Parallel()
	s := newBBBServer(t)
	b := bbbAt(t, s)
	for i, row := range []struct{ name, want string }{
		{"A", "(A)"},
		{"Ada's & Bob's, #1 + 1", "Ada's & Bob's, #1 + 1"},
		{strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{strings.Repeat("a", 65), strings.Repeat("a", 63) + "…"},
		{strings.Repeat("🎟", 40), strings.Repeat("🎟", 31) + "…"},
		{"全体会议", "全体会议"},
	} {
		v := visit("Ada")
		v.Room.Name, v.Room.ID = row.name, rooms.ID(i+1)
		bbbJoin(t, b, v)
		if m := s.meetings[b.settle(v).Place]; m == nil || m.name != row.want {
			t.Errorf("%q becomes %+v, want %q", row.name, m, row.want)
		}
	}
	// A room that gets another name while its meeting goes on is still the same meeting.
	v := visit("Ada")
	v.Room.Name, v.Room.ID = "Another name", 1
	bbbJoin(t, b, v)
}

func TestBigBlueButtonTellsWhoIsInsideAndEnds(t *testing.T) {
	t.Parallel()
	for name, old := range map[string]bool{"from 2.6 on": false, "before": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newBBBServer(t)
			s.old = old
			b := bbbAt(t, s)
			ada, bob := visit("Ada"), visit("Bob")
			bob.Admission = 2
			room := ada.Room
			inside := func(want ...rooms.ID) {
				t.Helper()
				got, err := b.Inside(t.Context(), room)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("inside are %v, %v; want %v", got, err, want)
				}
			}
			inside()
			if err := b.End(t.Context(), room); err != nil {
				t.Errorf("where nothing goes on: %v", err)
			}
			if can := b.Can(room); can.Removes || !can.Ends || !can.Tells || can.Holds || b.Lasts(ada) != Forever {
				t.Errorf("it can %+v", can)
			}
			for _, v := range []Visit{ada, bob} {
				if _, ok := s.enter(bbbJoin(t, b, v)); !ok {
					t.Fatal("not let in")
				}
			}
			m := s.meetings[b.settle(ada).Place]
			m.inside = append(m.inside, url.Values{"userID": {"v_phone"}}, url.Values{"userID": {"w_<stranger>"}}, url.Values{})
			inside(1, 2)
			if err := b.End(t.Context(), room); err != nil || len(s.meetings) != 0 {
				t.Errorf("after the end there are %d meetings, %v", len(s.meetings), err)
			}
			inside()
		})
	}
}

func TestBigBlueButtonRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	s := newBBBServer(t)
	b := bbbAt(t, s)
	bbbJoin(t, b, visit("Ada"))
	m := s.meetings[b.settle(visit("")).Place]
	for what, change := range map[string]func(){
		"a meeting that somebody else made": func() { m.moderatorPW = "another" },
		"one that is being ended":           func() { m.ending = true },
		"one without its time":              func() { m.createTime = 0 },
	} {
		was := *m
		change()
		if link, err := b.JoinLink(t.Context(), visit("Ada")); link != "" || !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %q, %v", what, link, err)
		}
		*m = was
	}
}

func TestBigBlueButtonCheckTellsAboutTheSecret(t *testing.T) {
	t.Parallel()
	s := newBBBServer(t)
	for address, want := range map[string]string{
		s.URL:                          "",
		s.URL + "api":                  "",
		s.URL + "api/":                 "",
		strings.TrimSuffix(s.URL, "/"): "",
		strings.TrimSuffix(s.URL, "bigbluebutton/"): "",
		s.URL + "elsewhere":                         "it answers 404",
	} {
		b := configured(t, map[string]string{"kind": "bigbluebutton", "url": address, "secret": bbbSecret})
		checked, err := b.Check(t.Context(), "conf")
		if !checked || (err == nil) != (want == "") || err != nil && (!errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, %v", address, checked, err)
		}
	}
	b := configured(t, map[string]string{"kind": "bigbluebutton", "url": s.URL, "secret": "x" + bbbSecret})
	if _, err := b.Check(t.Context(), "conf"); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "secret") {
		t.Errorf("a wrong secret: %v", err)
	}
	if link, err := b.JoinLink(t.Context(), visit("Ada")); link != "" || !errors.Is(err, ErrUnreachable) {
		t.Errorf("a link with a wrong secret: %v", err)
	}
}

func FuzzANameStaysInItsBigBlueButtonParameter(f *testing.F) {
	s := newBBBServer(f)
	b := bbbAt(f, s)
	for _, seed := range []string{"Ada", "a&role=MODERATOR", "#", "+", "%2B", "/../", "\xff", "\x00", "Zoë 🎟", "a;role=MODERATOR", "' OR"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		link := bbbJoin(t, b, visit(name))
		q, ok := s.enter(link)
		want := name
		if strings.TrimSpace(name) == "" {
			want = "guest"
		}
		if !ok || len(q) != 6 || q.Get("role") != "VIEWER" || q.Get("fullName") != want || len(q["role"]) != 1 {
			t.Errorf("%q gives %v", name, q)
		}
		clear(s.meetings)
	})
}
