package views

import (
	"strings"
	"testing"

	"golang.org/x/text/language"
)

func TestHistoryTellsCodesInTheReadersLanguageAndPeoplesWordsAsTyped(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ kind, detail, english, chinese string }{
		{"room.changed", "name,starts_at,locale", "Name, Opening time, Language", "名称、开放时间、语言"},
		{"invitation.changed", "expires_at", "End", "过期时间"},
		{"invitation.changed", "one_more_move", "One more device change", "允许再换一次设备"},
		{"invitation.reissued", "old_shared", "The old link keeps working and shares its uses.", "旧链接继续有效，与新链接共用次数。"},
		{"invitation.refused", "used", "All its uses are taken.", "使用次数已用完。"},
		{"invitation.revoked", "name", "name", "name"},
		{"room.changed", "changed name, start", "changed name, start", "changed name, start"},
		{"room.changed", "name,of a later version", "name,of a later version", "name,of a later version"},
		{"room.changed", "", "", ""},
	} {
		for tag, want := range map[language.Tag]string{language.English: row.english, language.MustParse("zh-CN"): row.chinese} {
			if got := (Event{Kind: row.kind, Detail: row.detail}).detail(WithLanguage(t.Context(), tag)); got != want {
				t.Errorf("%s %q in %s: %q, want %q", row.kind, row.detail, tag, got, want)
			}
		}
	}
}

func TestNobodyIsTakenForAHostByAName(t *testing.T) {
	t.Parallel()
	for party, want := range map[string]string{"host": "<b><bdi>ada</bdi></b>", "guest": "<b><bdi>ada</bdi></b> (guest)", "app": "<b><bdi>ada</bdi></b> (app)", "key": "<b><bdi>ada</bdi></b> (API key)", "system": "<b><bdi>ada</bdi></b> (system)"} {
		e := Event{Actor: "ada", Party: party}
		var b strings.Builder
		if err := e.who(t.Context(), bold).Render(t.Context(), &b); err != nil || b.String() != want {
			t.Errorf("%s: %s, %v", party, b.String(), err)
		}
	}
}
