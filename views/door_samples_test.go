package views

import (
	"time"

	"github.com/a-h/templ"
)

// doorSamples are the door, with each answer it gives.
func doorSamples(s map[string]templ.Component) {
	verdict := func(code string, change func(*Verdict)) *Verdict {
		v := Verdict{Code: code, Name: bidiName, Role: RoleGuest, Room: scriptName, MaxUses: 1, Slug: "standup", Host: "grace", Link: "06dq3v7m2k8ht0p5ya9c4xjw1r", Nonce: "1-2-3-4", Now: now}
		change(&v)
		return &v
	}
	plain := func(*Verdict) {}
	page := func(v *Verdict, lately ...StoryLine) templ.Component {
		return DoorPage(Door{Page: page(""), Name: "Weekly standup", Slug: "standup", Owner: "grace", Nonce: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Verdict: v, Lately: lately})
	}
	s["door"] = page(nil)
	s["door-admitted"] = page(verdict("admitted", func(v *Verdict) { v.Undo, v.MaxUses, v.Left = true, 25, 1 }),
		StoryLine{Event: Event{At: now, Actor: "ada", Party: "host", Kind: "invitation.redeemed", Detail: "at_door"}, Invitation: "inv_01", Guest: emojiName},
		StoryLine{Event: Event{At: now.Add(-time.Minute), Actor: "ada", Party: "host", Kind: "invitation.use_returned"}, Invitation: "inv_02", Guest: scriptName})
	s["door-used"] = page(verdict("used", func(v *Verdict) { v.At, v.Noted = now.Add(-3*time.Minute), now.Add(-2*time.Minute) }))
	s["door-early"] = page(verdict("not_yet", func(v *Verdict) { v.At = now.Add(time.Hour) }))
	s["door-elsewhere"] = page(verdict("wrong_room", func(v *Verdict) { v.Name, v.Role = longName, RoleHost }))
	s["door-pin"] = page(verdict("pin_wrong", func(v *Verdict) { v.Noted = now.Add(-2 * time.Minute) }),
		StoryLine{Event: Event{At: now, Actor: "ada", Party: "host", Kind: "invitation.door_conflict", Detail: "pin_wrong"}, Invitation: "inv_01", Guest: emojiName})
	s["door-unknown"] = page(&Verdict{Code: "invalid_link", Slug: "standup", Link: scriptName, Nonce: "1-2-3-4", Now: now})
	for _, code := range []string{"returned", "late", "too_many_requests"} {
		s["door-"+code] = page(verdict(code, plain))
	}
}
