package tokens

import (
	"net/url"
	"testing"
)

// FuzzWishesHaveOneSpelling: what is taken stays as it is when it is taken again,
// and holds no wish twice.
func FuzzWishesHaveOneSpelling(f *testing.F) {
	for _, seed := range []string{"video=true&audio=false", "avatar=https://a.example/p.png%26token%3Dx", "audio=true&audio=true", "duration=01:30:00", "%61udio=true", "a;b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		kept, err := cleanWishes(query)
		if err != nil {
			return
		}
		if again, err := cleanWishes(kept); again != kept || err != nil {
			t.Errorf("%q gives %q, which gives %q, %v", query, kept, again, err)
		}
		wishes, err := url.ParseQuery(kept)
		if err != nil || len(wishes) > 8 {
			t.Errorf("%q gives %q: %v", query, kept, err)
		}
	})
}
