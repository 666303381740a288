// Package views draws what hosts and guests see: every page of AdmitOne, and the pieces of page that htmx swaps in.
//
// It never decides anything: who may do what, which state a room or an invitation is in and which refusal applies
// arrives decided, as plain values. It imports no rule, opens no connection and holds no state.
//
// Each component takes one struct. A page and its swapped pieces are the same components, so that a form works with
// JavaScript and without.
package views

import (
	"context"
	"time"
)

//go:generate go tool templ generate

// Page is what every page says around its own content.
type Page struct {
	// Title names the object ("Standup"); the product's name is added. Pages about no object of their own have a title already.
	Title string
	// said is that title, in the page's language and with what is in it isolated.
	said string
	// Host is the signed-in host's name. Empty: nobody is signed in, and no page of the dashboard is linked.
	Host string
	// Admin says that this host sees everybody's rooms.
	Admin bool
	// NoSignOut is set where the sign-in is switched off (HOST_USER_AUTH=false).
	NoSignOut bool
	// Flash is what the last action did, said once.
	Flash Notice
	// News are sign-ins on devices that were not known, of which the host is to be told.
	News []SignedIn
	// Now is the instant the page speaks of; every "in 42 min" counts from it.
	Now time.Time
}

// Tone of a notice.
const (
	Good = "good"
	Info = "info"
	Warn = "warn"
	Bad  = "bad"
)

// Notice is one sentence about what happened, with a way to take it back.
type Notice struct {
	// Tone is one of Good, Info, Warn, Bad; empty is Info.
	Tone string
	// Text is the sentence. Empty: no notice. It should hold no name a stranger chose, which could not be isolated in it.
	Text Message
	// Then is a second sentence, or silence.
	Then Message
	// UndoAction is where a POST takes it back. Empty: no button.
	UndoAction string
	// UndoLabel is the button's word; empty is "Undo".
	UndoLabel Message
}

// Errors are a form's refusals, by the name of the field; "" is about the form as a whole.
type Errors map[string]Message

// Has tells whether one of these fields was refused.
func (e Errors) Has(fields ...string) bool { return first(e, fields...) != "" }

func (e Errors) in(ctx context.Context, field string) string { return e[field].in(ctx) }

// titled gives the page a title that the language files know, unless it has its own.
func (p Page) titled(words string) Page {
	p.said = words
	return p
}

func (p Page) title() string {
	if p.Title == "" {
		return p.said
	}
	return isolate(p.Title)
}

// States of a room.
const (
	RoomOpen     = "open"
	RoomUpcoming = "upcoming"
	RoomEnded    = "ended"
	RoomClosed   = "closed"
)

// States of an invitation.
const (
	Pending    = "pending"
	Redeemed   = "redeemed"
	Expired    = "expired"
	Revoked    = "revoked"
	Superseded = "superseded"
)

// Orders of a list of invitations.
const (
	SortNewest = "newest"
	SortOldest = "oldest"
	SortName   = "name"
)

// Roles in a room.
const (
	RoleGuest = "guest"
	RoleHost  = "host"
)
