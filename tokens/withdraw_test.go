package tokens_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

func TestRestoreUndoesARevocationWithinAMinute(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		room := makeRoom(t, b, rooms.Draft{})
		for _, tt := range []struct {
			after time.Duration
			want  error
		}{{0, nil}, {59*time.Second + 999*time.Millisecond, nil}, {time.Minute, tokens.ErrConflict}, {time.Hour, tokens.ErrConflict}} {
			inv := mint(t, b, room, tokens.Draft{ExpiresIn: 9 * time.Hour})
			same, err := b.Invitations.Restore(t.Context(), ada(), inv, "nothing to undo")
			if err != nil || same.RevokedAt != 0 {
				t.Fatalf("restoring what is not revoked: %+v, %v", same, err)
			}
			revoked, err := b.Invitations.Revoke(t.Context(), ada(), inv, "lost\nphone")
			if err != nil || revoked.RevokedAt != b.Clock.Millis() || revoked.State(b.Clock.Millis()) != tokens.Revoked {
				t.Fatalf("revoked: %+v, %v", revoked, err)
			}
			b.Clock.Add(tt.after)
			again, err := b.Invitations.Revoke(t.Context(), ada(), inv, "again") // does not start the minute anew
			if err != nil || again.RevokedAt != revoked.RevokedAt {
				t.Fatalf("revoked again: %+v, %v", again, err)
			}
			_, err = b.Invitations.Restore(t.Context(), ada(), revoked, "found it")
			wants(t, fmt.Sprintf("restoring after %v", tt.after), err, tt.want)
			_, err = b.Invitations.Redeem(t.Context(), press(b, inv, browser))
			story := []string{"invitation.minted ", "invitation.revoked lost phone"}
			if tt.want == nil {
				wants(t, "redeeming what was restored", err, nil)
				story = append(story, "invitation.restored found it", "invitation.redeemed ")
			} else {
				wants(t, "redeeming what was not", err, tokens.ErrRevoked)
				story = append(story, "invitation.refused revoked")
			}
			if got := history(t, b, inv); got != strings.Join(story, "; ") {
				t.Errorf("after %v the history is %q, want %q", tt.after, got, story)
			}
		}
	})
}

// history is the invitation's, oldest first.
func history(t *testing.T, b *datatest.Bench, inv tokens.Invitation) string {
	t.Helper()
	evs, err := b.Invitations.Store.Events(t.Context(), inv.ID, 0, 100)
	must(t, err)
	var lines []string
	for _, ev := range evs {
		lines = append([]string{string(ev.Kind) + " " + ev.Detail}, lines...)
		if want := ada().Actor; ev.Kind != audit.InvitationRedeemed && ev.Kind != audit.InvitationRefused && ev.Actor != want {
			t.Errorf("%s was done by %+v, want %+v", ev.Kind, ev.Actor, want)
		}
	}
	return strings.Join(lines, "; ")
}

func TestLinksThatWereKeptShareOneCounter(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx := t.Context()
		first := mint(t, b, makeRoom(t, b, rooms.Draft{}), tokens.Draft{MaxUses: 5})
		second, err := b.Invitations.Reissue(ctx, ada(), first, true, true)
		must(t, err)
		third, err := b.Invitations.Reissue(ctx, ada(), second, true, true)
		must(t, err)
		family := []tokens.Invitation{first, second, third}
		var wishes []tokens.Redemption
		for i := range 45 {
			wishes = append(wishes, call(b, family[i%3], "gate", fmt.Sprint("nonce ", i)))
		}
		_, errs := race(b, wishes)
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, tokens.ErrUsed) {
				t.Errorf("a loser is told %v", err)
			}
		}
		admissions := 0
		for _, inv := range family {
			n := count(t, b, fetch(t, b, inv))
			admissions += n.admissions
			if got := fetch(t, b, inv); got.Uses != 5 || got.MaxUses != 5 || got.RedeemedAt != b.Clock.Millis() || got.State(b.Clock.Millis()) != tokens.Redeemed {
				t.Errorf("one of them says %+v", got)
			}
		}
		if won != 5 || admissions != 5 {
			t.Errorf("%d winners and %d admissions for 5 uses of three links", won, admissions)
		}

		// More uses, said of one, are for all; taking one back leaves the others.
		more := 6
		_, err = b.Invitations.Change(ctx, ada(), fetch(t, b, second), tokens.Change{MaxUses: &more})
		must(t, err)
		_, err = b.Invitations.Revoke(ctx, ada(), first, "")
		must(t, err)
		_, err = b.Invitations.Redeem(ctx, press(b, first, browser))
		wants(t, "the first, revoked", err, tokens.ErrRevoked)
		_, err = b.Invitations.Reissue(ctx, ada(), fetch(t, b, second), false, true)
		must(t, err)
		_, err = b.Invitations.Redeem(ctx, press(b, second, browser))
		wants(t, "the second, superseded", err, tokens.ErrSuperseded)
		redeem(t, b, press(b, third, browser))
		_, err = b.Invitations.Redeem(ctx, press(b, third, "ANOTHERBROWSERSCOOKIE23456"))
		wants(t, "the third, after its last use", err, tokens.ErrUsed)
	})
}

func TestReissueReplacesOnce(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx := t.Context()
		room := makeRoom(t, b, rooms.Draft{})
		old := mint(t, b, room, tokens.Draft{Name: "Ada", Email: "ada@example.org", ExternalID: "7", Locale: "fr", MaxUses: 3})
		redeem(t, b, press(b, old, browser))
		old = fetch(t, b, old)
		const racers = 8
		news, errs := make([]tokens.Invitation, racers), make([]error, racers)
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() { news[i], errs[i] = b.Invitations.Reissue(ctx, ada(), old, false, true) })
		}
		wg.Wait()
		var next tokens.Invitation
		for i, err := range errs {
			switch {
			case err == nil && next.ID == 0:
				next = news[i]
			case !errors.Is(err, tokens.ErrConflict):
				t.Errorf("racer %d: %v", i, err)
			}
		}
		if got := fetch(t, b, old); got.SupersededBy != next.ID || next.ID == 0 {
			t.Errorf("superseded by %v, want %v", got.SupersededBy, next.ID)
		}
		if next.Name != "Ada" || next.Email != old.Email || next.ExternalID != "7" || next.Locale != "fr" || next.MaxUses != 3 || next.Uses != 0 ||
			next.ExpiresAt != old.ExpiresAt || next.Role != old.Role || next.Counter != next.ID {
			t.Errorf("%+v\nis not a new %+v", next, old)
		}
		_, err := b.Invitations.Reissue(ctx, ada(), fetch(t, b, old), false, true)
		wants(t, "reissuing what is superseded", err, tokens.ErrSuperseded)
		list, err := b.Invitations.Store.List(ctx, tokens.Query{Room: room.ID, Limit: 20, Now: b.Clock.Millis()})
		if err != nil || len(list) != 2 {
			t.Errorf("%d invitations, %v; those that lost the race must leave none", len(list), err)
		}

		host := mint(t, b, room, tokens.Draft{Role: tokens.Host})
		_, err = b.Invitations.Reissue(ctx, ada(), host, false, false)
		wants(t, "a host's, without that right", err, tokens.ErrRoleBarred)
		revoked, err := b.Invitations.Revoke(ctx, ada(), host, "")
		must(t, err)
		_, err = b.Invitations.Reissue(ctx, ada(), revoked, true, true)
		wants(t, "keeping a revoked one", err, tokens.ErrRevoked)
		fresh, err := b.Invitations.Reissue(ctx, ada(), revoked, false, true)
		if err != nil || fresh.RevokedAt != 0 || fresh.Role != tokens.Host {
			t.Errorf("replacing a revoked one: %+v, %v", fresh, err)
		}
		late := mint(t, b, room, tokens.Draft{ExpiresIn: 10 * time.Minute})
		b.Clock.Add(time.Hour)
		if next, err := b.Invitations.Reissue(ctx, ada(), late, false, true); err != nil || next.ExpiresAt != b.Clock.Millis()+ms(10*time.Minute) {
			t.Errorf("an expired one lives until %d, %v; want as long as it once did", next.ExpiresAt-b.Clock.Millis(), err)
		}
	})
}

// Links already sent follow their room and their row, to later and to earlier.
func TestMovingWorksForLinksAlreadySent(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		ctx, day := t.Context(), ms(24*time.Hour)
		start := b.Clock.Millis() + day
		end := start + ms(time.Hour)
		room := makeRoom(t, b, rooms.Draft{StartsAt: start, EndsAt: end})
		sent := make([]string, 0, 4)
		for range 2 {
			inv := mint(t, b, room, tokens.Draft{MaxUses: 20})
			token, err := b.Invitations.Links.URL(inv)
			must(t, err)
			sent = append(sent, token, b.Invitations.Links.Short(inv))
		}
		n := 0
		all := func(what string, want error) {
			t.Helper()
			for i, link := range sent {
				n++
				_, err := b.Invitations.Redeem(ctx, tokens.Redemption{Link: link, Nonce: fmt.Sprint(n), Actor: gate("gate")})
				wants(t, fmt.Sprintf("%s, link %d", what, i), err, want)
			}
		}
		at := func(millis int64) { b.Clock.Add(time.Duration(millis-b.Clock.Millis()) * time.Millisecond) }

		at(start - 1)
		all("a moment before the room opens", tokens.ErrNotYet)
		at(start)
		all("as the room opens", nil)
		move(t, b, &room, start+3*day, end+3*day)
		all("moved to later", tokens.ErrNotYet)
		at(start + 3*day)
		all("at the later time, past each token's own exp", nil)
		move(t, b, &room, start+day, end+day)
		all("moved to earlier, which is over", tokens.ErrExpired)
		move(t, b, &room, start+2*day, end+10*day)
		all("moved back over now", nil)

		one := mint(t, b, room, tokens.Draft{})
		soon, far := b.Clock.Millis()+ms(time.Second), b.Clock.Millis()+9*day
		_, err := b.Invitations.Change(ctx, ada(), one, tokens.Change{ExpiresAt: &soon})
		must(t, err)
		b.Clock.Add(time.Second)
		_, err = b.Invitations.Redeem(ctx, press(b, one, browser))
		wants(t, "an invitation moved to earlier", err, tokens.ErrExpired)
		_, err = b.Invitations.Change(ctx, ada(), fetch(t, b, one), tokens.Change{ExpiresAt: &far})
		must(t, err)
		_, err = b.Invitations.Redeem(ctx, press(b, one, browser))
		wants(t, "and to later again", err, nil)
	})
}

func move(t *testing.T, b *datatest.Bench, room *rooms.Room, start, end int64) {
	t.Helper()
	moved, err := b.Rooms.Change(t.Context(), ada(), *room, rooms.Change{StartsAt: &start, EndsAt: &end})
	must(t, err)
	*room = moved
}
