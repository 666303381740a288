package rooms

import (
	"errors"
	"runtime"
	"sync"
)

// Apart does n things in as many pieces as there are processors, at once: each
// piece from one to before another. A panic in a piece is raised in the caller,
// where it is one request's.
func Apart(n int, do func(piece, from, to int) error) error {
	pieces := min(Pieces(), max(n, 1))
	if pieces == 1 {
		return do(0, 0, n)
	}
	errs, panics := make([]error, pieces), make([]any, pieces)
	var all sync.WaitGroup
	for i := range pieces {
		all.Go(func() {
			defer func() { panics[i] = recover() }()
			errs[i] = do(i, n*i/pieces, n*(i+1)/pieces)
		})
	}
	all.Wait()
	for _, p := range panics {
		if p != nil {
			panic(p)
		}
	}
	return errors.Join(errs...)
}

// Pieces is how many pieces Apart makes, as long as the program runs.
func Pieces() int { return runtime.NumCPU() }
