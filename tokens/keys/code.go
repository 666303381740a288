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

// CheckCode compares mac with what CodeMAC gives, in constant time: any other is
// ErrNotOurs. It is the store's error where another instance's key may be the
// one and the store does not answer.
func (r *Ring) CheckCode(ctx context.Context, millis int64, id, mac []byte) error {
	seen := r.keys.Load()
	good := func() bool {
		want := r.CodeMAC(millis, id)
		return len(want) != 0 && hmac.Equal(want, mac)
	}
	if good() {
		return nil
	}
	// A key that another instance added a moment ago may be the one: look again
	// before saying no, but only for what claims to be younger than the ring.
	if !r.newer(millis, seen) {
		return ErrNotOurs
	}
	again, err := r.readAgain(ctx, seen)
	switch {
	case err != nil:
		return err
	case again && good():
		return nil
	}
	return ErrNotOurs
}

// newer tells whether a thing of that moment may have a key that is not among those seen.
func (r *Ring) newer(millis int64, seen *[]key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys.Load() != seen || millis >= r.readAt.UnixMilli() || r.failed != nil && millis >= r.known.Load()-Lead.Milliseconds()
}

func mac8(secret, id []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(id)
	return slices.Clip(h.Sum(nil)[:8])
}
