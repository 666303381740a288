package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

// TestABrowserWithoutCookiesIsToldHowToGoOn presses without the cookie that the
// page gave: nothing is used up, and the page leads to another browser.
func TestABrowserWithoutCookiesIsToldHowToGoOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.mint(t, b.room(t, "bob", "standup"), tokens.Draft{})
	link := b.app.Base + b.short(inv)
	for _, at := range []string{b.short(inv), strings.ToUpper(b.short(inv)), b.long(t, inv)} {
		off := b.nobody(t)
		nonce := off.get(at).wants(http.StatusOK).says(`value="`+link+`"`, b.short(inv)+"/qr.svg").form(at).Get("nonce")
		off.post(at, fields("nonce", nonce)).wants(http.StatusForbidden).
			says("This browser keeps no cookies", "Your link is still unused", `value="`+link+`"`, b.short(inv)+"/qr.svg", "no_nonce")
	}
	off := b.nobody(t)
	off.get(b.short(inv) + "/qr.svg").wants(http.StatusOK).says("<svg")
	off.get("/i/" + strings.Repeat("0", 26) + "/qr.svg").wants(http.StatusNotFound)
	// Where the link is none of ours there is nothing to lead to.
	off.post("/i/nonsense", fields("nonce", "x")).wants(http.StatusForbidden).says("This browser keeps no cookies").saysNot("qr.svg")
	if got := b.invitation(t, inv.ID); got.Uses != 0 {
		t.Errorf("%d uses", got.Uses)
	}
	// Who is in goes on elsewhere with a code, not with the link, which is used.
	in := b.browser(t)
	in.press(t, b.short(inv)).wants(http.StatusSeeOther)
	in.get(b.short(inv)).wants(http.StatusOK).says("Enter again").saysNot("qr.svg")
}

// TestStrangersAreToldInTheirLanguage: an address that does not exist is told to
// whoever is not signed in as to a guest, whose link may have been spoilt.
func TestStrangersAreToldInTheirLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	de := header("Accept-Language", "de-AT,de;q=0.9")
	b.nobody(t).get("/no/such/page", de).wants(http.StatusNotFound).
		says(`<html lang="de"`, "Hier ist nichts", "Wenn ein Link Sie hierher geführt hat").saysNot("Back to the rooms")
	b.nobody(t).get("/i/nonsense", de).wants(http.StatusNotFound).says(`<html lang="de"`, "Dieser Link führt nirgendwohin")
	b.nobody(t).get("/m", header("Accept-Language", "zh-HK")).wants(http.StatusOK).says(`<html lang="zh-TW"`, "在這部裝置上繼續")
	host := b.signedIn(t, "bob")
	host.get("/no/such/page", de).wants(http.StatusNotFound).says(`<html lang="en"`, "Nothing here", "Back to the rooms")
	host.get("/", de).wants(http.StatusOK).says(`<html lang="en"`).saysNot("lang=de")
	b.nobody(t).get("/signin", de).wants(http.StatusOK).says(`<html lang="en"`).saysNot("Deutsch")
	// The room's language comes before the browser's, and the reader's own choice before both.
	room := b.room(t, "bob", "salon", func(d *rooms.Draft) { d.Locale = "fr-CA" })
	inv := b.mint(t, room, tokens.Draft{})
	b.nobody(t).get(b.short(inv), de).wants(http.StatusOK).says(`<html lang="fr"`, "Entrer dans la salle")
	b.nobody(t).get(b.short(inv), de, header("Cookie", "lang=es")).wants(http.StatusOK).says(`<html lang="es"`, "Entrar en la sala")
}
