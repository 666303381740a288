package views

import (
	"context"
	"net/url"

	"github.com/a-h/templ"
	"golang.org/x/text/language"
)

// LanguageParameter is what a link of the language switch adds to the page's address; its value is one of Languages.
const LanguageParameter = "lang"

type addressKey struct{}

// WithAddress tells the pages drawn in this context where they are found again by GET, as an address within this site
// that may be relative ("?q=x"), for the language switch. Without it there is no switch.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

func address(ctx context.Context) string {
	s, _ := ctx.Value(addressKey{}).(string)
	return s
}

// inLanguage is the address with the wish for a language added.
func inLanguage(address string, tag language.Tag) string {
	u, err := url.Parse(address)
	if err != nil {
		return "/"
	}
	q := u.Query()
	q.Set(LanguageParameter, tag.String())
	u.RawQuery = q.Encode()
	return u.String()
}

func (spoken *tongue) name() string { return spoken.messages["language.name"].plain() }

// page is what <html> says about the language: which it is, how it runs, and the words of app.js, so that there is no
// language in the script.
func (spoken *tongue) page() templ.OrderedAttributes {
	return templ.OrderedAttributes{
		{Key: "lang", Value: spoken.tag.String()},
		{Key: "dir", Value: spoken.messages["language.dir"].plain()},
		{Key: "data-words", Value: spoken.script},
	}
}

// marks is for a part of a page that is in this language.
func (spoken *tongue) marks() templ.OrderedAttributes { return spoken.page()[:2] }

// english marks what is in English on every page, where the page is not.
func english(ctx context.Context) templ.Attributes {
	if base, _ := speaks(ctx).tag.Base(); base.String() == "en" {
		return nil
	}
	return templ.Attributes{"lang": "en", "dir": "ltr"}
}
