package tokens

import (
	"io"
	"slices"
	"strconv"
	"time"

	"admitone/rooms"
)

// WriteCSV writes what became of a list as a table for spreadsheets, with the
// short links. The links of hosts are left out unless withHosts.
func (l *Links) WriteCSV(w io.Writer, results []Result, withHosts bool) error {
	c := NewCSV(w)
	if err := c.Row("row", "name", "email", "role", "max_uses", "expires_at", "external_id", "id", "short_url", "errors"); err != nil {
		return err
	}
	for _, r := range results {
		row := []string{strconv.Itoa(r.Row), r.Draft.Name, r.Draft.Email, string(r.Draft.Role), "", "", r.Draft.ExternalID, "", "", ""}
		if inv := r.Invitation; r.Err != nil {
			row[9] = r.Says()
		} else {
			row[1], row[2], row[3], row[4], row[6] = inv.Name, inv.Email, string(inv.Role), strconv.Itoa(inv.MaxUses), inv.ExternalID
			row[5] = time.UnixMilli(inv.ExpiresAt).UTC().Format(time.RFC3339)
			row[7] = inv.ID.Show(rooms.InvitationPrefix)
			if inv.Role != Host || withHosts {
				row[8] = l.Short(*inv)
			}
		}
		if err := c.Row(row...); err != nil {
			return err
		}
	}
	return c.Close()
}

// WriteRest writes those of the list's rows that are no good as they were, under headings
// that ReadGuestList knows, behind what is wrong with each: to be mended and read again.
func (l GuestList) WriteRest(w io.Writer, results []Result) error {
	const problem = "problem"
	before := slices.Index(l.heads, problem) // in the rest of a rest
	if before < 0 {
		before = maxColumns
	}
	c := NewCSV(w)
	row := func(first string, cells []string) error {
		cells = slices.Concat([]string{first}, cells)
		if before+1 < len(cells) {
			cells = slices.Delete(cells, before+1, before+2)
		}
		return c.Row(cells...)
	}
	if err := row(problem, l.heads); err != nil {
		return err
	}
	for _, r := range results {
		if r.Err == nil {
			continue
		}
		if err := row(r.Says(), r.Cells); err != nil {
			return err
		}
	}
	return c.Close()
}

// Listed are invitations as the results of a list, in that order.
func Listed(invs []Invitation) []Result {
	all := make([]Result, len(invs))
	for i := range invs {
		all[i] = Result{Row: i + 1, Invitation: &invs[i]}
	}
	return all
}
