package api

import (
	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// Attendance answers GET /rooms/{room}/attendance.csv: who was invited, who came
// and who did not.
func (a *API) Attendance(c echo.Context) error {
	_, r, err := a.find(c, oauth.InvitationsRead)
	if err != nil {
		return err
	}
	return session.Table(c, "attendance-"+r.Slug+".csv", func(table *tokens.CSV) error {
		return a.Invitations.AttendanceTable(c.Request().Context(), r, table)
	})
}
