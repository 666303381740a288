package tokens_test

import (
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// A sweep takes names away and nobody's admission: who was let in comes back where
// the room opens again, and the use stays taken.
func TestTheSamePersonComesBackToARoomThatOpensAgainAfterASweep(t *testing.T) {
	t.Parallel()
	closed := func(closed bool) func(*testing.T, *datatest.Bench, rooms.Room) {
		return func(t *testing.T, b *datatest.Bench, room rooms.Room) {
			t.Helper()
			_, err := b.Rooms.SetClosed(t.Context(), ada(), room, closed)
			must(t, err)
		}
	}
	for name, row := range map[string]struct {
		ends        time.Duration // 0 for a room without an end
		keeps       time.Duration // RETENTION
		over, again func(*testing.T, *datatest.Bench, rooms.Room)
		needsLink   bool // all is forgotten but the link's own use
	}{
		"closed before its end": {1000 * time.Hour, keepsFor, closed(true), closed(false), false},
		"closed within a stay":  {0, time.Hour, closed(true), closed(false), false},
		"ended, and moved on": {time.Hour, keepsFor, func(*testing.T, *datatest.Bench, rooms.Room) {}, func(t *testing.T, b *datatest.Bench, room rooms.Room) {
			t.Helper()
			_, err := b.Rooms.Change(t.Context(), ada(), room, rooms.Change{EndsAt: ptr(b.Clock.Millis() + ms(time.Hour))})
			must(t, err)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
				d := rooms.Draft{}
				if row.ends != 0 {
					d.EndsAt = b.Clock.Millis() + ms(row.ends)
				}
				room := makeRoom(t, b, d)
				inv := mint(t, b, room, tokens.Draft{Name: "Grace Hopper"})
				was := redeem(t, b, press(b, inv, browser)).Admission
				b.Clock.Add(time.Minute)
				row.over(t, b, room)
				b.Clock.Add(row.keeps + 3*time.Hour)
				sweep := func() int {
					n, err := (&tokens.Retention{Store: b.Invitations.Store, Now: b.Clock.Now, After: row.keeps}).Sweep(t.Context())
					must(t, err)
					return n
				}
				if n, left := sweep(), b.Holding(t, "hopper"); n != 1 || left != nil {
					t.Fatalf("%d were swept, and the name is in %v", n, left)
				}
				row.again(t, b, fetch(t, b, inv).Room)

				if _, a, err := b.Invitations.Show(t.Context(), b.Invitations.Links.Short(inv), "", browser); err != nil || a == nil || a.ID != was.ID {
					t.Errorf("the link shows %+v, %v", a, err)
				}
				if row.needsLink {
					redeem(t, b, press(b, inv, browser))
				}
				in, err := b.Invitations.Reenter(t.Context(), room.Slug, browser, false, false)
				must(t, err)
				if in.Admission.ID != was.ID || in.Admission.Name != "" {
					t.Errorf("came back as %+v, was %+v", in.Admission, was)
				}
				if out := redeem(t, b, press(b, inv, browser)); out.Admission.ID != was.ID || out.Invitation.Uses != 1 {
					t.Errorf("pressed again: %+v", out)
				}
				_, err = b.Invitations.Redeem(t.Context(), press(b, inv, "another"))
				wants(t, "another person", err, tokens.ErrUsed)

				// Once nobody can come back any more, the browser is forgotten too.
				hash := tokens.BrowserHash(browser)
				if sweep(); b.Holding(t, hash) == nil {
					t.Error("forgotten while the room is open")
				}
				b.Clock.Add(2000 * time.Hour)
				if n, left := sweep(), b.Holding(t, hash); n != 0 || left != nil {
					t.Errorf("%d lost their names again, and the browser is known by %v", n, left)
				}
			})
		})
	}
}
