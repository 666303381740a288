package oauth

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"admitone/tokens"
	"admitone/tokens/keys"
	"admitone/tokens/oauth"
)

// metadata is what clients are told of the server (RFC 8414, 2).
type metadata struct {
	Issuer               string       `json:"issuer"`
	Authorization        string       `json:"authorization_endpoint"`
	Token                string       `json:"token_endpoint"`
	Revocation           string       `json:"revocation_endpoint"`
	Introspection        string       `json:"introspection_endpoint"`
	Registration         string       `json:"registration_endpoint"`
	AppRegistration      string       `json:"app_registration_endpoint"` // Mastodon's
	JWKS                 string       `json:"jwks_uri"`
	Documentation        string       `json:"service_documentation"`
	Scopes               oauth.Scopes `json:"scopes_supported"`
	ResponseTypes        []string     `json:"response_types_supported"`
	ResponseModes        []string     `json:"response_modes_supported"`
	GrantTypes           []string     `json:"grant_types_supported"`
	TokenMethods         []string     `json:"token_endpoint_auth_methods_supported"`
	RevocationMethods    []string     `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionMethods []string     `json:"introspection_endpoint_auth_methods_supported"`
	ChallengeMethods     []string     `json:"code_challenge_methods_supported"`
	Iss                  bool         `json:"authorization_response_iss_parameter_supported"`
}

// Metadata answers GET /.well-known/oauth-authorization-server.
func (e *Endpoints) Metadata(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "public, max-age=300")
	return c.JSON(http.StatusOK, metadata{
		Issuer: e.Base, Authorization: e.Base + "/oauth/authorize", Token: e.Base + "/oauth/token", Revocation: e.Base + "/oauth/revoke",
		Introspection: e.Base + "/oauth/introspect", Registration: e.Base + "/oauth/register", AppRegistration: e.Base + "/api/v1/apps",
		JWKS: e.Base + "/.well-known/jwks.json", Documentation: e.Base + "/docs", Scopes: oauth.All(),
		ResponseTypes: []string{"code"}, ResponseModes: []string{"query"}, GrantTypes: grants(),
		TokenMethods: methods(), RevocationMethods: methods(), IntrospectionMethods: []string{basic, post},
		ChallengeMethods: []string{"S256"}, Iss: true,
	})
}

// The grants there are.
const (
	codeGrant    = "authorization_code"
	clientGrant  = "client_credentials"
	refreshGrant = "refresh_token"
)

func grants() []string { return []string{codeGrant, clientGrant, refreshGrant} }

// The ways in which a client says who it is.
const (
	basic = "client_secret_basic"
	post  = "client_secret_post"
	none  = "none"
)

func methods() []string { return []string{basic, post, none} }

// JWKS answers GET /.well-known/jwks.json: the keys that verify invitations and
// access tokens. It is kept for less than keys.Lead, after which a new key begins.
func (e *Endpoints) JWKS(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "public, max-age=120")
	life := map[keys.Use]time.Duration{keys.Invite: tokens.MaxLifetime, keys.Access: oauth.AccessLife}
	return c.JSON(http.StatusOK, map[string][]keys.JWK{"keys": e.Apps.Ring.Public(life)})
}
