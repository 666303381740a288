package conference

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"
)

const bbbSecret = "ECCJZNJWLPEA3YB6Y2LTQGQD3GJZ3F93" // gitleaks:allow

// bbbServer speaks BigBlueButton's XML, and looks at checksums over the raw
// query by code of its own.
type bbbServer struct {
	URL string // as `bbb-conf --secret` prints it

	mu       sync.Mutex
	meetings map[string]*bbbMeeting
	made     int64
	asked    []string // call and raw query
	old      bool     // up to version 2.5: end asks for the moderators' password
}

type bbbMeeting struct {
	name, attendeePW, moderatorPW string
	createTime                    int64
	inside                        []url.Values // what each joined with
	ending                        bool
}

func newBBBServer(t testing.TB) *bbbServer {
	t.Helper()
	s := &bbbServer{meetings: map[string]*bbbMeeting{}, made: 1_531_155_809_612}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL + "/bigbluebutton/"
	return s
}

func (s *bbbServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, ok := strings.CutPrefix(r.URL.Path, "/bigbluebutton/api/")
	if !ok || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/xml;charset=utf-8")
	_, _ = fmt.Fprint(w, s.call(call, r.URL.RawQuery)) //nolint:gosec // XML for our own client
}

// sealed takes the checksum out of the query, wherever it stands, as the server does.
func sealed(call, raw string) bool {
	var rest []string
	given := ""
	for _, pair := range strings.Split(raw, "&") {
		if value, ok := strings.CutPrefix(pair, "checksum="); ok {
			given = value
		} else {
			rest = append(rest, pair)
		}
	}
	sum := sha256.Sum256([]byte(call + strings.Join(rest, "&") + bbbSecret))
	return given == hex.EncodeToString(sum[:])
}

func failed(key string) string {
	return "<response><returncode>FAILED</returncode><messageKey>" + key + "</messageKey><message>No &lt;b&gt;.</message></response>"
}

func (s *bbbServer) call(call, raw string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, call+" "+raw)
	if !sealed(call, raw) {
		return failed("checksumError")
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return failed("validationError")
	}
	m := s.meetings[q.Get("meetingID")]
	switch call {
	case "create":
		return s.create(q, m)
	case "join":
		return s.join(q, m)
	case "isMeetingRunning":
		return fmt.Sprintf("<response><returncode>SUCCESS</returncode><running>%v</running></response>", m != nil && len(m.inside) > 0)
	}
	if m == nil {
		return failed("notFound")
	}
	switch call {
	case "end":
		if s.old && q.Get("password") != m.moderatorPW {
			return failed("invalidPassword")
		}
		delete(s.meetings, q.Get("meetingID"))
		return "<response><returncode>SUCCESS</returncode><messageKey>sentEndMeetingRequest</messageKey></response>"
	case "getMeetingInfo":
		return s.info(m)
	}
	return failed("unsupportedRequest")
}

func (s *bbbServer) create(q url.Values, m *bbbMeeting) string {
	name, id := q.Get("name"), q.Get("meetingID")
	units := len(utf16.Encode([]rune(name)))
	if units < 2 || units > 64 || len(id) < 2 || len(id) > 256 || strings.Contains(id, ",") || len(q.Get("moderatorPW")) > 64 || len(q.Get("attendeePW")) > 64 {
		return failed("validationError")
	}
	key := ""
	if m == nil {
		s.made++
		m = &bbbMeeting{name: name, attendeePW: q.Get("attendeePW"), moderatorPW: q.Get("moderatorPW"), createTime: s.made}
		s.meetings[id] = m
	} else if key = "<messageKey>duplicateWarning</messageKey>"; m.attendeePW != q.Get("attendeePW") || m.moderatorPW != q.Get("moderatorPW") {
		return failed("idNotUnique")
	}
	return fmt.Sprintf("<response>\n  <returncode>SUCCESS</returncode>\n  <meetingID>%s</meetingID>\n  <internalMeetingID>640ab-%d</internalMeetingID>\n"+
		"  <attendeePW>%s</attendeePW>\n  <createTime>%d</createTime>\n  <hasUserJoined>false</hasUserJoined>\n"+
		"  <hasBeenForciblyEnded>%v</hasBeenForciblyEnded>%s</response>", id, m.createTime, m.attendeePW, m.createTime, m.ending, key)
}

func (s *bbbServer) join(q url.Values, m *bbbMeeting) string {
	switch {
	case m == nil:
		return failed("invalidMeetingIdentifier")
	case q.Get("createTime") != fmt.Sprint(m.createTime):
		return failed("mismatchCreateTimeParam")
	case strings.TrimSpace(q.Get("fullName")) == "":
		return failed("missingParamFullName")
	case q.Get("role") != "MODERATOR" && q.Get("role") != "VIEWER":
		return failed("invalidPassword")
	}
	m.inside = append(m.inside, q)
	return "<response><returncode>SUCCESS</returncode><messageKey>successfullyJoined</messageKey></response>"
}

func (s *bbbServer) info(m *bbbMeeting) string {
	var b strings.Builder
	b.WriteString("<response><returncode>SUCCESS</returncode><meetingName>")
	_ = xml.EscapeText(&b, []byte(m.name))
	fmt.Fprintf(&b, "</meetingName><createTime>%d</createTime><attendees>", m.createTime)
	for _, one := range m.inside {
		b.WriteString("<attendee><userID>")
		_ = xml.EscapeText(&b, []byte(one.Get("userID")))
		b.WriteString("</userID><fullName>")
		_ = xml.EscapeText(&b, []byte(one.Get("fullName")))
		b.WriteString("</fullName><role>" + one.Get("role") + "</role></attendee>")
	}
	b.WriteString("</attendees><metadata/></response>")
	return b.String()
}

// enter follows a join link, as a browser does.
func (s *bbbServer) enter(link string) (url.Values, bool) {
	u, err := url.Parse(link)
	if err != nil || !strings.HasSuffix(u.Path, "/bigbluebutton/api/join") {
		return nil, false
	}
	return u.Query(), strings.Contains(s.call("join", u.RawQuery), "SUCCESS")
}
