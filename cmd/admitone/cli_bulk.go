package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"admitone/rooms"
	"admitone/tokens"
)

// list is the file of guests that mint was given, and how it is minted.
type list struct {
	file                 string
	atomic, again, hosts bool
}

func (l *list) flags(f *flag.FlagSet) {
	f.StringVar(&l.file, "csv", "", "make an invitation for every row of this CSV `file`, or - for the input, and print CSV; a row says what the other options do")
	f.BoolVar(&l.atomic, "atomic", true, "of a list: all rows or none; with --atomic=false the good ones")
	f.BoolVar(&l.again, "again", false, "of a list: also for addresses that have a good invitation to the room, or stand on the list before")
	f.BoolVar(&l.hosts, "hosts", false, "of a list: print the links of hosts too")
}

// alone are the options that go with --csv.
func (l *list) alone(f *flag.FlagSet) (other string) {
	f.Visit(func(g *flag.Flag) {
		switch g.Name {
		case "room", "csv":
		case "atomic", "again", "hosts":
			if l.file == "" {
				other = "--" + g.Name + " goes with --csv alone"
			}
		default:
			if l.file != "" {
				other = "--" + g.Name + " does not go with --csv: the list says it"
			}
		}
	})
	return other
}

// mintList prints what became of the list's rows, and says on the other stream
// what is wrong with which line.
func (p *program) mintList(ctx context.Context, room string, from list) error {
	raw, err := p.input(from.file)
	if err != nil {
		return fmt.Errorf("--csv: %w", err)
	}
	l, err := tokens.ReadGuestList(raw, tokens.Reading{})
	if err == nil {
		err = l.Strict()
	}
	if err != nil {
		return fmt.Errorf("--csv: %w", err)
	}
	return p.with(ctx, func(h *house) error {
		r, err := h.room(ctx, room)
		if err != nil {
			return err
		}
		b, results, err := h.invitations.MintList(ctx, cli(), r, l.Rows, tokens.Terms{MayHost: true, Atomic: from.atomic, Unique: !from.again})
		var bad tokens.RowErrors
		if errors.As(err, &bad) {
			results = bad
		} else if err != nil {
			return err
		} else if err := h.invitations.Links.WriteCSV(p.stdout, results, from.hosts); err != nil {
			return err
		}
		for _, row := range results {
			if row.Err != nil {
				_, _ = fmt.Fprintf(p.stderr, "line %d: %s\n", row.Line, row.Says())
			}
		}
		if b.ID == 0 {
			return errors.New("nothing was minted")
		}
		return nil
	})
}

// input is all of a file, or of the standard input for -, up to one byte more than a list may have.
func (p *program) input(name string) ([]byte, error) {
	from := p.stdin
	if name != "-" {
		f, err := os.Open(name) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	raw, err := io.ReadAll(io.LimitReader(from, tokens.MaxGuestList+1))
	if err == nil && len(raw) > tokens.MaxGuestList {
		err = tokens.ErrListTooLarge
	}
	return raw, err
}

// room is the room that mint was told, by slug or id.
func (h *house) room(ctx context.Context, name string) (rooms.Room, error) {
	r, err := h.rooms.Find(ctx, cli(), name)
	if errors.Is(err, rooms.ErrNotFound) {
		err = fmt.Errorf("there is no room %q; “admitone rooms create NAME” makes one", name)
	}
	return r, err
}
