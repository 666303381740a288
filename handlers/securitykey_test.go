package handlers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// securityKey is an authenticator that does as it is told, also what no honest
// one does.
type securityKey struct {
	key          *ecdsa.PrivateKey
	id, handle   []byte
	count        uint32
	flags        byte
	origin, site string
}

// Bits of an authenticator's flags (WebAuthn, 6.1).
const (
	present  = 1
	verified = 4
	attested = 64
)

func newSecurityKey(t *testing.T, origin, site string) *securityKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &securityKey{key: key, id: []byte("credential " + rand.Text()), count: 1, flags: present | verified, origin: origin, site: site}
}

var base64url = base64.RawURLEncoding

// data is what it signs of itself, with its key where that is new.
func (k *securityKey) data(t *testing.T, made bool) []byte {
	t.Helper()
	site := sha256.Sum256([]byte(k.site))
	flags := k.flags
	if made {
		flags |= attested
	}
	out := binary.BigEndian.AppendUint32(append(site[:], flags), k.count)
	if !made {
		return out
	}
	point, err := k.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	out = binary.BigEndian.AppendUint16(append(out, make([]byte, 16)...), uint16(len(k.id)))
	out = append(append(out, k.id...), 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20) // COSE: EC2, ES256, P-256
	return append(append(append(out, point[1:33]...), 0x22, 0x58, 0x20), point[33:]...)
}

// client is what the browser signs with: what it was asked, and on which page.
func (k *securityKey) client(kind, challenge string) []byte {
	text, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": k.origin, "crossOrigin": false})
	return text
}

// asks is what a page asks a browser.
type asks struct {
	PublicKey struct {
		Challenge   string `json:"challenge"`
		Attestation string `json:"attestation"`
		User        struct {
			ID string `json:"id"`
		} `json:"user"`
		AllowCredentials []struct {
			ID string `json:"id"`
		} `json:"allowCredentials"`
		UserVerification string `json:"userVerification"`
	} `json:"publicKey"`
}

func asked(t *testing.T, text string) (a asks) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &a); err != nil || a.PublicKey.Challenge == "" {
		t.Fatalf("%q is no question: %v", text, err)
	}
	return a
}

// make answers as navigator.credentials.create does.
func (k *securityKey) make(t *testing.T, a asks) string {
	t.Helper()
	k.handle, _ = base64url.DecodeString(a.PublicKey.User.ID)
	data := k.data(t, true)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return k.answer(map[string][]byte{"clientDataJSON": k.client("webauthn.create", a.PublicKey.Challenge), "attestationObject": append(object, data...)})
}

// get answers as navigator.credentials.get does.
func (k *securityKey) get(t *testing.T, a asks) string {
	t.Helper()
	if k.count > 0 { // else it does not count
		k.count++
	}
	data, client := k.data(t, false), k.client("webauthn.get", a.PublicKey.Challenge)
	said := sha256.Sum256(client)
	sum := sha256.Sum256(append(data[:len(data):len(data)], said[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return k.answer(map[string][]byte{"clientDataJSON": client, "authenticatorData": data, "signature": signature, "userHandle": k.handle})
}

func (k *securityKey) answer(parts map[string][]byte) string {
	response := map[string]string{}
	for name, part := range parts {
		response[name] = base64url.EncodeToString(part)
	}
	id := base64url.EncodeToString(k.id)
	text, _ := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	return string(text)
}
