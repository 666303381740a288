package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script/*.txtar: what a user types, and what comes of
// it. Beyond testscript's own commands there are
//
//	admitone ARG…          the program, which must end with status 0
//	status N ARG…          the same with another exit status
//	serve                  the program serving at $URL, ready; its outputs are in serve.out and serve.err
//	halt, crash            end it with SIGTERM (and status 0) or SIGKILL
//	http STATUS METHOD URL [-H 'Name: value'] [-d BODY] [-for 2s]
//	                       a request with the script's own cookies, which must be answered so, at once
//	                       or within that time; the answer is on stdout
//	find NAME REGEXP FILE  sets NAME to the first group of what matches in a file, or in stdout
//	bad NAME VALUE [X=Y…]  what every bad setting comes to: see bad
//	sql FILE STATEMENT     changes a database by hand
//	certificate CERT KEY   makes a certificate for localhost
//	header JWT ALG [KID]   what the token says that it was signed with
//
// Each script has a port of its own, in ADDR and URL.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			tb := env.T().(testing.TB)
			jar, err := cookiejar.New(nil)
			if err != nil {
				return err
			}
			c := newClient()
			c.Jar = jar
			port := freePort(tb)
			env.Setenv("PORT", port)
			env.Setenv("ADDR", "127.0.0.1:"+port)
			env.Setenv("URL", "http://localhost:"+port)
			env.Values[scriptKey{}] = &script{t: tb, dir: env.WorkDir, browser: c}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"admitone":    scripted((*script).admitone),
			"status":      scripted((*script).status),
			"serve":       scripted((*script).serve),
			"halt":        scripted((*script).halt),
			"crash":       scripted((*script).crash),
			"http":        scripted((*script).http),
			"find":        scripted((*script).find),
			"bad":         scripted((*script).bad),
			"sql":         scripted((*script).sql),
			"certificate": scripted((*script).certificate),
			"header":      scripted((*script).header),
		},
	})
}

func (sc *script) sql(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) == 2, "sql FILE STATEMENT")
	db, err := sql.Open("sqlite3", "file:"+ts.MkAbs(args[0])+"?_busy_timeout=5000")
	ts.Check(err)
	_, err = db.Exec(args[1])
	ts.Check(err)
	ts.Check(db.Close())
}

func (sc *script) certificate(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) == 2, "certificate CERT KEY")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for i, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: cert}, {Type: "PRIVATE KEY", Bytes: secret}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[i]), pem.EncodeToMemory(block), 0o600))
	}
}

func (sc *script) header(ts *testscript.TestScript, args []string) {
	sc.need(ts, len(args) == 2 || len(args) == 3, "header JWT ALG [KID]")
	head, _, _ := strings.Cut(args[0], ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	ts.Check(err)
	var says struct{ Alg, Kid string }
	ts.Check(json.Unmarshal(raw, &says))
	if says.Alg != args[1] || len(args) == 3 && says.Kid != args[2] {
		ts.Fatalf("the token's header is %s, want %v", raw, args[1:])
	}
}

// path is where a script's file is.
func (sc *script) path(name string) string { return filepath.Join(sc.dir, name) }
