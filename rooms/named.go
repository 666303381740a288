package rooms

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Named returns the room that goes by the draft's name: by its id, its slug, or
// the slug that slugNamed gives the name. Where there is none it is made of the
// draft, the caller's own. One that the caller does not reach is refused as
// Create refuses its slug; an id that names none of the caller's is ErrNotFound.
func (g *Registry) Named(ctx context.Context, by Caller, d Draft) (Room, error) {
	var err error
	if d.Name, err = CleanText("name", d.Name, MaxName); err != nil {
		return Room{}, err
	}
	_, noID := ParseID(RoomPrefix, d.Name)
	if r, err := g.Find(ctx, by, d.Name); noID == nil || !errors.Is(err, ErrNotFound) {
		return r, err
	}
	d.Slug = slugNamed(d.Name)
	if r, err := g.Find(ctx, by, d.Slug); !errors.Is(err, ErrNotFound) {
		return r, err
	}
	r, err := g.Create(ctx, by, d)
	if !errors.Is(err, ErrSlugTaken) {
		return r, err
	}
	// Somebody made it meanwhile: it may be one the caller reaches.
	if r, err = g.Find(ctx, by, d.Slug); errors.Is(err, ErrNotFound) {
		err = ErrSlugTaken
	}
	return r, err
}

var digest = base32.StdEncoding.WithPadding(base32.NoPadding)

// slugNamed is the one slug of a room that is known by its name alone. Names
// that differ in more than case and spaces have different ones: what a slug
// cannot hold is told apart by a hash.
func slugNamed(name string) string {
	name = norm.NFC.String(strings.ToLower(name))
	if plain := strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '_' }), "-"); ValidSlug(plain) {
		return plain
	}
	sum := sha256.Sum256([]byte(name))
	return slugFrom(name) + "-" + strings.ToLower(digest.EncodeToString(sum[:5]))
}
