package session

import (
	"crypto/rand"
	"crypto/subtle"
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens/oauth"
)

const keyProof = "proof"

// Proof is a secret of this browser's sign-in. A form carries it whose press
// gives something away, so that only our page can have made it.
func (d *Doors) Proof(c echo.Context) (string, error) {
	ctx := c.Request().Context()
	proof := d.sessions.GetString(ctx, keyProof)
	if proof == "" {
		proof = rand.Text()
		d.sessions.Put(ctx, keyProof, proof)
	}
	return proof, d.save(c)
}

// Proven tells whether that is this browser's Proof.
func (d *Doors) Proven(c echo.Context, proof string) (bool, error) {
	own, err := d.Proof(c)
	return subtle.ConstantTimeCompare([]byte(own), []byte(proof)) == 1, err
}

// AskPath is where apps ask hosts for leave.
const AskPath = "/oauth/authorize"

// LeadsOn lets the page's form lead on to the app that a request for leave at
// next is from, which is where the sign-in goes when that was given before: a
// browser holds redirects after a form against its page's policy too.
func (d *Doors) LeadsOn(c echo.Context, next string) {
	u, err := url.Parse(next)
	if err != nil || u.Path != AskPath || u.Host != "" || d.Apps == nil {
		return
	}
	q := u.Query()
	a, _ := d.Apps.Ask(c.Request().Context(), oauth.Request{ClientID: q.Get("client_id"), Redirect: q.Get("redirect_uri")})
	AllowApp(c, a.Redirect)
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`)

// AllowApp lets the page's forms lead on to an app's redirect address: to its
// origin, or to its scheme where the policy has no word for that origin.
func AllowApp(c echo.Context, redirect string) {
	u, err := url.Parse(redirect)
	switch {
	case err != nil || redirect == "" || redirect == oauth.OOB:
	case strings.HasPrefix(u.Scheme, "http") && plainHost.MatchString(u.Host):
		AllowForm(c, u.Scheme+"://"+u.Host)
	default:
		AllowForm(c, u.Scheme+":")
	}
}

// App is the app that sent this call's access token, also one that acts for
// nobody; rooms.ErrNotFound where something else did.
func (d *Doors) App(c echo.Context) (oauth.Client, error) {
	caller, ok := c.Get(callerKey).(Caller)
	switch {
	case !ok:
		return oauth.Client{}, ErrNoBearer
	case caller.Actor.Kind != audit.Client || !strings.HasPrefix(caller.Actor.Name, oauth.ClientPrefix):
		return oauth.Client{}, rooms.ErrNotFound
	}
	return d.Apps.Store.Client(c.Request().Context(), caller.Actor.Name)
}
