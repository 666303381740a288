package hosts

import (
	"context"
	"slices"
	"strings"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
)

// SignIn is a browser in which a host is signed in. Instants are Unix
// milliseconds in UTC; SeenAt may be some minutes late.
type SignIn struct {
	ID        rooms.ID
	Device    Device
	Address   string // of the network it signed in from, empty where that was not kept
	CreatedAt int64
	SeenAt    int64
	New       bool // the device is new, and the host was not told yet
}

// The values of a session from which a SignIns store knows whose it is.
const (
	SessionHost   = "host"
	SessionID     = "id"     // an int64
	SessionDevice = "device" // what Device.String gives
	SessionNew    = "new"    // a bool
	// SessionAddress is the address it signed in from, for its host to tell it by.
	SessionAddress = "address"
)

// SignIns keeps where hosts are signed in. Implementations MUST be safe for
// concurrent use.
type SignIns interface {
	// SignIns returns the host's, the latest first.
	SignIns(ctx context.Context, host string) ([]SignIn, error)
	// EndSignIn ends one of the host's; one that is not there has ended already.
	EndSignIn(ctx context.Context, host string, id rooms.ID) error
	// EndSignIns ends all of the host's and begins the host's next epoch, in one
	// transaction with the event.
	EndSignIns(ctx context.Context, host string, ev audit.Event) error
	// KnowSignIn notes that the host was told of the new device.
	KnowSignIn(ctx context.Context, host string, id rooms.ID) error
}

// Accounts shows hosts where they are signed in, and ends it.
type Accounts struct {
	SignIns   SignIns
	Directory *Directory
	Now       func() time.Time
}

// News are the new devices of which the sign-in own has not been told. One that
// is new itself hears only of those after it, so that a thief's device can
// neither see nor silence the news of itself.
func (a *Accounts) News(ctx context.Context, h Host, own rooms.ID) ([]SignIn, error) {
	all, err := a.SignIns.SignIns(ctx, h.Username) // the latest first
	i := slices.IndexFunc(all, func(s SignIn) bool { return s.ID == own })
	if i >= 0 && all[i].New {
		all = all[:i]
	}
	return slices.DeleteFunc(all, func(s SignIn) bool { return !s.New || s.ID == own }), err
}

// Know ends the news of a new device, for a sign-in that hears of it.
func (a *Accounts) Know(ctx context.Context, h Host, own, id rooms.ID) error {
	news, err := a.News(ctx, h, own)
	if err != nil || !slices.ContainsFunc(news, func(s SignIn) bool { return s.ID == id }) {
		return err
	}
	return a.SignIns.KnowSignIn(ctx, h.Username, id)
}

// End ends one of the host's sign-ins.
func (a *Accounts) End(ctx context.Context, h Host, id rooms.ID) error {
	return a.SignIns.EndSignIn(ctx, h.Username, id)
}

// EndAll signs the host out of every browser at once, and makes the host's
// tokens and devices' marks worthless: here at once, elsewhere within half a second.
func (a *Accounts) EndAll(ctx context.Context, h Host) error {
	ev := audit.Event{At: a.Now().UnixMilli(), Actor: audit.Actor{Kind: audit.Host, Name: h.Username}, Kind: audit.HostSignedOut}
	if err := a.SignIns.EndSignIns(ctx, h.Username, ev); err != nil {
		return err
	}
	a.Directory.ended(ctx, h.Username, ev.At)
	return nil
}

// Device is what a sign-in's browser says it is, both parts from short lists of
// ours and empty where it is none of them.
type Device struct{ Browser, System string }

// ReadDevice reads a User-Agent. Order matters: browsers name each other.
func ReadDevice(userAgent string) Device {
	if len(userAgent) > 1024 {
		userAgent = userAgent[:1024]
	}
	return Device{firstOf(userAgent, [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Vivaldi", "Vivaldi"}, {"SamsungBrowser", "Samsung Internet"}, {"FxiOS", "Firefox"}, {"Firefox/", "Firefox"},
		{"CriOS", "Chrome"}, {"Chromium", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	}), firstOf(userAgent, [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	})}
}

func firstOf(text string, marks [][2]string) string {
	for _, m := range marks {
		if strings.Contains(text, m[0]) {
			return m[1]
		}
	}
	return ""
}

// String is the device as it is stored; ParseDevice reads it back.
func (d Device) String() string { return d.Browser + "/" + d.System }

// ParseDevice reads what String wrote.
func ParseDevice(text string) (d Device) {
	d.Browser, d.System, _ = strings.Cut(text, "/")
	return d
}
