package hosts

import (
	"context"
	"strconv"

	"admitone/rooms/audit"
)

// epoch is the host's version after signing out everywhere so often.
func (d *Directory) epoch(h Host, n int64) string {
	if n == 0 {
		return h.Credential
	}
	return d.version(h.Username, h.Credential+"\x00"+strconv.FormatInt(n, 10))
}

// Settle ends for good what hosts began with another password, and what those began
// who are named no more: at every start, and when a password was replaced. A former
// password given back, or a host come back, then brings nothing of it to life.
//
// Where the settings name nobody, hosts who were named before are left as they are,
// and returned: more often the settings were forgotten than given up. What is theirs
// opens nothing meanwhile.
//
// Of two instances with different settings each ends at its start what does not
// match its own: while hosts are changed at one after the other, they may have to
// sign in again at each start. Second factors and passkeys stay, also through a
// host's absence: no mistake in the settings makes the password alone open.
func (d *Directory) Settle(ctx context.Context) (left []string, err error) {
	d.forget()
	now, err := d.All(ctx)
	if err != nil {
		return nil, err
	}
	secrets := map[string]string{}
	for _, h := range now {
		secrets[fold(h.Username)] = h.Credential
	}
	at := d.now().UnixMilli()
	ended, left, err := d.store.Settle(ctx, secrets, len(d.set) > 0, func(host string) audit.Event {
		return audit.Event{At: at, Actor: audit.Actor{Kind: audit.System, Name: "settings"}, Kind: audit.HostChanged, Detail: host}
	})
	d.forget()
	for _, host := range ended {
		d.ended(ctx, host, at)
	}
	return left, err
}

// ended says that all has ended that the host was signed in with at that moment.
func (d *Directory) ended(ctx context.Context, host string, at int64) {
	d.forget()
	if d.Ended != nil {
		d.Ended(ctx, host, at)
	}
}

// forget has the next question read everybody anew.
func (d *Directory) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = nil
}
