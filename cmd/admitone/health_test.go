package main

import "testing"

// TestHealthcheckAsksWhereTheServerListens: everywhere means also here.
func TestHealthcheckAsksWhereTheServerListens(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		":8080":              "127.0.0.1:8080",
		"0.0.0.0:80":         "127.0.0.1:80",
		"[::]:8080":          "127.0.0.1:8080",
		"[::1]:8080":         "[::1]:8080",
		"127.0.0.2:80":       "127.0.0.2:80",
		"localhost:80":       "localhost:80",
		"meet.example:https": "meet.example:https",
		"[fe80::1%eth0]:443": "[fe80::1%eth0]:443",
	} {
		if got := reached(addr); got != want {
			t.Errorf("ADDR=%s: asks %s, want %s", addr, got, want)
		}
	}
}
