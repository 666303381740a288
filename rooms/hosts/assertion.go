package hosts

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// Question is what a browser is asked about passkeys, once.
type Question struct {
	Options []byte // JSON for navigator.credentials
	// Seal carries the challenge to the Answer, and tells nobody anything. The same
	// browser is to bring it back.
	Seal string
}

// Answer is what the browser says to a Question.
type Answer struct {
	Credential []byte // JSON, of a PublicKeyCredential
	Seal       string
	Bind       string // of the session in which it was asked, and is answered
}

const askSignIn = "passkey sign-in"

func askCode(h Host) string { return "passkey code " + fold(h.Username) + "\x00" + h.Version }

func askNew(h Host) string { return "passkey new " + fold(h.Username) + "\x00" + h.Version }

// AskSignIn asks for a passkey of whoever it may be.
func (p *Passkeys) AskSignIn(bind string) (Question, error) {
	if !p.Offered() {
		return Question{}, rooms.ErrNotFound
	}
	options, session, err := p.rp.BeginDiscoverableLogin()
	return p.question(askSignIn, bind, options, session, err)
}

// AskCode asks a host whose password was right for a passkey;
// rooms.ErrNotFound where there is none.
func (p *Passkeys) AskCode(ctx context.Context, h Host, bind string) (Question, error) {
	if !p.Offered() {
		return Question{}, rooms.ErrNotFound
	}
	user, err := p.user(ctx, h)
	if err == nil && len(user.keys) == 0 {
		err = rooms.ErrNotFound
	}
	if err != nil {
		return Question{}, err
	}
	options, session, err := p.rp.BeginLogin(user)
	return p.question(askCode(h), bind, options, session, err)
}

// AskNew asks for a new passkey, on a device that has none of the host's. The
// caller has checked the host's password.
func (p *Passkeys) AskNew(ctx context.Context, h Host, bind string) (Question, error) {
	if !p.Offered() {
		return Question{}, rooms.ErrNotFound
	}
	user, err := p.user(ctx, h)
	if err != nil {
		return Question{}, err
	}
	var known []protocol.CredentialDescriptor
	for _, k := range user.WebAuthnCredentials() {
		known = append(known, k.Descriptor())
	}
	options, session, err := p.rp.BeginRegistration(user, webauthn.WithExclusions(known))
	return p.question(askNew(h), bind, options, session, err)
}

func (p *Passkeys) question(about, bind string, options any, session *webauthn.SessionData, err error) (Question, error) {
	if err != nil {
		return Question{}, err
	}
	text, err := json.Marshal(options)
	if err != nil {
		return Question{}, err
	}
	until := binary.BigEndian.AppendUint64(nil, uint64(p.Gate.Now().Add(asking).UnixMilli()))
	box := p.Gate.Directory.root.Seal(about+"\x00"+bind, append(until, session.Challenge...))
	return Question{text, base64.RawURLEncoding.EncodeToString(box)}, nil
}

// asked is the challenge of the Question about that, or ErrPasskeyLate.
func (p *Passkeys) asked(about string, a Answer) (challenge string, err error) {
	if !p.Offered() {
		return "", rooms.ErrNotFound
	}
	box, err := base64.RawURLEncoding.DecodeString(a.Seal)
	if err == nil {
		box, err = p.Gate.Directory.root.Open(about+"\x00"+a.Bind, box)
	}
	if err != nil || len(box) <= 8 || binary.BigEndian.Uint64(box) <= uint64(p.Gate.Now().UnixMilli()) {
		return "", ErrPasskeyLate
	}
	return string(box[8:]), nil
}

// hash is what is kept of a challenge that was used.
func (p *Passkeys) hash(challenge string) string {
	return hex.EncodeToString(p.Gate.Directory.mac("passkey challenge " + challenge))
}

func (p *Passkeys) session(challenge string, u passkeyUser) webauthn.SessionData {
	return webauthn.SessionData{Challenge: challenge, RelyingPartyID: p.rp.Config.RPID, UserID: u.handle, UserVerification: protocol.VerificationRequired}
}

// SignIn returns the host whose passkey answers AskSignIn: by having it and by
// unlocking it, which is both factors at once. It is ErrInvalidPasskey,
// ErrPasskeyLate, or TooMany before anything is looked at, where wrong ones came
// from that address.
func (p *Passkeys) SignIn(ctx context.Context, a Answer, from From) (h Host, err error) {
	challenge, err := p.asked(askSignIn, a)
	if err != nil {
		return h, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(a.Credential)
	if err != nil {
		return h, ErrInvalidPasskey
	}
	// A handle is random: only the host's own devices can name the host by it.
	name, err := p.Gate.Store.HandleOf(ctx, parsed.Response.UserHandle)
	if err != nil && !errors.Is(err, rooms.ErrNotFound) {
		return h, err
	}
	err = p.Gate.assertion(from, func() error {
		if h, err = p.Gate.Directory.ByName(ctx, name); errors.Is(err, rooms.ErrNotFound) {
			return ErrInvalidPasskey
		}
		if err == nil {
			err = p.check(ctx, h, challenge, parsed)
		}
		return err
	})
	if err != nil {
		h = Host{}
	}
	return h, p.Gate.remembering(ctx, h, from, err)
}

// SecondFactor is Gate.SecondFactor, by a passkey that answers AskCode.
func (p *Passkeys) SecondFactor(ctx context.Context, h Host, a Answer, from From) error {
	challenge, err := p.asked(askCode(h), a)
	if err != nil {
		return err
	}
	return p.Gate.remembering(ctx, h, from, p.Gate.assertion(from, func() error {
		parsed, err := protocol.ParseCredentialRequestResponseBytes(a.Credential)
		if err != nil {
			return ErrInvalidPasskey
		}
		return p.check(ctx, h, challenge, parsed)
	}))
}

// withoutApp is Gate.second for a host without an authenticator app: a passkey
// alone is a second factor too, and no code is its.
func (g *Gate) withoutApp(ctx context.Context, h Host, code string) error {
	all, err := g.Store.Passkeys(ctx, fold(h.Username))
	switch {
	case err != nil || len(all) == 0:
		return err
	case code == "":
		return ErrMissingTwoFactor
	}
	return ErrInvalidTwoFactor
}

// check looks at the signature (WebAuthn, 7.2) and uses the challenge up.
func (p *Passkeys) check(ctx context.Context, h Host, challenge string, parsed *protocol.ParsedCredentialAssertionData) error {
	user, err := p.user(ctx, h)
	if err != nil {
		return err
	}
	if _, err := p.rp.ValidateLogin(user, p.session(challenge, user), parsed); err != nil {
		return ErrInvalidPasskey
	}
	for _, k := range user.keys {
		if bytes.Equal(k.Credential, parsed.RawID) {
			use := PasskeyUse{ID: k.ID, Challenge: p.hash(challenge), Count: parsed.Response.AuthenticatorData.Counter, At: p.Gate.Now().UnixMilli()}
			return p.Gate.Store.UsePasskey(ctx, use, p.did(h, audit.PasskeyCopied, k.Name))
		}
	}
	return ErrInvalidPasskey
}
