package handlers

import (
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
)

// routes adds routes that share a prefix and what guards them. Unlike an Echo
// group it claims no address besides: what does not exist is 404 for everybody,
// and a method that is not there 405. What answers GET answers HEAD.
type routes struct {
	e      *echo.Echo
	prefix string
	guards []echo.MiddlewareFunc
}

func (r routes) GET(path string, h echo.HandlerFunc) {
	r.e.Match([]string{http.MethodGet, http.MethodHead}, r.prefix+path, h, r.guards...)
}

func (r routes) POST(path string, h echo.HandlerFunc) { r.e.POST(r.prefix+path, h, r.guards...) }

func (r routes) PATCH(path string, h echo.HandlerFunc) { r.e.PATCH(r.prefix+path, h, r.guards...) }

func (r routes) DELETE(path string, h echo.HandlerFunc) { r.e.DELETE(r.prefix+path, h, r.guards...) }

// clientAddress tells who called: the peer, unless that is a trusted proxy;
// then the last address in X-Forwarded-For that is not one. Without the trust
// list Echo would believe any header.
func clientAddress(trusted []*net.IPNet) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, n := range trusted {
		options = append(options, echo.TrustIPRange(n))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// observe gives each request an id, writes one log line about it, counts it,
// and turns a panic into an answer. The line names the route and never the
// address itself, which may hold a link.
func observe(log *slog.Logger, now func() time.Time, count *metrics, fail *failures) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			began := now()
			id := strings.ToLower(rand.Text()[:12])
			session.Note(c, "request", id)
			c.Response().Header().Set("X-Request-Id", id)
			defer func() {
				if p := recover(); p != nil {
					if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so too
						panic(p)
					}
					log.Error("panic", "request", id, "route", c.Path(), "panic", p, "stack", string(debug.Stack()))
					fail.answer(echo.ErrInternalServerError, c)
				}
			}()
			err := next(c)
			if err != nil {
				c.Error(err)
			}
			took := now().Sub(began)
			count.request(c, err, took)
			if log.Enabled(c.Request().Context(), slog.LevelInfo) {
				attrs := []any{"request", id, "method", c.Request().Method, "route", c.Path(), "status", c.Response().Status,
					"ms", float64(took.Microseconds()) / 1000, "bytes", c.Response().Size, "ip", c.RealIP()}
				if inv := session.Noted(c, "invitation"); inv != "" {
					attrs = append(attrs, "invitation", inv)
				}
				if err != nil {
					attrs = append(attrs, "code", lookUp(err).code)
				}
				log.Info("request", attrs...)
			}
			return nil
		}
	}
}

// secure sets what every answer sends.
func secure(tls bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", session.Policy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set(session.Devices, "camera=(), geolocation=(), microphone=()")
			if tls {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
			return next(c)
		}
	}
}

// limit bounds the request's body.
func limit(bytes int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.ContentLength > bytes {
				return &http.MaxBytesError{Limit: bytes}
			}
			r.Body = http.MaxBytesReader(c.Response(), r.Body, bytes)
			return next(c)
		}
	}
}

// loopbackOnly guards a server without sign-in: only this machine by its own
// name, and nothing that came through a proxy. A foreign name may be a page
// elsewhere whose name was bent to point here.
func loopbackOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		ip := net.ParseIP(strings.Trim(host, "[]"))
		if !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) || forwarded(r) {
			return session.ErrCrossSite
		}
		return next(c)
	}
}

// forwarded tells whether a proxy passed the request on.
func forwarded(r *http.Request) bool {
	for name := range r.Header {
		switch name {
		case "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip":
			return true
		}
		if strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}
