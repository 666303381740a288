package views

import (
	"context"
	"strings"
)

// isolate makes a stranger's name safe beside other words where no element can stand around it: in the title and in
// labels read aloud. Directional controls go, and what is left is a run of its own (Unicode UAX #9, isolates).
func isolate(name string) string {
	clean := undirected(name)
	if clean == "" {
		return ""
	}
	for _, r := range clean {
		if r > 0x7E {
			return "\u2068" + clean + "\u2069"
		}
	}
	return clean
}

// undirected is a name without directional controls, for texts that people copy: signs nobody sees would go with it.
func undirected(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C:
			return -1
		}
		return r
	}, name)
}

func guestName(ctx context.Context, name string) string {
	if name == "" {
		return t(ctx, "guest.unnamed-inside")
	}
	return isolate(name)
}
