package static

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"regexp"
	"strings"
	"testing"
)

func TestAPhoneCanInstallIt(t *testing.T) {
	var m struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		StartURL string `json:"start_url"`
		Scope    string `json:"scope"`
		Display  string `json:"display"`
		Theme    string `json:"theme_color"`
		Ground   string `json:"background_color"`
		Icons    []struct{ Src, Sizes, Type, Purpose string }
	}
	if err := json.Unmarshal(load().byName["manifest.webmanifest"].plain, &m); err != nil {
		t.Fatal(err)
	}
	if m.ID != "/" || m.Name != "AdmitOne" || m.StartURL != "/" || m.Scope != "/" || m.Display != "standalone" {
		t.Errorf("the manifest says %+v", m)
	}
	if paper := "--paper: " + m.Theme; m.Theme != m.Ground || !strings.Contains(string(load().byName["app.css"].plain), paper) {
		t.Errorf("its colours %s and %s are not the pages'", m.Theme, m.Ground)
	}
	kinds := map[string]bool{}
	for _, icon := range m.Icons {
		kinds[icon.Sizes+icon.Purpose] = true
		a := load().byURL[icon.Src]
		if a == nil || a.contentType != icon.Type {
			t.Errorf("there is no %s of type %s", icon.Src, icon.Type)
			continue
		}
		if icon.Type != "image/png" {
			continue
		}
		picture, err := png.DecodeConfig(bytes.NewReader(a.plain))
		if got := fmt.Sprintf("%dx%d", picture.Width, picture.Height); err != nil || got != icon.Sizes {
			t.Errorf("%s is %s, %v; want %s", icon.Src, got, err, icon.Sizes)
		}
		if len(a.plain) > 8_000 {
			t.Errorf("%s is %d bytes", icon.Src, len(a.plain))
		}
	}
	for _, want := range []string{"192x192", "512x512", "512x512maskable"} {
		if !kinds[want] {
			t.Errorf("no icon is %s", want)
		}
	}
}

// TestTheLookRunsEitherWay holds the style sheets against saying left or right, which a language that runs the other way
// would have to turn.
func TestTheLookRunsEitherWay(t *testing.T) {
	for name, a := range load().byName {
		if !strings.HasSuffix(name, ".css") {
			continue
		}
		for _, m := range sided(string(a.plain)) {
			t.Errorf("%s says %q: use a logical property", name, m)
		}
	}
	// The control.
	for _, bad := range []string{"p{margin-left:1px}", "p{ text-align: right; }", "p{left:0}", "p { padding: 1px 2px 3px 4px }", "p{float:left}",
		"p{border-right:0}", "p{inset:0 1px 0 calc(1px + 2px)}"} {
		if len(sided(bad)) == 0 {
			t.Errorf("%s was not seen", bad)
		}
	}
	for _, fine := range []string{"p{margin-inline-start:1px}", "p{padding:1px 2px 3px}", "p{inset:auto calc(1px + 2px) 0 calc(1px + 2px)}", "p{border-radius:1px 1px 0 0}", ".left{top:0}"} {
		if got := sided(fine); len(got) != 0 {
			t.Errorf("%s was blamed for %q", fine, got)
		}
	}
}

var (
	named     = regexp.MustCompile(`(?:[{;]|\s)(?:(?:margin|padding|border|inset)-)?(?:left|right)(?:-\w+)?\s*:[^;}]*|(?:text-align|float|clear)\s*:\s*(?:left|right)`)
	fourSided = regexp.MustCompile(`(?:[{;]|\s)(?:margin|padding|inset)\s*:\s*([^;}]*)`)
	inside    = regexp.MustCompile(`\([^()]*\)`)
)

// sided are the declarations that name a side, or give the two sides different values.
func sided(sheet string) (found []string) {
	found = named.FindAllString(sheet, -1)
	for _, m := range fourSided.FindAllStringSubmatch(sheet, -1) {
		value := m[1]
		for inside.MatchString(value) {
			value = inside.ReplaceAllStringFunc(value, func(s string) string { return strings.Map(solid, s) })
		}
		if sides := strings.Fields(value); len(sides) == 4 && sides[1] != sides[3] {
			found = append(found, m[0])
		}
	}
	return found
}

// solid is what stands in brackets as one word without them.
func solid(r rune) rune {
	if r == ' ' || r == '(' || r == ')' {
		return '_'
	}
	return r
}
