package conference

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// miroTalkAccount is the account in the link's token.
func miroTalkAccount(t testing.TB, link string) map[string]string {
	t.Helper()
	data, _ := payload(t, follow(t, link).Query().Get("token"))["data"].(string)
	return account(t, data, miroTalkKey)
}

func account(t testing.TB, data, key string) (account map[string]string) {
	t.Helper()
	text, err := decrypt(data, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &account); err != nil {
		t.Fatal(err)
	}
	return account
}

// decrypt reads what OpenSSL's enc wrote.
func decrypt(data, passphrase string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil || len(raw) < 32 || len(raw)%aes.BlockSize != 0 || string(raw[:8]) != "Salted__" {
		return nil, fmt.Errorf("%q is not salted and encrypted: %w", data, err)
	}
	key, iv := derive(passphrase, raw[8:16])
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	text := raw[16:]
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad == 0 || pad > aes.BlockSize || pad > len(text) {
		return nil, errors.New("the passphrase is another")
	}
	return text[:len(text)-pad], nil
}

// miroTalkServer answers as MiroTalk P2P does at its door.
func miroTalkServer(t testing.TB, key, password string, protected bool) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /join", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		token, err := jwt.Parse(q.Get("token"), func(*jwt.Token) (any, error) { return []byte(key), nil })
		if err != nil || q.Get("room") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"message":"Invalid Token"}`))
			return
		}
		claims, _ := token.Claims.(jwt.MapClaims)
		data, _ := claims["data"].(string)
		who := account(t, data, key)
		if who["presenter"] != "false" {
			t.Error("a presenter's token is tried out")
		}
		if who["username"] != "admitone" || who["password"] != password {
			_, _ = w.Write([]byte("<title>Login</title>"))
			return
		}
		_, _ = w.Write([]byte("<title>Room</title>"))
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<title>Login</title>")) })
	mux.HandleFunc("POST /isRoomActive", func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ RoomID string }
		if json.NewDecoder(r.Body).Decode(&asked) != nil || r.Header.Get("Content-Type") != "application/json" || asked.RoomID == "" || !protected {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}
