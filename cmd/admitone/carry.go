package main

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"admitone/rooms/outbox"
	"admitone/tokens/mail"
	"admitone/views"
)

// carry delivers what is in the outbox until ctx ends; what it returns is closed
// when the delivery in hand is done.
func (p *program) carry(ctx context.Context, h *house, log *slog.Logger) <-chan struct{} {
	stopped := make(chan struct{})
	var workers outbox.Workers
	if c := h.config; c.smtp != nil {
		workers = append(workers, &outbox.Worker{Store: h.outbox, Kind: outbox.Mail, Now: p.now, Log: log, Pace: c.smtp.Pace, Courier: &mail.Courier{
			Server: c.smtp, From: c.from, Site: siteOf(c.base), Invitations: h.invitations.Store, Links: h.invitations.Links,
			Host: h.directory.Called, Write: views.WriteLetter, Describe: views.DescribeLetter, Now: p.now}})
	}
	go func() {
		defer close(stopped)
		workers.Run(ctx)
	}()
	return stopped
}

// pending is how many deliveries are under way, asked of the database when
// somebody looks.
func pending(h *house) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "admitone_outbox_pending", Help: "Deliveries that are under way."}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := h.outbox.Pending(ctx)
		if err != nil {
			return math.NaN()
		}
		return float64(n)
	})
}
