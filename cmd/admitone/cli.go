package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"golang.org/x/term"

	"admitone/handlers/api"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
)

// with opens the database for one command and closes it after.
func (p *program) with(ctx context.Context, do func(*house) error) (err error) {
	h, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.db.Close()) }()
	return do(h)
}

func (p *program) json(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return p.printf("%s\n", b)
}

func (p *program) mint(ctx context.Context, args []string) error {
	f := p.flags("mint", "--room ROOM [OPTIONS]")
	room := f.String("room", "", "the room's slug or id")
	role := f.String("role", "guest", "guest or host")
	name := f.String("name", "", "who is invited")
	expires := f.String("expires", "", "how long the link is good, such as 90m, 2h or 7d (default: the room's end, or JWT_EXP)")
	uses := f.Int("uses", 1, "how many people may use it")
	qr := f.String("qr", "", "write the QR code to this .png or .svg `file`, or - to draw it here")
	all := f.Bool("json", false, "print all of the invitation as JSON")
	if _, err := p.parse(f, args, 0); err != nil {
		return err
	}
	if *room == "" {
		f.Usage()
		return errUsage
	}
	d := tokens.Draft{Role: tokens.Role(*role), Name: *name, MaxUses: *uses}
	if d.MaxUses == 0 {
		d.MaxUses = -1 // 0 is the draft's word for the default
	}
	if *expires != "" {
		var err error
		if d.ExpiresIn, err = rooms.ParseDuration(*expires); err != nil {
			return fmt.Errorf("--expires: %w", err)
		}
	}
	return p.with(ctx, func(h *house) error {
		r, err := h.rooms.Find(ctx, cli(), *room)
		if errors.Is(err, rooms.ErrNotFound) {
			return fmt.Errorf("there is no room %q; “admitone rooms create NAME” makes one", *room)
		} else if err != nil {
			return err
		}
		inv, err := h.invitations.Mint(ctx, cli(), r, d, true)
		if err != nil {
			return err
		}
		if *all {
			out, err := h.api.Show(cli(), inv)
			if err != nil {
				return err
			}
			if err := p.json(out); err != nil {
				return err
			}
		} else if err := p.printf("%s\n", h.invitations.Links.Short(inv)); err != nil {
			return err
		}
		return p.draw(h, inv, *qr)
	})
}

// draw writes the QR code of the short link where the option says.
func (p *program) draw(h *house, inv tokens.Invitation, to string) error {
	switch to {
	case "":
		return nil
	case "-":
		code, err := tokens.ShortQR(h.invitations.Links.Short(inv))
		if err != nil {
			return err
		}
		return p.printf("%s", code.Text())
	}
	kind := ".png"
	if strings.HasSuffix(strings.ToLower(to), ".svg") {
		kind = ".svg"
	}
	picture, err := h.invitations.Links.Picture(inv, "", kind, 1024)
	if err != nil {
		return err
	}
	return os.WriteFile(to, picture, 0o600)
}

// named finds the invitation that a link, token, code or id names.
func (h *house) named(ctx context.Context, text string) (tokens.Invitation, error) {
	if strings.HasPrefix(text, rooms.InvitationPrefix) {
		return h.invitations.Find(ctx, cli(), text)
	}
	return h.invitations.Look(ctx, cli(), text)
}

func (p *program) inspect(ctx context.Context, args []string) error {
	f := p.flags("inspect", "LINK|TOKEN|CODE|ID")
	all := f.Bool("json", false, "print all of the invitation as JSON")
	rest, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	return p.with(ctx, func(h *house) error {
		inv, err := h.named(ctx, rest[0])
		if err != nil {
			return err
		}
		if *all {
			out, err := h.api.Show(cli(), inv)
			if err != nil {
				return err
			}
			return p.json(out)
		}
		now := p.now().UnixMilli()
		admits := "yes"
		if err := inv.Check(now); err != nil {
			admits = "no: " + err.Error()
		}
		return p.printf("invitation  %s\nroom        %s (%s)\nrole        %s\nname        %s\nstate       %s\nuses        %d of %d\nexpires     %s\nadmits      %s\n",
			inv.ID.Show(rooms.InvitationPrefix), inv.Room.Name, inv.Room.Slug, inv.Role, inv.Name, inv.State(now), inv.Uses, inv.MaxUses,
			time.UnixMilli(inv.ExpiresAt).UTC().Format(time.RFC3339), admits)
	})
}

func (p *program) revoke(ctx context.Context, args []string) error {
	f := p.flags("revoke", "LINK|TOKEN|CODE|ID")
	reason := f.String("reason", "", "why, for the history")
	rest, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	return p.with(ctx, func(h *house) error {
		inv, err := h.named(ctx, rest[0])
		if err != nil {
			return err
		}
		if inv, err = h.invitations.Revoke(ctx, cli(), inv, *reason); err != nil {
			return err
		}
		return p.printf("%s is revoked\n", inv.ID.Show(rooms.InvitationPrefix))
	})
}

func (p *program) rooms(ctx context.Context, args []string) error {
	verb := "list"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "list":
		return p.listRooms(ctx, args)
	case "create":
		return p.createRoom(ctx, args)
	case "close", "reopen":
		return p.closeRoom(ctx, verb, args)
	}
	p.flags("rooms", "[list | create NAME | close ROOM | reopen ROOM]").Usage()
	return errUsage
}

func (p *program) listRooms(ctx context.Context, args []string) error {
	f := p.flags("rooms list", "")
	all := f.Bool("json", false, "print JSON, a room a line")
	if _, err := p.parse(f, args, 0); err != nil {
		return err
	}
	return p.with(ctx, func(h *house) error {
		now, before := p.now().UnixMilli(), rooms.ID(0)
		for {
			list, err := h.rooms.Store.List(ctx, rooms.Query{Caller: cli(), Before: before, Limit: 500, Now: now})
			if err != nil || len(list) == 0 {
				return err
			}
			for _, r := range list {
				if *all {
					b, err := json.Marshal(h.api.ShowRoom(r.Room))
					if err != nil {
						return err
					}
					err = p.printf("%s\n", b)
					if err != nil {
						return err
					}
				} else if err := p.printf("%-24s %-9s %-16s %d live, %d used  %s\n", r.Slug, r.State(now), r.Owner, r.Live, r.Redeemed, r.Name); err != nil {
					return err
				}
				before = r.ID
			}
		}
	})
}

func (p *program) createRoom(ctx context.Context, args []string) error {
	f := p.flags("rooms create", "NAME")
	slug := f.String("slug", "", "its name in addresses (default: from NAME)")
	owner := f.String("owner", "", "the host it belongs to (default: the first admin)")
	backend := f.String("backend", "", "name of a conference back end (default: the built-in lobby)")
	rest, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	return p.with(ctx, func(h *house) error {
		by := cli()
		if *owner != "" {
			host, err := h.directory.ByName(ctx, *owner)
			if err != nil {
				return fmt.Errorf("there is no host %q", *owner)
			}
			by.Owner = host.Username
		} else if by.Owner, err = h.owner(ctx); err != nil {
			return err
		}
		r, err := h.rooms.Create(ctx, by, rooms.Draft{Name: rest[0], Slug: *slug, Backend: *backend})
		if err != nil {
			return err
		}
		return p.printf("%s\n", r.Slug)
	})
}

func (p *program) closeRoom(ctx context.Context, verb string, args []string) error {
	rest, err := p.parse(p.flags("rooms "+verb, "ROOM"), args, 1)
	if err != nil {
		return err
	}
	return p.with(ctx, func(h *house) error {
		r, err := h.rooms.Find(ctx, cli(), rest[0])
		if err != nil {
			return err
		}
		if r, err = h.rooms.SetClosed(ctx, cli(), r, verb == "close"); err != nil {
			return err
		}
		return p.printf("%s is %s\n", r.Slug, r.State(p.now().UnixMilli()))
	})
}

func (p *program) hosts(ctx context.Context, args []string) error {
	if len(args) != 1 || args[0] != "list" && args[0] != "reset" {
		p.flags("hosts", "list|reset").Usage()
		return errUsage
	}
	return p.with(ctx, func(h *house) error {
		if args[0] == "list" {
			all, err := h.directory.All(ctx)
			if errors.Is(err, rooms.ErrNotFound) {
				return errors.New("there is no host yet: start the server once, or set HOST_USERS")
			}
			for _, host := range all {
				what := "host"
				if host.Admin {
					what = "admin"
				}
				_ = p.printf("%-24s %-6s %s\n", host.Username, what, host.DisplayName)
			}
			return err
		}
		if len(h.config.hosts) > 0 {
			return errors.New("HOST_USERS names the hosts: change the password there")
		}
		password, err := hosts.Generate(ctx, h.hostStore, p.now(), true)
		if err != nil {
			return err
		}
		return p.printf("Sign in as  host\nPassword    %s\n\nThe former password and everything signed in with it no longer work.\n", password)
	})
}

func (p *program) hashPassword(_ context.Context, args []string) error {
	if _, err := p.parse(p.flags("hash-password", "< FILE"), args, 0); err != nil {
		return err
	}
	var password string
	if f, ok := p.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		_, _ = fmt.Fprint(p.stderr, "Password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		_, _ = fmt.Fprintln(p.stderr)
		if err != nil {
			return err
		}
		password = string(b)
	} else {
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if err != nil && line == "" {
			return errors.New("no password on standard input")
		}
		password = strings.TrimRight(line, "\r\n")
	}
	if err := hosts.CheckPassword("", password); err != nil {
		return err
	}
	hash, err := hosts.Hash(password)
	if err != nil {
		return err
	}
	return p.printf("%s\n", hash)
}

// config shows each setting: its value, or for a secret only that it is set.
func (p *program) config(_ context.Context, args []string) error {
	if _, err := p.parse(p.flags("config", ""), args, 0); err != nil {
		return err
	}
	c, err := load(p.getenv)
	if err != nil {
		return err
	}
	values := reflect.ValueOf(c.settings)
	for _, s := range fields() {
		value := values.Field(s.index).String()
		switch {
		case s.later:
			continue
		case value == "":
			value = "(not set)"
		case s.secret == "yes":
			value = "(set)"
		case s.secret == "url":
			value = withoutPassword(value)
		}
		if err := p.printf("%-17s %s\n", s.name, value); err != nil {
			return err
		}
	}
	if c.root == nil && c.file() != "" {
		return p.printf("\nJWT_KEY is read from %s, which is made at the first start. Keep it with the database's backups.\n", c.keyFile())
	}
	return nil
}

// withoutPassword is a URL as others may see it; libpq takes passwords in the
// query too.
func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(set)"
	}
	q := u.Query()
	for name := range q {
		if strings.Contains(strings.ToLower(name), "pass") {
			q.Set(name, "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}

func (p *program) healthcheck(ctx context.Context, args []string) error {
	if _, err := p.parse(p.flags("healthcheck", ""), args, 0); err != nil {
		return err
	}
	c, err := load(p.getenv)
	if err != nil {
		return err
	}
	scheme, host := "http", "127.0.0.1"
	if c.TLSCert != "" {
		scheme = "https"
	}
	if at := strings.TrimSuffix(c.Addr, port(c.Addr)); at != "" && at != "0.0.0.0" && at != "[::]" {
		host = at
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+host+port(c.Addr)+"/readyz", nil)
	if err != nil {
		return err
	}
	// The certificate is for the public name, which need not lead to this machine.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // it asks its own machine whether it is ready, no more
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return errors.New("the server does not answer")
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: %s", resp.Status)
	}
	return p.printf("ready\n")
}

func (p *program) openapi(_ context.Context, args []string) error {
	if _, err := p.parse(p.flags("openapi", ""), args, 0); err != nil {
		return err
	}
	return p.printf("%s", api.Document())
}
