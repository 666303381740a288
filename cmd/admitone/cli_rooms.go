package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"admitone/rooms"
)

func (p *program) rooms(ctx context.Context, args []string) error {
	verb, f := "list", p.flags("rooms", "[list | create NAME | close ROOM | reopen ROOM | give ROOM HOST]")
	if len(args) == 1 && (args[0] == "-h" || args[0] == "--help") {
		_, err := p.parse(f, args, 0)
		return err
	}
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
	case "give":
		return p.giveRoom(ctx, args)
	}
	return p.misuse(f, fmt.Sprintf("there is no %q", verb))
}

func (p *program) listRooms(ctx context.Context, args []string) error {
	f := p.flags("rooms list", "")
	all := f.Bool("json", false, "print JSON, a room a line")
	if _, err := p.parse(f, args, 0); err != nil {
		return err
	}
	return p.with(ctx, func(h *house) error {
		const row = "%-24s %-9s %-16s %-18s %s\n"
		if !*all {
			if err := p.printf(row, "ROOM", "STATE", "OWNER", "INVITATIONS", "NAME"); err != nil {
				return err
			}
		}
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
				} else if err := p.printf(row, r.Slug, r.State(now), r.Owner, fmt.Sprintf("%d live, %d used", r.Live, r.Redeemed), r.Name); err != nil {
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
		if errors.Is(err, rooms.ErrNotFound) {
			return fmt.Errorf("there is no room %q", rest[0])
		} else if err != nil {
			return err
		}
		if r, err = h.rooms.SetClosed(ctx, cli(), r, verb == "close"); err != nil {
			return err
		}
		return p.printf("%s is %s\n", r.Slug, r.State(p.now().UnixMilli()))
	})
}

func (p *program) giveRoom(ctx context.Context, args []string) error {
	rest, err := p.parse(p.flags("rooms give", "ROOM HOST"), args, 2)
	if err != nil {
		return err
	}
	return p.with(ctx, func(h *house) error {
		r, err := h.rooms.Find(ctx, cli(), rest[0])
		if err != nil {
			return err
		}
		host, err := h.directory.ByName(ctx, rest[1])
		if err != nil {
			return fmt.Errorf("there is no host %q", rest[1])
		}
		if r, err = h.rooms.HandOver(ctx, cli(), r, host.Username); err != nil {
			return err
		}
		return p.printf("%s belongs to %s\n", r.Slug, r.Owner)
	})
}
