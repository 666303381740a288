package main

import "syscall"

func statDisk(path string) (disk, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return disk{}, err
	}
	return disk{free: s.Bavail * uint64(s.Bsize), network: networked(uint32(s.Type))}, nil //nolint:gosec // neither is negative, and the kernel's number is 32 bits of whatever sign
}
