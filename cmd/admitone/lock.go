package main

import (
	"os"
	"syscall"
)

// lock takes the file for this process until it ends, or fails at once. The
// kernel lets go of it however the process ends.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
