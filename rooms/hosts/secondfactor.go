package hosts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// SecondFactors lets hosts set their second factor up and give it up, and admins
// see to it.
type SecondFactors struct {
	Directory *Directory
	Store     Factors
	Now       func() time.Time
	Site      string // the public host name, by which an authenticator app tells accounts apart
}

// Enrolment is a second factor that a host is about to set up. Nothing is kept
// of it: Token carries the secret, sealed, to Confirm.
type Enrolment struct {
	Token  string
	Secret string // base32, to be typed
	URI    string // otpauth://totp/…, to be scanned
}

// enrolling is how long an Enrolment is good.
const enrolling = 15 * time.Minute

// Request begins setting up a second factor: ErrTwoFactorOn where there is one.
// The caller has checked the host's password.
func (s *SecondFactors) Request(ctx context.Context, h Host) (Enrolment, error) {
	if _, err := s.Store.Factor(ctx, fold(h.Username)); !errors.Is(err, rooms.ErrNotFound) {
		if err == nil {
			err = ErrTwoFactorOn
		}
		return Enrolment{}, err
	}
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret)
	until := binary.BigEndian.AppendUint64(nil, uint64(s.Now().Add(enrolling).UnixMilli()))
	return s.enrolment(h, base64.RawURLEncoding.EncodeToString(s.Directory.root.Seal(requestLabel(h), append(until, secret...))), secret)
}

// Enrolling is the Enrolment of a token that Request gave and that is still
// good; else it is rooms.Invalid.
func (s *SecondFactors) Enrolling(h Host, token string) (Enrolment, error) {
	secret, err := s.requested(h, token)
	if err != nil {
		return Enrolment{}, err
	}
	return s.enrolment(h, token, secret)
}

func (s *SecondFactors) enrolment(h Host, token string, secret []byte) (Enrolment, error) {
	key, err := factorKey(s.Site, h.Username, secret)
	if err != nil {
		return Enrolment{}, err
	}
	return Enrolment{Token: token, Secret: key.Secret(), URI: key.URL()}, nil
}

func (s *SecondFactors) requested(h Host, token string) ([]byte, error) {
	box, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		box, err = s.Directory.root.Open(requestLabel(h), box)
	}
	if err != nil || len(box) != 8+secretSize || binary.BigEndian.Uint64(box) <= uint64(s.Now().UnixMilli()) {
		return nil, rooms.Invalid{Field: "request_token", Detail: "is none of this account's, or is too old: begin again"}
	}
	return box[8:], nil
}

func requestLabel(h Host) string {
	return "second factor request " + fold(h.Username) + "\x00" + h.Credential
}

// Confirm turns the second factor on, for a host whose app shows the right code,
// and returns the recovery codes, this once. Everything that the host is signed
// in with ends, but for what is kept. A wrong code is ErrInvalidTwoFactor, and
// the token stays good.
func (s *SecondFactors) Confirm(ctx context.Context, h Host, token, code string, keep Kept) ([]string, error) {
	secret, err := s.requested(h, token)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	n, ok := stepOf(secret, typedCode(code), now)
	if !ok {
		return nil, ErrInvalidTwoFactor
	}
	name := fold(h.Username)
	shown, hashes := newRecovery(secret)
	f := Factor{Host: name, Box: s.Directory.root.Seal(factorLabel(name), secret), Since: now.UnixMilli()}
	first := Confirmed{Step: stepHash(secret, n), Recovery: hashes, Keep: keep}
	ev := s.did(h, audit.FactorEnabled)
	if err := s.Store.Enable(ctx, f, first, ev); err != nil {
		return nil, err
	}
	s.Directory.ended(ctx, h.Username, ev.At)
	return shown, nil
}

// Recover gives the host new recovery codes in the place of all former ones.
func (s *SecondFactors) Recover(ctx context.Context, h Host) ([]string, error) {
	f, err := s.Store.Factor(ctx, fold(h.Username))
	if err != nil {
		return nil, err
	}
	secret, err := s.Directory.root.Open(factorLabel(f.Host), f.Box)
	if err != nil {
		return nil, err
	}
	shown, hashes := newRecovery(secret)
	return shown, s.Store.Recover(ctx, f.Host, hashes, s.did(h, audit.RecoveryCodesMade))
}

// Disable turns the host's own second factor off; one that is off stays so. The
// caller has checked the host's password.
func (s *SecondFactors) Disable(ctx context.Context, h Host) error {
	err := s.Store.Disable(ctx, fold(h.Username), false, s.did(h, audit.FactorDisabled))
	s.Directory.forget()
	if errors.Is(err, rooms.ErrNotFound) {
		return nil
	}
	return err
}

// Reset is an admin's, for a host who lost the app and the recovery codes: it
// takes the second factor away and ends all that the host is signed in with.
// One's own is not reset but turned off, with the password.
func (s *SecondFactors) Reset(ctx context.Context, by rooms.Caller, username string) error {
	h, err := s.Directory.ByName(ctx, username)
	switch {
	case !by.Admin:
		return rooms.ErrNotAdmin
	case err != nil:
		return err
	case by.Owner != "" && fold(by.Owner) == fold(h.Username):
		return rooms.Invalid{Field: "host", Detail: "is yourself: turn your own off with your password"}
	}
	ev := audit.Event{At: s.Now().UnixMilli(), Actor: by.Actor, Kind: audit.FactorReset, Detail: h.Username}
	if err := s.Store.Disable(ctx, fold(h.Username), true, ev); err != nil {
		return err
	}
	s.Directory.ended(ctx, h.Username, ev.At)
	return nil
}

// Require is an admin's: whether every host must have a second factor.
func (s *SecondFactors) Require(ctx context.Context, by rooms.Caller, required bool) error {
	if !by.Admin {
		return rooms.ErrNotAdmin
	}
	kind := audit.FactorOptional
	if required {
		kind = audit.FactorRequired
	}
	err := s.Store.Require(ctx, required, audit.Event{At: s.Now().UnixMilli(), Actor: by.Actor, Kind: kind})
	s.Directory.forget()
	return err
}

func (s *SecondFactors) did(h Host, kind audit.Kind) audit.Event {
	return audit.Event{At: s.Now().UnixMilli(), Actor: audit.Actor{Kind: audit.Host, Name: h.Username}, Kind: kind}
}
