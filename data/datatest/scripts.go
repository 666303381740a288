package datatest

import (
	"context"

	"admitone/data"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

// Scripts has API keys of a directory's hosts, for tests that know hosts alone.
type Scripts struct{ apps *oauth.Server }

// Scripts are those of AdmitOne started with that directory.
func (b *Bench) Scripts(d *hosts.Directory) Scripts {
	return Scripts{&oauth.Server{Store: data.NewOAuth(b.DB, b.IDs), Ring: b.Ring, Directory: d, IDs: b.IDs, Base: Base, Now: b.Clock.Now}}
}

// Key makes a key of that host's.
func (s Scripts) Key(ctx context.Context, h hosts.Host) (text string, err error) {
	_, text, err = s.apps.MakeKey(ctx, h, "Gate", oauth.Scopes{oauth.RoomsRead})
	return text, err
}

// Read tells why a key is no good, or nil.
func (s Scripts) Read(ctx context.Context, text string) error {
	_, err := s.apps.ReadKey(ctx, text)
	return err
}
