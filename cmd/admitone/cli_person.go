package main

import (
	"context"
	"errors"
	"fmt"

	"admitone/tokens"
)

// person tells or removes what is kept about whoever has a mail address.
func (p *program) person(ctx context.Context, args []string) error {
	f := p.flags("person", "export|delete ADDRESS")
	rest, err := p.parse(f, args, 2)
	if err != nil {
		return err
	}
	if rest[0] != "export" && rest[0] != "delete" {
		return p.misuse(f, fmt.Sprintf("there is no %q", rest[0]))
	}
	address, err := tokens.ParseAddress(rest[1])
	if err != nil {
		return err
	}
	return p.with(ctx, func(h *house) error {
		if rest[0] == "export" {
			person, err := h.invitations.Person(ctx, cli(), address)
			if err != nil {
				return err
			}
			return p.json(person)
		}
		removed, revoked, err := h.invitations.RemovePerson(ctx, cli(), address)
		switch {
		case err != nil:
			return err
		case removed == 0:
			return errors.New("nothing is kept about that address")
		}
		return p.printf("Name and address are gone from %s. Revoked, because they still admitted somebody: %d.\n", counted(removed, "invitation"), revoked)
	})
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
