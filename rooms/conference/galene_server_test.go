package conference

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	galeneAdminToken = "an-admin-token-of-galene" // gitleaks:allow
	galenePassword   = "pass:word ü"              // gitleaks:allow
)

// galeneServer speaks Galene's administrative API (galene-api.md) as far as
// stateful tokens go, with ETag and If-Match as RFC 9110, 13 has them.
type galeneServer struct {
	*httptest.Server
	mu       sync.Mutex
	tokens   map[string]map[string]json.RawMessage // by group and name
	order    []string
	version  int
	asked    []string
	meddle   func() // called once before a change
	location string // before the token's name
	groups   map[string]string
}

func newGaleneServer(t testing.TB) *galeneServer {
	t.Helper()
	s := &galeneServer{tokens: map[string]map[string]json.RawMessage{}, groups: map[string]string{
		"stand-up": `{}`, "meetings": `{"auto-subgroups":true}`, "old/meetings": `{"allow-subgroups": true}`, "plain": `{"auto-subgroups":false}`,
	}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *galeneServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	if name, isPage := strings.CutPrefix(r.URL.Path, "/group/"); isPage {
		if s.groups[strings.TrimSuffix(name, "/")] == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		return
	}
	if r.URL.Path == "/" {
		return
	}
	authorization := r.Header.Get("Authorization")
	if authorization != "Bearer "+galeneAdminToken && authorization != "Basic "+base64.StdEncoding.EncodeToString([]byte("admin:"+galenePassword)) {
		w.Header().Set("WWW-Authenticate", `basic realm="/galene-api/"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	about, known := strings.CutPrefix(r.URL.Path, "/galene-api/v0/.groups/")
	group, name, isToken := strings.Cut(about, "/.tokens/")
	switch {
	case known && about == "" && r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode([]string{"stand-up"})
	case known && !isToken && r.Method == http.MethodGet && s.groups[about] != "":
		_, _ = w.Write([]byte(s.groups[about]))
	case known && isToken && name == "":
		s.list(w, r, group)
	case known && isToken:
		s.token(w, r, group+"/"+name)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *galeneServer) list(w http.ResponseWriter, r *http.Request, group string) {
	switch r.Method {
	case http.MethodGet:
		names := []string{}
		for _, id := range s.order {
			if name, ours := strings.CutPrefix(id, group+"/"); ours && !strings.Contains(name, "/") {
				names = append(names, name)
			}
		}
		_ = json.NewEncoder(w).Encode(names)
	case http.MethodPost:
		token, ok := s.read(w, r)
		if !ok {
			return
		}
		s.version++
		name := fmt.Sprintf("t%d_-", s.version)
		s.tokens[group+"/"+name], s.order = token, append(s.order, group+"/"+name)
		w.Header().Set("Location", s.location+name)
		w.WriteHeader(http.StatusCreated)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (s *galeneServer) token(w http.ResponseWriter, r *http.Request, id string) {
	if s.meddle != nil && r.Method == http.MethodPut {
		s.meddle()
		s.meddle = nil
	}
	token := s.tokens[id]
	if token == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	etag := `"` + string(token["version"]) + `"`
	switch r.Method {
	case http.MethodGet:
		w.Header().Set("ETag", etag)
		_ = json.NewEncoder(w).Encode(token)
	case http.MethodPut:
		if r.Header.Get("If-Match") != etag {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		changed, ok := s.read(w, r)
		if !ok {
			return
		}
		s.tokens[id] = changed
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// read is the token in the request, in which neither its name nor its group may
// stand, with a new version.
func (s *galeneServer) read(w http.ResponseWriter, r *http.Request) (token map[string]json.RawMessage, ok bool) {
	if r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return nil, false
	}
	if json.NewDecoder(r.Body).Decode(&token) != nil || token["token"] != nil || token["group"] != nil {
		w.WriteHeader(http.StatusBadRequest)
		return nil, false
	}
	s.version++
	token["version"] = json.RawMessage(fmt.Sprint(s.version))
	return token, true
}

// stored is the token of this name, in whichever group.
func (s *galeneServer) stored(t testing.TB, name string) (token map[string]any) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, raw := range s.tokens {
		if strings.HasSuffix(id, "/"+name) {
			text, err := json.Marshal(raw)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &token); err != nil {
				t.Fatal(err)
			}
			return token
		}
	}
	t.Fatalf("there is no token %q", name)
	return nil
}

// galeneAdmits tells why a group of a server does not let the token in at that
// moment, as its manual and token/jwt.go have it.
func galeneAdmits(t testing.TB, token, host, group, alg string, now int64, signed func(text, signature []byte) bool) error {
	t.Helper()
	const leeway = 5
	dot := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		return err
	}
	claims := payload(t, token)
	exp, hasExp := claims["exp"].(float64)
	iat, hasIat := claims["iat"].(float64)
	aud, _ := claims["aud"].(string)
	where, err := url.Parse(aud)
	if err != nil {
		return err
	}
	permissions, isList := claims["permissions"].([]any)
	switch {
	case part(t, token, 0)["alg"] != alg || !signed([]byte(token[:dot]), signature):
		return errors.New("signature")
	case !hasExp || now >= int64(exp)+leeway:
		return errors.New("exp")
	case claims["iat"] != nil && (!hasIat || now+leeway < int64(iat)):
		return errors.New("iat")
	case !strings.EqualFold(where.Host, host) || where.Path != "/group/"+group+"/":
		return errors.New("aud")
	case !isList || slices.ContainsFunc(permissions, func(p any) bool { _, isText := p.(string); return !isText }):
		return errors.New("permissions")
	}
	if sub, there := claims["sub"]; there {
		if _, isText := sub.(string); !isText {
			return errors.New("sub")
		}
	}
	return nil
}

func mac(h func() hash.Hash, key []byte) func(text, signature []byte) bool {
	return func(text, signature []byte) bool {
		m := hmac.New(h, key)
		m.Write(text)
		return hmac.Equal(m.Sum(nil), signature)
	}
}

func es256(key *ecdsa.PublicKey) func(text, signature []byte) bool {
	return func(text, signature []byte) bool {
		sum := sha256.Sum256(text)
		return len(signature) == 64 && ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
}
