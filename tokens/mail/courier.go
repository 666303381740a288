package mail

import (
	"bytes"
	"context"
	"errors"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
)

// Letter is what a mail says, decided; Write finds the words for it.
type Letter struct {
	Word       audit.Word
	Invitation tokens.Invitation
	Host       string // who invites, as guests know them; empty where that says nothing
	Link       string // empty in a mail that takes the invitation back
	Picture    string // the address of the link's QR code within the mail
	Calendar   bool   // a calendar file comes with it
}

// Words are a mail in its reader's language.
type Words struct{ Subject, Plain, HTML string }

// Courier carries mails: it writes each at the moment it goes out, from the
// invitation as it is then, so that no link has to be kept.
type Courier struct {
	Server      *Server
	From        mail.Address
	Site        string // the host name of our links, which ids of messages end with
	Invitations tokens.Store
	Links       *tokens.Links
	Host        func(ctx context.Context, owner string) string
	Write       func(ctx context.Context, l Letter) (Words, error)
	// Describe says in a calendar how to come in.
	Describe func(ctx context.Context, l Letter, link string) string
	Now      func() time.Time
}

// Deliver implements outbox.Courier.
func (c *Courier) Deliver(ctx context.Context, d outbox.Delivery, hand func() error) error {
	inv, err := c.Invitations.ByID(ctx, d.Invitation)
	if err != nil {
		return err
	}
	if why := c.idle(d.Word, inv); why != "" {
		return outbox.Answer{State: outbox.Dropped, Why: why}
	}
	to, err := address(inv)
	if err != nil {
		return outbox.Answer{State: outbox.Refused, Why: err.Error()}
	}
	message, err := c.message(ctx, d, inv, to)
	if err != nil {
		return err
	}
	from := mail.Address{Address: c.From.Address}
	rcpt := mail.Address{Address: to.Address}
	return c.blind(inv, c.Server.Send(ctx, from.String(), rcpt.String(), message, hand))
}

// idle is why the mail need not be sent any more, empty where it must.
func (c *Courier) idle(word audit.Word, inv tokens.Invitation) string {
	now := c.Now().UnixMilli()
	withdrawn := inv.Withdrawn()
	switch {
	case inv.Email == "":
		return "no_address"
	case inv.Room.State(now) == rooms.Ended:
		return "ended"
	case word == audit.CalledOff && withdrawn == nil:
		return "restored"
	case word == audit.CalledOff && inv.SupersededBy == 0:
		return ""
	case word == audit.Invited:
		if err := inv.Check(now); !errors.Is(err, tokens.ErrNotYet) {
			withdrawn = err
		}
	}
	var why tokens.Reason
	if errors.As(withdrawn, &why) {
		return why.Code
	}
	return ""
}

// address is the invitation's, its domain in ASCII.
func address(inv tokens.Invitation) (mail.Address, error) {
	at := strings.LastIndexByte(inv.Email, '@')
	if at < 0 {
		return mail.Address{}, errors.New("no mail address")
	}
	domain, err := idna.Lookup.ToASCII(inv.Email[at+1:])
	if err != nil {
		domain = inv.Email[at+1:] // the server may know better
	}
	return mail.Address{Name: inv.Name, Address: inv.Email[:at+1] + domain}, nil
}

const pictureID = "qr"

// message is the whole mail as it goes over the wire.
func (c *Courier) message(ctx context.Context, d outbox.Delivery, inv tokens.Invitation, to mail.Address) ([]byte, error) {
	l := Letter{Word: d.Word, Invitation: inv, Host: c.Host(ctx, inv.Room.Owner)}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&c.From)
	m.ToMailAddress(&to)
	m.SetMessageIDWithValue(d.ID.Show(rooms.DeliveryPrefix) + "@" + c.Site) // the same however often it is tried
	m.SetDateWithValue(c.Now())
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	if d.Word != audit.CalledOff {
		l.Link, l.Picture = c.Links.Short(inv), "cid:"+pictureID
		picture, err := c.Links.Picture(inv, "", ".png", 480)
		if err != nil {
			return nil, err
		}
		m.EmbedReadSeeker("invitation.png", bytes.NewReader(picture), gomail.WithFileContentID("<"+pictureID+">"), gomail.WithFileContentType("image/png"))
	}
	calendar, err := c.Links.Calendar(inv, tokens.Appointment{Host: l.Host, From: c.From.Address, Linked: true,
		Describe: func(link string) string { return c.Describe(ctx, l, link) }}, c.Now())
	if err != nil && !errors.Is(err, tokens.ErrNoDate) {
		return nil, err
	}
	l.Calendar = err == nil
	words, err := c.Write(ctx, l)
	if err != nil {
		return nil, err
	}
	m.Subject(words.Subject)
	m.SetBodyString(gomail.TypeTextPlain, words.Plain)
	m.AddAlternativeString(gomail.TypeTextHTML, words.HTML)
	if l.Calendar {
		// As a part of its own programs offer to answer it; as a file people can keep it.
		m.AddAlternativeString(gomail.ContentType("text/calendar; method="+calendar.Method), string(calendar.Content), gomail.WithPartEncoding(gomail.EncodingB64))
		m.AttachReadSeeker("invite.ics", bytes.NewReader(calendar.Content), gomail.WithFileContentType(gomail.ContentType(calendar.MediaType())))
	}
	var b bytes.Buffer
	_, err = m.WriteTo(&b)
	return b.Bytes(), err
}

// blind takes the link out of what a server said about a message that held it:
// filters quote what they dislike.
func (c *Courier) blind(inv tokens.Invitation, err error) error {
	var a outbox.Answer
	if errors.As(err, &a) {
		a.Why = without(a.Why, c.Links.Short(inv), c.Links.Code(inv.ID))
		return a
	}
	return err
}

// without leaves secrets out of a text, in whatever case they stand there.
func without(text string, secrets ...string) string {
	for _, secret := range secrets {
		for {
			at := strings.Index(strings.ToLower(text), strings.ToLower(secret))
			if at < 0 {
				break
			}
			end := min(at+len(secret), len(text))
			text = text[:at] + "…" + text[end:]
		}
	}
	return text
}

// Event implements outbox.Courier.
func (c *Courier) Event(d outbox.Delivery) audit.Event {
	ev := audit.Event{At: c.Now().UnixMilli(), Actor: audit.Actor{Kind: audit.System, Name: "mail"}, Room: int64(d.Room), Invitation: int64(d.Invitation)}
	switch d.State {
	case outbox.Sent:
		ev.Kind, ev.Detail = audit.MailSent, string(d.Word)
	case outbox.Refused:
		ev.Kind, ev.Detail = audit.MailRefused, d.Reason
	case outbox.Doubtful:
		ev.Kind = audit.MailDoubtful
	case outbox.Waiting, outbox.Handing, outbox.Dropped:
	}
	return ev
}

// Rest implements outbox.Courier.
func (c *Courier) Rest() { c.Server.Rest() }
