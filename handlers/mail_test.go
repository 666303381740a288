package handlers_test

import (
	"net/http"
	"net/url"
	"testing"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/outbox"
	"admitone/tokens"
	"admitone/tokens/mail"
)

// mailless is a server without SMTP_URL.
func mailless(b *bench) {
	b.app.Post = &mail.Post{Store: b.Outbox, Invitations: b.Invitations, Now: b.Clock.Now}
}

// settle brings all waiting mails into that state, as the courier would.
func (b *bench) settle(t *testing.T, state outbox.State, reason string) (n int) {
	t.Helper()
	for ; ; n++ {
		now := b.Clock.Millis()
		d, found, err := b.Outbox.Take(t.Context(), outbox.Mail, "test", now, now+1000)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return n
		}
		d.State, d.Reason, d.SettledAt = state, reason, now
		ev := audit.Event{At: now, Actor: audit.Actor{Kind: audit.System, Name: "mail"}, Kind: audit.MailSent, Detail: string(d.Word), Room: int64(d.Room), Invitation: int64(d.Invitation)}
		if state == outbox.Refused {
			ev.Kind, ev.Detail = audit.MailRefused, reason
		}
		if err := b.Outbox.Settle(t.Context(), d, ev); err != nil {
			t.Fatal(err)
		}
	}
}

// mailing calls everything about mails.
func mailing(t *testing.T, b *bench, r *checked) {
	t.Helper()
	room := b.room(t, "bob", "mailed")
	ada, cy, host := b.mint(t, room, tokens.Draft{Email: "ada@meet.example"}), b.mint(t, room, tokens.Draft{Email: "cy@meet.example"}), b.mint(t, room, tokens.Draft{Role: tokens.Host, Email: "bo@meet.example"})
	none, over := b.mint(t, room, tokens.Draft{}), b.mint(t, room, tokens.Draft{Email: "di@meet.example"})
	if _, err := b.Invitations.Revoke(t.Context(), b.caller(t, "bob"), over, ""); err != nil {
		t.Fatal(err)
	}
	at := func(inv tokens.Invitation) string { return v1 + "/invitations/" + shown(inv.ID) + "/mail" }
	r.get(at(ada)).wants(http.StatusOK).says(`{"mail":null}`)
	r.post(at(ada), "").wants(http.StatusAccepted).says(`"state":"waiting"`, `"word":"invited"`)
	r.post(at(ada), `{}`).wants(http.StatusOK)
	b.settle(t, outbox.Refused, "550 5.1.1 no such user")
	last := r.get(at(ada)).wants(http.StatusOK).says(`"state":"refused"`, `"reason":"550 5.1.1 no such user"`).object()["mail"].(map[string]any)["id"].(string)
	r.post(at(ada), "").wants(http.StatusOK)
	r.post(at(ada), `{"after": "`+last+`"}`).wants(http.StatusAccepted).says(`"state":"waiting"`)
	r.post(at(ada), `{"after": "inv_1"}`).refuses(http.StatusUnprocessableEntity, "invalid_request", "after")
	r.post(at(none), "").refuses(http.StatusUnprocessableEntity, "invalid_request", "email")
	r.post(at(host), "").refuses(http.StatusUnprocessableEntity, "invalid_request", "hosts")
	r.post(at(over), "").refuses(http.StatusGone, "revoked")
	r.post(v1+"/rooms/mailed/mail", `{"ids": ["`+shown(ada.ID)+`", "`+shown(none.ID)+`"]}`).wants(http.StatusAccepted).says(`{"queued":0,"left_out":2}`)
	r.post(v1+"/rooms/mailed/mail", `{"unsent": true}`).wants(http.StatusAccepted).says(`{"queued":1,"left_out":0}`)
	r.post(v1+"/rooms/mailed/mail", `{"unsent": true, "hosts": true}`).wants(http.StatusAccepted).says(`"queued":1`)
	r.post(v1+"/rooms/mailed/mail", `{}`).refuses(http.StatusUnprocessableEntity, "invalid_request", "unsent")
	r.post(v1+"/rooms/mailed/mail", `{"ids": ["`+shown(cy.ID)+`"], "batch": "batch_1"}`).refuses(http.StatusUnprocessableEntity, "invalid_request", "batch")
	r.post(v1+"/rooms/mailed/mail", `{"unsent": true, "batch": "batch_1"}`).refuses(http.StatusNotFound, "not_found")
	r.get(v1+"/invitations/"+shown(ada.ID)+"/events").wants(http.StatusOK).says("invitation.mail_asked", "invitation.mail_refused")

	off := setup(t, mailless)
	silent := off.mint(t, off.room(t, "bob", "mailed"), tokens.Draft{Email: "ada@meet.example"})
	p := r.as(t, off.program(t, "bob"))
	p.post(at(silent), "").refuses(http.StatusConflict, "conflict")
	p.post(v1+"/rooms/mailed/mail", `{"unsent": true}`).refuses(http.StatusConflict, "conflict")
}

func TestAHostSendsByMail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup", func(d *rooms.Draft) {
		d.StartsAt = b.Clock.Millis() + 3_600_000
		d.EndsAt = d.StartsAt + 3_600_000
		d.Timezone = "UTC"
	})
	ada, host := b.mint(t, room, tokens.Draft{Name: "Ada", Email: "ada@meet.example"}), b.mint(t, room, tokens.Draft{Role: tokens.Host, Email: "bo@meet.example"})
	bob, page := b.signedIn(t, "bob"), "/invitations/"+shown(ada.ID)
	form := bob.get(page).wants(http.StatusOK).says("Not sent by mail yet", "What the mail says", "Hello Ada,", b.app.Invitations.Links.Short(b.invitation(t, ada.ID))).form(page + "/mail")
	form.Set("email", "ada at home")
	bob.post(page+"/mail", form).wants(http.StatusUnprocessableEntity).says("ada at home", "is not a mail address")
	form.Set("email", "ada@home.example")
	for range 2 { // a double click
		bob.post(page+"/mail", form).wants(http.StatusSeeOther)
	}
	if got := b.invitation(t, ada.ID).Email; got != "ada@home.example" {
		t.Errorf("the address is %q", got)
	}
	bob.get(page).wants(http.StatusOK).says("goes out in a moment", "Asked to send it by mail").saysNot("Send again")
	if n := b.settle(t, outbox.Refused, "550 <b>no such user</b>"); n != 1 {
		t.Fatalf("%d mails", n)
	}
	again := bob.get(page).wants(http.StatusOK).says("The mail was refused", "550 &lt;b&gt;no such user", "Mail refused").form(page + "/mail")
	bob.get("/rooms/standup").wants(http.StatusOK).says("mail refused", "/rooms/standup?mail=refused", "1 mail refused")
	bob.get("/rooms/standup?mail=refused").wants(http.StatusOK).says("Ada", "Show all invitations").saysNot("bo@meet.example")
	bob.get("/rooms/standup?mail=refused&state=pending").says(`href="/rooms/standup"`, "/rooms/standup?mail=refused&amp;state=redeemed", `<a href="/rooms/standup?mail=refused" aria-current="true"`)
	bob.get("/rooms/standup?mail=refused&q=bo").wants(http.StatusOK).says("Show all invitations").saysNot("ada@home.example")
	bob.post(page+"/mail", again).wants(http.StatusSeeOther)
	b.settle(t, outbox.Sent, "")
	bob.get(page).wants(http.StatusOK).says("Sent by mail", "Send again")

	// A host's link leaves only by its own form.
	bob.post("/rooms/standup/mail", url.Values{"id": {shown(ada.ID), shown(host.ID)}}).wants(http.StatusSeeOther)
	if n := b.settle(t, outbox.Sent, ""); n != 0 {
		t.Errorf("%d mails to those who got one, and to hosts", n)
	}
	other := "/invitations/" + shown(host.ID)
	bob.post(other+"/mail", bob.get(other).says("Send the host’s link by mail").form(other+"/mail")).wants(http.StatusSeeOther)
	if n := b.settle(t, outbox.Sent, ""); n != 1 {
		t.Errorf("%d mails to the host", n)
	}

	b.mint(t, room, tokens.Draft{Name: "Cy", Email: "cy@meet.example"})
	list := bob.get("/rooms/standup").wants(http.StatusOK).says("Send 1 unsent invitation by mail", "Mail chosen")
	for range 2 {
		bob.post("/rooms/standup/mail", list.form("/rooms/standup/mail")).wants(http.StatusSeeOther)
	}
	if n := b.settle(t, outbox.Sent, ""); n != 1 {
		t.Errorf("%d unsent mails", n)
	}
	b.mint(t, room, tokens.Draft{Name: "Di", Email: "di@meet.example"})
	bob.post("/rooms/standup/mail", url.Values{"unsent": {"true"}}).wants(http.StatusSeeOther)
	stop := bob.get("/rooms/standup").wants(http.StatusOK).says("1 mail waits", "Stop sending").form("/rooms/standup/mail/stop")
	bob.post("/rooms/standup/mail/stop", stop).wants(http.StatusSeeOther)
	bob.get("/rooms/standup?did=mails-stopped&n=1").wants(http.StatusOK).says("1 mail was stopped", "Send 1 unsent invitation by mail").saysNot("Stop sending")
	bob.get("/rooms/standup?did=mails-stopped&n=0").wants(http.StatusOK).says("no invitation waits")
	bob.get("/rooms/standup/history").wants(http.StatusOK).says("stopped 1 mail before it went out")
	if n := b.settle(t, outbox.Sent, ""); n != 0 {
		t.Errorf("%d stopped mails", n)
	}
	bob.get("/rooms/standup?did=mailed-all&n=1&left=2").wants(http.StatusOK).says("Left out: 2")
	bob.get("/rooms/standup/history").wants(http.StatusOK).says("The mail to", "was refused", "A mail went to")
}

func TestTheHostChoosesWhetherTheMoveIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup", func(d *rooms.Draft) { d.StartsAt = b.Clock.Millis() + 3_600_000; d.Timezone = "UTC" })
	inv := b.mint(t, room, tokens.Draft{Email: "ada@meet.example"})
	bob := b.signedIn(t, "bob")
	bob.get("/rooms/standup/edit").wants(http.StatusOK).saysNot("invited by mail")
	bob.post("/invitations/"+shown(inv.ID)+"/mail", fields("email", "ada@meet.example")).wants(http.StatusSeeOther)
	b.settle(t, outbox.Sent, "")
	for i, tell := range []bool{true, false} {
		form := bob.get("/rooms/standup/edit").wants(http.StatusOK).says("mail the new one to the one person who was invited by mail").form("/rooms/standup")
		if form.Get("tell") != "true" {
			t.Error("it is not on")
		}
		if !tell {
			form.Del("tell")
		}
		form.Set("starts_at", []string{"2030-01-15T15:00", "2030-01-15T16:00"}[i])
		bob.post("/rooms/standup", form).wants(http.StatusSeeOther)
		if n := b.settle(t, outbox.Sent, ""); (n == 1) != tell {
			t.Errorf("told: %v, %d mails", tell, n)
		}
	}
	bob.get("/invitations/" + shown(inv.ID)).says("Told of the new time by mail")
	validating(b.program(t, "bob")).patch(v1+"/rooms/standup", `{"starts_at": "2030-01-15T17:00:00Z", "tell_guests": false}`).wants(http.StatusOK)
	if n := b.settle(t, outbox.Sent, ""); n != 0 {
		t.Errorf("%d mails", n)
	}
	bob.post("/rooms/standup/close", url.Values{}).wants(http.StatusSeeOther)
	if n := b.settle(t, outbox.Sent, ""); n != 0 {
		t.Error("the closing was told before it could not be undone")
	}
	b.Clock.Add(rooms.UndoWindow + 6e9)
	if n := b.settle(t, outbox.Sent, ""); n != 1 {
		t.Errorf("%d mails about the closing", n)
	}
}

func TestAHostHearsThatGuestsAreTold(t *testing.T) {
	t.Parallel()
	const told = "is told in a minute, unless you undo"
	b := setup(t)
	bob := b.signedIn(t, "bob")
	room := b.room(t, "bob", "standup")
	ada, cy, none := b.mint(t, room, tokens.Draft{Email: "ada@meet.example"}), b.mint(t, room, tokens.Draft{Email: "cy@meet.example"}), b.mint(t, room, tokens.Draft{})
	bob.get("/rooms/standup").wants(http.StatusOK).says("Closing stops every link").saysNot("invited by mail is told")
	bob.post("/rooms/standup/revoke", url.Values{"id": {shown(none.ID)}}).wants(http.StatusSeeOther)
	done := func(path string, form url.Values) answer {
		return bob.get(bob.post(path, form).wants(http.StatusSeeOther).Header.Get("Location")).wants(http.StatusOK)
	}
	done("/rooms/standup/close", url.Values{}).says("The room is closed").saysNot(told)
	done("/rooms/standup/reopen", url.Values{})
	done("/rooms/standup/mail", fields("unsent", "true"))
	b.settle(t, outbox.Sent, "")
	bob.get("/rooms/standup").says("Closing stops every link", "Everyone who was invited by mail is told.")
	row := bob.post("/invitations/"+shown(ada.ID)+"/revoke", url.Values{}, header("HX-Request", "true")).wants(http.StatusOK)
	row.says("told by mail in a minute unless you undo")
	bob.get("/invitations/" + shown(ada.ID)).says("Told by mail in a minute that it is off, unless that is undone.").saysNot("goes out in a moment")
	done("/invitations/"+shown(ada.ID)+"/restore", url.Values{})
	done("/rooms/standup/revoke", url.Values{"id": {shown(ada.ID), shown(cy.ID)}}).says("2 invitations were revoked.", told)
	b.Clock.Add(rooms.UndoWindow + 6e9)
	b.settle(t, outbox.Sent, "")
	di := b.mint(t, room, tokens.Draft{Email: "di@meet.example"})
	done("/invitations/"+shown(di.ID)+"/mail", fields("email", "di@meet.example"))
	b.settle(t, outbox.Sent, "")
	done("/rooms/standup/close", url.Values{}).says("The room is closed", told)
}

func TestWithoutAMailServerNothingIsOffered(t *testing.T) {
	t.Parallel()
	b := setup(t, mailless)
	room := b.room(t, "bob", "standup")
	inv := b.mint(t, room, tokens.Draft{Email: "ada@meet.example"})
	bob := b.signedIn(t, "bob")
	bob.get("/invitations/" + shown(inv.ID)).wants(http.StatusOK).saysNot("Send by mail")
	bob.get("/rooms/standup").wants(http.StatusOK).saysNot("by mail", "Mail chosen")
	a := bob.post("/invitations/"+shown(inv.ID)+"/mail", fields("email", "eve@meet.example")).wants(http.StatusSeeOther)
	bob.get(a.Header.Get("Location")).says("This server sends no mail")
	if got := b.invitation(t, inv.ID).Email; got != "ada@meet.example" {
		t.Errorf("the address is %q", got)
	}
	a = bob.post("/rooms/standup/mail", fields("unsent", "true")).wants(http.StatusSeeOther)
	bob.get(a.Header.Get("Location")).says("This server sends no mail")
}
