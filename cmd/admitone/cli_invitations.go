package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"admitone/rooms"
	"admitone/tokens"
)

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
		_, _ = fmt.Fprintln(p.stderr, "admitone mint: --room is missing: say which room")
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
	kind := strings.ToLower(filepath.Ext(to))
	if kind != ".png" && kind != ".svg" {
		return errors.New("--qr: the file's name ends in .png or .svg")
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
