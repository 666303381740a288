package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"admitone/rooms/conference"
)

// finding is what came of looking at one thing.
type finding struct {
	verdict    verdict
	what, says string
}

type verdict string

// What is doubtful works, for now or for some; what is wrong does not.
const (
	good     verdict = "ok"
	doubtful verdict = "warn"
	wrong    verdict = "FAIL"
)

const (
	scarce = 256 << 20       // bytes free below which we warn
	astray = 2 * time.Second // how far our clock may be from PostgreSQL's
)

// doctor looks at everything that the server stands on and says what it found, a
// line each; it fails when something is wrong.
func (p *program) doctor(ctx context.Context, args []string) error {
	if _, err := p.parse(p.flags("doctor", ""), args, 0); err != nil {
		return err
	}
	failed := 0
	tell := func(found ...finding) error {
		for _, f := range found {
			if f.verdict == wrong {
				failed++
			}
			if err := p.printf("%-4s  %-11s  %s\n", f.verdict, f.what, f.says); err != nil {
				return err
			}
		}
		return nil
	}
	if err := p.examine(ctx, tell); err != nil {
		return err
	}
	switch failed {
	case 0:
		return nil
	case 1:
		return errors.New("something is wrong")
	}
	return fmt.Errorf("%d things are wrong", failed)
}

// examine tells each finding as soon as it is made. The error is tell's.
func (p *program) examine(ctx context.Context, tell func(...finding) error) error {
	c, err := load(p.getenv)
	if err != nil {
		return tell(finding{wrong, "settings", err.Error()})
	}
	if err := tell(finding{good, "settings", "can be read"}, c.reachable()); err != nil {
		return err
	}
	h, err := p.open(ctx)
	if err == nil {
		defer func() { _ = h.db.Close() }()
		err = tell(append(h.kept(ctx), p.surroundings(ctx, h)...)...)
	} else {
		err = tell(unopened(err))
	}
	if err != nil {
		return err
	}
	return tell(append(examined(ctx, c.backends), c.mailable(ctx)...)...)
}

// mailable judges whether mails can be sent.
func (c *config) mailable(ctx context.Context) []finding {
	if c.smtp == nil {
		return []finding{{good, "mail", "none is sent: SMTP_URL is not set"}}
	}
	if err := c.smtp.Check(ctx); err != nil {
		return []finding{{wrong, "mail", c.smtp.Addr() + ": " + err.Error()}}
	}
	return []finding{{good, "mail", c.smtp.Addr() + " takes our mails"}}
}

// reachable judges BASE_URL, which links begin with.
func (c *config) reachable() finding {
	f := finding{good, "BASE_URL", c.origin()}
	u, err := url.Parse(c.base)
	host, _, _ := net.SplitHostPort(c.Addr)
	switch {
	case err != nil:
		f.verdict = wrong
	case c.base == "" && !loopback(host):
		f.verdict, f.says = doubtful, f.says+": links lead whoever opens them to their own machine; set it"
	case c.base != "" && u.Scheme == "http" && !loopback(u.Hostname()):
		f.verdict, f.says = doubtful, f.says+": over plain http everybody on the way reads links and passwords; use https"
	case c.base != "" && u.Scheme == "https" && c.TLSCert == "" && len(c.trusted) == 0:
		f.verdict, f.says = doubtful, f.says+": for a proxy before this server set TRUSTED_PROXIES, or everybody shares one limit on guesses; or else set TLS_CERT"
	}
	return f
}

// unopened is why the database was not opened, by the setting that is to blame.
func unopened(err error) finding {
	var bad badSetting
	if errors.As(err, &bad) && bad.name != "DATABASE_URL" {
		return finding{wrong, "key", bad.Error()}
	}
	return finding{wrong, "database", err.Error()}
}

// kept judges the open database and the key that opened it.
func (h *house) kept(ctx context.Context) []finding {
	c := h.config
	where, key := c.file(), finding{good, "key", "JWT_KEY is set and fits the database"}
	if where == "" {
		where = withoutPassword(c.DatabaseURL)
	} else if !c.given["JWT_KEY"] {
		key.says = "read from " + c.keyFile() + ", fits the database"
		if info, err := os.Stat(c.keyFile()); err == nil && info.Mode().Perm()&0o077 != 0 {
			key.verdict, key.says = doubtful, key.says+", but others on this machine may read it too (chmod 600)"
		}
	}
	database := finding{good, "database", where + ": up to date, can be written"}
	if err := h.db.Ping(ctx); err != nil {
		database = finding{wrong, "database", where + ": cannot be written: " + err.Error()}
	}
	return []finding{database, key}
}

// surroundings judges what the database stands on: the file system of a SQLite
// file, or the clock of a PostgreSQL server.
func (p *program) surroundings(ctx context.Context, h *house) []finding {
	if h.config.file() == "" {
		return []finding{p.agreed(ctx, h)}
	}
	dir := filepath.Dir(h.config.file())
	d, err := p.disk(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return []finding{{good, "disk", "not looked at: this system is not asked"}}
	} else if err != nil {
		return []finding{{doubtful, "disk", "cannot be looked at: " + err.Error()}}
	}
	space := finding{good, "disk", fmt.Sprintf("%s has %.1f GiB free", dir, float64(d.free)/(1<<30))}
	if d.free < scarce {
		space.verdict, space.says = doubtful, space.says+": soon nothing can be written any more"
	}
	place := finding{good, "file system", dir + " is on this machine"}
	if d.network != "" {
		place = finding{doubtful, "file system", fmt.Sprintf("%s is on %s, where SQLite's locks may not hold and the database can be damaged: move it to a disk of this machine, or use PostgreSQL", dir, d.network)}
	}
	return []finding{space, place}
}

// agreed judges whether our clock and PostgreSQL's agree: instances that share
// the database do then too.
func (p *program) agreed(ctx context.Context, h *house) finding {
	ahead, err := h.db.Ahead(ctx, p.now)
	if err != nil {
		return finding{doubtful, "clock", "PostgreSQL's cannot be asked: " + err.Error()}
	}
	f := finding{good, "clock", fmt.Sprintf("%v from PostgreSQL's", ahead.Abs().Round(time.Millisecond))}
	if ahead.Abs() > astray {
		word := "ahead of"
		if ahead < 0 {
			word = "behind"
		}
		f.verdict, f.says = doubtful, fmt.Sprintf("%v %s PostgreSQL's: links begin and end at other times here than on other instances; let NTP set both", ahead.Abs().Round(time.Millisecond), word)
	}
	return f
}

// examined asks all back ends at once, and judges them in the order of the setting.
func examined(ctx context.Context, b *conference.Backends) []finding {
	names := b.Names()
	if len(names) == 0 {
		return []finding{{good, "back ends", "none, so every room has the built-in page"}}
	}
	found := make([]chan finding, len(names))
	for i, name := range names {
		found[i] = make(chan finding, 1)
		go func() {
			f := finding{good, "back end", fmt.Sprintf("%s (%s): answers as it should", name, b.Kind(name))}
			switch checked, err := b.Check(ctx, name); {
			case err != nil:
				f.verdict = wrong
				f.says = fmt.Sprintf("%s (%s): %s", name, b.Kind(name), strings.TrimPrefix(err.Error(), conference.ErrUnreachable.Error()+": "))
			case !checked:
				f.says = fmt.Sprintf("%s (%s): there is nothing in it that could be asked", name, b.Kind(name))
			}
			found[i] <- f
		}()
	}
	out := make([]finding, len(names))
	for i := range found {
		out[i] = <-found[i]
	}
	return out
}
