package conference

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf16"

	"admitone/rooms"
)

// bigBlueButton is the kind "bigbluebutton", from version 2.4 on, which knows a
// role at joining. Its API can remove nobody from a meeting: only ending the
// meeting, or a moderator inside, gets somebody out.
type bigBlueButton struct {
	api    string // up to the call's name
	secret string
	origin string
	asker
}

func newBigBlueButton(raw json.RawMessage) (Provider, error) {
	var c struct {
		head
		URL    string `json:"url"`
		Secret string `json:"secret"`
	}
	if err := members(raw, &c); err != nil {
		return nil, err
	}
	u, err := address("url", c.URL, "https")
	if err != nil {
		return nil, err
	}
	if err := oneWord("secret", c.Secret); err != nil {
		return nil, err
	}
	if err := guarded("secret", c.Secret, u); err != nil {
		return nil, err
	}
	p := &bigBlueButton{secret: c.Secret, origin: "https:", asker: newAsker()}
	if u.Scheme != "https" {
		p.origin = origin(u) // on this machine alone
	}
	// `bbb-conf --secret` prints the address without "api", other tools with it.
	if u.Path == "" {
		u.Path = "/bigbluebutton"
	}
	p.api = strings.TrimSuffix(u.String(), "/api") + "/api/"
	return p, nil
}

// Origin is open: a balancer in front of several servers sends people on to one
// of them.
func (p *bigBlueButton) Origin() string { return p.origin }

// Lasts is Forever: while the meeting goes on, a link of it opens the door as
// often as it is followed, whoever follows it.
func (p *bigBlueButton) Lasts(Visit) time.Duration { return Forever }

// JoinLink makes the meeting, which does nothing where it goes on already. The
// link is for this meeting alone (createTime), and not for the room's next.
func (p *bigBlueButton) JoinLink(ctx context.Context, v Visit) (string, error) {
	made, err := p.call(ctx, "create", query("name", meetingName(v.Room.Name), "meetingID", v.Place,
		"attendeePW", p.password("attendee", v.Place), "moderatorPW", p.password("moderator", v.Place)))
	if err != nil {
		return "", err
	}
	if made.failure != nil {
		return "", made.failure
	}
	if made.MeetingID != v.Place || made.CreateTime <= 0 {
		return "", fmt.Errorf("%w: it does not make the meeting", ErrUnreachable)
	}
	if made.Ended {
		return "", fmt.Errorf("%w: the former meeting is still being ended", ErrUnreachable)
	}
	role, name := "VIEWER", "guest"
	if v.Role == "host" {
		role, name = "MODERATOR", "host"
	}
	if strings.TrimSpace(v.Name) != "" { // it takes nobody without a name
		name = v.Name
	}
	return p.link("join", query("fullName", name, "meetingID", v.Place, "role", role,
		"userID", v.Admission.Show(rooms.AdmissionPrefix), "createTime", fmt.Sprint(made.CreateTime))), nil
}

func (p *bigBlueButton) End(ctx context.Context, v Visit) error {
	got, err := p.call(ctx, "end", query("meetingID", v.Place, "password", p.password("moderator", v.Place)))
	if err != nil || got.unknown() {
		return err
	}
	return got.failure
}

// Inside passes over whoever came in by other means, such as by telephone.
func (p *bigBlueButton) Inside(ctx context.Context, v Visit) ([]rooms.ID, error) {
	got, err := p.call(ctx, "getMeetingInfo", query("meetingID", v.Place))
	if err != nil || got.unknown() {
		return nil, err
	}
	var inside []rooms.ID
	for _, one := range got.Attendees {
		if id, err := rooms.ParseID(rooms.AdmissionPrefix, one.UserID); err == nil {
			inside = append(inside, id)
		}
	}
	return inside, got.failure
}

// Check asks after a meeting that there is not: the answer is small, and nobody
// gets it without the secret.
func (p *bigBlueButton) Check(ctx context.Context) error {
	got, err := p.call(ctx, "isMeetingRunning", query("meetingID", "admitone"))
	if err != nil {
		return err
	}
	return got.failure
}

// meeting is what the calls answer, as far as we read it.
type meeting struct {
	XMLName    xml.Name `xml:"response"`
	ReturnCode string   `xml:"returncode"`
	MessageKey string   `xml:"messageKey"`
	MeetingID  string   `xml:"meetingID"`
	CreateTime int64    `xml:"createTime"`
	Ended      bool     `xml:"hasBeenForciblyEnded"`
	Attendees  []struct {
		UserID string `xml:"userID"`
	} `xml:"attendees>attendee"`

	failure error // why the call failed, nil where it did not
}

// unknown tells whether there is no such meeting.
func (m meeting) unknown() bool {
	return m.failure != nil && (m.MessageKey == "notFound" || m.MessageKey == "invalidMeetingIdentifier")
}

func (p *bigBlueButton) call(ctx context.Context, call, query string) (meeting, error) {
	got, err := p.ask(ctx, http.MethodGet, p.link(call, query), nil, nil)
	if err != nil {
		return meeting{}, err
	}
	if got.Status != http.StatusOK {
		return meeting{}, got.unexpected()
	}
	var m meeting
	if xml.Unmarshal(got.Body, &m) != nil || m.ReturnCode != "SUCCESS" && m.ReturnCode != "FAILED" {
		return meeting{}, fmt.Errorf("%w: it answers, but not as BigBlueButton does", ErrUnreachable)
	}
	switch {
	case m.ReturnCode == "SUCCESS":
	case m.MessageKey == "checksumError":
		m.failure = fmt.Errorf("%w: it does not take our secret", ErrUnreachable)
	case word(m.MessageKey):
		m.failure = fmt.Errorf("%w: it says %s to %s", ErrUnreachable, m.MessageKey, call)
	default:
		m.failure = fmt.Errorf("%w: it fails to %s", ErrUnreachable, call)
	}
	return m, nil
}

func (p *bigBlueButton) link(call, query string) string {
	return p.api + call + "?" + query + "&checksum=" + checksum(sha256.New, call, query, p.secret)
}

// checksum proves that the call comes from somebody with the secret and that the
// query is as it was written, byte by byte.
func checksum(algorithm func() hash.Hash, call, query, secret string) string {
	h := algorithm()
	_, _ = io.WriteString(h, call+query+secret) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}

// password is one that nobody can guess and that is the same each time: `create`
// does nothing a second time only with the same ones, and up to version 2.5 `end`
// asks for the moderators'. No link holds it.
func (p *bigBlueButton) password(role, place string) string {
	h := hmac.New(sha256.New, []byte(p.secret))
	_, _ = io.WriteString(h, role+" "+place)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// query writes names and values alternately in their order.
func query(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pairs[i] + "=" + encode(pairs[i+1]))
	}
	return b.String()
}

// meetingName is the name in the 2 to 64 UTF-16 units that there may be.
func meetingName(name string) string {
	if units := utf16.Encode([]rune(name)); len(units) > 64 {
		units = units[:63]
		if utf16.IsSurrogate(rune(units[62])) && units[62] < 0xdc00 { // the first half of a character
			units = units[:62]
		}
		return string(utf16.Decode(units)) + "…"
	} else if len(units) < 2 {
		return "(" + name + ")"
	}
	return name
}

// word tells whether a text is of letters alone, and so may stand in an error.
func word(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz") == ""
}
