package session

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// WantsStream tells whether the caller reads server-sent events; everybody
// else is shown the page that the stream is about.
func WantsStream(c echo.Context) bool {
	r := c.Request()
	return r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// Stream is what an event stream tells. Events carry no content: the page
// fetches itself anew.
type Stream struct {
	Notices <-chan struct{} // something changed
	Stop    <-chan struct{} // the server stops
	// Beat is how often the stream shows that it lives.
	Beat time.Duration
	// Over is asked at every notice, and with beat set at every beat; it reports
	// whether the page has lost what it stands on.
	Over func(beat bool) bool
}

const (
	// slow is how long a reader may take for one event, longer than that it is gone.
	slow = 10 * time.Second
	// longest is how long a stream lasts; a page that is still there comes back,
	// and shows again who it is.
	longest = 15 * time.Minute
)

// Follow sends the stream until its reader, the server or what it is about
// goes. The first event is "changed", for what changed since the page was drawn;
// the last of one that is over is "over". The server's own time limits, which
// are for answers that end, do not hold for it.
func Follow(c echo.Context, s Stream) error {
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	wire := http.NewResponseController(c.Response())
	_ = wire.SetReadDeadline(time.Time{}) // where there is none, nothing has to be lifted
	c.Response().WriteHeader(http.StatusOK)
	send := func(text string) bool {
		_ = wire.SetWriteDeadline(time.Now().Add(slow))
		_, err := c.Response().Write([]byte(text))
		return err == nil && wire.Flush() == nil
	}
	beat, end := time.NewTicker(s.Beat), time.NewTimer(longest)
	defer beat.Stop()
	defer end.Stop()
	for text := "retry: 1000\nevent: changed\ndata:\n\n"; send(text); {
		var over bool
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-s.Stop:
			return nil
		case <-end.C:
			return nil
		case <-s.Notices:
			text, over = "event: changed\ndata:\n\n", s.Over(false)
		case <-beat.C:
			text, over = ": here\n\n", s.Over(true)
		}
		if over {
			send("event: over\ndata:\n\n")
			return nil
		}
	}
	return nil
}
