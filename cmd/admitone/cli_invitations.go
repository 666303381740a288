package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"admitone/rooms"
	"admitone/tokens"
)

func (p *program) mint(ctx context.Context, args []string) error {
	f := p.flags("mint", "--room ROOM [OPTIONS]")
	d := tokens.Draft{Role: tokens.Guest, MaxUses: 1}
	room := f.String("room", "", "the room's slug or id")
	f.Func("role", "guest or host (default guest)", func(s string) (err error) {
		d.Role, err = tokens.ParseRole(s)
		return detail(err)
	})
	f.StringVar(&d.Name, "name", "", "who is invited")
	f.Func("expires", "how long the link is good, such as 90m, 2h or 7d (default: the room's end, or JWT_EXP)", func(s string) (err error) {
		d.ExpiresIn, err = rooms.ParseDuration(s)
		return err
	})
	f.Func("uses", "how many people may use it (default 1)", func(s string) error {
		d.MaxUses, _ = strconv.Atoi(s) // to 0, which none may be
		return detail(tokens.CheckUses(d.MaxUses))
	})
	qr := f.String("qr", "", "write the QR code to this .png or .svg `file`, or - to draw it here")
	all := f.Bool("json", false, "print all of the invitation as JSON")
	var many list
	many.flags(f)
	if _, err := p.parse(f, args, 0); err != nil {
		return err
	}
	if *room == "" {
		return p.misuse(f, "--room is missing: say which room")
	}
	if wrong := many.alone(f); wrong != "" {
		return p.misuse(f, wrong)
	}
	if many.file != "" {
		return p.mintList(ctx, *room, many)
	}
	if *qr != "" && *qr != "-" && pictureKind(*qr) == "" {
		return p.misuse(f, "--qr: the file's name ends in .png or .svg")
	}
	return p.with(ctx, func(h *house) error {
		r, err := h.room(ctx, *room)
		if err != nil {
			return err
		}
		out, err := p.picture(*qr) // first: what cannot be written need not be minted
		if err != nil {
			return fmt.Errorf("--qr: %w", err)
		}
		defer out.drop()
		inv, err := h.invitations.Mint(ctx, cli(), r, d, true)
		var invalid rooms.Invalid
		if errors.As(err, &invalid) {
			return p.misuse(f, option(invalid.Field)+": "+invalid.Detail)
		} else if err != nil {
			return err
		}
		if *all {
			out, err := h.api.Show(ctx, cli(), inv)
			if err != nil {
				return err
			}
			if err := p.json(out); err != nil {
				return err
			}
		} else if err := p.printf("%s\n", h.invitations.Links.Short(inv)); err != nil {
			return err
		}
		return out.draw(h, inv)
	})
}

// detail is what a refusal of a value says, without the name of the member that
// it has elsewhere.
func detail(err error) error {
	var invalid rooms.Invalid
	if errors.As(err, &invalid) {
		return errors.New(invalid.Detail)
	}
	return err
}

// option is what mint calls a member of an invitation.
func option(member string) string {
	switch member {
	case "expires_in", "expires_at":
		return "--expires"
	case "max_uses":
		return "--uses"
	}
	return "--" + member
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
			out, err := h.api.Show(ctx, cli(), inv)
			if err != nil {
				return err
			}
			return p.json(out)
		}
		now := p.now().UnixMilli()
		admits := "yes"
		if err := h.invitations.Admits(ctx, inv); err != nil {
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
