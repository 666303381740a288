package data_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"admitone/data/datatest"
	"admitone/rooms/audit"
	"admitone/tokens"
)

// What is done to one invitation, and how it is answered.
type step struct {
	what  string // claim, revoke, restore, close, open, reissue
	nonce int    // of a claim
}

// truth is the invitation as a single thread would have it. Admitted holds the
// nonces that took a use.
type truth struct {
	uses                        int
	revoked, closed, superseded bool
	admitted                    uint64
}

// oneAtATime says what each step may answer and what it leaves behind, if all
// happened one after the other. Answers are true for "admitted" and "changed".
func oneAtATime(maxUses int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return truth{} },
		Step: func(state, input, output any) (bool, any) {
			was, in, done := state.(truth), input.(step), output.(bool)
			next := was
			var want bool
			switch in.what {
			case "claim":
				again := was.admitted&(1<<in.nonce) != 0
				want = again || was.uses < maxUses && !was.revoked && !was.closed && !was.superseded
				if want && !again {
					next.uses++
					next.admitted |= 1 << in.nonce
				}
			case "revoke":
				want, next.revoked = !was.revoked && !was.superseded, was.revoked || !was.superseded
			case "restore":
				want, next.revoked = was.revoked, false
			case "close":
				want, next.closed = !was.closed, true
			case "open":
				want, next.closed = was.closed, false
			case "reissue":
				want, next.superseded = !was.superseded, true
			}
			return done == want, next
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %v", input, output) },
	}
}

// storm does the steps of each actor in order, all actors at once, and returns
// what happened as porcupine likes it.
func (s *stage) storm(actors [][]step, do func(step) (bool, error)) (history []porcupine.Operation) {
	s.Helper()
	var mu sync.Mutex
	began := time.Now()
	datatest.AtOnce(len(actors), func(client int) {
		for _, in := range actors[client] {
			call := time.Since(began).Nanoseconds()
			done, err := do(in)
			back := time.Since(began).Nanoseconds()
			if err != nil {
				s.Errorf("%+v: %v", in, err)
			}
			mu.Lock()
			history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: done, Return: back})
			mu.Unlock()
		}
	})
	return history
}

// do carries a step out through the Stores.
func (s *stage) do(inv tokens.Invitation, in step) (done bool, err error) {
	ctx, now := context.Background(), s.Clock.Millis()
	ev := audit.Event{At: now, Actor: s.by.Actor, Kind: audit.InvitationChanged, Room: int64(inv.Room.ID), Invitation: int64(inv.ID)}
	switch in.what {
	case "claim":
		_, err = s.claim(inv, fmt.Sprint(in.nonce))
		if errors.Is(err, tokens.ErrNotClaimed) {
			return false, nil
		}
		return err == nil, err
	case "revoke":
		return s.Invitations.Store.Revoke(ctx, inv.ID, now, ev)
	case "restore":
		return s.Invitations.Store.Restore(ctx, inv.ID, now-1, ev)
	case "close":
		return s.Rooms.Store.SetClosed(ctx, inv.Room.ID, now, ev)
	case "open":
		return s.Rooms.Store.SetClosed(ctx, inv.Room.ID, 0, ev)
	}
	next := inv
	next.ID = s.IDs.Next(now)
	next.Counter = next.ID
	err = s.Invitations.Store.Reissue(ctx, inv.ID, next, ev)
	if errors.Is(err, tokens.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

// claimants are actors who claim each nonce twice, as retries do.
func claimants(actors, each int) (all [][]step) {
	for a := range actors {
		var steps []step
		for n := range each {
			claim := step{what: "claim", nonce: a*each + n}
			steps = append(steps, claim, claim)
		}
		all = append(all, steps)
	}
	return all
}

const uses = 9

func TestClaimsRacingWithdrawalAreLinearizable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		steps []step
	}{
		{"revoke and restore", []step{{what: "revoke"}, {what: "restore"}, {what: "revoke"}, {what: "revoke"}}},
		{"close and reopen", []step{{what: "close"}, {what: "open"}, {what: "close"}, {what: "close"}}},
		{"reissue", []step{{what: "reissue"}, {what: "reissue"}, {what: "revoke"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
				for range 12 {
					s := newStage(t, b)
					inv := s.mint(uses)
					history := s.storm(append(claimants(6, 3), row.steps), func(in step) (bool, error) { return s.do(inv, in) })
					judge(t, history, porcupine.Ok)
				}
			})
		})
	}
}

func judge(t *testing.T, history []porcupine.Operation, want porcupine.CheckResult) {
	t.Helper()
	if got := porcupine.CheckOperationsTimeout(oneAtATime(uses), history, 30*time.Second); got != want {
		t.Errorf("the history is %s, want %s: %+v", got, want, history)
	}
}

// The control: claims that look first and take the use afterwards. All have
// looked before the first one takes it.
func TestTheModelSeesAClaimThatReadsThenWrites(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		s := newStage(t, b)
		inv := s.mint(uses)
		raw := b.Raw(t)
		var looked sync.WaitGroup
		looked.Add(uses + 3)
		revoked := make(chan struct{})
		do := func(in step) (bool, error) {
			if in.what == "revoke" {
				looked.Wait()
				defer close(revoked)
				return s.do(inv, in)
			}
			row, err := s.Invitations.Store.ByID(context.Background(), inv.ID)
			looked.Done()
			<-revoked
			if err != nil || row.Check(s.Clock.Millis()) != nil {
				return false, err
			}
			return true, admitBlindly(raw, b.IDs.Next(b.Clock.Millis()), inv, fmt.Sprint(in.nonce))
		}
		var actors [][]step
		for n := range uses + 3 {
			actors = append(actors, []step{{what: "claim", nonce: n}})
		}
		judge(t, s.storm(append(actors, []step{{what: "revoke"}}), do), porcupine.Illegal)
	})
}

func TestTheModelSeesWhatMustNotHappen(t *testing.T) {
	t.Parallel()
	var now int64
	op := func(in step, done bool) porcupine.Operation {
		now += 2
		return porcupine.Operation{Input: in, Output: done, Call: now, Return: now + 1}
	}
	claim := func(nonce int) step { return step{what: "claim", nonce: nonce} }
	var tooMany []porcupine.Operation
	for n := range uses + 1 {
		tooMany = append(tooMany, op(claim(n), true))
	}
	for name, history := range map[string][]porcupine.Operation{
		"more than max uses":            tooMany,
		"admitted after a revocation":   {op(step{what: "revoke"}, true), op(claim(1), true)},
		"admitted to a closed room":     {op(step{what: "close"}, true), op(claim(1), true)},
		"admitted by a replaced link":   {op(step{what: "reissue"}, true), op(claim(1), true)},
		"refused for nothing":           {op(claim(1), false)},
		"a retry refused":               {op(claim(1), true), op(claim(1), false)},
		"revoked twice":                 {op(step{what: "revoke"}, true), op(step{what: "revoke"}, true)},
		"refused after it was restored": {op(step{what: "revoke"}, true), op(step{what: "restore"}, true), op(claim(1), false)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judge(t, history, porcupine.Illegal)
		})
	}
}
