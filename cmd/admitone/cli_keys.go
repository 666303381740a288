package main

import (
	"context"
	"fmt"
	"time"
)

// keys looks after the keys that sign links and tokens.
func (p *program) keys(ctx context.Context, args []string) error {
	f := p.flags("keys", "list|rotate")
	rest, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	switch rest[0] {
	case "list":
		return p.with(ctx, func(h *house) error { return p.listKeys(ctx, h) })
	case "rotate":
		return p.with(ctx, func(h *house) error { return p.rotateKeys(ctx, h) })
	}
	return p.misuse(f, fmt.Sprintf("there is no %q", rest[0]))
}

func (p *program) listKeys(ctx context.Context, h *house) error {
	all, err := h.ring.List(ctx)
	if err != nil {
		return err
	}
	for _, k := range all {
		if err := p.printf("%-14s %-7s %-6s %-8s from %s\n", k.ID, k.Use, k.Alg, k.State, time.UnixMilli(k.From).UTC().Format(time.RFC3339)); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) rotateKeys(ctx context.Context, h *house) error {
	begins, done, err := h.ring.Rotate(ctx, cli().Actor)
	switch {
	case err != nil:
		return err
	case !done:
		return p.printf("New keys are on their way already; see “admitone keys list”. Nothing was changed.\n")
	}
	return p.printf("New keys begin at %s, once every server knows them.\nLinks, codes and tokens made before then go on working.\n", time.UnixMilli(begins).UTC().Format(time.RFC3339))
}
