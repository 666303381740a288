package main

import (
	"context"
	"encoding/json"
	"errors"
)

// with opens the database for one command and closes it after.
func (p *program) with(ctx context.Context, do func(*house) error) (err error) {
	h, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		h.removals.Wait()
		err = errors.Join(err, h.db.Close())
	}()
	return do(h)
}

func (p *program) json(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return p.printf("%s\n", b)
}
