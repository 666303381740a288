package tokens_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"hash"
	"strings"
	"testing"

	"admitone/data/datatest"
)

// algorithms are tokens of another algorithm than the key's.
func algorithms(t *testing.T, h hand) (rows []forgery) {
	t.Helper()
	add := func(name, token string) { rows = append(rows, forgery{"alg " + name, token}) }
	with := func(alg string) string { return swap(h.header, h.algMember(), alg) }
	for _, alg := range []string{`"alg":"none"`, `"alg":"None"`, `"alg":"NONE"`, `"alg":"nOnE"`, `"alg":""`, `"alg":" none"`, `"alg":"hs256"`, `"alg":"HS256 "`,
		`"alg":"HS256\u0000"`, `"alg":null`, `"alg":256`, `"alg":["HS256"]`, `"alg":{"HS256":1}`, `"alg":true`, `"ALG":"HS256"`, `"al":"HS256"`} {
		signed := h.sign(with(alg), h.claim)
		unsigned := signed[:strings.LastIndex(signed, ".")+1]
		add(alg+" signed", signed)
		add(alg+" unsigned", unsigned)
		add(alg+" with a letter for a signature", unsigned+"AA")
	}
	text := func(alg, more string) string {
		return raw64.EncodeToString([]byte(swap(with(`"alg":"`+alg+`"`), `"}`, `"`+more+`}`))) + "." + raw64.EncodeToString([]byte(h.claim))
	}
	keyed := func(name, text string, sum []byte) { add(name, text+"."+raw64.EncodeToString(sum)) }
	t256 := text("HS256", "")
	for alg, hash := range map[string]func() hash.Hash{"HS384": sha512.New384, "HS512": sha512.New} {
		s, m := text(alg, ""), hmac.New(hash, h.secret)
		m.Write([]byte(s))
		keyed(alg+" with the same secret", s, m.Sum(nil))
	}
	for name, secret := range map[string][]byte{"an empty key": {}, "a key of zeros": make([]byte, 32), "the kid for a key": []byte(h.kid),
		"the key cut short": h.secret[:len(h.secret)-1], "the key in base64": []byte(raw64.EncodeToString(h.secret))} {
		keyed("HS256 with "+name, t256, hs256(secret, t256))
	}

	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	jwk := fmt.Sprintf(`,"jwk":{"kty":"OKP","crv":"Ed25519","x":"%s"}`, raw64.EncodeToString(public))
	for _, more := range []string{"", jwk} {
		s := text("EdDSA", more)
		keyed("EdDSA"+more, s, ed25519.Sign(private, []byte(s)))
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	es := text("ES256", "")
	sum := sha256.Sum256([]byte(es))
	r, s, err := ecdsa.Sign(rand.Reader, curve, sum[:])
	must(t, err)
	keyed("ES256", es, append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
	keyed("ES256 of zeros (CVE-2022-21449)", es, make([]byte, 64))
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	for _, alg := range []string{"RS256", "PS256"} {
		s := text(alg, "")
		sum := sha256.Sum256([]byte(s))
		sig, err := rsa.SignPKCS1v15(rand.Reader, big, crypto.SHA256, sum[:])
		if alg == "PS256" {
			sig, err = rsa.SignPSS(rand.Reader, big, crypto.SHA256, sum[:], nil)
		}
		must(t, err)
		keyed(alg, s, sig)
	}
	der, err := x509.MarshalPKIXPublicKey(&big.PublicKey)
	must(t, err)
	keyed("HS256 with an RSA public key for a secret", t256, hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), t256))
	return rows
}

// keyIDs are tokens whose kid is no kid of a key of this use.
func keyIDs(t *testing.T, b *datatest.Bench, h hand) (rows []forgery) {
	t.Helper()
	for _, kid := range []string{`"nobody"`, `""`, `null`, `1`, `true`, `["` + h.kid + `"]`, `{"` + h.kid + `":1}`, `"` + strings.ToUpper(h.kid) + `"`,
		`"` + h.kid + ` "`, `"` + h.kid + `\u0000"`, `"../../../../dev/null"`, `"/proc/self/environ"`, `"' OR '1'='1"`, `"x' UNION SELECT 'a' --"`,
		`"; DROP TABLE keys; --"`, `"https://evil.example/key"`, `"| sleep 5"`, `"` + strings.Repeat("k", 900) + `"`} {
		text := h.text(swap(h.header, h.kidMember(), `"kid":`+kid), h.claim)
		rows = append(rows, forgery{"kid " + kid, h.signText(text)},
			forgery{"kid " + kid + " signed with nothing", text + "." + raw64.EncodeToString(hs256(nil, text))})
	}
	rows = append(rows, forgery{"kid missing", h.sign(swap(h.header, h.kidMember()+",", ""), h.claim)})
	for _, use := range []string{"invite", "host", "access", "link"} {
		if use == h.use {
			continue
		}
		for kid, secret := range secrets(t, b, use) {
			alg := h.alg
			if use == "link" {
				alg = "HS256"
			}
			of := hand{by: signer(t, alg, secret)}
			its := swap(h.header, h.algMember(), `"alg":"`+alg+`"`)
			rows = append(rows, forgery{"kid of the key for " + use, of.sign(swap(its, h.kid, kid), h.claim)},
				forgery{"signed with the key for " + use, of.sign(its, h.claim)})
		}
	}
	return rows
}

// headers are tokens whose header has other members than alg, kid and typ, or
// another typ.
func headers(h hand) (rows []forgery) {
	for _, member := range []string{`"jku":"https://evil.example/jwks.json"`, `"x5u":"https://evil.example/cert"`, `"jwk":{"kty":"oct","k":"AAAA"}`,
		`"x5c":["MIIB"]`, `"x5t":"AAAA"`, `"crit":["exp"]`, `"crit":[]`, `"crit":["b64"],"b64":false`, `"b64":false`, `"b64":true`, `"zip":"DEF"`,
		`"cty":"JWT"`, `"enc":"A128GCM"`, `"url":"https://evil.example"`, `"nonce":"1"`, `"x":null`, `"":""`, `"alg ":"none"`, `"Alg":"none"`} {
		rows = append(rows, forgery{"header with " + member, h.sign(swap(h.header, `}`, `,`+member+`}`), h.claim)})
	}
	for _, typ := range []string{`"typ":"JWT"`, `"typ":"jwt"`, `"typ":"at+jwt"`, `"typ":"host+jwt"`, `"typ":"invite+jwt"`, `"typ":"` + strings.ToUpper(h.typ) + `"`,
		`"typ":"` + strings.ToUpper(h.typ[:1]) + h.typ[1:] + `"`, `"typ":"application/` + h.typ + `"`, `"typ":"` + h.typ + ` "`, `"typ":""`, `"typ":null`,
		`"typ":["` + h.typ + `"]`, `"typ":1`, `"Typ":"` + h.typ + `"`} {
		if typ != h.typMember() {
			rows = append(rows, forgery{typ, h.sign(swap(h.header, h.typMember(), typ), h.claim)})
		}
	}
	rows = append(rows, forgery{"typ missing", h.sign(swap(h.header, ","+h.typMember(), ""), h.claim)})
	for member, twin := range map[string]string{h.algMember(): `"alg":"none"`, h.kidMember(): `"kid":"nobody"`, h.typMember(): `"typ":"JWT"`} {
		rows = append(rows,
			forgery{"header twice " + member, h.sign(swap(h.header, member, member+","+member), h.claim)},
			forgery{"header " + twin + " before " + member, h.sign(swap(h.header, member, twin+","+member), h.claim)},
			forgery{"header " + twin + " after " + member, h.sign(swap(h.header, member, member+","+twin), h.claim)})
	}
	for name, header := range map[string]string{
		"a space":                  swap(h.header, ":", ": "),
		"a newline at its end":     h.header + "\n",
		"a space at its begin":     " " + h.header,
		"a tab inside":             swap(h.header, ",", ",\t"),
		"escaped letters":          swap(h.header, h.kid, fmt.Sprintf(`\u%04x`, h.kid[0])+h.kid[1:]),
		"members in another order": "{" + h.typMember() + "," + h.algMember() + "," + h.kidMember() + "}",
		"a byte order mark":        "\ufeff" + h.header,
		"a NUL at its end":         h.header + "\x00",
		"more after it":            h.header + "{}",
		"an array":                 "[" + h.header + "]",
		"a string":                 `"` + h.kid + `"`,
		"null":                     "null",
		"nothing":                  "",
		"broken JSON":              h.header[:len(h.header)-1],
		"broken UTF-8":             swap(h.header, h.kid, h.kid+"\xff"),
		"brackets 1,400 deep":      swap(h.header, "}", `,"x":`+strings.Repeat("[", 700)+strings.Repeat("]", 700)+"}"),
		"brackets 100,000 deep":    swap(h.header, "}", `,"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+"}"),
		"objects 100,000 deep":     strings.Repeat(`{"alg":`, 100_000),
	} {
		rows = append(rows, forgery{"header of " + name, h.sign(header, h.claim)})
	}
	return rows
}
