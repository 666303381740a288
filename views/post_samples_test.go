package views

import (
	"time"

	"github.com/a-h/templ"

	"admitone/rooms/audit"
)

// postSamples are the pages that send mails and tell how they stand.
func postSamples(s map[string]templ.Component) {
	settled := func(state string) Mail {
		return Mail{ID: "dlv_01", State: state, Word: "invited", At: now.Add(-2 * time.Minute), Attempts: 1}
	}
	refused := settled(MailRefused)
	refused.Reason = "550 5.1.1 " + bidiName + ": no such user"
	again := Mail{ID: "dlv_01", State: MailWaiting, Word: "invited", At: now.Add(4 * time.Minute), Attempts: 3, Reason: "451 4.7.1 greylisted"}
	moved := settled(MailSent)
	moved.Word = "moved"
	off := Mail{ID: "dlv_01", State: MailWaiting, Word: "called_off", At: now.Add(time.Minute)}
	for name, m := range map[string]MailForm{
		"first":    {On: true, To: "ada@meet.example", Letter: letterSample(audit.Invited, "de")},
		"host":     {On: true, Role: RoleHost},
		"waits":    {On: true, To: "ada@meet.example", Last: Mail{ID: "dlv_01", State: MailWaiting, Word: "invited", At: now}},
		"again":    {On: true, To: "ada@meet.example", Last: again},
		"handing":  {On: true, Last: settled(MailHanding)},
		"sent":     {On: true, To: "ada@meet.example", Last: settled(MailSent)},
		"moved":    {Last: moved},
		"off":      {Last: off},
		"refused":  {On: true, To: "ada@meet.example", Last: refused},
		"doubtful": {On: true, To: "ada@meet.example", Last: settled(MailDoubtful)},
		"wrong":    {On: true, To: "ada at meet", Wrong: Invalid("is not a mail address")},
	} {
		v := detail(invitations()[0])
		m.Invitation = v.Invitation.ID
		v.Mail = m
		s["mail-"+name] = InvitationPage(v)
	}
	list := Invitations{Slug: "standup", Items: invitations(), Mails: Mails{On: true, Stoppable: true, Unsent: UnsentMails{Slug: "standup", N: 12, Bound: 700}, Waiting: 3, Sent: 800, Refused: 1, Doubtful: 1}}
	for i, state := range []string{MailWaiting, MailSent, MailRefused, MailDoubtful, MailHanding, MailDropped} {
		list.Items[i].Mail = settled(state)
	}
	s["room-mails"] = RoomPage(Room{Page: page("Weekly standup"), Head: RoomHead{Name: "Weekly standup", Slug: "standup", State: RoomOpen, MayChange: true, Tells: true}, Mint: Mint{Slug: "standup"}, List: list})
	list.Items, list.Mail, list.Mails.Only, list.Mails.Stoppable = list.Items[2:3], MailRefused, MailRefused, false
	s["room-mails-refused"] = RoomPage(Room{Page: page("Weekly standup"), Head: RoomHead{Name: "Weekly standup", Slug: "standup", State: RoomOpen, MayChange: true}, Mint: Mint{Slug: "standup"}, List: list})
	told := invitations()[2]
	told.Mail = off
	s["fragment-row-told"] = InvitationRow(told)
	s["fragment-notice-told"] = NoticeLine(Notice{Tone: Good, Text: Says("did.closed"), Then: Says("did.told-by-mail"), UndoAction: "/rooms/standup/reopen"})
	s["room-edit-told"] = RoomEditPage(RoomEdit{Page: page(""), Name: "Weekly standup",
		Form: RoomForm{Room: "standup", Name: "Weekly standup", StartsAt: "2026-11-23T13:00", Timezone: "Europe/Berlin", Told: 12, Tell: true}})
}
