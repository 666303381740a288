package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	random "math/rand/v2"
	"sync"
	"time"
	"unicode/utf8"

	"admitone/rooms"
)

// Worker carries what is due, of one kind, until it is told to stop. Several
// may work on one database.
type Worker struct {
	Store   Store
	Kind    Kind
	Courier Courier
	Now     func() time.Time
	Log     *slog.Logger
	Pace    time.Duration // between the beginnings of two attempts, of all workers on the database
	// Backoff is how long to wait after so many attempts; nil for the usual.
	Backoff func(attempts int) time.Duration
}

// Run delivers until ctx ends and what is in hand is handed over or put back.
func (w *Worker) Run(ctx context.Context) {
	name := rand.Text()
	defer w.Courier.Rest()
	var next, swept time.Time
	away, last := 0, ""
	for ctx.Err() == nil {
		if time.Since(swept) > within/4 {
			w.strand(ctx, name)
			swept = time.Now()
		}
		now := w.Now().UnixMilli()
		d, found, err := w.Store.Take(ctx, w.Kind, name, now, now+lease.Milliseconds())
		if err != nil || !found {
			if err != nil && ctx.Err() == nil {
				w.Log.Warn("outbox", "kind", string(w.Kind), "error", err.Error())
			}
			w.rest(ctx)
			continue
		}
		pause(ctx, w.turn(ctx), nil)
		next = time.Now().Add(w.Pace)
		why := w.carry(ctx, d)
		if w.tell(last, why); why == "" {
			away = 0
		} else {
			away++
			next = time.Now().Add(min(time.Second<<min(away, 6), time.Minute))
		}
		last = why
		pause(ctx, time.Until(next), nil)
	}
}

// rest waits for something to be queued, here or elsewhere.
func (w *Worker) rest(ctx context.Context) {
	w.Courier.Rest()
	pause(ctx, look, w.Store.Queued())
}

func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
	}
}

// turn is how long other servers have us wait. Where that cannot be asked, this
// worker's own pace must do.
func (w *Worker) turn(ctx context.Context) time.Duration {
	wait, err := w.Store.Turn(ctx, w.Kind, w.Pace)
	if err != nil && ctx.Err() == nil {
		w.Log.Warn("outbox", "kind", string(w.Kind), "error", err.Error())
	}
	return wait
}

// tell lets the operator know that nobody takes anything, when why becomes
// another, and when somebody does again.
func (w *Worker) tell(last, why string) {
	switch why {
	case last:
	case "":
		w.Log.Info("outbox goes on", "kind", string(w.Kind))
	default:
		w.Log.Warn("outbox", "kind", string(w.Kind), "error", why)
	}
}

// carry makes one attempt, and tells why nobody is there to take anything, if so.
func (w *Worker) carry(ctx context.Context, d Delivery) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	handed := false
	err := w.Courier.Deliver(ctx, d, func() error {
		now := w.Now().UnixMilli()
		if err := w.Store.Hand(ctx, d, now, now+lease.Milliseconds()); err != nil {
			return err
		}
		handed = true
		return nil
	})
	if errors.Is(err, ErrLost) {
		return "" // whoever has it now, or the next look, goes on
	}
	var away Away
	w.settle(ctx, w.after(d, err, handed))
	if errors.As(err, &away) {
		return short(away.Why)
	}
	return ""
}

// after is the delivery as an attempt that ended with err leaves it.
func (w *Worker) after(d Delivery, err error, handed bool) Delivery {
	now := w.Now().UnixMilli()
	var answer Answer
	switch {
	case err == nil:
		d.State, d.Reason = Sent, ""
	case errors.As(err, &answer):
		d.State, d.Reason = answer.State, answer.Why
	case handed:
		d.State, d.Reason = Doubtful, err.Error()
	default:
		d.State, d.Reason = Waiting, err.Error()
	}
	d.Reason = short(d.Reason)
	if d.State == Waiting {
		d.DueAt = now + w.backoff(d.Attempts).Milliseconds()
		if d.DueAt-d.CreatedAt > giveUp.Milliseconds() {
			d.State = Refused
		}
	}
	if d.State.Settled() {
		d.SettledAt = now
	}
	return d
}

func (w *Worker) backoff(attempts int) time.Duration {
	if w.Backoff != nil {
		return w.Backoff(attempts)
	}
	wait := min(30*time.Second<<min(attempts-1, 10), 4*time.Hour)
	return wait*4/5 + random.N(wait*2/5) //nolint:gosec // it spreads attempts, and keeps no secret
}

// settle keeps the outcome, and tries for a while to: what is not kept would be doubtful.
func (w *Worker) settle(ctx context.Context, d Delivery) {
	ctx = context.WithoutCancel(ctx)
	for try := range 6 {
		err := w.Store.Settle(ctx, d, w.Courier.Event(d))
		if err == nil {
			w.Log.Debug("outbox", "delivery", d.ID.Show(rooms.DeliveryPrefix), "state", string(d.State), "attempts", d.Attempts)
			return
		}
		if errors.Is(err, ErrLost) {
			return
		}
		w.Log.Warn("outbox", "delivery", d.ID.Show(rooms.DeliveryPrefix), "error", err.Error())
		pause(ctx, 100*time.Millisecond<<try, nil)
	}
}

// strand marks as doubtful what was being handed over when its worker died.
func (w *Worker) strand(ctx context.Context, name string) {
	left, err := w.Store.Stranded(ctx, w.Kind, name, w.Now().UnixMilli())
	if err != nil {
		return // the next look finds them
	}
	for _, d := range left {
		w.settle(ctx, w.after(d, errCut, true))
	}
}

var errCut = errors.New("the server stopped while handing it over")

const maxReason = 300

// short cuts what another machine said to what a page shows.
func short(s string) string {
	s, err := rooms.CleanText("reason", s, len(s))
	if err != nil {
		return "…"
	}
	if utf8.RuneCountInString(s) > maxReason {
		return string([]rune(s)[:maxReason]) + "…"
	}
	return s
}

// Workers run together.
type Workers []*Worker

// Run runs them all until ctx ends; it returns when all have stopped.
func (all Workers) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, w := range all {
		running.Go(func() { w.Run(ctx) })
	}
	running.Wait()
}
