package dashboard

import (
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens/oauth"
	"admitone/views"
)

// APIKeys answers GET /account/keys.
func (p *Pages) APIKeys(c echo.Context, h host) error {
	return p.apiKeys(c, h, http.StatusOK, emptyKey(), nil)
}

func emptyKey() views.APIKeyForm {
	return views.APIKeyForm{Scopes: views.Scopes{Chosen: scopeTexts(oauth.Scopes{oauth.RoomsRead, oauth.RoomsWrite, oauth.InvitationsRead, oauth.InvitationsWrite})}}
}

// apiKeys is the page of the host's keys, with the text of one that was made just
// now: in the answer to the form that made it, and nowhere else.
func (p *Pages) apiKeys(c echo.Context, h host, status int, form views.APIKeyForm, made *views.Secret) error {
	all, err := p.Doors.Apps.Keys(c.Request().Context(), h)
	if err != nil {
		return err
	}
	v := views.APIKeys{Page: p.frame(c, h, ""), Form: form, Made: made}
	v.Form.Wish, v.Form.Scopes.All = rand.Text(), scopeTexts(session.HostScopes().And(oauth.Offered()))
	for _, k := range all {
		v.Keys = append(v.Keys, apiKey(k))
	}
	return session.Render(c, status, views.APIKeysPage(v))
}

func apiKey(k oauth.APIKey) views.APIKey {
	return views.APIKey{ID: k.ID.Show(oauth.KeyIDPrefix), Name: k.Name, Scopes: scopeTexts(k.Scopes), Made: instant(k.CreatedAt), Used: instant(k.UsedAt)}
}

func scopeTexts(scopes oauth.Scopes) (out []string) {
	for _, s := range scopes {
		out = append(out, string(s))
	}
	return out
}

// chosenScopes are those of the form; none is a refusal, as an unknown one is.
func chosenScopes(c echo.Context, errs views.Errors) oauth.Scopes {
	values, err := c.FormParams()
	if err != nil {
		errs["scope"] = views.Says("scopes.none")
		return nil
	}
	var out oauth.Scopes
	for _, s := range oauth.Offered() {
		for _, v := range values["scope"] {
			if v == string(s) {
				out = append(out, s)
				break
			}
		}
	}
	if len(out) == 0 {
		errs["scope"] = views.Says("scopes.none")
	}
	return out
}

// MakeAPIKey answers POST /account/keys.
func (p *Pages) MakeAPIKey(c echo.Context, h host) error {
	f := views.APIKeyForm{Name: c.FormValue("name"), Errors: views.Errors{}}
	scopes := chosenScopes(c, f.Errors)
	k, text, err := p.Doors.Apps.MakeKeyOnce(c.Request().Context(), h, f.Name, scopes, c.FormValue("wish"))
	switch {
	case errors.Is(err, oauth.ErrKeyMade):
		return c.Redirect(http.StatusSeeOther, "/account/keys?did=key-made")
	case refused(err, f.Errors):
	case errors.Is(err, oauth.ErrInvalidScope):
		f.Errors["scope"] = views.Says("scopes.none")
	case err != nil:
		return err
	default:
		c.Response().Header().Set("Location", "/account/keys/"+k.ID.Show(oauth.KeyIDPrefix))
		return p.apiKeys(c, h, http.StatusCreated, emptyKey(), &views.Secret{What: k.Name, Text: text, At: "/account/keys"})
	}
	f.Scopes = views.Scopes{Chosen: scopeTexts(scopes), Wrong: f.Errors["scope"]}
	return p.apiKeys(c, h, http.StatusUnprocessableEntity, f, nil)
}

// key is the key of the address, if it is the host's.
func (p *Pages) key(c echo.Context, h host) (oauth.APIKey, error) {
	all, err := p.Doors.Apps.Keys(c.Request().Context(), h)
	if err != nil {
		return oauth.APIKey{}, err
	}
	for _, k := range all {
		if k.ID.Show(oauth.KeyIDPrefix) == c.Param("key") {
			return k, nil
		}
	}
	return oauth.APIKey{}, rooms.ErrNotFound
}

// APIKey answers GET /account/keys/{key}.
func (p *Pages) APIKey(c echo.Context, h host) error {
	k, err := p.key(c, h)
	if err != nil {
		return err
	}
	v := views.APIKeyDetail{Page: p.frame(c, h, ""), Key: apiKey(k)}
	if v.Did, err = p.did(c, h, v.Key.ID); err != nil {
		return err
	}
	return session.Render(c, http.StatusOK, views.APIKeyPage(v))
}

// RemoveAPIKey answers POST /account/keys/{key}/remove.
func (p *Pages) RemoveAPIKey(c echo.Context, h host) error {
	k, err := p.key(c, h)
	if err != nil {
		return err
	}
	if err := p.Doors.Apps.RemoveKey(c.Request().Context(), h, k.ID); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/account/keys?did=key-removed")
}
