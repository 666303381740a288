package main

import (
	"context"
	"log/slog"
	"time"

	"admitone/tokens"
)

// removeNames removes the names that are kept no longer, at once and every hour,
// until ctx ends; what it returns is closed when it has stopped. What it cannot do
// now, the next time does.
func removeNames(ctx context.Context, r *tokens.Retention, log *slog.Logger) <-chan struct{} {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		hour := time.NewTicker(forget)
		defer hour.Stop()
		for ctx.Err() == nil {
			n, err := r.Sweep(ctx)
			if err != nil && ctx.Err() == nil {
				log.Warn("names are kept too long", "error", err.Error())
			}
			if n > 0 {
				log.Info("names removed", "invitations", n)
			}
			select {
			case <-ctx.Done():
			case <-hour.C:
			}
		}
	}()
	return stopped
}
