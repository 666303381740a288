package handlers

import (
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"admitone/handlers/session"
)

// metrics counts what happens, by kinds and never by names.
type metrics struct {
	minted  *prometheus.CounterVec
	redeem  *prometheus.CounterVec
	seconds prometheus.Histogram
	logins  *prometheus.CounterVec
}

func newMetrics(r *prometheus.Registry) *metrics {
	m := &metrics{
		minted:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "admitone_invitations_minted_total", Help: "Invitations minted, by role."}, []string{"role"}),
		redeem:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "admitone_redeem_total", Help: "Redemptions asked for, by result: admitted, or the code of the refusal."}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "admitone_redeem_seconds", Help: "Time to answer a redemption.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14)}),
		logins:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "admitone_login_total", Help: "Sign-ins, by result."}, []string{"result"}),
	}
	r.MustRegister(m.minted, m.redeem, m.seconds, m.logins)
	return m
}

// request counts one request after its answer.
func (m *metrics) request(c echo.Context, err error, took time.Duration) {
	result := func(good string) string {
		if err != nil {
			return lookUp(err).code
		}
		return good
	}
	if c.Request().Method != http.MethodPost {
		return
	}
	switch c.Path() {
	case "/i/:code", "/I/:code", "/join/:room", "/api/v1/invitations/redeem":
		admitted := session.Noted(c, "redeem") // a page tells some refusals itself
		if admitted == "" {
			admitted = "admitted"
		}
		m.redeem.WithLabelValues(result(admitted)).Inc()
		m.seconds.Observe(took.Seconds())
	case "/rooms/:room/door":
		if noted := session.Noted(c, "redeem"); noted != "" { // else it was undone
			m.redeem.WithLabelValues(result(noted)).Inc()
			m.seconds.Observe(took.Seconds())
		}
	case "/api/v1/users/token":
		m.logins.WithLabelValues(result("ok")).Inc()
	case "/signin":
		if noted := session.Noted(c, "login"); noted != "" {
			m.logins.WithLabelValues(noted).Inc()
		}
	}
	if role := session.Noted(c, "minted"); role != "" {
		m.minted.WithLabelValues(role).Inc()
	}
	for role, n := range session.MintedTogether(c) {
		m.minted.WithLabelValues(string(role)).Add(float64(n))
	}
}

// serve answers /metrics to this machine, and to the bearer of the token.
func (m *metrics) serve(r *prometheus.Registry, token string, trusted []*net.IPNet) echo.HandlerFunc {
	h := promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return func(c echo.Context) error {
		given, _ := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
		if !here(c, trusted) && (token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1) {
			return echo.ErrNotFound
		}
		h.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}

// here tells whether the request is this machine's own. What some proxy passed
// on is not, unless the proxy runs here, is trusted, and says that it is.
func here(c echo.Context, trusted []*net.IPNet) bool {
	r := c.Request()
	peer := net.ParseIP(echo.ExtractIPDirect()(r))
	if peer == nil || !peer.IsLoopback() {
		return false
	}
	if !forwarded(r) {
		return true
	}
	trusts := func(n *net.IPNet) bool { return n.Contains(peer) }
	ip := net.ParseIP(c.RealIP())
	return slices.ContainsFunc(trusted, trusts) && r.Header.Get("X-Forwarded-For") != "" && ip != nil && ip.IsLoopback()
}
