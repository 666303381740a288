package datatest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// factorsPromises are those of hosts.Factors.
func factorsPromises() []promise {
	ev := func(t *trial, kind audit.Kind) audit.Event {
		return audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Kind: kind}
	}
	factor := func(t *trial, host string) hosts.Factor {
		return hosts.Factor{Host: host, Box: []byte{0, 1, 0xff, 2}, Since: t.now}
	}
	codes := func(host string) (all []string) {
		for n := range 10 {
			all = append(all, fmt.Sprint(host, " code ", n))
		}
		return all
	}
	enable := func(t *trial, host, step string, keep hosts.Kept) error {
		return t.Hosts.Enable(t.ctx, factor(t, host), hosts.Confirmed{Step: step, Recovery: codes(host), Keep: keep}, ev(t, audit.FactorEnabled))
	}
	left := func(t *trial, host string, want int) {
		t.Helper()
		f, err := t.Hosts.Factor(t.ctx, host)
		t.must(err)
		same(t, "recovery codes left of "+host, f.Left, want)
	}
	atOnce := func(t *trial, use func() (bool, error)) (firsts int32) {
		t.Helper()
		var all sync.WaitGroup
		var first atomic.Int32
		for range 16 {
			all.Go(func() {
				ok, err := use()
				if err != nil && !errors.Is(err, hosts.ErrReplayed) {
					t.Error(err)
				}
				if ok {
					first.Add(1)
				}
			})
		}
		all.Wait()
		return first.Load()
	}
	return []promise{
		{"Factor: rooms.ErrNotFound while there is none", func(t *trial) {
			_, err := t.Hosts.Factor(t.ctx, "ada")
			t.fails(err, rooms.ErrNotFound)
			all, err := t.Hosts.Factors(t.ctx)
			t.must(err)
			same(t, "all", len(all), 0)
		}},
		{"Enable adds a factor with its codes and its event, or nothing at all", func(t *trial) {
			t.undoneWithoutHistory(map[string]func() error{"Enable": func() error { return enable(t, "ada", "s1", hosts.Kept{}) }})
			t.noted("Enable", func() { t.must(enable(t, "ada", "s1", hosts.Kept{})) }, ev(t, audit.FactorEnabled))
			want := factor(t, "ada")
			all, err := t.Hosts.Factors(t.ctx)
			t.must(err)
			same(t, "all", all, []hosts.Factor{want})
			want.Left = 10
			got, err := t.Hosts.Factor(t.ctx, "ada")
			t.must(err)
			same(t, "factor", got, want)
			t.unchanged("Enable again", func() { t.fails(enable(t, "ada", "s2", hosts.Kept{}), hosts.ErrTwoFactorOn) })
			t.unchanged("Enable with a step that was used", func() { t.fails(enable(t, "bo", "s1", hosts.Kept{}), hosts.ErrInvalidTwoFactor) })
			first, err := t.Hosts.UseStep(t.ctx, "s1", t.now)
			t.must(err)
			same(t, "the step that confirmed it", first, false)
		}},
		{"Enable ends all sign-ins of that host but the one kept, and spares one token", func(t *trial) {
			t.signIn("f1", "cy", 21, false)
			t.signIn("f2", "cy", 22, false)
			t.signIn("f3", "di", 23, false)
			t.must(enable(t, "cy", "s3", hosts.Kept{SignIn: 22, Token: "mark"}))
			same(t, "cy's", t.count("SELECT COUNT(*) FROM sessions WHERE host = 'cy'"), 1)
			same(t, "the one kept", t.count("SELECT COUNT(*) FROM sessions WHERE id = 22"), 1)
			same(t, "di's", t.count("SELECT COUNT(*) FROM sessions WHERE host = 'di'"), 1)
			epochs, err := t.Hosts.Epochs(t.ctx)
			t.must(err)
			same(t, "epochs", [2]int64{epochs["cy"], epochs["di"]}, [2]int64{1, 0})
			standing, err := t.Hosts.Standing(t.ctx)
			t.must(err)
			same(t, "spared", standing.Spared["cy"], "mark")
			t.must(t.sessions().EndSignIns(t.ctx, "cy", ev(t, audit.HostSignedOut)))
			standing, err = t.Hosts.Standing(t.ctx)
			t.must(err)
			same(t, "spared after signing out everywhere", standing.Spared["cy"], "")
		}},
		{"UseStep is true once, among sixteen at once", func(t *trial) {
			for n := range 20 {
				same(t, "firsts", atOnce(t, func() (bool, error) { return t.Hosts.UseStep(t.ctx, fmt.Sprint("race ", n), t.now) }), 1)
			}
			same(t, "again", atOnce(t, func() (bool, error) { return t.Hosts.UseStep(t.ctx, "race 3", t.now+hour) }), 0)
		}},
		{"a step is remembered for a day, and not for ever", func(t *trial) {
			use := func(step string, at int64) bool {
				first, err := t.Hosts.UseStep(t.ctx, step, at)
				t.must(err)
				return first
			}
			same(t, "first", use("old", t.now), true)
			same(t, "a day later", use("old", t.now+24*hour), false)
			use("newer", t.now+24*hour+1)
			same(t, "rows of it", t.count("SELECT COUNT(*) FROM once WHERE used_for = 'totp' AND hash = 'old'"), 0)
		}},
		{"UseRecovery is true once for each of the host's codes, with its event, among sixteen at once", func(t *trial) {
			t.must(enable(t, "ed", "s4", hosts.Kept{}))
			for n, code := range codes("ed")[:3] {
				events := len(t.history())
				same(t, "firsts", atOnce(t, func() (bool, error) {
					return t.Hosts.UseRecovery(t.ctx, "ed", code, t.now, ev(t, audit.RecoveryCodeUsed))
				}), 1)
				same(t, "events", len(t.history()), events+1)
				left(t, "ed", 9-n)
				_, err := t.Hosts.UseRecovery(t.ctx, "ed", code, t.now, ev(t, audit.RecoveryCodeUsed))
				t.fails(err, hosts.ErrReplayed)
			}
			for what, other := range map[string][2]string{"another host's": {"ed", "ada code 1"}, "of another host": {"ada", "ed code 4"}, "none": {"ed", "x"}} {
				t.unchanged(what, func() {
					first, err := t.Hosts.UseRecovery(t.ctx, other[0], other[1], t.now, ev(t, audit.RecoveryCodeUsed))
					t.must(err)
					same(t, what, first, false)
				})
			}
			t.undoneWithoutHistory(map[string]func() error{"UseRecovery": func() error {
				_, err := t.Hosts.UseRecovery(t.ctx, "ed", "ed code 5", t.now, ev(t, audit.RecoveryCodeUsed))
				return err
			}})
			left(t, "ed", 7)
		}},
		{"Recover replaces all codes, with its event", func(t *trial) {
			t.must(enable(t, "fay", "s5", hosts.Kept{}))
			used, err := t.Hosts.UseRecovery(t.ctx, "fay", "fay code 0", t.now, ev(t, audit.RecoveryCodeUsed))
			t.must(err)
			same(t, "used", used, true)
			t.noted("Recover", func() {
				t.must(t.Hosts.Recover(t.ctx, "fay", []string{"new 1", "new 2"}, ev(t, audit.RecoveryCodesMade)))
			}, ev(t, audit.RecoveryCodesMade))
			left(t, "fay", 2)
			for _, code := range []string{"fay code 0", "fay code 1"} {
				first, err := t.Hosts.UseRecovery(t.ctx, "fay", code, t.now, ev(t, audit.RecoveryCodeUsed))
				t.must(err)
				same(t, "a former code", first, false)
			}
			t.unchanged("without a factor", func() {
				t.fails(t.Hosts.Recover(t.ctx, "nobody", []string{"x"}, ev(t, audit.RecoveryCodesMade)), rooms.ErrNotFound)
			})
		}},
		{"a recovery code that is used while all are replaced works once at most", func(t *trial) {
			t.must(enable(t, "gil", "s6", hosts.Kept{}))
			for n := range 20 {
				old := fmt.Sprint("gil old ", n)
				t.must(t.Hosts.Recover(t.ctx, "gil", []string{old}, ev(t, audit.RecoveryCodesMade)))
				var all sync.WaitGroup
				var firsts atomic.Int32
				for range 8 {
					all.Go(func() {
						first, err := t.Hosts.UseRecovery(t.ctx, "gil", old, t.now, ev(t, audit.RecoveryCodeUsed))
						if err != nil && !errors.Is(err, hosts.ErrReplayed) {
							t.Error(err)
						}
						if first {
							firsts.Add(1)
						}
					})
				}
				all.Go(func() {
					if err := t.Hosts.Recover(t.ctx, "gil", []string{"x"}, ev(t, audit.RecoveryCodesMade)); err != nil {
						t.Error(err)
					}
				})
				all.Wait()
				if firsts.Load() > 1 {
					t.Errorf("it worked %d times", firsts.Load())
				}
			}
		}},
		{"Disable takes a factor away with its codes and its event; with end the host's sign-ins too", func(t *trial) {
			t.signIn("f4", "hal", 24, false)
			t.must(enable(t, "hal", "s7", hosts.Kept{SignIn: 24}))
			t.undoneWithoutHistory(map[string]func() error{"Disable": func() error { return t.Hosts.Disable(t.ctx, "hal", true, ev(t, audit.FactorDisabled)) }})
			t.noted("Disable", func() { t.must(t.Hosts.Disable(t.ctx, "hal", false, ev(t, audit.FactorDisabled))) }, ev(t, audit.FactorDisabled))
			_, err := t.Hosts.Factor(t.ctx, "hal")
			t.fails(err, rooms.ErrNotFound)
			same(t, "codes", t.count("SELECT COUNT(*) FROM recovery_codes WHERE host = 'hal'"), 0)
			same(t, "sign-ins", t.count("SELECT COUNT(*) FROM sessions WHERE host = 'hal'"), 1)
			t.unchanged("Disable again", func() { t.fails(t.Hosts.Disable(t.ctx, "hal", true, ev(t, audit.FactorDisabled)), rooms.ErrNotFound) })
			t.must(enable(t, "hal", "s8", hosts.Kept{SignIn: 24}))
			t.must(t.Hosts.Disable(t.ctx, "hal", true, ev(t, audit.FactorReset)))
			same(t, "sign-ins after a reset", t.count("SELECT COUNT(*) FROM sessions WHERE host = 'hal'"), 0)
		}},
		{"Standing says who has one, and whether everybody must, which Require decides with its event", func(t *trial) {
			standing := func(required bool) {
				t.Helper()
				s, err := t.Hosts.Standing(t.ctx)
				t.must(err)
				same(t, "required", s.Required, required)
				same(t, "on", [2]bool{s.On["ada"], s.On["nobody"]}, [2]bool{true, false})
			}
			standing(false)
			t.undoneWithoutHistory(map[string]func() error{"Require": func() error { return t.Hosts.Require(t.ctx, true, ev(t, audit.FactorRequired)) }})
			t.noted("Require", func() { t.must(t.Hosts.Require(t.ctx, true, ev(t, audit.FactorRequired))) }, ev(t, audit.FactorRequired))
			standing(true)
			t.must(t.Hosts.Require(t.ctx, false, ev(t, audit.FactorOptional)))
			standing(false)
		}},
		{"Reseal replaces the box of the very factor", func(t *trial) {
			f := factor(t, "ada")
			f.Box = []byte("sealed again")
			t.must(t.Hosts.Reseal(t.ctx, f))
			got, err := t.Hosts.Factor(t.ctx, "ada")
			t.must(err)
			same(t, "box", string(got.Box), "sealed again")
			f.Since, f.Box = t.now+1, []byte("of another")
			t.unchanged("Reseal of one that is gone", func() { t.must(t.Hosts.Reseal(t.ctx, f)) })
		}},
	}
}
