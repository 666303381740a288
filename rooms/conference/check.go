package conference

import "context"

// Check asks the back end of this name whether its address and secret are good.
// checked is false where that cannot be asked; errors are a Checker's.
func (b *Backends) Check(ctx context.Context, name string) (checked bool, err error) {
	c, ok := b.byName[name].(Checker)
	if !ok {
		return false, nil
	}
	return true, c.Check(ctx)
}
