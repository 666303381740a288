package conference

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 1 << 20

// asker asks a back end over HTTP. It follows no redirect, so that nothing
// secret goes where the operator did not point, and its errors wrap
// ErrUnreachable and hold neither an address nor what was asked or answered.
type asker struct{ client *http.Client }

func newAsker() asker {
	return asker{&http.Client{
		Timeout:       Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what came back, whatever its status.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// ask sends one request, with the header and body if there are any.
func (a asker) ask(ctx context.Context, method, address string, header http.Header, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("%w: the request cannot be made", ErrUnreachable)
	}
	if header != nil {
		req.Header = header
	}
	res, err := a.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %s", ErrUnreachable, reason(err))
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return answer{}, fmt.Errorf("%w: %s", ErrUnreachable, reason(err))
	}
	if len(got) > maxAnswer {
		return answer{}, fmt.Errorf("%w: it answers more than %d bytes", ErrUnreachable, maxAnswer)
	}
	return answer{res.StatusCode, res.Header, got}, nil
}

// unexpected is the error for an answer of a status that the question does not
// have.
func (a answer) unexpected() error {
	if a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden {
		return fmt.Errorf("%w: it answers %d, so our secret or right is not good there", ErrUnreachable, a.Status)
	}
	return fmt.Errorf("%w: it answers %d", ErrUnreachable, a.Status)
}

// reason says why nothing came back. Only errors known to quote neither our
// request nor the answer are shown as they are.
func reason(err error) string {
	var timed net.Error
	if errors.As(err, &timed) && timed.Timeout() {
		return "no answer in time"
	}
	if errors.Is(err, context.Canceled) {
		return "the question was given up"
	}
	var dial *net.OpError
	if errors.As(err, &dial) {
		return dial.Error()
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	if errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid) {
		return "its certificate is not trusted here"
	}
	return "what comes back is no HTTP as it should be"
}

// address reads the member's text: scheme, host and maybe a path, which comes
// back without a slash at its end. The scheme is the secure one, "https" or
// "wss", or its plain sister on this machine alone. Errors quote nothing.
func address(member, text, secure string) (*url.URL, error) {
	if text == "" {
		return nil, missing(member)
	}
	u, err := url.Parse(text)
	plain := strings.TrimSuffix(secure, "s")
	if err != nil || u.Scheme != secure && u.Scheme != plain || !plainHost(u) {
		return nil, fmt.Errorf("%s is an absolute %s URL", member, secure)
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") {
		return nil, fmt.Errorf("%s has no user, query or fragment", member)
	}
	if u.Scheme == plain && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("%s needs %s: secrets and join links would travel in the open", member, secure)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// plainHost tells whether the URL names a host of letters, digits, dots and
// hyphens or an IP address: it goes into a header of the guest's page.
func plainHost(u *url.URL) bool {
	name := u.Hostname()
	if _, err := netip.ParseAddr(name); err == nil {
		return !strings.Contains(name, "%")
	}
	return name != "" && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// loopback tells whether a host is this machine (RFC 6761, 6.3).
func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.Unmap().IsLoopback()
}

// origin is the scheme and host of an address.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// missing is the error for a member that has to be there.
func missing(member string) error { return fmt.Errorf("%s is missing", member) }
