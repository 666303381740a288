package hosts_test

import (
	"errors"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms/hosts"
	"admitone/tokens/keys"
)

// program is AdmitOne started with some settings.
type program struct {
	*hosts.Directory
	t       *testing.T
	scripts datatest.Scripts
	tokens  *hosts.Tokens
	gate    *hosts.Gate
	b       *datatest.Bench
}

func start(t *testing.T, b *datatest.Bench, entries ...string) *program {
	t.Helper()
	d := directory(t, b, entries...)
	if _, err := d.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Clock.Add(time.Second) // within which others notice
	return programOf(t, b, d)
}

func programOf(t *testing.T, b *datatest.Bench, d *hosts.Directory) *program {
	return &program{d, t, b.Scripts(d),
		&hosts.Tokens{Ring: b.Ring, Directory: d, Base: datatest.Base, Now: b.Clock.Now}, hosts.NewGate(d, b.Hosts, b.Clock.Now), b}
}

// things are what a host is signed in with, and gave away.
type things struct{ key, token, device, version string }

func (p *program) give(name string) things {
	p.t.Helper()
	h, err := p.ByName(p.t.Context(), name)
	if err != nil {
		p.t.Fatal(err)
	}
	key, err := p.scripts.Key(p.t.Context(), h)
	if err != nil {
		p.t.Fatal(err)
	}
	token, err := p.tokens.Mint(h)
	if err != nil {
		p.t.Fatal(err)
	}
	return things{key, token, p.gate.Device(h), h.Version}
}

// alive tells whether all of it works, none of it, or a mixture.
func (p *program) alive(name string, x things) string {
	p.t.Helper()
	h, _ := p.ByName(p.t.Context(), name)
	badKey := p.scripts.Read(p.t.Context(), x.key)
	_, badToken := p.tokens.Read(p.t.Context(), x.token)
	switch [4]bool{badKey == nil, badToken == nil, h.Username != "" && p.gate.Device(h) == x.device, h.Version == x.version} {
	case [4]bool{true, true, true, true}:
		return "alive"
	case [4]bool{}:
		return "over"
	}
	return "half"
}

func (p *program) wants(when, name string, x things, want string) {
	p.t.Helper()
	if got := p.alive(name, x); got != want {
		p.t.Errorf("%s: what %s had is %s, want %s", when, name, got, want)
	}
}

func TestWhatEndedOnceDoesNotComeBackToLife(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		former, later, bo := host("Ada", quick(t, secret)), host("Ada", quick(t, secret)), host("bo", quick(t, secret))
		p := start(t, b, former, bo)
		adas, bos := p.give("ada"), p.give("bo")
		p = start(t, b, former, bo)
		p.wants("after a restart", "ada", adas, "alive")

		running := p
		p = start(t, b, later, bo)
		p.wants("with another password", "ada", adas, "over")
		running.wants("at an instance that still has the former one", "ada", adas, "over")
		seconds := p.give("ada")
		p = start(t, b, former, bo)
		p.wants("with the former one again", "ada", adas, "over")
		p.wants("with the former one again", "ada", seconds, "over")
		p.wants("all the while", "bo", bos, "alive")

		thirds := p.give("ada")
		p = start(t, b, bo)
		p.wants("without Ada", "ada", thirds, "over")
		p = start(t, b, former, bo)
		p.wants("with Ada again", "ada", thirds, "over")
		p.wants("all the while", "bo", bos, "alive")
		fresh := p.give("ada")
		p.wants("and what Ada does then", "ada", fresh, "alive")
		p = start(t, b, former, bo)
		p.wants("after a restart", "ada", fresh, "alive")
	})
}

// TestASecondFactorOutlastsTheSettings: no start, with whatever settings, makes the
// password alone open.
func TestASecondFactorOutlastsTheSettings(t *testing.T) {
	t.Parallel()
	b := bench(t)
	ada, bo := host("Ada", quick(t, secret)), host("bo", quick(t, secret))
	running := start(t, b, ada, bo)
	s := &secured{gate: running.gate, bench: b, factors: &hosts.SecondFactors{Directory: running.Directory, Store: b.Hosts, Now: b.Clock.Now, Site: "meet.example"}}
	s.enrol(t)
	at := func(when string, p *program) {
		t.Helper()
		_, err := p.gate.SignIn(t.Context(), "ada", secret, "", hosts.From{Address: "192.0.2.1"})
		if !errors.Is(err, hosts.ErrMissingTwoFactor) {
			t.Errorf("%s: %v", when, err)
		}
	}
	at("with another password", start(t, b, host("Ada", quick(t, secret)), bo))
	start(t, b, bo)
	at("where Ada is still a host", running)
	at("after Ada came back", start(t, b, ada, bo))
	if n, err := b.Hosts.Factor(t.Context(), "ada"); err != nil || n.Left == 0 {
		t.Errorf("recovery codes: %+v, %v", n, err)
	}
}

// TestAStartWithoutSettingsEndsNothing: more often they were forgotten than given up.
func TestAStartWithoutSettingsEndsNothing(t *testing.T) {
	t.Parallel()
	b := bench(t)
	ada, named := host("Ada", quick(t, secret)), host("host", quick(t, secret))
	p := start(t, b, ada, named)
	adas, others := p.give("ada"), p.give("host")
	for _, reset := range []bool{false, true} {
		if _, err := hosts.Generate(t.Context(), b.Hosts, b.Clock.Now(), reset); err != nil {
			t.Fatal(err)
		}
		left, err := directory(t, b).Settle(t.Context())
		if err != nil || len(left) != 2 {
			t.Errorf("left are %v, %v", left, err)
		}
	}
	p = start(t, b, ada, named)
	p.wants("after starts without settings", "ada", adas, "alive")
	p.wants("after starts without settings", "host", others, "alive")
	start(t, b, named).wants("after one that leaves Ada out", "ada", adas, "over")
}

// TestAnotherRootIsNoOtherPassword: with JWT_KEY_PREVIOUS all goes on, in plain text
// or as hashes, and once it is not needed any more too.
func TestAnotherRootIsNoOtherPassword(t *testing.T) {
	t.Parallel()
	datatest.Each(t, func(t *testing.T, b *datatest.Bench) {
		set, err := hosts.Parse("[" + host("Ada", quick(t, secret)) + "," + host("bo", secret) + "]")
		if err != nil {
			t.Fatal(err)
		}
		first := datatest.Root(t)
		second, err := keys.NewRoot("Zk3vQ8xWn2LmTc7YdRb5HsJf9GpE4uA6") // gitleaks:allow
		if err != nil {
			t.Fatal(err)
		}
		open := func(root keys.Root, previous *keys.Root) *program {
			t.Helper()
			d, err := hosts.Open(t.Context(), root, previous, b.Hosts, b.Clock.Now, set)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.Clock.Add(time.Second)
			return programOf(t, b, d)
		}
		p := open(first, nil)
		bos := p.give("bo")
		s := &secured{gate: p.gate, bench: b, factors: &hosts.SecondFactors{Directory: p.Directory, Store: b.Hosts, Now: b.Clock.Now, Site: "meet.example"}}
		s.enrol(t)
		adas := p.give("ada")
		p = open(second, &first)
		p.wants("with another", "ada", adas, "alive")
		p.wants("with another", "bo", bos, "alive")
		if _, err := p.gate.SignIn(t.Context(), "bo", secret, "", hosts.From{}); err != nil {
			t.Errorf("Bo's password: %v", err)
		}
		p = open(second, nil)
		p.wants("without the previous one", "ada", adas, "alive")
		p.wants("without the previous one", "bo", bos, "alive")
		if _, err := hosts.Open(t.Context(), first, nil, b.Hosts, b.Clock.Now, set); !errors.Is(err, keys.ErrWrongRoot) {
			t.Errorf("with the first one again: %v", err)
		}
	})
}

// TestANewPasswordOfTheGeneratedHostSettlesThat: what begins with it goes on after
// the next start.
func TestANewPasswordOfTheGeneratedHostSettlesThat(t *testing.T) {
	t.Parallel()
	b := bench(t)
	if _, err := hosts.Generate(t.Context(), b.Hosts, b.Clock.Now(), false); err != nil {
		t.Fatal(err)
	}
	running := start(t, b)
	before := running.give("host")
	if _, err := hosts.Generate(t.Context(), b.Hosts, b.Clock.Now(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := directory(t, b).Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Clock.Add(time.Second)
	running.wants("with a new password", "host", before, "over")
	after := running.give("host")
	start(t, b).wants("after a restart", "host", after, "alive")
}
