package datatest

import (
	"sync"
	"time"
)

// Clock is a clock that stands still until a test moves it. It is safe for
// concurrent use.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock starts at noon of 15 January 2030, UTC.
func NewClock() *Clock { return &Clock{at: time.Date(2030, 1, 15, 12, 0, 0, 0, time.UTC)} }

// Now is the clock's moment.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Millis is Now in Unix milliseconds.
func (c *Clock) Millis() int64 { return c.Now().UnixMilli() }

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
