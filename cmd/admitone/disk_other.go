//go:build !linux

package main

import "errors"

func statDisk(string) (disk, error) { return disk{}, errors.ErrUnsupported }
