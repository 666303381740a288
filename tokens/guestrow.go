package tokens

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"admitone/rooms"
)

// The two halves of a name, where a list keeps them apart.
const (
	givenName  = "given name"
	familyName = "family name"
)

// columnNames are what people write above a column, as folded gives it.
func columnNames() map[string][]string {
	return map[string][]string{
		"name": {"name", "fullname", "guest", "guestname", "attendee", "participant", "displayname", "姓名", "名字", "名称", "名稱", "嘉宾", "来宾", "來賓",
			"vollständigername", "teilnehmer", "teilnehmerin", "gast", "nomcomplet", "nometprénom", "prénometnom", "nomprénom", "prénomnom", "vornamenachname", "nachnamevorname", "vornachname", "vorundnachname", "vorundzuname", "namevorname", "vornamename",
			"firstnamelastname", "lastnamefirstname", "firstandlastname", "nombreapellidos", "nombreyapellido", "apellidosynombre", "apellidosnombre", "invité", "participante", "nombrecompleto", "nombreyapellidos", "invitado"}, //nolint:misspell // Spanish
		givenName:  {"firstname", "givenname", "forename", "vorname", "prénom", "prenom", "nombre", "名"},
		familyName: {"lastname", "surname", "familyname", "nachname", "familienname", "zuname", "nom", "apellido", "apellidos", "姓"},
		"email": {"email", "emailaddress", "mail", "mailaddress", "emailadresse", "mailadresse", "courriel", "adresseemail", "adressemail", "correo", "correoelectrónico",
			"correoelectronico", "邮箱", "电子邮箱", "电子邮件", "邮件", "邮件地址", "电子邮件地址", "邮箱地址", "郵箱", "電子郵件", "電子信箱", "信箱"},
		"role":        {"role", "rolle", "rôle", "rol", "角色", "身份", "身分"},
		"expires_in":  {"expiresin", "validfor", "gültigfür", "有效时长", "有效時長"},
		"expires_at":  {"expiresat", "expires", "validuntil", "gültigbis", "valablejusquau", "válidohasta", "到期时间", "失效时间", "有效期至", "到期時間"},
		"not_before":  {"notbefore", "validfrom", "gültigab", "生效时间", "生效時間"},
		"max_uses":    {"maxuses", "uses", "人数", "人數", "次数"},
		"pin":         {"pin", "pin码", "pin碼"},
		"external_id": {"externalid", "reference", "bookingid", "外部编号", "编号", "編號"},
		"locale":      {"locale", "language", "sprache", "langue", "idioma", "语言", "語言"},
	}
}

// folded is a heading without what is written differently each time.
func folded(heading string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// heading tells whether a cell may stand among headings.
func heading(cell string) bool {
	return !strings.Contains(cell, "@") && len(folded(cell)) <= 64
}

// headings are the members that these cells name, or nil where they are no headings.
func headings(cells []string) []string {
	if len(cells) > maxColumns {
		return nil
	}
	names := columnNames()
	columns, taken := make([]string, len(cells)), map[string]bool{}
	for i, cell := range cells {
		if !heading(cell) {
			return nil
		}
		text := folded(cell)
		for member, spellings := range names {
			if slices.Contains(spellings, text) && !taken[member] {
				columns[i], taken[member] = member, true
			}
		}
	}
	if known(columns) == 0 {
		return nil
	}
	return columns
}

// untitled leaves out what stands above the headings: a title, alone in its row.
func untitled(records []GuestRow) []GuestRow {
	for i, row := range records[:min(len(records), 5)] {
		if known(headings(row.Cells)) > 1 {
			return records[i:]
		}
		if n := len(slices.DeleteFunc(slices.Clone(row.Cells), func(c string) bool { return strings.TrimSpace(c) == "" })); n != 1 || strings.Contains(strings.Join(row.Cells, ""), "@") {
			break
		}
	}
	return records
}

func known(columns []string) (n int) {
	for _, c := range columns {
		if c != "" {
			n++
		}
	}
	return n
}

// guessed are the columns of a list without headings that can be read: addresses
// are where the at-signs are, names in the first other column that does not just
// count. Where all rows but
// the first have an address there, the first one is of headings.
func guessed(records []GuestRow) (columns []string, headed bool) {
	some := records[:min(len(records), 50)]
	var at, filled, counts []int
	for _, row := range some {
		for i, cell := range row.Cells {
			if i == len(at) {
				at, filled, counts = append(at, 0), append(filled, 0), append(counts, 0)
			}
			if cell = strings.TrimSpace(cell); cell != "" {
				filled[i]++
				if _, err := strconv.Atoi(strings.Trim(cell, ".#")); err == nil {
					counts[i]++
				}
			}
			if strings.Contains(cell, "@") {
				at[i]++
			}
		}
	}
	columns = make([]string, len(at))
	email := -1
	if best := slices.Max(append(at, 0)); best > 0 {
		email = slices.Index(at, best)
		first := records[0].Cells
		headed = len(some) > 2 && best == len(some)-1 && (len(first) <= email || !strings.Contains(first[email], "@"))
		columns[email] = "email"
	}
	for i := range columns {
		if i != email && filled[i] > counts[i] {
			columns[i] = "name"
			break
		}
	}
	return columns, headed
}

// nameUnused notes the columns that hold something and stand for nothing.
func (l *GuestList) nameUnused(records []GuestRow, headed bool) {
	l.heads = slices.Clone(l.Columns)
	for i, column := range l.Columns {
		if column != "" || !slices.ContainsFunc(records, func(r GuestRow) bool { return i < len(r.Cells) && strings.TrimSpace(r.Cells[i]) != "" }) {
			continue
		}
		name := strconv.Itoa(i + 1)
		if headed && i < len(records[0].Cells) && heading(records[0].Cells[i]) && strings.TrimSpace(records[0].Cells[i]) != "" {
			name = firstLine(strings.TrimSpace(records[0].Cells[i]))
		}
		if l.heads[i] = name; i != 0 || name != problemHead {
			l.Unused = append(l.Unused, name)
		}
	}
}

// read makes the row's draft, one guest where the list does not say more.
func (l *GuestList) read(row *GuestRow, how Reading) {
	row.Draft = Draft{Role: Guest, MaxUses: 1}
	if row.Err != nil {
		return
	}
	var errs []error
	var given, family string
	for i, cell := range row.Cells {
		cell = plainCell(strings.TrimSpace(cell))
		switch {
		case cell == "":
			continue
		case i >= len(l.Columns):
			errs = append(errs, rooms.Invalid{Field: "", Detail: "has more cells than the list has headings"})
		case l.Columns[i] == "":
		case !utf8.ValidString(cell):
			errs = append(errs, rooms.Invalid{Field: l.Columns[i], Detail: "is not UTF-8: save the list as “CSV UTF-8”"})
		case strings.ContainsRune(cell, utf8.RuneError):
			errs = append(errs, rooms.Invalid{Field: l.Columns[i], Detail: "holds a character that was lost (\ufffd)"})
		case l.Columns[i] == givenName:
			given = cell
		case l.Columns[i] == familyName:
			family = cell
		default:
			if err := row.Draft.set(l.Columns[i], cell, how); err != nil {
				errs = append(errs, err)
			}
		}
		if i >= len(l.Columns) {
			break
		}
	}
	d := &row.Draft
	switch {
	case d.Name == "":
		d.Name = joined(given, family)
	case family == "" && !strings.Contains(d.Name, given): // a family's name is called the name in many lists
		d.Name = joined(given, d.Name)
	case given == "" && !strings.Contains(d.Name, family):
		d.Name = joined(d.Name, family)
	}
	if d.Email == "" && !slices.Contains(l.Columns, "email") {
		d.Name, d.Email = addressed(d.Name)
	} else if name, email := addressed(d.Email); email != "" {
		d.Email = email
		if d.Name == "" {
			d.Name = name
		}
	}
	row.Err = errors.Join(errs...)
}

// set reads one cell into the draft.
func (d *Draft) set(member, cell string, how Reading) (err error) {
	switch member {
	case "name":
		d.Name = cell
	case "email":
		d.Email = strings.TrimPrefix(cell, "mailto:")
	case "pin":
		d.PIN = cell
	case "external_id":
		d.ExternalID = cell
	case "locale":
		d.Locale = cell
	case "role":
		role, known := roleNames()[folded(cell)]
		if !known || !how.Shown && folded(cell) != string(role) {
			return rooms.Invalid{Field: member, Detail: "is guest or host"} // and stays guest
		}
		d.Role = role
	case "max_uses":
		if d.MaxUses, err = strconv.Atoi(cell); err != nil || d.MaxUses == 0 {
			d.MaxUses = 1
			return rooms.Invalid{Field: member, Detail: "is 1 to 1000"}
		}
	case "expires_in":
		if d.ExpiresIn, err = rooms.ParseDuration(cell); err != nil {
			return rooms.Invalid{Field: member, Detail: "is a duration such as 90m, 2h or 7d"}
		}
	case "expires_at":
		d.ExpiresAt, err = instant(member, cell, how.Zone)
	case "not_before":
		d.NotBefore, err = instant(member, cell, how.Zone)
	}
	return err
}

// instant reads a time as people and spreadsheets write it. A date with slashes is one
// day to some and another to others: it is refused.
func instant(member, cell string, zone *time.Location) (int64, error) {
	at, err := rooms.ParseInstant(cell)
	switch {
	case err == nil:
		return at, nil
	case zone == nil:
		return 0, rooms.Invalid{Field: member, Detail: "is an instant such as 2026-01-31T09:00:00+01:00"}
	}
	at, err = rooms.ParseWall(strings.ReplaceAll(cell, ",", ""), zone, "2006-1-2 15:04", "2006-1-2 15:04:05", "2006-1-2T15:04", "2006-1-2T15:04:05", "2.1.2006 15:04", "2.1.2006 15:04:05", "2006/1/2 15:04", "2006/1/2 15:04:05")
	if err != nil {
		return 0, rooms.Invalid{Field: member, Detail: "is a time such as 2026-01-31 09:00 or 31.01.2026 09:00"}
	}
	return at, nil
}

// roleNames are the roles as people write them, as folded gives it. A word that is
// both, such as the French hôte, is none.
var roleNames = sync.OnceValue(func() map[string]Role {
	names := map[string]Role{}
	for role, words := range map[Role]string{
		Guest: "guest attendee participant gast teilnehmer teilnehmerin invité invitée participant participante invitado invitada 嘉宾 来宾 客人 访客 参会者 嘉賓 來賓 訪客 與會者",                                                                      //nolint:misspell // in six languages
		Host:  "host organizer organiser moderator gastgeber gastgeberin moderatorin veranstalter veranstalterin  organisateur organisatrice anfitrión anfitriona organizador organizadora moderador moderadora 主持人 主办人 组织者 主辦人 組織者", //nolint:misspell // in six languages
	} {
		for word := range strings.FieldsSeq(words) {
			names[word] = role
		}
	}
	return names
})

// joined is a whole name: the family's first, and without a space, where it is
// written in Han characters.
func joined(given, family string) string {
	if r, _ := utf8.DecodeRuneInString(family); unicode.Is(unicode.Han, r) {
		return family + given
	}
	return strings.TrimSpace(given + " " + family)
}

// addressed takes "Ada <ada@mail.example>" apart, as mail programs write it; all
// else is a name.
func addressed(text string) (name, email string) {
	name, rest, found := strings.Cut(text, "<")
	email, rest, closed := strings.Cut(rest, ">")
	if !found || !closed || rest != "" || !strings.Contains(email, "@") {
		return text, ""
	}
	return strings.Trim(name, ` "`), email
}
