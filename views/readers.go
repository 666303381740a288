package views

import (
	"regexp"
	"sync"

	"golang.org/x/text/language"
)

// guestMessages are the keys of what guests read: their pages, their mails and their calendar files.
//
// A language whose file says "language.readers": "guests" has these messages and no others, and is spoken to guests
// alone; one that says "everybody" has all. A page for hosts is so never half in another language.
var guestMessages = regexp.MustCompile(`^(` +
	`(language|time|wait|script|join|admitted|refusal|cookieless|elsewhere|ask|move|mail|ics|share)\..*|admit|` +
	`frame\.(skip|foot|optional)|role\.title\..*|guest\.unnamed|` +
	`link\.copy|people\.(title|nobody|more|reload|came|left|you|since\..*)|` +
	`error\.([0-9]+\..*|guest|request)|` +
	`invalid: (is too long|must be valid UTF-8 without NUL)` +
	`)$`)

// forHosts tells whether the language has a word for everything.
func (spoken *tongue) forHosts() bool {
	return spoken.messages["language.readers"].plain() == "everybody"
}

// holds tells whether the message is one that this language's readers may meet.
func (spoken *tongue) holds(key string) bool {
	return spoken.forHosts() || guestMessages.MatchString(key)
}

// circle is languages that may be chosen from, English first.
type circle struct {
	tongues []*tongue
	matcher language.Matcher
}

func newCircle(spoken []*tongue) circle {
	var tags []language.Tag
	for _, s := range spoken {
		tags = append(tags, s.tag)
	}
	return circle{spoken, language.NewMatcher(tags)}
}

// everyones are the languages of guests' pages, and hostly those of hosts' pages.
var (
	everyones = sync.OnceValue(func() circle { return newCircle(tongues()) })
	hostly    = sync.OnceValue(func() circle {
		var whole []*tongue
		for _, spoken := range tongues() {
			if spoken.forHosts() {
				whole = append(whole, spoken)
			}
		}
		return newCircle(whole)
	})
)

// match returns the language that serves a wish, if one does.
func (c circle) match(wish string) (language.Tag, bool) {
	tags, _, err := language.ParseAcceptLanguage(wish)
	if err != nil || len(tags) == 0 {
		return language.English, false
	}
	_, i, sure := c.matcher.Match(tags...)
	return c.tongues[i].tag, sure != language.No
}

// MatchLanguage returns the language for a guest that serves a wish, if one does. The wish is a BCP 47 tag or an
// Accept-Language header.
func MatchLanguage(wish string) (language.Tag, bool) { return everyones().match(wish) }

// MatchHostLanguage is MatchLanguage for a host.
func MatchHostLanguage(wish string) (language.Tag, bool) { return hostly().match(wish) }

// Languages are the tags of all languages there are, English first.
func Languages() []language.Tag {
	var tags []language.Tag
	for _, spoken := range tongues() {
		tags = append(tags, spoken.tag)
	}
	return tags
}
