package tokens

import (
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"

	"admitone/rooms"
)

// ErrNoDate refuses a calendar file of a room that is open at any time: there is
// nothing to put into a calendar.
var ErrNoDate = errors.New("the room has no beginning, so there is no calendar file")

// Appointment is what a calendar file says that the invitation does not know.
type Appointment struct {
	Host string // what the room's host is called, or empty
	From string // mail address in whose name the host invites, or empty
	// Describe says in plain text, in the guest's language and in lines that end in
	// \n, how to come in. link is empty where the reader may not see it.
	Describe func(link string) string
	// Linked says that the reader may see the invitation's link.
	Linked bool
	// Saved says that a person puts the file into their own calendar: they are asked
	// for no answer. Otherwise it is a mail program that offers one.
	Saved bool
}

// CalendarFile is one iCalendar object (RFC 5545).
type CalendarFile struct {
	Method  string // REQUEST, PUBLISH or CANCEL (RFC 5546)
	Content []byte
}

// MediaType is the file's, as mail programs want it.
func (f CalendarFile) MediaType() string { return "text/calendar; charset=utf-8; method=" + f.Method }

// HasDate tells whether there is a calendar file of invitations to the room.
func HasDate(r rooms.Room) bool { return r.StartsAt != 0 }

// Calendar is the invitation for a calendar. All files of one invitation, and of
// those that came in its place, have one UID and a SEQUENCE that rises, so that
// a calendar changes its entry where the room moved. An invitation that was
// revoked, or whose room is closed, gives a CANCEL; one that was replaced is a
// Refusal, for the entry is the newer one's. A room without a beginning is ErrNoDate.
func (l *Links) Calendar(inv Invitation, a Appointment, now time.Time) (CalendarFile, error) {
	withdrawn := inv.Withdrawn()
	if errors.Is(withdrawn, ErrSuperseded) {
		return CalendarFile{}, withdrawn
	}
	if !HasDate(inv.Room) {
		return CalendarFile{}, ErrNoDate
	}
	ev := ics.NewEvent(l.uid(inv))
	ev.SetDtStampTime(now)
	ev.SetSequence(inv.Room.Sequence + inv.Sequence)
	ev.SetStartAt(time.UnixMilli(inv.Room.StartsAt))
	if inv.Room.EndsAt != 0 {
		ev.SetEndAt(time.UnixMilli(inv.Room.EndsAt))
	}
	ev.SetSummary(inv.Room.Name)
	ev.SetClass(ics.ClassificationPrivate) // calendars are shared, links are not
	link := ""
	if a.Linked {
		link = l.Short(inv)
		ev.SetURL(link)
		ev.SetLocation(link)
	}
	ev.SetDescription(a.Describe(link))
	method, status := ics.MethodRequest, ics.ObjectStatusConfirmed
	if a.Saved {
		method = ics.MethodPublish
	}
	if withdrawn != nil {
		method, status = ics.MethodCancel, ics.ObjectStatusCancelled
	}
	ev.SetStatus(status)
	if !a.Saved || a.From != "" {
		ev.AddProperty(named(ics.ComponentPropertyOrganizer, a.Host), address(a.From))
	}
	if !a.Saved { // a PUBLISH has none (RFC 5546, 3.2.1)
		ev.AddProperty(named(ics.ComponentPropertyAttendee+";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE", inv.Name), address(inv.Email))
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//AdmitOne//AdmitOne//EN")
	cal.SetMethod(method)
	cal.AddVEvent(ev)
	return CalendarFile{string(method), []byte(cal.Serialize(ics.WithNewLineWindows))}, nil
}

// uid is the same for an invitation and those that came in its place.
func (l *Links) uid(inv Invitation) string {
	id := inv.place()
	u, err := url.Parse(l.Base)
	if err != nil {
		return id.Show(rooms.InvitationPrefix)
	}
	return id.Show(rooms.InvitationPrefix) + "@" + u.Hostname()
}

// place is the invitation whose place in calendars this one has.
func (inv Invitation) place() rooms.ID {
	if inv.Appointment != 0 {
		return inv.Appointment
	}
	return inv.ID
}

// named is a property with the name of whom it is about. The library escapes a
// parameter by backslashes, which RFC 5545 does not know there: a name stands in
// quotes instead, and has none (3.2).
func named(p ics.ComponentProperty, name string) ics.ComponentProperty {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case r == '"':
			return '\''
		}
		return r
	}, strings.ToValidUTF8(name, "")))
	if name == "" {
		return p
	}
	return p + ics.ComponentProperty(`;CN="`+name+`"`)
}

// address is a mail address as a calendar's; without one it is the word by which
// Exchange and others know that there is none.
func address(mail string) string {
	if mail == "" {
		return "invalid:nomail"
	}
	return "mailto:" + url.PathEscape(mail)
}
