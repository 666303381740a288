package conference

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5" //nolint:gosec // the reader's format has it, and what it derives from has its own strength
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// mirotalk is the kind "mirotalk": MiroTalk P2P or, with sfu, MiroTalk SFU. The
// account in the tokens is one of its HOST_USERS made for us alone.
//
// It looks at tokens only while HOST_USER_AUTH or HOST_PROTECTED is on, makes
// whoever comes first a presenter, and lets whoever bears a presenter's name, or
// one of its own list of presenters, act as one: so that list stays empty there.
type mirotalk struct {
	asker
	url                *url.URL
	key                string
	username, password string
	sfu                bool
}

func newMiroTalk(raw json.RawMessage) (Provider, error) {
	var c struct {
		head
		URL      string `json:"url"`
		JWTKey   string `json:"jwt_key"`
		Username string `json:"username"`
		Password string `json:"password"`
		SFU      bool   `json:"sfu"`
	}
	if err := members(raw, &c); err != nil {
		return nil, err
	}
	u, err := address("url", c.URL, "https")
	if err != nil {
		return nil, err
	}
	switch "" {
	case c.JWTKey:
		return nil, missing("jwt_key")
	case c.Username:
		return nil, missing("username")
	case c.Password:
		return nil, missing("password")
	}
	if err := guarded("jwt_key", c.JWTKey, u); err != nil {
		return nil, err
	}
	return &mirotalk{newAsker(), u, c.JWTKey, c.Username, c.Password, c.SFU}, nil
}

func (p *mirotalk) Origin() string { return origin(p.url) }

func (p *mirotalk) HoldsGuests() bool { return true }

func (p *mirotalk) Lasts(Visit) time.Duration { return linkLife }

func (p *mirotalk) JoinLink(_ context.Context, v Visit) (string, error) {
	link := p.url.String() + "/join?room=" + encode(v.Place)
	if p.sfu {
		link += "&roomPassword=0" // false: there is none
	}
	if v.Name != "" {
		link += "&name=" + encode(v.Name)
	}
	token, err := p.token(v)
	if err != nil {
		return "", err
	}
	return link + wished(v.Wishes) + "&token=" + token, nil
}

// token has the shape of MiroTalk's own: the account and whether it is a
// presenter's, as three texts, encrypted and signed under one key.
func (p *mirotalk) token(v Visit) (string, error) {
	account, err := json.Marshal(map[string]string{
		"username": p.username, "password": p.password, "presenter": strconv.FormatBool(v.Role == "host"),
	})
	if err != nil {
		return "", err
	}
	return sign(jwt.SigningMethodHS256, []byte(p.key), "", jwt.MapClaims{
		"data": encrypt(account, p.key), "iat": v.At / 1000, "exp": expiry(v),
	})
}

// encrypt is CryptoJS.AES.encrypt(text, passphrase).toString(): what OpenSSL's
// enc writes, AES-256-CBC with "Salted__", the salt and PKCS #7 padding, key and
// initialisation vector from the passphrase and the salt by MD5.
func encrypt(text []byte, passphrase string) string {
	salt := make([]byte, 8)
	_, _ = rand.Read(salt) // never fails
	key, iv := derive(passphrase, salt)
	block, _ := aes.NewCipher(key) // fails for other lengths of a key
	pad := aes.BlockSize - len(text)%aes.BlockSize
	padded := append(bytes.Clone(text), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return base64.StdEncoding.EncodeToString(bytes.Join([][]byte{[]byte("Salted__"), salt, padded}, nil))
}

// derive is OpenSSL's EVP_BytesToKey with MD5 and one round.
func derive(passphrase string, salt []byte) (key, iv []byte) {
	var all, last []byte
	for len(all) < 32+aes.BlockSize {
		sum := md5.Sum(bytes.Join([][]byte{last, []byte(passphrase), salt}, nil)) //nolint:gosec // as above
		last = sum[:]
		all = append(all, last...)
	}
	return all[:32], all[32 : 32+aes.BlockSize]
}

var durationShape = regexp.MustCompile(`^(unlimited|[0-9]{1,3}:[0-9]{2}:[0-9]{2})$`)

// wished is what MiroTalk understands of the wishes, as further parameters.
// Others, and values of another shape, are passed over.
func wished(wishes string) string {
	asked, _ := url.ParseQuery(wishes)
	var b strings.Builder
	add := func(name, value string) { b.WriteString("&" + name + "=" + encode(value)) }
	if avatar, err := url.Parse(asked.Get("avatar")); err == nil && avatar.Scheme == "https" && avatar.Host != "" {
		add("avatar", avatar.String())
	}
	for _, name := range []string{"audio", "video", "screen", "chat", "hide", "notify"} {
		switch asked.Get(name) {
		case "true", "1":
			add(name, "true")
		case "false", "0":
			add(name, "false")
		}
	}
	if duration := asked.Get("duration"); durationShape.MatchString(duration) {
		add("duration", duration)
	}
	return b.String()
}

// Check comes to the door with a guest's token, which changes nothing there: a
// presenter's would open a protected server to everybody.
func (p *mirotalk) Check(ctx context.Context) error {
	now := time.Now()
	link, err := p.JoinLink(ctx, Visit{Place: "admitone-doctor", Name: "AdmitOne", Role: "guest", At: now.UnixMilli(), Until: now.Add(linkLife).UnixMilli()})
	if err != nil {
		return err
	}
	door, err := p.ask(ctx, http.MethodGet, link, nil, nil)
	if err != nil {
		return err
	}
	if door.Status == http.StatusUnauthorized {
		return errors.New("jwt_key is not the JWT_KEY of that server, or its clock is wrong")
	}
	if door.Status != http.StatusOK {
		return door.unexpected()
	}
	login, err := p.ask(ctx, http.MethodGet, p.url.String()+"/login", nil, nil)
	if err != nil {
		return err
	}
	if login.Status == http.StatusOK && bytes.Equal(login.Body, door.Body) {
		return errors.New("username and password are none of the HOST_USERS of that server")
	}
	// 400 is how it says that it protects nothing; older versions do not know the question.
	active, err := p.ask(ctx, http.MethodPost, p.url.String()+"/isRoomActive", http.Header{"Content-Type": {"application/json"}}, []byte(`{"roomId":"admitone-doctor"}`))
	if err != nil {
		return err
	}
	if active.Status == http.StatusBadRequest {
		return errors.New("neither HOST_USER_AUTH nor HOST_PROTECTED is on there, so tokens mean nothing and everybody may be a presenter")
	}
	return nil
}
