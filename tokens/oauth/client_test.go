package oauth_test

import (
	"regexp"
	"strings"
	"testing"

	"admitone/data/datatest"
	"admitone/rooms/hosts"
	"admitone/tokens/oauth"
)

func TestAnAppProvesItselfByItsSecret(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	c, secret := h.app(nil)
	other, others := h.app(&h.ada)
	open, none := h.app(nil, public)
	gone, itsOwn := h.app(&h.ada)
	h.must(h.Apps.Remove(h.ctx, h.ada, gone.ID))
	if none != "" || len(secret) < 40 || secret == others {
		t.Errorf("secrets %q %q", secret, none)
	}
	for name, row := range map[string]struct {
		id, secret string
		want       error
	}{
		"its own":                       {c.ID, secret, nil},
		"another's":                     {c.ID, others, oauth.ErrInvalidClient},
		"none":                          {c.ID, "", oauth.ErrInvalidClient},
		"in capitals":                   {c.ID, strings.ToUpper(secret), oauth.ErrInvalidClient},
		"a letter less":                 {c.ID, secret[1:], oauth.ErrInvalidClient},
		"what is kept of it":            {c.ID, c.SecretHash, oauth.ErrInvalidClient},
		"under an id in capitals":       {strings.ToUpper(c.ID), secret, oauth.ErrInvalidClient},
		"under another id":              {other.ID, secret, oauth.ErrInvalidClient},
		"under no id":                   {"", secret, oauth.ErrInvalidClient},
		"under an id with a NUL":        {c.ID + "\x00", secret, oauth.ErrInvalidClient},
		"under a host's name":           {"ada", "adas-own-password", oauth.ErrInvalidClient},
		"under a very long id":          {oauth.ClientPrefix + strings.Repeat("a", 1<<20), secret, oauth.ErrInvalidClient},
		"a public app without one":      {open.ID, "", nil},
		"a public app with one":         {open.ID, "x", oauth.ErrInvalidClient},
		"of an app that was removed":    {gone.ID, itsOwn, oauth.ErrInvalidClient},
		"of an app removed, without it": {gone.ID, "", oauth.ErrInvalidClient},
	} {
		got, err := h.Apps.Authenticate(h.ctx, row.id, row.secret)
		h.wants(name, err, row.want)
		if (got.ID != "") != (row.want == nil) {
			t.Errorf("%s: is %q", name, got.ID)
		}
	}
	fresh, err := h.Apps.NewSecret(h.ctx, h.ada, c.ID)
	h.must(err)
	_, err = h.Apps.Authenticate(h.ctx, c.ID, secret)
	h.wants("the former secret", err, oauth.ErrInvalidClient)
	_, err = h.Apps.Authenticate(h.ctx, c.ID, fresh)
	h.wants("the new secret", err, nil)
	if n := h.count("SELECT COUNT(*) FROM oauth_clients WHERE secret_hash = $1 OR name = $1 OR id = $1", fresh); n != 0 {
		t.Error("the secret is kept")
	}
}

func TestAnAppsIDIsNoHostsName(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	for range 50 {
		c, _ := h.app(nil)
		if !regexp.MustCompile(`^app~[a-z2-7]{26}$`).MatchString(c.ID) {
			t.Errorf("id %q", c.ID)
		}
		if _, err := hosts.Parse(`[{"username":"` + c.ID + `","password":"a-good-password"}]`); err == nil { // gitleaks:allow
			t.Errorf("a host can be called %q", c.ID)
		}
		if _, err := h.Apps.Directory.ByName(h.ctx, c.ID); err == nil {
			t.Errorf("%q is a host", c.ID)
		}
	}
}

func TestWhatAnAppMayBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	for name, row := range map[string]struct {
		draft oauth.Draft
		want  error
	}{
		"only a name":              {oauth.Draft{Name: "Gate"}, nil},
		"no name":                  {oauth.Draft{}, oauth.ErrInvalidMetadata},
		"a name of spaces":         {oauth.Draft{Name: "   "}, oauth.ErrInvalidMetadata},
		"a name too long":          {oauth.Draft{Name: strings.Repeat("ä", 101)}, oauth.ErrInvalidMetadata},
		"the longest name":         {oauth.Draft{Name: strings.Repeat("ä", 100)}, nil},
		"broken UTF-8":             {oauth.Draft{Name: "Gate\xff"}, oauth.ErrInvalidMetadata},
		"a website":                {oauth.Draft{Name: "Gate", Website: " https://gate.example/a b "}, nil},
		"a website that runs":      {oauth.Draft{Name: "Gate", Website: "javascript:alert(1)"}, oauth.ErrInvalidMetadata},
		"a website with a name":    {oauth.Draft{Name: "Gate", Website: "https://u@gate.example"}, oauth.ErrInvalidMetadata},
		"a website without a host": {oauth.Draft{Name: "Gate", Website: "https:gate"}, oauth.ErrInvalidMetadata},
		"a bad address":            {oauth.Draft{Name: "Gate", Redirects: []string{back, "javascript:alert(1)"}}, oauth.ErrInvalidRedirect},
		"an empty address":         {oauth.Draft{Name: "Gate", Redirects: []string{""}}, oauth.ErrInvalidRedirect},
		"two addresses in one":     {oauth.Draft{Name: "Gate", Redirects: []string{back + "\n" + back}}, oauth.ErrInvalidRedirect},
		"20 addresses":             {oauth.Draft{Name: "Gate", Redirects: strings.Split(strings.Repeat(back+" ", 19)+back, " ")}, nil},
		"21 addresses":             {oauth.Draft{Name: "Gate", Redirects: strings.Split(strings.Repeat(back+" ", 20)+back, " ")}, oauth.ErrInvalidRedirect},
		"public, without address":  {oauth.Draft{Name: "Gate", Public: true}, oauth.ErrInvalidRedirect},
		"public, with one":         {oauth.Draft{Name: "Gate", Public: true, Redirects: []string{back}}, nil},
		"an unknown scope":         {oauth.Draft{Name: "Gate", Scopes: "rooms:read admin"}, oauth.ErrInvalidScope},
		"a scope in capitals":      {oauth.Draft{Name: "Gate", Scopes: "ROOMS:READ"}, oauth.ErrInvalidScope},
	} {
		c, secret, err := h.Apps.Register(h.ctx, nil, row.draft)
		h.wants(name, err, row.want)
		if err != nil && (c.ID != "" || secret != "") {
			t.Errorf("%s: refused, and %+v", name, c)
		}
		if err == nil && (c.Scopes.Has(oauth.Offline) || c.Scopes.Has(oauth.InvitationsHost)) {
			t.Errorf("%s: may ask for %s without having said so", name, c.Scopes)
		}
	}
}

func TestAppsActForTheirOwnerAndNobodysForNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, datatest.SQLite(t))
	bos, _ := h.app(&h.bo)
	nobodys, _ := h.app(nil)
	open, _ := h.app(&h.bo, public)
	got, err := h.Apps.ForItself(h.ctx, bos, "")
	h.must(err)
	if got.Refresh != "" || got.Scopes.Has(oauth.Offline) {
		t.Errorf("an app that acts by itself needs no refresh token: %+v", got)
	}
	b, err := h.Apps.Read(h.ctx, got.Access)
	if err != nil || b.Owner != "bo" || b.Admin || b.Nobody || b.Actor.Name != bos.ID {
		t.Errorf("%+v, %v", b, err)
	}
	adas, _ := h.app(&h.ada)
	admins, err := h.Apps.ForItself(h.ctx, adas, "rooms:read")
	h.must(err)
	if b, err := h.Apps.Read(h.ctx, admins.Access); err != nil || !b.Admin || b.Scopes.String() != "rooms:read" {
		t.Errorf("%+v, %v", b, err)
	}
	free, err := h.Apps.ForItself(h.ctx, nobodys, "")
	h.must(err)
	b, err = h.Apps.Read(h.ctx, free.Access)
	if err != nil || !b.Nobody || b.Owner != "" || b.Admin || len(b.Slugs) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
	_, err = h.Apps.Acts(h.ctx, nobodys)
	h.wants("nobody's", err, oauth.ErrUnauthorizedClient)
	_, err = h.Apps.ForItself(h.ctx, open, "")
	h.wants("a public app", err, oauth.ErrUnauthorizedClient)
	limited, _ := h.app(&h.bo, func(d *oauth.Draft) { d.Scopes = "redeem" })
	_, err = h.Apps.ForItself(h.ctx, limited, "rooms:read")
	h.wants("more than the app may", err, oauth.ErrInvalidScope)

	h.users(strings.Replace(datatest.Users, "a-boat", "another-boat", 1))
	h.Clock.Add(oauth.AccessLife / 2)
	if h.alive(got.Access) || !h.alive(admins.Access) || !h.alive(free.Access) {
		t.Error("after bo's password changed")
	}
	_, err = h.Apps.ForItself(h.ctx, bos, "")
	h.wants("after bo's password changed", err, oauth.ErrUnauthorizedClient)
	_, err = h.Apps.NewSecret(h.ctx, h.ada, bos.ID) // an admin's doing, who is not bo
	h.must(err)
	again, err := h.Apps.Authenticate(h.ctx, bos.ID, func() string { s, err := h.Apps.NewSecret(h.ctx, h.host("bo"), bos.ID); h.must(err); return s }())
	h.must(err)
	_, err = h.Apps.ForItself(h.ctx, again, "")
	h.wants("after bo made the secret anew", err, nil)
	if h.alive(got.Access) {
		t.Error("a token of before is alive again")
	}
}
