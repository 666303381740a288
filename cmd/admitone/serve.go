package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"admitone/data"
	"admitone/handlers"
	"admitone/rooms/hosts"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// drain is how long requests under way may take when the server stops.
const drain = 20 * time.Second

// serve runs the server until ctx ends, then lets requests finish.
func (p *program) serve(ctx context.Context, args []string) error {
	if _, err := p.parse(p.flags("serve", ""), args, 0); err != nil {
		return err
	}
	c, err := load(p.getenv)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	if c.base == "" {
		c.base = c.local(listener.Addr().String())
	}
	key, err := c.rootKey() // first, for it makes the data folder
	if err != nil {
		return err
	}
	c.root = &key
	release, err := exclusive(c)
	if err != nil {
		return err
	}
	defer func() { _ = release() }()
	h, err := p.openWith(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = h.db.Close() }()
	log := p.logger(c)
	for _, f := range p.surroundings(ctx, h) {
		if f.verdict != good {
			log.Warn(f.says, "about", f.what)
		}
	}
	if err := p.greet(ctx, h, listener.Addr()); err != nil {
		return err
	}
	if !c.open {
		left, err := h.directory.Settle(ctx)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			log.Warn("HOST_USERS is not set, and names no host; what hosts whom it named before are signed in with, their keys and apps are left as they are, and open nothing until it names them again", "about", "HOST_USERS", "hosts", left)
		}
	}
	server := &http.Server{Handler: p.handler(ctx, h, log), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	swept, carried, nameless := sweep(ctx, h, log), p.carry(ctx, h, log), removeNames(ctx, h.retention, log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Info("serving", "base", c.base, "addr", listener.Addr().String(), "database", h.db.Kind(), "version", build())
	debug.FreeOSMemory() // starting takes more than running does
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	<-swept
	<-nameless
	over, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err = server.Shutdown(over)
	h.removals.Drain()
	<-carried
	return err
}

// forget is how often apps and tokens that are of no use any more are removed.
const forget = time.Hour

// sweep notes who has left the lobbies, at once and then steadily, and every hour
// forgets apps and tokens of no use, until ctx ends; what it returns is closed
// when it has stopped.
func sweep(ctx context.Context, h *house, log *slog.Logger) <-chan struct{} {
	stopped := make(chan struct{})
	noteDepartures(ctx, h.lobby, log)
	go func() {
		defer close(stopped)
		forgetApps(ctx, h.apps, log)
		tick, hour := time.NewTicker(tokens.Refresh), time.NewTicker(forget)
		defer tick.Stop()
		defer hour.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				noteDepartures(ctx, h.lobby, log)
			case <-hour.C:
				forgetApps(ctx, h.apps, log)
			}
		}
	}()
	return stopped
}

func listen(ctx context.Context, c *config) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, badSetting{"ADDR", errors.New("the address is in use by another program; stop it, or choose another")}
	case err != nil:
		return nil, badSetting{"ADDR", errors.New("cannot listen there; is the address this machine's, and the port free for this user?")}
	case c.TLSCert == "":
		return l, nil
	}
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		_ = l.Close()
		return nil, badSetting{"TLS_CERT", errors.New("certificate and key cannot be read, or do not belong together")}
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}), nil
}

func (p *program) handler(ctx context.Context, h *house, log *slog.Logger) http.Handler {
	c := h.config
	registry := prometheus.NewRegistry()
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "admitone_build_info", Help: "The version that runs; always 1."}, []string{"version", "database"})
	info.WithLabelValues(build(), h.db.Kind()).Set(1)
	registry.MustRegister(info, pending(h), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return handlers.New(handlers.App{
		Rooms: h.rooms, Invitations: h.invitations, Directory: h.directory, Gate: hosts.NewGate(h.directory, h.hostStore, p.now), Factors: h.factors,
		HostTokens: &hosts.Tokens{Ring: h.ring, Directory: h.directory, Base: c.base, Now: p.now}, Apps: h.apps, Backends: c.backends,
		Sessions: data.NewSessions(h.db, p.now), Now: p.now, Log: log, Ready: h.db.Ping, Lobby: h.lobby, Watcher: h.watcher, Post: h.post, Stop: ctx.Done(),
		Base: c.base, Secure: strings.HasPrefix(c.base, "https:"), Open: c.open, Trusted: c.trusted, Origins: c.origins, MetricsToken: c.MetricsToken, APIKeySecret: c.APIKeySecret, MailFrom: c.from.Address, Registry: registry,
	})
}

// noteDepartures puts into the history who has left; what it cannot do now, the
// next time does.
func noteDepartures(ctx context.Context, lobby *tokens.Lobby, log *slog.Logger) {
	if err := lobby.Depart(ctx); err != nil && ctx.Err() == nil {
		log.Warn("departures", "error", err.Error())
	}
}

// forgetApps removes apps and tokens of no use; what it cannot do now, the next
// time does.
func forgetApps(ctx context.Context, apps *oauth.Server, log *slog.Logger) {
	if err := apps.Sweep(ctx); err != nil && ctx.Err() == nil {
		log.Warn("old apps and tokens", "error", err.Error())
	}
}

// logger writes to stderr.
func (p *program) logger(c *config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.level}
	if p.logFormat(c) == "text" {
		return slog.New(slog.NewTextHandler(p.stderr, options))
	}
	return slog.New(slog.NewJSONHandler(p.stderr, options))
}

// logFormat is text for a person's terminal and json for everything else, where
// nothing else is said.
func (p *program) logFormat(c *config) string {
	f, isFile := p.stderr.(*os.File)
	switch {
	case c.LogFormat != "":
		return c.LogFormat
	case isFile && isatty.IsTerminal(f.Fd()):
		return "text"
	}
	return "json"
}

// greet tells a person at the terminal where to go. The generated host's
// password is told this once, and is kept only as a hash.
func (p *program) greet(ctx context.Context, h *house, addr net.Addr) error {
	c := h.config
	if err := p.printf("\nAdmitOne is at %s\n\n", c.base); err != nil {
		return err
	}
	switch {
	case c.open:
		_ = p.printf("  There is no sign-in (HOST_USER_AUTH=false): whoever uses this machine is the host.\n")
	case len(c.hosts) == 0:
		password, err := hosts.Generate(ctx, h.hostStore, p.now(), false)
		if err != nil {
			return err
		}
		if password != "" {
			_ = p.printf("  Sign in as  host\n  Password    %s\n\n  The password is shown this once; “admitone hosts reset” makes a new one.\n", password)
		} else {
			_ = p.printf("  Sign in as host. A lost password: “admitone hosts reset” makes a new one.\n")
		}
	}
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsLoopback() && !c.open {
		if here := lan(); here != "" {
			_ = p.printf("  For a phone in this network, start with  ADDR=0.0.0.0:%d BASE_URL=http://%s:%d\n", tcp.Port, here, tcp.Port)
		}
	}
	return p.printf("\n")
}
