package tokens

import (
	"context"
	"slices"
	"strconv"
	"time"

	"admitone/rooms"
)

// Attendance is whether somebody came who was invited, as a list of guests is
// narrowed to it.
type Attendance string

// The parts of a list of guests. A link that another took the place of stands on
// it no more, but for those who were turned away with it; who came by it, came.
const (
	Everybody  Attendance = "all"
	Came       Attendance = "came"
	NotYet     Attendance = "not_yet" // and still may
	DidNotCome Attendance = "did_not_come"
	TurnedAway Attendance = "refused"
)

// Attendances are all parts, in the order in which pages offer them.
func Attendances() []Attendance {
	return []Attendance{Everybody, Came, NotYet, DidNotCome, TurnedAway}
}

// Attendance is whether somebody came by the invitation, or a link whose place it
// took. Stores filter by the same rule.
func (inv Invitation) Attendance(now int64) Attendance {
	switch {
	case inv.Uses > 0 || inv.CameBefore != 0:
		return Came
	case inv.RevokedAt != 0, inv.ExpiresAt <= now, inv.Room.Over(now):
		return DidNotCome
	}
	return NotYet
}

// Turnout is how many were invited to a room, and what became of it.
type Turnout struct {
	Invited, Came, NotYet, DidNotCome int
	People                            int // admitted by those invitations, more where one admits several
	Refused                           int // attempts that were turned away
}

// Visit is one who was admitted, and how often that one came.
type Visit struct {
	Admission rooms.ID
	Name      string // as given, may be empty
	CameAt    int64
	Back      int   // how often that one came back
	BackAt    int64 // the last time, 0 for never
	RemovedAt int64 // when a host removed that one
}

// Turned is how often somebody was turned away for one reason, and when last.
type Turned struct {
	Reason string // the refusal's code
	Times  int
	LastAt int64
}

// Invitee is one line of a room's list of guests, with what happened by the links
// that were for the same person.
type Invitee struct {
	Invitation
	Attendance Attendance
	Visits     []Visit  // the first to come is first
	Turned     []Turned // the latest first
}

// AttendanceStore tells who came, under the terms of Store.
type AttendanceStore interface {
	// Turnout counts the room's.
	Turnout(ctx context.Context, room rooms.Room, now int64) (Turnout, error)
	// Kin returns for these invitations those that they took the place of, however
	// long ago, and that share their uses: each with the one of these ids it leads to.
	Kin(ctx context.Context, ids []rooms.ID) (map[rooms.ID]rooms.ID, error)
	// Visits returns who was admitted by the invitations of these ids, by invitation.
	Visits(ctx context.Context, ids []rooms.ID) (map[rooms.ID][]Visit, error)
	// TurnedAway returns who was turned away with the room's invitations of these
	// ids, by invitation.
	TurnedAway(ctx context.Context, room rooms.ID, ids []rooms.ID) (map[rooms.ID][]Turned, error)
}

// Guests returns a part of the room's list of guests, in the order of q, whose
// Attendance says which.
func (s *Invitations) Guests(ctx context.Context, room rooms.Room, q Query) ([]Invitee, error) {
	q.Room, q.Over = room.ID, room.Over(q.Now)
	all, err := s.Store.List(ctx, q)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ids := make([]rooms.ID, 0, len(all))
	for _, inv := range all {
		ids = append(ids, inv.ID)
	}
	kin, err := s.Store.Kin(ctx, ids)
	if err != nil {
		return nil, err
	}
	for id := range kin {
		ids = append(ids, id)
	}
	visits, err := s.Store.Visits(ctx, ids)
	if err != nil {
		return nil, err
	}
	turned, err := s.Store.TurnedAway(ctx, room.ID, ids)
	if err != nil {
		return nil, err
	}
	for id, of := range kin {
		visits[of] = append(visits[of], visits[id]...)
		turned[of] = append(turned[of], turned[id]...)
	}
	guests := make([]Invitee, len(all))
	for i, inv := range all {
		g := Invitee{Invitation: inv, Attendance: inv.Attendance(q.Now), Visits: visits[inv.ID], Turned: turned[inv.ID]}
		slices.SortFunc(g.Visits, func(a, b Visit) int { return int(a.Admission - b.Admission) })
		slices.SortFunc(g.Turned, func(a, b Turned) int { return int(b.LastAt - a.LastAt) })
		guests[i] = g
	}
	return guests, nil
}

// rowsAtOnce is how many lines of a list of guests are held in memory.
const rowsAtOnce = 500

// NameRemoved stands in tables where a name was removed.
const NameRemoved = "name removed"

// attendanceColumns are those of AttendanceTable.
func attendanceColumns() []string {
	return []string{"invitation", "role", "name", "email", "external_id", "attendance", "invited_at", "opened_at",
		"guest", "came_at", "came_back", "last_back_at", "removed_at", "refused", "refused_reason", "refused_at"}
}

// AttendanceTable writes the room's list of guests: a row for each who came, and
// one for each invitation by which nobody did. Times are those of the room's zone.
func (s *Invitations) AttendanceTable(ctx context.Context, room rooms.Room, table *CSV) error {
	zone, err := time.LoadLocation(room.Timezone)
	if err != nil || room.Timezone == "Local" {
		zone = time.UTC
	}
	if err := table.Row(attendanceColumns()...); err != nil {
		return err
	}
	q := Query{Attendance: Everybody, Sort: Oldest, Limit: rowsAtOnce, Now: s.Now().UnixMilli()}
	for {
		guests, err := s.Guests(ctx, room, q)
		if err != nil {
			return err
		}
		for _, g := range guests {
			for _, row := range g.rows(zone) {
				if err := table.Row(row...); err != nil {
					return err
				}
			}
		}
		if len(guests) < rowsAtOnce {
			return nil
		}
		q.After = guests[len(guests)-1].Position(Oldest)
	}
}

func (g Invitee) rows(zone *time.Location) (rows [][]string) {
	at := func(millis int64) string {
		if millis == 0 {
			return ""
		}
		return time.UnixMilli(millis).In(zone).Format(time.RFC3339)
	}
	name := g.Name
	if g.NamelessAt != 0 {
		name = NameRemoved
	}
	refused, reason, last := 0, "", int64(0)
	for i, t := range g.Turned {
		refused += t.Times
		if i == 0 {
			reason, last = t.Reason, t.LastAt
		}
	}
	row := func(of ...string) []string {
		line := append([]string{g.ID.Show(rooms.InvitationPrefix), string(g.Role), name, g.Email, g.ExternalID, string(g.Attendance), at(g.CreatedAt), at(g.OpenedAt)}, of...)
		return append(line, strconv.Itoa(refused), reason, at(last))
	}
	if len(g.Visits) == 0 {
		return [][]string{row("", "", "", "", "")}
	}
	for _, v := range g.Visits {
		guest := v.Name
		if g.NamelessAt != 0 && guest == "" {
			guest = NameRemoved
		}
		rows = append(rows, row(guest, at(v.CameAt), strconv.Itoa(v.Back), at(v.BackAt), at(v.RemovedAt)))
	}
	return rows
}
