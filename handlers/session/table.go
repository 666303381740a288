package session

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/tokens"
)

// Table answers with a CSV file of that name, whose rows are sent as write makes
// them: an error before the first is told as any other, and one after it ends the
// connection, so that nobody takes half a table for all of it. However long it
// takes, its reader has a minute for each part.
func Table(c echo.Context, name string, write func(*tokens.CSV) error) error {
	h := c.Response().Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	table := tokens.NewCSV(&patient{c.Response(), http.NewResponseController(c.Response())})
	err := write(table)
	if err == nil {
		err = table.Close()
	}
	if err != nil && c.Response().Committed {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		h.Del("Content-Disposition")
	}
	return err
}

// patient gives the reader of an answer some time for each part of it.
type patient struct {
	http.ResponseWriter
	wire *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.wire.SetWriteDeadline(time.Now().Add(time.Minute)) // where there is none, nothing has to be lifted
	return p.ResponseWriter.Write(b)
}
