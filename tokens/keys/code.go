package keys

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
)

// CodeMAC authenticates a short code's id: the first 8 bytes of HMAC-SHA256
// under the link key of the id's moment.
func (r *Ring) CodeMAC(millis int64, id []byte) []byte {
	r.fresh(millis)
	k, _ := r.at(Link, millis)
	secret, ok := k.signs.([]byte)
	if !ok {
		return nil
	}
	return mac8(secret, id)
}

// CheckCode tells whether mac is what CodeMAC gives, in constant time.
func (r *Ring) CheckCode(ctx context.Context, millis int64, id, mac []byte) bool {
	seen := r.keys.Load()
	good := func() bool {
		want := r.CodeMAC(millis, id)
		return len(want) != 0 && hmac.Equal(want, mac)
	}
	// A key that another instance added a moment ago may be the one: look again
	// before saying no, but only for what claims to be younger than the ring.
	return good() || r.newer(millis, seen) && r.readAgain(ctx, seen) && good()
}

// newer tells whether a thing of that moment may have a key that is not among those seen.
func (r *Ring) newer(millis int64, seen *[]key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys.Load() != seen || millis >= r.readAt.UnixMilli()
}

func mac8(secret, id []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(id)
	return slices.Clip(h.Sum(nil)[:8])
}
