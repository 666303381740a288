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
func (l GuestList) WriteRest(w io.Writer, results []Result, says func(Result) string) error {
	heads := l.heads
	if l.isRest() {
		heads = heads[1:]
	}
	c := NewCSV(w)
	if err := c.Row(slices.Concat([]string{problemHead}, heads)...); err != nil {
		return err
	}
	for _, r := range results {
		if r.Err == nil {
			continue
		}
		rows := r.unread
		if rows == nil {
			rows = [][]string{r.Cells}
		}
		for _, cells := range rows {
			if l.isRest() && len(cells) > 0 {
				cells = cells[1:]
			}
			if err := c.Row(slices.Concat([]string{says(r)}, cells)...); err != nil {
				return err
			}
		}
	}
	return c.Close()
}

// problemHead is above what is wrong with each row of a rest.
const problemHead = "problem"

// isRest tells whether the list is one that WriteRest wrote.
func (l GuestList) isRest() bool { return len(l.heads) > 0 && l.heads[0] == problemHead }

// Listed are invitations as the results of a list, in that order.
func Listed(invs []Invitation) []Result {
	all := make([]Result, len(invs))
	for i := range invs {
		all[i] = Result{Row: i + 1, Invitation: &invs[i]}
	}
	return all
}
