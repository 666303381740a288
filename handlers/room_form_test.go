package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"admitone/rooms"
	"admitone/tokens"
)

// locale is the room's language, as the API has it.
func (v *visitor) locale(slug string) any {
	v.t.Helper()
	return v.get(v1 + "/rooms/" + slug).wants(http.StatusOK).object()["locale"]
}

func TestARoomsFormChoosesItsGuestsLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, api := b.signedIn(t, "bob"), b.program(t, "bob")
	page := bob.get("/").wants(http.StatusOK).says("Language of mails and guests’ pages", ">Not set: English in mails<", ">Deutsch<", ">Español<", ">Français<", ">English<", ">简体中文<", ">繁體中文<")
	form := page.form("/rooms")
	if got := form.Get("locale"); got != "" {
		t.Errorf("a new room's language is %q", got)
	}
	bob.post("/rooms", with(form, "name", "Standup", "slug", "standup", "locale", "de")).wants(http.StatusSeeOther)
	if got := api.locale("standup"); got != "de" {
		t.Errorf("made with %v", got)
	}
	edit := bob.get("/rooms/standup/edit").wants(http.StatusOK).form("/rooms/standup")
	if got := edit.Get("locale"); got != "de" {
		t.Errorf("the form shows %q", got)
	}
	bob.post("/rooms/standup", with(edit, "locale", "zh-TW")).wants(http.StatusSeeOther)
	if got := api.locale("standup"); got != "zh-TW" {
		t.Errorf("changed to %v", got)
	}
	bob.post("/rooms/standup", with(edit, "locale", "no tag")).wants(http.StatusUnprocessableEntity).says("is not a language tag")
	bob.post("/rooms", with(form, "name", "Other", "locale", "no tag", "starts_at", "never")).wants(http.StatusUnprocessableEntity).says("is not a language tag")
	copied := bob.get("/rooms/standup/copy").wants(http.StatusOK).form("/rooms")
	if got := copied.Get("locale"); got != "zh-TW" {
		t.Errorf("a copy offers %q", got)
	}
	bob.post("/rooms", with(copied, "slug", "twin", "locale", "")).wants(http.StatusSeeOther)
	if got := api.locale("twin"); got != nil && got != "" {
		t.Errorf("a copy that was to have none has %v", got)
	}
}

func TestALanguageOfAnotherSystemOutlivesTheForm(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.room(t, "bob", "standup", func(d *rooms.Draft) { d.Locale = "pt-BR" })
	bob, api := b.signedIn(t, "bob"), b.program(t, "bob")
	edit := bob.get("/rooms/standup/edit").wants(http.StatusOK).says(">pt-BR<").form("/rooms/standup")
	bob.post("/rooms/standup", with(edit, "name", "Renamed")).wants(http.StatusSeeOther)
	if got := api.locale("standup"); got != "pt-BR" {
		t.Errorf("after an edit of the name it is %v", got)
	}
	edit.Del("locale") // a page of before
	bob.post("/rooms/standup", with(edit, "name", "Again")).wants(http.StatusSeeOther)
	bob.post("/rooms", with(edit, "name", "Twin", "slug", "twin", "from", "standup")).wants(http.StatusSeeOther)
	for _, slug := range []string{"standup", "twin"} {
		if got := api.locale(slug); got != "pt-BR" {
			t.Errorf("after a form that does not ask %s has %v", slug, got)
		}
	}
}

func TestAnInvitationsFormChoosesItsOwnLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	room := b.room(t, "bob", "standup")
	bob := b.signedIn(t, "bob")
	at := "/rooms/standup/invitations"
	form := bob.get("/rooms/standup").wants(http.StatusOK).says(">As the room<", ">Français<").form(at)
	bob.post(at, with(form, "name", "Ada", "locale", "fr")).wants(http.StatusSeeOther)
	list, err := b.Invitations.Store.List(t.Context(), tokens.Query{Room: room.ID, Limit: 9, Now: b.Clock.Millis()})
	if err != nil || len(list) != 1 || list[0].Locale != "fr" {
		t.Errorf("%+v, %v", list, err)
	}
	bob.post(at, with(form, "locale", "no tag")).wants(http.StatusUnprocessableEntity).says("is not a language tag")
	if got := bob.post(at, with(form, "locale", "fr", "max_uses", "0")).wants(http.StatusUnprocessableEntity).form(at).Get("locale"); got != "fr" {
		t.Errorf("a refused form shows %q", got)
	}
}

// TestARoomThatIsMovedKeepsItsLength: where only its opening was typed anew, and
// now is after its end.
func TestARoomThatIsMovedKeepsItsLength(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bob, api := b.signedIn(t, "bob"), b.program(t, "bob")
	for name, tt := range map[string]struct {
		typed []string
		want  string // the end, or what is refused
	}{
		"a later day":                   {[]string{"starts_at", "2030-03-05T10:00"}, "2030-03-05T10:00:00Z"},
		"a later day, by other clocks":  {[]string{"starts_at", "2030-04-05T10:00"}, "2030-04-05T09:00:00Z"},
		"another zone too":              {[]string{"starts_at", "2030-03-05T10:00", "timezone", "Asia/Shanghai"}, "2030-03-05T03:00:00Z"},
		"within the time":               {[]string{"starts_at", "2030-03-01T09:30"}, "2030-03-01T09:00:00Z"},
		"an earlier day":                {[]string{"starts_at", "2030-02-27T09:00"}, "2030-03-01T09:00:00Z"},
		"an end that was typed as well": {[]string{"starts_at", "2030-03-05T10:00", "ends_at", "2030-03-05T08:00"}, "must be after"},
	} {
		slug := strings.NewReplacer(" ", "-", ",", "").Replace(name)
		bob.post("/rooms", fields("name", name, "slug", slug, "starts_at", "2030-03-01T09:00", "ends_at", "2030-03-01T10:00", "timezone", "Europe/Berlin")).wants(http.StatusSeeOther)
		form := with(bob.get("/rooms/"+slug+"/edit").wants(http.StatusOK).form("/rooms/"+slug), tt.typed...)
		if tt.want == "must be after" {
			bob.post("/rooms/"+slug, form).wants(http.StatusUnprocessableEntity).says(tt.want)
			continue
		}
		bob.post("/rooms/"+slug, form).wants(http.StatusSeeOther)
		if got := api.get(v1 + "/rooms/" + slug).object()["ends_at"]; got != tt.want {
			t.Errorf("%s: it ends %v, want %s", name, got, tt.want)
		}
	}
	b.room(t, "bob", "endless-start", func(d *rooms.Draft) { d.EndsAt = b.Clock.Millis() + 3_600_000 })
	form := bob.get("/rooms/endless-start/edit").form("/rooms/endless-start")
	bob.post("/rooms/endless-start", with(form, "starts_at", "2031-01-01T00:00")).wants(http.StatusUnprocessableEntity).says("must be after")
	api.do("PATCH", v1+"/rooms/a-later-day", `{"starts_at": "2030-06-01T00:00:00Z"}`, header("Content-Type", "application/json")).wants(http.StatusUnprocessableEntity)
}
