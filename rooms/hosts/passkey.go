package hosts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// The refusals about passkeys.
var (
	// ErrInvalidPasskey counts as a wrong code does.
	ErrInvalidPasskey = fmt.Errorf("the passkey is none of this account's: %w", ErrInvalidTwoFactor)
	// ErrPasskeyCopied refuses one whose counter went back: two devices have it.
	ErrPasskeyCopied = fmt.Errorf("the passkey was copied: %w", ErrInvalidPasskey)
	// ErrPasskeyLate refuses an answer to nothing that this browser was asked of late.
	ErrPasskeyLate = errors.New("that took too long; begin again")
	// ErrPasskeyKnown refuses a credential that is somebody's already.
	ErrPasskeyKnown = errors.New("the passkey is in use already")
)

// PasskeyPrefix is that of passkeys' ids as they are shown.
const PasskeyPrefix = "pass_"

// maxPasskeys is how many a host may have.
const maxPasskeys = 20

// Passkey is a key pair that a device of the host's, or its maker's cloud, keeps
// (WebAuthn). Host is in lower case, instants are Unix milliseconds.
type Passkey struct {
	ID         rooms.ID
	Host       string
	Name       string
	Credential []byte // what the authenticator calls it
	PublicKey  []byte // COSE
	Flags      byte   // of the authenticator's first answer
	Count      uint32 // of signatures, as the authenticator counted them; 0 where it does not
	CreatedAt  int64
	UsedAt     int64 // 0 for not yet
}

// PasskeyStore keeps passkeys. Hosts' names come in lower case, challenges as
// hashes. Implementations MUST be safe for concurrent use. Each change is one
// transaction with its event.
type PasskeyStore interface {
	// Handle returns by what the host's passkeys know the host: fresh, where there
	// was nothing.
	Handle(ctx context.Context, host string, fresh []byte) ([]byte, error)
	// HandleOf returns whose handle that is, or rooms.ErrNotFound.
	HandleOf(ctx context.Context, handle []byte) (host string, err error)
	// Passkeys returns the host's, the oldest first.
	Passkeys(ctx context.Context, host string) ([]Passkey, error)
	// AddPasskey adds one, and uses its challenge up: ErrInvalidPasskey where that
	// was used, ErrPasskeyKnown where the credential is there. With the host's first
	// second factor the host's sign-ins end, but for what is kept.
	AddPasskey(ctx context.Context, p Passkey, challenge string, keep Kept, ev audit.Event) error
	// UsePasskey notes a signature, and uses its challenge up: ErrInvalidPasskey
	// where that was used or the passkey is gone. Where its count did not rise it is
	// ErrPasskeyCopied, and the passkey stays as it was.
	UsePasskey(ctx context.Context, use PasskeyUse, copied audit.Event) error
	// RemovePasskey takes one of the host's away; rooms.ErrNotFound where it is not there.
	RemovePasskey(ctx context.Context, host string, id rooms.ID, ev audit.Event) error
}

// PasskeyUse is one signature of a passkey.
type PasskeyUse struct {
	ID        rooms.ID
	Challenge string
	Count     uint32
	At        int64
}

// Passkeys lets hosts sign in with passkeys, and add and remove them.
type Passkeys struct {
	Gate *Gate
	IDs  *rooms.IDs

	rp *webauthn.WebAuthn // nil where browsers have none for our address
}

// NewPasskeys is for the site at that origin. Browsers keep passkeys for names,
// not for addresses of the network, and only where nobody can listen.
func NewPasskeys(g *Gate, ids *rooms.IDs, base string) *Passkeys {
	p := &Passkeys{Gate: g, IDs: ids}
	u, err := url.Parse(base)
	if err != nil || net.ParseIP(u.Hostname()) != nil || u.Scheme != "https" && u.Hostname() != "localhost" {
		return p
	}
	must := true
	p.rp, err = webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "AdmitOne", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: &must, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		p.rp = nil
	}
	return p
}

// Offered tells whether there can be passkeys at this site's address.
func (p *Passkeys) Offered() bool { return p.rp != nil }

// Of returns the host's, the oldest first.
func (p *Passkeys) Of(ctx context.Context, h Host) ([]Passkey, error) {
	return p.Gate.Store.Passkeys(ctx, fold(h.Username))
}

// Add gives the host a passkey that a browser made when AskNew asked. The caller
// has checked the host's password before. Where it is the first second factor,
// everything that the host is signed in with ends, but for what is kept.
func (p *Passkeys) Add(ctx context.Context, h Host, name string, a Answer, keep Kept) error {
	name, err := rooms.CleanText("name", name, rooms.MaxName)
	if err == nil && name == "" {
		err = rooms.Invalid{Field: "name", Detail: "must not be empty"}
	}
	if err != nil {
		return err
	}
	challenge, err := p.asked(askNew(h), a)
	if err != nil {
		return err
	}
	user, err := p.user(ctx, h)
	if err != nil {
		return err
	}
	if len(user.keys) >= maxPasskeys {
		return rooms.Invalid{Field: "name", Detail: "is one too many: remove one first"}
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(a.Credential)
	if err != nil {
		return ErrInvalidPasskey
	}
	session := p.session(challenge, user)
	session.CredParams = webauthn.CredentialParametersDefault()
	made, err := p.rp.CreateCredential(user, session, parsed)
	if err != nil {
		return ErrInvalidPasskey
	}
	now := p.Gate.Now().UnixMilli()
	k := Passkey{ID: p.IDs.Next(now), Host: fold(h.Username), Name: name, Credential: made.ID, PublicKey: made.PublicKey,
		Flags: byte(made.Flags.ProtocolValue()), Count: made.Authenticator.SignCount, CreatedAt: now}
	ev := p.did(h, audit.PasskeyAdded, name)
	if err := p.Gate.Store.AddPasskey(ctx, k, p.hash(challenge), keep, ev); err != nil {
		return err
	}
	p.Gate.Directory.ended(ctx, h.Username, ev.At)
	return nil
}

// Remove takes one of the host's away: rooms.ErrNotFound where it is not there.
// The caller has checked the host's password.
func (p *Passkeys) Remove(ctx context.Context, h Host, id rooms.ID) error {
	all, err := p.Of(ctx, h)
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.ID == id {
			err := p.Gate.Store.RemovePasskey(ctx, k.Host, id, p.did(h, audit.PasskeyRemoved, k.Name))
			p.Gate.Directory.forget()
			return err
		}
	}
	return rooms.ErrNotFound
}

func (p *Passkeys) did(h Host, kind audit.Kind, detail string) audit.Event {
	return audit.Event{At: p.Gate.Now().UnixMilli(), Actor: audit.Actor{Kind: audit.Host, Name: h.Username}, Kind: kind, Detail: detail}
}

// passkeyUser is a host as the authenticators know one.
type passkeyUser struct {
	host   Host
	handle []byte
	keys   []Passkey
}

func (p *Passkeys) user(ctx context.Context, h Host) (u passkeyUser, err error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh)
	u.host = h
	if u.handle, err = p.Gate.Store.Handle(ctx, fold(h.Username), fresh); err == nil {
		u.keys, err = p.Of(ctx, h)
	}
	return u, err
}

// WebAuthnID implements webauthn.User.
func (u passkeyUser) WebAuthnID() []byte { return u.handle }

// WebAuthnName implements webauthn.User.
func (u passkeyUser) WebAuthnName() string { return u.host.Username }

// WebAuthnDisplayName implements webauthn.User.
func (u passkeyUser) WebAuthnDisplayName() string { return u.host.Shown() }

// WebAuthnCredentials implements webauthn.User.
func (u passkeyUser) WebAuthnCredentials() (all []webauthn.Credential) {
	for _, k := range u.keys {
		all = append(all, webauthn.Credential{ID: k.Credential, PublicKey: k.PublicKey,
			Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(k.Flags)), Authenticator: webauthn.Authenticator{SignCount: k.Count}})
	}
	return all
}

// asking is how long a browser has to answer.
const asking = 5 * time.Minute
