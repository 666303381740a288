package views

import (
	"context"
	"strings"

	"golang.org/x/text/unicode/bidi"
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

// apart is isolate for mails, whose words people copy and search: signs that nobody sees stand there only around names
// that would turn what stands beside them.
func apart(name string) string {
	if clean := undirected(name); !turns(clean) {
		return clean
	}
	return isolate(name)
}

// turns tells whether something of the text is read from right to left.
func turns(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		p, _ := bidi.LookupRune(r)
		return p.Class() == bidi.R || p.Class() == bidi.AL || p.Class() == bidi.AN
	})
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
