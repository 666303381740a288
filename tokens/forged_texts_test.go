package tokens_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/tokens"
)

// claims are tokens that say something else than the invitation's.
func claims(h hand, inv tokens.Invitation) (rows []forgery) {
	var c struct {
		Exp, Iat int64
	}
	if err := json.Unmarshal([]byte(h.claim), &c); err != nil {
		panic(err)
	}
	exp, jti := fmt.Sprintf(`"exp":%d`, c.Exp), `"jti":"`+inv.ID.Show("inv_")+`"`
	iss, aud, room := `"iss":"`+datatest.Base+`"`, `"aud":"`+datatest.Base+`/join/standup"`, `"room":"standup"`
	for _, row := range []struct {
		member string
		wrongs []string
	}{
		{exp, []string{"", `"exp":null`, `"exp":0`, `"exp":-5`, fmt.Sprintf(`"exp":"%d"`, c.Exp), fmt.Sprintf(`"exp":%d.5`, c.Exp), fmt.Sprintf(`"exp":%d.0`, c.Exp),
			fmt.Sprintf(`"exp":[%d]`, c.Exp), `"exp":1e400`, `"exp":4e9`, `"exp":true`, `"exp":99999999999999999999`, fmt.Sprintf(`"Exp":%d`, c.Exp), fmt.Sprintf(`"EXP":%d`, c.Exp)}},
		{iss, []string{"", `"iss":""`, `"iss":null`, `"iss":"https://evil.example"`, `"iss":"` + datatest.Base + `/"`, `"iss":"` + strings.ToUpper(datatest.Base) + `"`,
			`"iss":["` + datatest.Base + `"]`, `"iss":"http://meet.example"`, `"ISS":"` + datatest.Base + `"`}},
		{aud, []string{"", `"aud":""`, `"aud":null`, `"aud":"` + datatest.Base + `/join/other-room"`, `"aud":["` + datatest.Base + `/join/standup"]`,
			`"aud":["` + datatest.Base + `/join/standup","` + datatest.Base + `/join/other-room"]`, `"aud":"` + datatest.Base + `"`, `"aud":"` + datatest.Base + `/join/standup/"`,
			`"aud":"` + datatest.Base + `/join/STANDUP"`, `"aud":"/join/standup"`, `"aud":"https://evil.example/join/standup"`}},
		{room, []string{"", `"room":""`, `"room":null`, `"room":"other-room"`, `"room":["standup"]`, `"room":"Standup"`, `"room":"` + inv.Room.ID.Show("room_") + `"`}},
		{jti, []string{"", `"jti":""`, `"jti":null`, `"jti":1`, `"jti":"garbage"`, `"jti":"inv_"`, `"jti":"inv_0000000000000"`, `"jti":"` + inv.ID.Show("room_") + `"`,
			`"jti":"` + inv.ID.Show("") + `"`, `"jti":"` + strings.ToUpper(inv.ID.Show("inv_")) + `"`, `"jti":"` + inv.ID.Show("inv_") + `0"`, `"jti":"` + inv.ID.Show("inv_") + ` "`,
			fmt.Sprintf(`"jti":"%d"`, int64(inv.ID)), fmt.Sprintf(`"jti":%d`, int64(inv.ID)), `"jti":["` + inv.ID.Show("inv_") + `"]`, `"jti":"inv_zzzzzzzzzzzzz"`}},
		{`"role":"guest"`, []string{"", `"role":null`, `"role":1`, `"role":["guest"]`}},
		{fmt.Sprintf(`"iat":%d`, c.Iat), []string{"", `"iat":null`, fmt.Sprintf(`"iat":"%d"`, c.Iat), fmt.Sprintf(`"iat":%d.25`, c.Iat)}},
	} {
		for _, wrong := range row.wrongs {
			claim := swap(h.claim, row.member, wrong)
			if wrong == "" {
				claim = strings.NewReplacer(",,", ",", "{,", "{", ",}", "}").Replace(claim)
			}
			rows = append(rows, forgery{"claim " + wrong + " for " + row.member, h.sign(h.header, claim)})
		}
		rows = append(rows, forgery{"claim twice " + row.member, h.sign(h.header, swap(h.claim, row.member, row.member+","+row.member))},
			forgery{"claim null before " + row.member, h.sign(h.header, swap(h.claim, row.member, strings.SplitAfter(row.member, ":")[0]+"null,"+row.member))},
			forgery{"claim in capitals after " + row.member, h.sign(h.header, swap(h.claim, row.member, row.member+","+strings.ToUpper(row.member)))})
	}
	both := swap(swap(h.claim, aud, `"aud":"`+datatest.Base+`/join/"`), room, `"room":""`)
	for name, claim := range map[string]string{
		"no room at all":     both,
		"a path for a room":  swap(swap(h.claim, "/join/standup", "/join/../standup"), room, `"room":"../standup"`),
		"nbf of 0":           swap(h.claim, "}", `,"nbf":0}`),
		"nbf as a string":    swap(h.claim, "}", `,"nbf":"1"}`),
		"one more claim":     swap(h.claim, "}", `,"admin":true}`),
		"a subject":          swap(h.claim, "}", `,"sub":"ada"}`),
		"a space":            swap(h.claim, ":", ": "),
		"a newline after":    h.claim + "\n",
		"a NUL after":        h.claim + "\x00",
		"more after":         h.claim + "{}",
		"escaped letters":    swap(h.claim, "standup", `\u0073tandup`),
		"an array":           "[" + h.claim + "]",
		"null":               "null",
		"nothing":            "",
		"broken UTF-8":       swap(h.claim, "standup", "standup\xff"),
		"brackets, 100,000":  swap(h.claim, "}", `,"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+"}"),
		"a megabyte of text": swap(h.claim, "}", `,"x":"`+strings.Repeat("x", 1<<20)+`"}`),
	} {
		rows = append(rows, forgery{"claims with " + name, h.sign(h.header, claim)})
	}
	return rows
}

// spellings are texts that decode to the genuine token, or nearly.
func spellings(h hand, genuine string) (rows []forgery) {
	add := func(name, token string) { rows = append(rows, forgery{"text: " + name, token}) }
	part := strings.Split(genuine, ".")
	join := func(p ...string) string { return strings.Join(p, ".") }
	for i, name := range []string{"header", "claims", "signature"} {
		in := func(s string) string {
			p := slices.Clone(part)
			p[i] = s
			return join(p...)
		}
		// Signed anew over the other spelling where that is possible.
		again := func(s string) string {
			if i == 2 {
				return in(s)
			}
			p := slices.Clone(part[:2])
			p[i] = s
			return h.signText(join(p...))
		}
		mid := len(part[i]) / 2
		for what, c := range map[string]string{"newline": "\n", "return": "\r", "both": "\r\n", "space": " ", "tab": "\t", "NUL": "\x00", "nothing wide": "\u200b",
			"equals sign": "=", "percent": "%0A", "full-width A": "\uff21", "a byte order mark": "\ufeff"} {
			add(what+" in the middle of "+name, again(part[i][:mid]+c+part[i][mid:]))
			add(what+" before "+name, again(c+part[i]))
			if i < 2 {
				add(what+" after "+name, again(part[i]+c))
			}
		}
		add("padding of "+name, again(part[i]+strings.Repeat("=", 1+(3-len(part[i])%4)%4)))
		add("no "+name, again(""))
		add("a letter less of "+name, again(part[i][:len(part[i])-1]))
		add("a letter more of "+name, again(part[i]+"A"))
		for _, twin := range twins(part[i]) {
			add("trailing bits of "+name+" "+twin[len(twin)-1:], again(twin))
		}
	}
	// A signature with - or _ in it, to be spelt with + and /.
	for n := 0; ; n++ {
		claim := swap(h.claim, `"iat":`, fmt.Sprintf(`"iat":%d`, 1+n%9))
		for range n / 9 {
			claim = swap(claim, `"iat":`, `"iat":1`)
		}
		odd := h.sign(h.header, claim)
		at := strings.LastIndex(odd, ".")
		if sig := odd[at:]; strings.ContainsAny(sig, "-_") {
			add("the other alphabet of base64", odd[:at]+strings.NewReplacer("-", "+", "_", "/").Replace(sig))
			break
		}
	}
	add("a dot after it", genuine+".")
	add("a dot before it", "."+genuine)
	add("a fourth part", genuine+".x")
	add("five parts", genuine+"."+part[1]+"."+part[2])
	add("twice", genuine+"."+genuine)
	add("two dots", join(part[0], "", part[1], part[2]))
	add("no dots", strings.Join(part, ""))
	add("dots alone", "..")
	add("four dots alone", "....")
	for name, dot := range map[string]string{"ideographic": "。", "full-width": "．", "leader": "․", "middle": "·"} {
		add(name+" dots", strings.Join(part, dot))
		add("one "+name+" dot more", genuine+dot)
	}
	add("its type before it", "Bearer "+genuine)
	add("in quotes", `"`+genuine+`"`)
	add("a megabyte", join(strings.Repeat("A", 1<<20), part[1], part[2]))
	add("a megabyte of dots", strings.Repeat(".", 1<<20))
	add("a megabyte after it", genuine+strings.Repeat("A", 1<<20))
	add("JSON serialization", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, part[0], part[1], part[2]))
	add("capitals", strings.ToUpper(genuine))
	return rows
}

// twins are the other spellings of a text's last character: those that base64
// decodes to the same bytes.
func twins(text string) (found []string) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	want, err := raw64.DecodeString(text)
	if err != nil {
		panic(err)
	}
	for _, c := range alphabet {
		twin := text[:len(text)-1] + string(c)
		if got, err := raw64.DecodeString(twin); err == nil && twin != text && string(got) == string(want) {
			found = append(found, twin)
		}
	}
	return found
}

func TestForgeriesIncludeEverySpellingOfTheSignature(t *testing.T) {
	t.Parallel()
	if n := len(twins(base64.RawURLEncoding.EncodeToString(make([]byte, 32)))); n != 3 {
		t.Errorf("%d twins of 32 bytes, want the 3 other ends with two bits to spare", n)
	}
	if n := len(twins(base64.RawURLEncoding.EncodeToString(make([]byte, 31)))); n != 15 {
		t.Errorf("%d twins of 31 bytes, want 15", n)
	}
}
