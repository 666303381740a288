// Package hosts knows who may sign in, and tells a host from a guesser.
//
// It never keeps a plain password longer than it must, and never says whether
// a name exists.
package hosts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/bcrypt"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/keys"
)

// ErrCredentials is the one refusal of a wrong name or password.
var ErrCredentials = errors.New("wrong name or password")

// Host is a person who may sign in.
type Host struct {
	Username    string
	DisplayName string
	Admin       bool
	Slugs       []string // allowed_rooms
	// Version changes with the password, and when the host signs out everywhere:
	// sessions and tokens carry the one they began with and end when it is no
	// longer the host's.
	Version string
	// Credential changes with the password alone: what a host gave to apps and
	// keys carries the one it began with.
	Credential string
	// Made is set where the host was generated, because the settings name nobody.
	Made bool
	// TwoFactor is set where the host has a second factor, and MustEnrol where one
	// is required that the host does not have: then nothing else is open.
	TwoFactor, MustEnrol bool

	// The one token of Version former that is good although Version is another: its Mark.
	former, spared string

	hash  string // argon2id or bcrypt, empty where plain is set
	plain []byte // MAC of a password that was given in plain text
}

// Shown is what the host is called on pages.
func (h Host) Shown() string {
	if h.DisplayName != "" {
		return h.DisplayName
	}
	return h.Username
}

// Caller is the host as somebody who asks for something.
func (h Host) Caller() rooms.Caller {
	return rooms.Caller{Actor: audit.Actor{Kind: audit.Host, Name: h.Username}, Owner: h.Username, Admin: h.Admin, Slugs: h.Slugs}
}

// Store keeps the generated host and where hosts signed in from.
// Implementations MUST be safe for concurrent use.
type Store interface {
	Factors
	PasskeyStore
	GuessStore
	// Generated returns the generated host, or rooms.ErrNotFound.
	Generated(ctx context.Context) (Generated, error)
	// SetGenerated replaces it, or adds it; with keep, an existing one stays and
	// false is reported.
	SetGenerated(ctx context.Context, g Generated, at int64, keep bool) (bool, error)
	// Epochs returns how often hosts signed out everywhere, by name in lower
	// case; those who never did are missing.
	Epochs(ctx context.Context) (map[string]int64, error)
	// Settle makes these the hosts' secrets, by name in lower case. Where another was
	// kept, all ends for good that the host is signed in with, and what the host gave
	// to apps and keys, with the event; where these are the named ones, so it does for
	// hosts that are not among them. Where they are not, hosts that are known by name
	// stay as they are, and are the ones left. Second factors and passkeys always stay.
	Settle(ctx context.Context, secrets map[string]string, named bool, ev func(host string) audit.Event) (ended, left []string, err error)
	// Sealed returns the key that is kept under that name: fresh, where there was none.
	Sealed(ctx context.Context, name string, fresh []byte) ([]byte, error)
	// SealAgain replaces it.
	SealAgain(ctx context.Context, name string, box []byte) error
	// KnowsAddress tells whether some host signed in from that address before.
	KnowsAddress(ctx context.Context, address string) (bool, error)
	// RememberAddress notes that the host signed in from that address.
	RememberAddress(ctx context.Context, host, address string, at int64) error
}

// Directory is everybody who may sign in. It is safe for concurrent use.
type Directory struct {
	// Ended, where it is set, is told that all has ended that the host was signed in
	// with at that moment.
	Ended func(ctx context.Context, host string, at int64)

	root  keys.Root
	key   []byte // of what is kept of passwords, devices and addresses
	store Store
	now   func() time.Time
	set   []Host // from the settings; empty where the host is generated

	mu     sync.Mutex
	all    []Host // as of readAt; replaced, never changed
	readAt time.Time
}

// Open is the directory of the given hosts, or of the generated one where there are
// none, over a store that the previous root, nil for none, may have sealed. What
// hosts began then goes on under this root.
func Open(ctx context.Context, root keys.Root, previous *keys.Root, store Store, now func() time.Time, set []Host) (*Directory, error) {
	key, err := firstKey(ctx, store, root, previous)
	if err == nil && previous != nil {
		err = ResealFactors(ctx, store, root, *previous)
	}
	if err != nil {
		return nil, err
	}
	return newDirectory(root, key, store, now, set), nil
}

// NewDirectory is Open of a store that has always been this root's.
func NewDirectory(root keys.Root, store Store, now func() time.Time, set []Host) *Directory {
	return newDirectory(root, rootsKey(root), store, now, set)
}

func newDirectory(root keys.Root, key []byte, store Store, now func() time.Time, set []Host) *Directory {
	d := &Directory{root: root, key: key, store: store, now: now}
	for _, h := range set {
		h.Version = d.version(h.Username, h.hash+string(h.plain))
		h.Credential = h.Version
		if h.plain != nil {
			h.plain = d.mac(string(h.plain))
		}
		d.set = append(d.set, h)
	}
	return d
}

// All returns everybody who may sign in.
func (d *Directory) All(ctx context.Context) ([]Host, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// The command line may give the generated host a new password beside us, and
	// a host may sign out everywhere at another instance.
	if now := d.now(); d.all == nil || now.Sub(d.readAt) > 500*time.Millisecond || now.Before(d.readAt) {
		all, err := d.read(ctx)
		if err != nil {
			return nil, err
		}
		d.all, d.readAt = all, now
	}
	return d.all, nil
}

// read is everybody as of now.
func (d *Directory) read(ctx context.Context) ([]Host, error) {
	all := slices.Clone(d.set)
	if len(all) == 0 {
		g, err := d.store.Generated(ctx)
		if err != nil {
			return nil, err
		}
		version := d.version(g.Username, g.Hash)
		all = []Host{{Username: g.Username, Admin: true, Made: true, hash: g.Hash, Version: version, Credential: version}}
	}
	epochs, err := d.store.Epochs(ctx)
	if err != nil {
		return nil, err
	}
	factors, err := d.store.Standing(ctx)
	if err != nil {
		return nil, err
	}
	for i, h := range all {
		name := fold(h.Username)
		all[i].TwoFactor = factors.On[name]
		all[i].MustEnrol = factors.Required && !factors.On[name]
		if n := epochs[name]; n > 0 {
			all[i].Version = d.epoch(h, n)
			all[i].former, all[i].spared = d.epoch(h, n-1), factors.Spared[name]
		}
	}
	return all, nil
}

// fold is a name without case. Names are ASCII, and so is their case: other
// letters that some language folds to these make another name, which nobody has.
func fold(name string) string {
	b := []byte(name)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// ByName returns the host of that name, or rooms.ErrNotFound. Names are
// compared without regard to case.
func (d *Directory) ByName(ctx context.Context, username string) (Host, error) {
	all, err := d.All(ctx)
	if err != nil {
		return Host{}, err
	}
	for _, h := range all {
		if fold(h.Username) == fold(username) {
			return h, nil
		}
	}
	return Host{}, rooms.ErrNotFound
}

// Called is what guests know that host as; nothing where that is the generated
// host, or one called "host", whose name says nothing.
func (d *Directory) Called(ctx context.Context, username string) string {
	name := username
	if h, err := d.ByName(ctx, username); err == nil {
		if name = h.Shown(); h.Made && h.DisplayName == "" {
			return ""
		}
	}
	if strings.EqualFold(name, "host") {
		return ""
	}
	return name
}

// First is the host for whom things are done that no host asked for: the first
// admin, or the only host there is; rooms.ErrNotFound where there is neither.
func (d *Directory) First(ctx context.Context) (Host, error) {
	all, err := d.All(ctx)
	if err != nil {
		return Host{}, err
	}
	for _, h := range all {
		if h.Admin || len(all) == 1 {
			return h, nil
		}
	}
	return Host{}, rooms.ErrNotFound
}

// Check returns the host of that name and password, else ErrCredentials. An
// unknown name costs the time of a known one: its password is compared with
// that of a host who is always the same for this name.
func (d *Directory) Check(ctx context.Context, username, password string) (Host, error) {
	all, err := d.All(ctx)
	if err != nil {
		return Host{}, err
	}
	sum := d.mac("shadow " + fold(username))
	h, exists := all[int(sum[0])%len(all)], false
	for _, o := range all {
		if fold(o.Username) == fold(username) {
			h, exists = o, true
		}
	}
	if !d.matches(h, password) || !exists {
		return Host{}, ErrCredentials
	}
	return h, nil
}

func (d *Directory) matches(h Host, password string) bool {
	if len(password) > 1024 {
		password = password[:1024]
	}
	if strings.HasPrefix(h.hash, "$2") {
		return bcrypt.CompareHashAndPassword([]byte(h.hash), []byte(password)) == nil
	}
	if h.hash != "" {
		ok, err := argon2id.ComparePasswordAndHash(password, h.hash)
		return ok && err == nil
	}
	// A plain password costs an attacker as much as a hashed one.
	_, _ = Hash(password)
	return hmac.Equal(h.plain, d.mac(password))
}

func (d *Directory) mac(s string) []byte {
	h := hmac.New(sha256.New, d.key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

func (d *Directory) version(username, secret string) string {
	return base64.RawURLEncoding.EncodeToString(d.mac("version " + username + "\x00" + secret)[:12])
}
