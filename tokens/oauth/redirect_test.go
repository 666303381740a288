package oauth //nolint:testpackage // the rule by itself: a fuzzer has no time for a database

import (
	"net"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func goodRedirects() []string {
	return []string{
		"https://gate.example/back", "https://gate.example", "https://gate.example/", "https://gate.example:8443/back?tenant=1&x=%20y", "https://xn--bcher-kva.example/",
		"http://127.0.0.1/back", "http://127.0.0.1:8912/back", "http://[::1]:8912/", "http://localhost/back", "http://localhost:1/",
		"https://192.0.2.7/back", "https://[2001:db8::7]:8443/back", "https://a-b.gate.example:65535/", "https://3com.example/", "https://" + strings.Repeat("a", 63) + ".example/",
		"com.example.gate:/back", "com.example.gate://back", "com.example.gate+x-1:/", OOB,
	}
}

func badRedirects() []string {
	return []string{
		"", " ", "/back", "back", "//gate.example/back", "gate.example/back", "https:", "https:/", "https://", "https:///back", "https:gate.example", "https:/gate.example", "https://:443/", "https://?x",
		"http://gate.example/back", "http://127.0.0.1.gate.example/", "http://localhost.gate.example/", "http://10.0.0.1/", "http://0.0.0.0/", "http://2130706433/", "http://0x7f.1/", "http://[::]/", "http://[::2]/",
		"http://[fe80::1%25lo]/", "http://LOCALHOST@gate.example/",
		"javascript:alert(1)", "JavaScript:alert(1)", "javascript://gate.example/%0aalert(1)", "java.script:alert(1)", "data:text/html,x", "data:text/html;base64,AAAA", "vbscript:x", "file:///etc/passwd", "blob:https://gate.example/x",
		"about:blank", "ftp://gate.example/", "ws://gate.example/", "wss://gate.example/", "gate:/back", "myapp://back", "view-source:https://gate.example/", "intent://x#Intent;end", "mailto:a@gate.example", "tel:1",
		"https://gate.example/back#", "https://gate.example/back#x", "com.example.gate:/back#x", "https://gate.example/%23#",
		"https://user@gate.example/", "https://user:secret@gate.example/", "https://@gate.example/", "https://gate.example@evil.example/", "https://gate.example:x@evil.example/", "com.example.gate://u@h/",
		"https://*.gate.example/", "https://gate.example/*", "https://gate.example/{x}", "https://gate.example/<x>", `https://gate.example/"`, "https://gate.example/`x", "https://gate.example/a|b", "https://gate.example/^",
		`https:\\gate.example\back`, `https://gate.example\@evil.example/`, `https://evil.example\.gate.example/`, "https://gate.example/a b", "https://gate.example/\tb", "https://gate.example/\nb", "https://gate.example/\rb", "https://gate.example/\x00",
		" https://gate.example/", "https://gate.example/ ", "\u00a0https://gate.example/", "https://gäte.example/", "https://gate.example/bäck", "https://gate。example/", "https://gate.example/\u202e", "https://gate.example/\xff",
		"https://gate%2eexample/", "https://gate%2fexample/", "https://gate.example%00/", "https://ex%E2%80%AEample/", "https://a%25b/", "https://[gate.example]/", "https://gate.example:port/", "https://gate.example:-1/", "https://[::1/",
		"urn:ietf:wg:oauth:2.0:oob:auto", "urn:ietf:wg:oauth:2.0:OOB", "urn:x", OOB + " ", "com.example..gate:/x", ".com.example:/x", "com.example.:/x", "com.example.gate:x", "Com.Example.Gate:/x", "com.example.gate:", "1com.example:/x",
		"https://gate.example/" + strings.Repeat("x", maxRedirect),
		"https://gate.example;img-src/", "https://gate.example'/", "https://gate.example,evil.example/", "https://gate.example!/", "https://gate.example$/", "https://gate.example&x/", "https://(gate.example)/", "https://gate.example=/",
		"https://gate+x.example/", "https://gate_x.example/", "https://~gate.example/", "https://gate.example./", "https://.gate.example/", "https://gate..example/", "https://-gate.example/", "https://gate-.example/",
		"https://" + strings.Repeat("a", 64) + ".example/", "https://" + strings.Repeat("a.", 127) + "example/",
		"https://1.2.3/", "https://1.2.3.4.5/", "https://127.1/", "https://0x7f.0.0.1/", "https://2130706433/", "https://010.0.0.1/", "https://1.2.3.256/", "https://gate.0x1/", "https://gate.example.1/",
		"https://gate.example:/", "https://gate.example:0/", "https://gate.example:65536/", "https://gate.example:0443/", "https://gate.example:99999999999/", "https://[::1%25lo]/", "https://[v1.x]/", "http://127.0.0.1:/", "http://[::1]:0/",
		"com.example.gate://a;b/", "com.example.gate://a:b/",
	}
}

func TestWhereACodeMayBeSent(t *testing.T) {
	t.Parallel()
	for _, text := range goodRedirects() {
		if err := goodRedirect(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range badRedirects() {
		if goodRedirect(text) == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// What a browser runs, or takes for a file, instead of going somewhere.
var runs = regexp.MustCompile(`(?i)^[\x00-\x20]*(javascript|data|vbscript|file|blob|about|view-source|filesystem):`)

func FuzzRedirect(f *testing.F) {
	for _, text := range append(goodRedirects(), badRedirects()...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if goodRedirect(text) != nil || text == OOB {
			return
		}
		u, err := url.Parse(text)
		switch {
		case err != nil:
			t.Fatalf("%q is no address: %v", text, err)
		case len(text) > maxRedirect, runs.MatchString(text), strings.ContainsAny(text, "#*\\<>\"` \r\n\t\x00"), u.User != nil, u.Fragment != "":
			t.Errorf("%q is taken", text)
		case u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
			t.Errorf("%q is not this machine", text)
		case u.Scheme != "http" && u.Scheme != "https" && !strings.Contains(u.Scheme, "."):
			t.Errorf("%q has a scheme of everybody's", text)
		case u.Host != "" && !regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?$`).MatchString(u.Host):
			t.Errorf("%q has a host of other letters", text)
		case (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() == "":
			t.Errorf("%q goes nowhere", text)
		}
		for _, r := range text + u.Host {
			if r <= ' ' || r > '~' {
				t.Errorf("%q has more than ASCII in it", text)
			}
		}
	})
}
