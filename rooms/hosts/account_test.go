package hosts //nolint:testpackage // which counts names share shows nowhere else

import (
	"context"
	"fmt"
	"testing"
	"time"

	"admitone/tokens/keys"
)

type noStore struct{ Store }

func (noStore) Epochs(context.Context) (map[string]int64, error) { return map[string]int64{}, nil }

func (noStore) Standing(context.Context) (Standing, error) { return Standing{}, nil }

func TestInventedNamesShareAFewCounts(t *testing.T) {
	t.Parallel()
	set, err := Parse(`[{"username":"Ada","password":"correct horse"}]`)
	if err != nil {
		t.Fatal(err)
	}
	g := NewGate(NewDirectory(keys.Root{}, noStore{}, time.Now, set), noStore{}, time.Now)
	counts := map[string]bool{}
	for n := range 20_000 {
		a, err := g.account(t.Context(), fmt.Sprintf("name-%d", n))
		if err != nil {
			t.Fatal(err)
		}
		counts[a] = true
	}
	if len(counts) > nobodies || len(counts) < nobodies*9/10 {
		t.Errorf("%d counts", len(counts))
	}
	one, _ := g.account(t.Context(), "ada")
	other, _ := g.account(t.Context(), "ADA")
	if one != "ada" || other != one || counts[one] {
		t.Errorf("a host's are %q and %q", one, other)
	}
}
