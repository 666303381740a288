package hosts

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/bcrypt"

	"admitone/rooms"
)

// Generated is the host that is made where the settings name none.
type Generated struct {
	Username string
	Hash     string
}

var usernames = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`)

// Parse reads the setting HOST_USERS. Errors name the entry and never quote it.
func Parse(text string) ([]Host, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var list []struct {
		Username     string   `json:"username"`
		Password     string   `json:"password"`
		DisplayName  string   `json:"display_name"`
		AllowedRooms []string `json:"allowed_rooms"`
		Admin        bool     `json:"admin"`
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil || dec.More() {
		return nil, errors.New(`is not a JSON array of {"username","password","display_name"?,"allowed_rooms"?,"admin"?}`)
	}
	if len(list) == 0 {
		return nil, errors.New("names nobody; leave it out to have a host generated")
	}
	var out []Host
	for i, e := range list {
		h := Host{Username: e.Username, DisplayName: e.DisplayName, Admin: e.Admin, Slugs: e.AllowedRooms}
		var err error
		switch {
		case !usernames.MatchString(e.Username):
			err = errors.New("username is 1 to 64 of letters, digits and . _ @ + -")
		case slices.ContainsFunc(out, func(o Host) bool { return fold(o.Username) == fold(e.Username) }):
			err = errors.New("username stands twice")
		case slices.ContainsFunc(e.AllowedRooms, func(s string) bool { return s != "*" && !rooms.ValidSlug(s) }):
			err = errors.New(`allowed_rooms holds slugs or "*"`)
		default:
			if h.DisplayName, err = rooms.CleanText("display_name", e.DisplayName, rooms.MaxName); err == nil {
				err = h.secret(e.Password)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		out = append(out, h)
	}
	return out, nil
}

// secret takes over a password in plain text or as a hash.
func (h *Host) secret(password string) error {
	switch {
	case strings.HasPrefix(password, "$argon2id$"):
		if _, _, _, err := argon2id.DecodeHash(password); err != nil {
			return errors.New("password looks like an argon2id hash but is none")
		}
		h.hash = password
	case strings.HasPrefix(password, "$2"):
		if _, err := bcrypt.Cost([]byte(password)); err != nil {
			return errors.New("password looks like a bcrypt hash but is none")
		}
		h.hash = password
	default:
		if err := CheckPassword(h.Username, password); err != nil {
			return err
		}
		h.plain = []byte(password)
	}
	return nil
}

// CheckPassword refuses passwords that need no guessing.
func CheckPassword(username, password string) error {
	low := strings.ToLower(password)
	switch {
	case len(password) < 8:
		return errors.New("password is shorter than 8 characters")
	case len(password) > 1024:
		return errors.New("password is longer than 1024 bytes")
	case strings.EqualFold(username, password), slices.Contains(tooCommon(), low):
		return errors.New("password is a default or the most common of all; choose another")
	case strings.Count(low, low[:1]) == len(low):
		return errors.New("password is one character over and over")
	}
	return nil
}

func tooCommon() []string {
	return []string{
		"password", "password1", "passw0rd", "12345678", "123456789", "1234567890", "qwertyui", "qwerty123", "qwertyuiop",
		"changeme", "changeit", "changethis", "change-me", "letmein1", "iloveyou", "admin123", "administrator", "welcome1",
		"11111111", "00000000", "username", "mirotalk", "admitone", "secret123", "abcd1234", "abc12345", "11223344",
	}
}

// Hash returns an argon2id hash for HOST_USERS (m=19456, t=2, p=1).
func Hash(password string) (string, error) { return argon2id.CreateHash(password, params()) }

func params() *argon2id.Params {
	return &argon2id.Params{Memory: 19456, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// Generate makes the generated host if there is none, or a new password for it
// with reset. The password is returned once and kept as a hash; it is empty
// where an existing one stays.
func Generate(ctx context.Context, store Store, now time.Time, reset bool) (password string, err error) {
	if !reset {
		if _, err := store.Generated(ctx); err == nil || !errors.Is(err, rooms.ErrNotFound) {
			return "", err
		}
	}
	text := strings.ToLower(rand.Text()[:16])
	password = text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
	hash, err := Hash(password)
	if err != nil {
		return "", err
	}
	done, err := store.SetGenerated(ctx, Generated{Username: "host", Hash: hash}, now.UnixMilli(), !reset)
	if err != nil || !done {
		return "", err
	}
	return password, nil
}
