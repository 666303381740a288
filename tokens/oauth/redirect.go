package oauth

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// OOB is the redirect address of an app that has none: the code is shown.
const OOB = "urn:ietf:wg:oauth:2.0:oob"

// The most redirect addresses that one app may name, and how long each may be in
// bytes.
const (
	maxRedirects = 20
	maxRedirect  = 2000
)

// A scheme of an app's own has a dot in it (RFC 8252, 7.1), as a reversed
// domain name has, and none that a browser would run.
var ownScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/`)

// goodRedirect refuses an address to which no code may be sent: all but https,
// http on this very machine, an app's own scheme, and OOB.
func goodRedirect(text string) error {
	if text == OOB {
		return nil
	}
	u, err := url.Parse(text)
	plain := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\^{}|`+"`*", r) }) < 0
	switch {
	case err != nil || !plain || len(text) > maxRedirect || u.User != nil || strings.Contains(text, "#") || u.Host != "" && !goodHost(u.Host):
		return ErrInvalidRedirect.with("A redirect address is an absolute address in ASCII without a name, a fragment or a placeholder.")
	case u.Scheme == "https" && u.Host != "":
	case u.Scheme == "http" && loopback(u.Hostname()):
	case ownScheme.MatchString(text):
	default:
		return ErrInvalidRedirect.with("A redirect address is https, or http on this machine itself, or an app's own scheme such as com.example.app:/back.")
	}
	return nil
}

var (
	// The letters, digits and hyphens of a domain name (RFC 1123, 2.1); other
	// letters come as punycode.
	domain = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?))*$`)
	// What ends like this is a number to browsers, and so an IPv4 address in one of
	// its many spellings (WHATWG URL, "ends in a number checker").
	numeric = regexp.MustCompile(`(^|\.)([0-9]+|0[xX][0-9a-fA-F]*)$`)
	port    = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)
)

// goodHost tells whether an address's authority is a domain name or the one
// spelling of an IP address, with or without a port.
func goodHost(host string) bool {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		if _, err := strconv.ParseUint(host[i+1:], 10, 16); err != nil || !port.MatchString(host[i+1:]) {
			return false
		}
		host = host[:i]
	}
	if six, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(six, "]"))
		return err == nil && ip.Is6() && ip.Zone() == ""
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Is4()
	}
	return len(host) <= 253 && domain.MatchString(host) && !numeric.MatchString(host)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// hasRedirect tells whether the app may have its answers sent there: to one of its
// addresses, letter by letter. Where it registered http on this machine without a
// port it takes any that is free (RFC 8252, 7.3).
func (c Client) hasRedirect(to string) bool {
	if slices.Contains(c.Redirects, to) {
		return true
	}
	rest, plain := strings.CutPrefix(to, "http://")
	u, err := url.Parse(to)
	if err != nil || !plain || u.Port() == "" || !loopback(u.Hostname()) || goodRedirect(to) != nil {
		return false
	}
	return slices.Contains(c.Redirects, "http://"+strings.TrimSuffix(u.Host, ":"+u.Port())+strings.TrimPrefix(rest, u.Host))
}
