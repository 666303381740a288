package tokens

import (
	"context"
	"errors"
	"fmt"
	"time"

	"admitone/rooms"
	"admitone/rooms/conference"
)

// StillHeld tells somebody who was refused with ErrWaiting whether that holds;
// it costs little however many ask.
func (l *Lobby) StillHeld(ctx context.Context, room rooms.Room) bool {
	in, err := l.waiting.get(ctx, room, lookedAgain, func(ctx context.Context) (bool, error) { return hostIn(ctx, l.Entries, room, l.Now()) })
	return err != nil || !in
}

// Inside lists who is in the room's conference, the first to come first: where
// it tells that, and else for whom join links were handed out, with told false.
// It asks a conference at most every few seconds and waits for it only a moment.
func (l *Lobby) Inside(ctx context.Context, room rooms.Room) (list []Present, told bool, err error) {
	now := l.Now()
	list, err = l.Entries.Entered(ctx, room.ID, now.Add(-Stay).UnixMilli(), now.UnixMilli(), MostShown)
	if err != nil || !l.Handover.Can(room).Tells {
		return list, false, err
	}
	brief, cancel := context.WithTimeout(ctx, aMoment)
	defer cancel()
	ids, failed := l.inside.get(brief, room, askedAgain, func(ctx context.Context) (map[rooms.ID]bool, error) {
		ids, err := l.Handover.Inside(ctx, room)
		in := map[rooms.ID]bool{}
		for _, id := range ids {
			in[id] = true
		}
		return in, err
	})
	if failed != nil {
		return list, false, nil // who was handed over is known without the conference
	}
	var there []Present
	for _, p := range list {
		if ids[p.Admission] {
			there = append(there, p)
		}
	}
	return there, true, nil
}

// Answers is nil where the room's conference seems well, as far as it can be asked
// without changing anything there, and else conference.ErrUnreachable. However many
// want to know, it is asked at most every so often.
func (l *Lobby) Answers(ctx context.Context, room rooms.Room) error {
	_, err := l.answers.get(ctx, room, checkedAgain, func(ctx context.Context) (bool, error) { return l.Handover.Check(ctx, room.Backend) })
	if err != nil && !errors.Is(err, conference.ErrUnreachable) {
		err = fmt.Errorf("%w: %w", conference.ErrUnreachable, err)
	}
	return err
}

// How often all who wait look for a host together, and a conference is asked who
// is inside; and how long a page waits for that.
const (
	lookedAgain = 100 * time.Millisecond
	askedAgain  = 3 * time.Second
	aMoment     = 300 * time.Millisecond
	// checkedAgain is less than what pages wait before they look again.
	checkedAgain = time.Second
)
