package hosts

import (
	"context"
	"time"
)

// lane lets a few work at once and a few more wait for them; whoever comes then
// is turned away, so that a flood costs neither memory nor everybody's patience.
type lane struct{ inside, working chan struct{} }

// waiting is how many may wait.
const waiting = 32

func newLane(working int) lane {
	return lane{make(chan struct{}, working+waiting), make(chan struct{}, working)}
}

// enter waits for its turn and returns how to leave: TooMany where too many wait.
func (l *lane) enter(ctx context.Context) (leave func(), err error) {
	select {
	case l.inside <- struct{}{}:
	default:
		return nil, TooMany{time.Second}
	}
	select {
	case l.working <- struct{}{}:
		return func() { <-l.working; <-l.inside }, nil
	case <-ctx.Done():
		<-l.inside
		return nil, ctx.Err()
	}
}
