package hosts_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
	"admitone/tokens/keys"
)

func TestSettingUpNeedsTheRightCodeAndTakesEffectWithIt(t *testing.T) {
	t.Parallel()
	s := secure(t, bench(t))
	bo := s.host(t, "bo")
	e, err := s.factors.Request(t.Context(), bo)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(e.URI)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/AdmitOne:bo@meet.example" {
		t.Errorf("the address is %s, %v", e.URI, err)
	}
	for name, want := range map[string]string{"secret": e.Secret, "issuer": "AdmitOne", "algorithm": "SHA1", "digits": "6", "period": "30"} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(e.Token, e.Secret) || len(e.Secret) != 32 {
		t.Errorf("the token %s tells the secret %s", e.Token, e.Secret)
	}
	p := phone{t: t, b: s.bench, secret: e.Secret}
	confirm := func(h hosts.Host, token, code string) error {
		_, err := s.factors.Confirm(t.Context(), h, token, code, hosts.Kept{})
		return err
	}
	if err := confirm(bo, e.Token, "000000"); !errors.Is(err, hosts.ErrInvalidTwoFactor) {
		t.Errorf("a wrong code: %v", err)
	}
	for what, err := range map[string]error{"of another host": confirm(s.host(t, "ada"), e.Token, p.code()), "changed": confirm(bo, "A"+e.Token[1:], p.code()), "none": confirm(bo, "", p.code())} {
		if len(rooms.Wrong(err)) == 0 {
			t.Errorf("a token %s: %v", what, err)
		}
	}
	if again, err := s.factors.Enrolling(bo, e.Token); err != nil || again != e {
		t.Errorf("looked at again: %+v, %v", again, err)
	}
	if _, err := s.gate.SignIn(t.Context(), "bo", secret, "", hosts.From{}); err != nil {
		t.Errorf("before it is confirmed: %v", err)
	}
	late := e
	code := p.code()
	if err := confirm(bo, e.Token, code); err != nil {
		t.Fatalf("the right code after a wrong one: %v", err)
	}
	if _, err := s.gate.SignIn(t.Context(), "bo", secret, code, hosts.From{}); !errors.Is(err, hosts.ErrInvalidTwoFactor) {
		t.Errorf("the code that confirmed it, once more: %v", err)
	}
	s.bench.Clock.Add(time.Minute)
	if err := confirm(bo, e.Token, p.code()); !errors.Is(err, hosts.ErrTwoFactorOn) {
		t.Errorf("confirmed twice: %v", err)
	}
	if _, err := s.factors.Request(t.Context(), bo); !errors.Is(err, hosts.ErrTwoFactorOn) {
		t.Errorf("a second one: %v", err)
	}
	if err := s.factors.Disable(t.Context(), bo); err != nil {
		t.Fatal(err)
	}
	if err := s.factors.Disable(t.Context(), bo); err != nil {
		t.Errorf("turned off twice: %v", err)
	}
	if _, err := s.gate.SignIn(t.Context(), "bo", secret, "", hosts.From{}); err != nil {
		t.Errorf("after it was turned off: %v", err)
	}
	s.bench.Clock.Add(15 * time.Minute)
	if err := confirm(bo, late.Token, p.code()); len(rooms.Wrong(err)) == 0 {
		t.Errorf("after more than a quarter of an hour: %v", err)
	}
}

func TestTurningItOnEndsWhatThePasswordAloneOpened(t *testing.T) {
	t.Parallel()
	b := bench(t)
	d := directory(t, b, host("Ada", quick(t, secret)))
	tokens := &hosts.Tokens{Ring: b.Ring, Directory: d, Base: datatest.Base, Now: b.Clock.Now}
	factors := &hosts.SecondFactors{Directory: d, Store: b.Hosts, Now: b.Clock.Now}
	var made [2]string
	h, err := d.ByName(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	for i := range made {
		if made[i], err = tokens.Mint(h); err != nil {
			t.Fatal(err)
		}
	}
	e, err := factors.Request(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := factors.Confirm(t.Context(), h, e.Token, phone{t: t, b: b, secret: e.Secret}.code(), hosts.Kept{Token: hosts.Mark(made[0])}); err != nil {
		t.Fatal(err)
	}
	good := func(token string, want error) {
		t.Helper()
		if _, err := tokens.Read(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	good(made[0], nil) // the one that turned it on
	good(made[1], hosts.ErrBadToken)
	if err := factors.Reset(t.Context(), rooms.Caller{Admin: true}, "ada"); err != nil {
		t.Fatal(err)
	}
	good(made[0], hosts.ErrBadToken)
}

func TestAdminsRequireAndReset(t *testing.T) {
	t.Parallel()
	s := secure(t, bench(t))
	admin := rooms.Caller{Actor: audit.Actor{Kind: audit.Host, Name: "root"}, Owner: "root", Admin: true}
	if err := s.factors.Require(t.Context(), s.host(t, "bo").Caller(), true); !errors.Is(err, rooms.ErrNotAdmin) {
		t.Errorf("a host requires it: %v", err)
	}
	if err := s.factors.Reset(t.Context(), s.host(t, "bo").Caller(), "ada"); !errors.Is(err, rooms.ErrNotAdmin) {
		t.Errorf("a host resets another's: %v", err)
	}
	if err := s.factors.Require(t.Context(), admin, true); err != nil {
		t.Fatal(err)
	}
	if ada, bo := s.host(t, "ada"), s.host(t, "bo"); ada.MustEnrol || !ada.TwoFactor || !bo.MustEnrol || bo.TwoFactor {
		t.Errorf("%+v, %+v", ada, bo)
	}
	was := s.host(t, "ada").Version
	if err := s.factors.Reset(t.Context(), admin, "ADA"); err != nil {
		t.Fatal(err)
	}
	if ada := s.host(t, "ada"); !ada.MustEnrol || ada.Version == was {
		t.Errorf("after the reset: %+v", ada)
	}
	if err := s.in(t.Context(), ""); err != nil {
		t.Errorf("the password alone after it: %v", err)
	}
	for name, want := range map[string]error{"ada": rooms.ErrNotFound, "nobody": rooms.ErrNotFound} {
		if err := s.factors.Reset(t.Context(), admin, name); !errors.Is(err, want) {
			t.Errorf("reset of %s: %v", name, err)
		}
	}
	own := s.host(t, "bo").Caller()
	own.Admin = true
	if err := s.factors.Reset(t.Context(), own, "BO"); len(rooms.Wrong(err)) == 0 {
		t.Errorf("one's own: %v", err)
	}
	if err := s.factors.Require(t.Context(), admin, false); err != nil || s.host(t, "bo").MustEnrol {
		t.Errorf("not required any more: %v", err)
	}
}

func TestAnotherRootOpensNothingUntilItIsSealedAgain(t *testing.T) {
	t.Parallel()
	s := secure(t, bench(t))
	f, err := s.factors.Store.Factor(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(f.Box), s.phone.secret) {
		t.Error("the secret stands in the database")
	}
	root, err := keys.NewRoot("Zk3vQ8xWn2LmTc7YdRb5HsJf9GpE4uA6") // gitleaks:allow
	if err != nil {
		t.Fatal(err)
	}
	set, err := hosts.Parse("[" + host("Ada", quick(t, secret)) + "]")
	if err != nil {
		t.Fatal(err)
	}
	gate := hosts.NewGate(hosts.NewDirectory(root, s.bench.Hosts, s.bench.Clock.Now, set), s.bench.Hosts, s.bench.Clock.Now)
	in := func(code string) error {
		_, err := gate.SignIn(t.Context(), "ada", secret, code, hosts.From{})
		return err
	}
	if err := in(s.phone.code()); err == nil || errors.Is(err, hosts.ErrInvalidTwoFactor) {
		t.Errorf("with another root: %v", err)
	}
	if err := hosts.ResealFactors(t.Context(), s.bench.Hosts, root, datatest.Root(t)); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{s.phone.code(), s.recovery[3]} {
		if err := in(code); err != nil {
			t.Errorf("sealed again: %v", err)
		}
	}
	if err := hosts.ResealFactors(t.Context(), s.bench.Hosts, root, datatest.Root(t)); err != nil {
		t.Errorf("once more: %v", err)
	}
}
