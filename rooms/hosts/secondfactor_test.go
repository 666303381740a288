package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/rooms/hosts"
)

// phone is an authenticator app with a host's secret, and a clock that may be wrong.
type phone struct {
	t      *testing.T
	b      *datatest.Bench
	secret string
	off    time.Duration
}

func (p phone) code() string {
	p.t.Helper()
	code, err := totp.GenerateCode(p.secret, p.b.Clock.Now().Add(p.off))
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// secured is a gate to Ada, who has a second factor, and to Bo, who has none.
type secured struct {
	gate     *hosts.Gate
	factors  *hosts.SecondFactors
	bench    *datatest.Bench
	phone    phone
	recovery []string
}

func (s *secured) host(t *testing.T, name string) hosts.Host {
	t.Helper()
	h, err := s.gate.Directory.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func secure(t *testing.T, b *datatest.Bench) *secured {
	t.Helper()
	d := directory(t, b, host("Ada", quick(t, secret)), host("bo", quick(t, secret)))
	s := &secured{gate: hosts.NewGate(d, b.Hosts, b.Clock.Now), bench: b,
		factors: &hosts.SecondFactors{Directory: d, Store: b.Hosts, Now: b.Clock.Now, Site: "meet.example"}}
	s.enrol(t)
	return s
}

func (s *secured) enrol(t *testing.T) {
	t.Helper()
	e, err := s.factors.Request(t.Context(), s.host(t, "ada"))
	if err != nil {
		t.Fatal(err)
	}
	s.phone = phone{t: t, b: s.bench, secret: e.Secret}
	if s.recovery, err = s.factors.Confirm(t.Context(), s.host(t, "ada"), e.Token, s.phone.code(), hosts.Kept{}); err != nil {
		t.Fatal(err)
	}
	s.bench.Clock.Add(time.Minute) // the step of that code is used
}

// in signs Ada in at an address that nobody knows.
func (s *secured) in(ctx context.Context, code string) error {
	_, err := s.gate.SignIn(ctx, "ada", secret, code, hosts.From{Address: "198.51.100.77"})
	return err
}

func TestAPasswordAloneIsHalfOfIt(t *testing.T) {
	t.Parallel()
	s := secure(t, bench(t))
	for _, blank := range []string{"", " ", "- -"} {
		if err := s.in(t.Context(), blank); !errors.Is(err, hosts.ErrMissingTwoFactor) {
			t.Errorf("with %q: %v", blank, err)
		}
	}
	if _, err := s.gate.SignIn(t.Context(), "ada", "wrong", s.phone.code(), hosts.From{}); !errors.Is(err, hosts.ErrCredentials) {
		t.Errorf("a code without the password: %v", err)
	}
	// Half a sign-in makes no address known.
	if n := s.known(t); n != 0 {
		t.Errorf("%d addresses are known", n)
	}
	if err := s.in(t.Context(), s.phone.code()); err != nil {
		t.Errorf("with the code: %v", err)
	}
	if n := s.known(t); n != 1 {
		t.Errorf("%d addresses are known after signing in", n)
	}
	if _, err := s.gate.SignIn(t.Context(), "bo", secret, "123456", hosts.From{}); err != nil {
		t.Errorf("a host without one: %v", err)
	}
}

func (s *secured) known(t *testing.T) (n int) {
	t.Helper()
	if err := s.bench.Raw(t).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM known_addresses WHERE host = 'ada'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestACodeIsGoodOneStepEarlyAndOneLateAndOnce(t *testing.T) {
	t.Parallel()
	s := secure(t, bench(t))
	for _, tt := range []struct {
		off  time.Duration
		good bool
	}{{0, true}, {-30 * time.Second, true}, {30 * time.Second, true}, {-60 * time.Second, false}, {60 * time.Second, false}, {time.Hour, false}} {
		s.bench.Clock.Add(10 * time.Minute)
		p := s.phone
		p.off = tt.off
		code := p.code()
		err := s.in(t.Context(), code[:3]+" "+code[3:])
		if tt.good != (err == nil) || err != nil && !errors.Is(err, hosts.ErrInvalidTwoFactor) {
			t.Errorf("a phone %s off: %v", tt.off, err)
		}
		for range 2 {
			if err := s.in(t.Context(), code); !errors.Is(err, hosts.ErrInvalidTwoFactor) {
				t.Errorf("a phone %s off, again: %v", tt.off, err)
			}
		}
	}
	s.bench.Clock.Add(10 * time.Minute)
	code := s.phone.code()
	if err := s.in(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	s.bench.Clock.Add(30 * time.Second)
	if err := s.in(t.Context(), code); !errors.Is(err, hosts.ErrInvalidTwoFactor) {
		t.Errorf("a step later: %v", err)
	}
	s.bench.Clock.Add(-12 * time.Hour)
	s.bench.Clock.Add(12*time.Hour - 30*time.Second)
	if err := s.in(t.Context(), code); !errors.Is(err, hosts.ErrInvalidTwoFactor) {
		t.Errorf("after the clock was set back: %v", err)
	}
}

func TestWhatIsNoCode(t *testing.T) {
	t.Parallel()
	s := secure(t, bench(t))
	code := s.phone.code()
	for _, bad := range []string{code + "0", code[:5], "000000x", strings.Repeat("9", 10_000), "\x00\x00\x00\x00\x00\x00", "１２３４５６", "AAAA-BBBB-CCCC", code + "\n" + code} {
		if err := s.in(t.Context(), bad); !errors.Is(err, hosts.ErrInvalidTwoFactor) {
			t.Errorf("%.20q: %v", bad, err)
		}
		s.bench.Clock.Add(time.Minute)
	}
}

func TestARecoveryCodeWorksOnce(t *testing.T) {
	t.Parallel()
	s := secure(t, bench(t))
	if len(s.recovery) != 10 {
		t.Fatalf("%d recovery codes", len(s.recovery))
	}
	for n, code := range s.recovery {
		typed := []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + strings.ReplaceAll(strings.ReplaceAll(code, "0", "o"), "1", "l")}[n%4]
		if err := s.in(t.Context(), typed); err != nil {
			t.Errorf("%q: %v", typed, err)
		}
		if err := s.in(t.Context(), code); !errors.Is(err, hosts.ErrInvalidTwoFactor) {
			t.Errorf("%q again: %v", code, err)
		}
		f, err := s.factors.Store.Factor(t.Context(), "ada")
		if err != nil || f.Left != 9-n {
			t.Errorf("%d are left, %v", f.Left, err)
		}
		s.bench.Clock.Add(time.Minute)
	}
	fresh, err := s.factors.Recover(t.Context(), s.host(t, "ada"))
	if err != nil || len(fresh) != 10 || slices.Contains(fresh, s.recovery[0]) {
		t.Fatalf("%v, %v", fresh, err)
	}
	again, err := s.factors.Recover(t.Context(), s.host(t, "ada"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.in(t.Context(), fresh[0]); !errors.Is(err, hosts.ErrInvalidTwoFactor) {
		t.Errorf("a code that was replaced: %v", err)
	}
	if err := s.in(t.Context(), again[0]); err != nil {
		t.Errorf("a new code: %v", err)
	}
	if _, err := s.factors.Recover(t.Context(), s.host(t, "bo")); !errors.Is(err, rooms.ErrNotFound) {
		t.Errorf("codes without a factor: %v", err)
	}
}

func TestGuessingCodesCountsWithGuessingPasswords(t *testing.T) {
	t.Parallel()
	s := secure(t, bench(t))
	looked := 0
	for n := range 30 {
		from := hosts.From{Address: fmt.Sprintf("203.0.113.%d", n)}
		var err error
		if n%2 == 0 {
			_, err = s.gate.SignIn(t.Context(), "ada", "wrong", "", from)
		} else {
			err = s.gate.SecondFactor(t.Context(), s.host(t, "ada"), "000000", from)
		}
		switch {
		case errors.Is(err, hosts.ErrCredentials), errors.Is(err, hosts.ErrInvalidTwoFactor):
			looked++
		case wait(err) <= 0:
			t.Fatalf("guess %d: %v", n, err)
		}
	}
	if looked != 10 {
		t.Errorf("%d guesses were looked at, want 10", looked)
	}
	if err := s.gate.Password(t.Context(), s.host(t, "ada"), secret, hosts.From{Address: "203.0.113.99"}); wait(err) == 0 {
		t.Errorf("the password once more, from there: %v", err)
	}
}
