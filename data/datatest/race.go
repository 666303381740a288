package datatest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// AtOnce calls do for each number below n, all at the same moment, and returns
// when all have returned.
func AtOnce(n int, do func(i int)) {
	var ready, over sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		over.Go(func() {
			ready.Done()
			<-start
			do(i)
		})
	}
	ready.Wait()
	close(start)
	over.Wait()
}

// Winners lets n try at once, and counts those who get what they try for. The
// others are told that they lost, or the test fails.
func Winners(t testing.TB, n int, lost error, try func(i int) error) int {
	t.Helper()
	var won atomic.Int32
	AtOnce(n, func(i int) {
		switch err := try(i); {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, lost):
			t.Errorf("racer %d: %v", i, err)
		}
	})
	return int(won.Load())
}

// Together is for n to call, and returns to each when all have called: whoever
// reads, calls it and writes then, as a control does, meets the worst case.
func Together(n int) func() {
	var all sync.WaitGroup
	all.Add(n)
	return func() {
		all.Done()
		all.Wait()
	}
}
