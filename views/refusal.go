package views

import (
	"context"
	"time"
)

// Refusal is what a guest sees instead of a room.
type Refusal struct {
	Page Page
	// Code says which refusal ("used", "expired", …); one that is not known gets the words of "unavailable".
	Code string
	// Status is the answer's HTTP status, shown small for who helps the guest.
	Status int
	// Room and Host name the room and who to ask; both empty where the link proved nothing.
	Room, Host string
	// For and Role are as on the page of a link, where waiting is all there is to do; Role is empty elsewhere.
	For, Role string
	// At is when it was used (code "used") or when it opens (code "not_yet"); the latter page waits and reloads itself.
	At time.Time
	// RetryAfter is how long to wait (codes "too_many_requests", "unavailable"); zero says "in a moment".
	RetryAfter time.Duration
	// Calendar is the address of the invitation's calendar file (code "not_yet"); empty where there is none.
	Calendar string
	// Ask is how its browser asks for a new link; nil where nothing is to be asked for.
	Ask *Ask
	// Manage is the address of the invitation's own page, for a host of the room who is signed in; empty for others.
	Manage string
	// Again is the address that opens the page anew by GET; empty: no button.
	Again string
	// Wait is the event stream that ends when the page is worth opening anew (code "waiting_for_host"); the page listens.
	Wait string
	// Press is the address whose press is offered once more; empty: Again is offered.
	Press string
	// Cookieless says that the press came without any cookie of ours (code "no_nonce").
	Cookieless bool
	// Elsewhere is the link for another browser or device; nil where there is none.
	Elsewhere *Elsewhere
}

// look is how a refusal is drawn.
type look struct {
	Tone, Icon string
	// Retry says that trying again may help, and offers it.
	Retry bool
}

// code is the code whose words and look are shown.
func (v Refusal) code() string {
	if _, known := refusals[v.Code]; known {
		return v.Code
	}
	return "unavailable"
}

// text is one of the refusal's texts: title, stamp, says or next.
func (v Refusal) text(ctx context.Context, part string) string {
	if v.Cookieless {
		return t(ctx, "cookieless."+part)
	}
	return t(ctx, "refusal."+v.code()+"."+part)
}

// looksAgain says that the page opens itself anew after RetryAfter.
func (v Refusal) looksAgain() bool {
	return v.code() == "unavailable" && v.RetryAfter > 0 && v.Again != ""
}

func (v Refusal) look() look { return refusals[v.code()] }

// next is the sentence that says what to do now.
func (v Refusal) next(ctx context.Context) string {
	if v.RetryAfter > 0 {
		return t(ctx, "refusal.retry", "wait", patience(ctx, v.RetryAfter))
	}
	return v.text(ctx, "next")
}

var refusals = map[string]look{
	"invalid_link":      {Tone: Warn, Icon: "question"},
	"wrong_room":        {Tone: Warn, Icon: "door"},
	"superseded":        {Tone: Info, Icon: "two"},
	"revoked":           {Tone: Bad, Icon: "cross"},
	"room_closed":       {Tone: Bad, Icon: "closed"},
	"used":              {Tone: Bad, Icon: "punched"},
	"moved":             {Tone: Info, Icon: "door"},
	"expired":           {Tone: Warn, Icon: "hourglass"},
	"not_yet":           {Tone: Info, Icon: "clock", Retry: true},
	"waiting_for_host":  {Tone: Info, Icon: "door", Retry: true},
	"cross_site":        {Tone: Warn, Icon: "shield", Retry: true},
	"no_nonce":          {Tone: Warn, Icon: "cookie", Retry: true},
	"too_many_requests": {Tone: Warn, Icon: "hourglass", Retry: true},
	"room_full":         {Tone: Warn, Icon: "seats", Retry: true},
	"unavailable":       {Tone: Warn, Icon: "plug", Retry: true},
}
