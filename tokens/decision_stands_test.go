package tokens_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// build makes the cells: invitations first, then admissions by real presses,
// at last the state of each, written into the rows.
func build(t *testing.T, b *datatest.Bench, cells []cell) []stand {
	t.Helper()
	ctx := context.Background()
	type place struct {
		closed bool
		time   string
	}
	places := map[place]rooms.Room{}
	stands := make([]stand, len(cells))
	for i, c := range cells {
		at := place{c.closed, c.room}
		if places[at].ID == 0 {
			places[at] = makeRoom(t, b, rooms.Draft{Slug: fmt.Sprintf("room-%d", len(places))})
		}
		inv := tokens.Invitation{ID: b.IDs.Next(b.Clock.Millis()), Room: places[at], Role: tokens.Guest, MaxUses: 5,
			ExpiresAt: b.Clock.Millis() + ms(100*time.Hour), CreatedAt: b.Clock.Millis(), CreatedBy: ada().Actor}
		inv.Counter = inv.ID
		stands[i] = stand{cell: c, inv: inv}
	}
	insert(t, b, stands)
	crowd(stands, func(i int, s stand) {
		if !s.shared {
			return
		}
		inv, err := b.Invitations.Reissue(ctx, ada(), s.inv, true, true)
		if err != nil || inv.Counter != s.inv.ID {
			t.Errorf("reissued with the counter %d, %v", inv.Counter, err)
		}
		stands[i].inv = inv
	})
	arrive := func(who string) {
		crowd(stands, func(i int, s stand) {
			ask := s.asks(b)
			if s.who == "other" && who == "again" {
				ask = call(b, s.inv, "gate", "somebody else's nonce")
			} else if s.who != who {
				return
			}
			out, err := b.Invitations.Redeem(ctx, ask)
			if err != nil {
				t.Errorf("%v: cannot be built: %v", s, err)
			}
			if s.who == who {
				stands[i].before = out.Admission
			}
		})
	}
	arrive("ended")
	b.Clock.Add(13 * time.Hour)
	arrive("again")

	now := b.Clock.Millis()
	tx, err := b.Raw(t).BeginTx(ctx, nil)
	must(t, err)
	set := func(query string, args ...any) {
		t.Helper()
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			t.Fatal(err)
		}
	}
	for at, room := range places {
		day, grace := ms(24*time.Hour), ms(time.Hour)
		window := map[string][2]int64{"always": {}, "upcoming": {now + 1, now + day}, "open": {now, now + 1},
			"grace": {now - day, now - grace + 1}, "over": {now - day, now - grace}, "held": {}}[at.time]
		set(`UPDATE rooms SET starts_at = $1, ends_at = $2, closed_at = $3 WHERE id = $4`, window[0], window[1], when(at.closed, now-1), int64(room.ID))
		if at.time == "held" {
			set(`UPDATE rooms SET backend = 'held' WHERE id = $1`, int64(room.ID))
		}
	}
	for _, s := range stands {
		set(`UPDATE invitations SET expires_at = $1, not_before = $2, revoked_at = $3, superseded_by = $4 WHERE id = $5`,
			map[string]int64{"later": now + 1, "now": now}[s.expires], map[string]int64{"none": 0, "now": now, "later": now + 1}[s.notBefore],
			when(s.revoked, now-1), when(s.superseded, 1), int64(s.inv.ID))
		if s.taken {
			set(`UPDATE invitations SET uses = max_uses, redeemed_at = $1 WHERE id = $2`, now-5, int64(s.inv.Counter))
		}
	}
	must(t, tx.Commit())
	return stands
}

func insert(t *testing.T, b *datatest.Bench, stands []stand) {
	t.Helper()
	invs, evs := make([]tokens.Invitation, len(stands)), make([]audit.Event, len(stands))
	for i, s := range stands {
		invs[i] = s.inv
		evs[i] = audit.Event{At: s.inv.CreatedAt, Actor: s.inv.CreatedBy, Kind: audit.InvitationMinted, Room: int64(s.inv.Room.ID), Invitation: int64(s.inv.ID)}
	}
	must(t, b.Invitations.Store.Insert(context.Background(), invs, evs))
}

func when(is bool, then int64) int64 {
	if is {
		return then
	}
	return 0
}

// crowd does something for each stand, many at a time.
func crowd(stands []stand, do func(int, stand)) {
	var wg sync.WaitGroup
	work := make(chan int)
	for range 64 {
		wg.Go(func() {
			for i := range work {
				do(i, stands[i])
			}
		})
	}
	for i := range stands {
		work <- i
	}
	close(work)
	wg.Wait()
}

// entry is all that redeeming could change about one invitation.
type entry struct {
	uses, admissions, events int
	redeemed, row            int64
}

func ledger(t *testing.T, b *datatest.Bench) map[rooms.ID]entry {
	t.Helper()
	rows, err := b.Raw(t).QueryContext(context.Background(), `SELECT i.id, c.uses, c.redeemed_at,
		(SELECT COUNT(*) FROM admissions a WHERE a.invitation_id = i.id), (SELECT COUNT(*) FROM events e WHERE e.invitation_id = i.id AND e.kind <> 'invitation.refused'),
		i.max_uses + i.not_before + i.expires_at + i.revoked_at + i.opened_at + i.superseded_by
		FROM invitations i JOIN invitations c ON c.id = i.counter`)
	must(t, err)
	defer func() { _ = rows.Close() }()
	found := map[rooms.ID]entry{}
	for rows.Next() {
		var id rooms.ID
		var e entry
		must(t, rows.Scan(&id, &e.uses, &e.redeemed, &e.admissions, &e.events, &e.row))
		found[id] = e
	}
	must(t, rows.Err())
	return found
}
