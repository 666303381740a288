package views

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
	"golang.org/x/text/language"

	"admitone/rooms"
)

// Each refused field is marked and names its refusal, which stands right below it, before any hint.
func TestARefusalStandsAtItsField(t *testing.T) {
	everywhere(t, func(t *testing.T, _ string, tag language.Tag, c templ.Component) {
		named, refused := map[string]bool{}, map[string]*html.Node{}
		walk(t, renderIn(t, tag, c), func(tag string, attr map[string]string, n *html.Node) {
			if attr["aria-invalid"] == "true" || tag == "fieldset" {
				for id := range strings.FieldsSeq(attr["aria-describedby"]) {
					named[id] = true
				}
			}
			if attr["class"] == "wrong" && attr["id"] != "" {
				refused[attr["id"]] = n
			}
		})
		for id, n := range refused {
			if !named[id] {
				t.Errorf("no field names its refusal #%s", id)
			}
			above := n.PrevSibling
			for above != nil && above.Type != html.ElementNode {
				above = above.PrevSibling
			}
			if above == nil || !slices.Contains([]string{"input", "select", "textarea", "div", "label"}, above.Data) {
				t.Errorf("#%s does not stand right below its field", id)
			}
		}
	})
}

// A name may be typed as long as the rule lets it be.
func TestNamesAreAsLongAsTheyMayBe(t *testing.T) {
	everywhere(t, func(t *testing.T, _ string, tag language.Tag, c templ.Component) {
		walk(t, renderIn(t, tag, c), func(_ string, attr map[string]string, _ *html.Node) {
			of := []string{"guest-name", "ask-name", "mint-name", "room-name"}
			if slices.Contains(of, attr["id"]) && attr["maxlength"] != strconv.Itoa(rooms.MaxName) {
				t.Errorf("#%s takes %q characters", attr["id"], attr["maxlength"])
			}
		})
	})
}
