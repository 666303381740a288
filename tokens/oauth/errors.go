package oauth

// Fault is a refusal as OAuth names it (RFC 6749, 4.1.2.1 and 5.2; RFC 7591,
// 3.2.2). Faults of one code match each other with errors.Is.
type Fault struct {
	Code   string
	Detail string // error_description, in ASCII; it quotes nothing that came in
	Reason string // the name under which older texts know it, or empty
}

func (f Fault) Error() string {
	if f.Detail == "" {
		return f.Code
	}
	return f.Code + ": " + f.Detail
}

// Is implements the comparison of errors.Is.
func (f Fault) Is(target error) bool {
	t, ok := target.(Fault)
	return ok && t.Code == f.Code
}

func (f Fault) with(detail string) Fault  { f.Detail = detail; return f }
func (f Fault) known(reason string) Fault { f.Reason = reason; return f }

// The refusals there are.
var (
	ErrInvalidRequest          = Fault{Code: "invalid_request"}
	ErrInvalidClient           = Fault{Code: "invalid_client", Detail: "The client is not known, or its secret is wrong."}
	ErrInvalidGrant            = Fault{Code: "invalid_grant", Detail: "The code or refresh token is not good, or not for this client."}
	ErrUnauthorizedClient      = Fault{Code: "unauthorized_client"}
	ErrUnsupportedGrantType    = Fault{Code: "unsupported_grant_type", Detail: "grant_type is authorization_code, client_credentials or refresh_token."}
	ErrUnsupportedResponseType = Fault{Code: "unsupported_response_type", Detail: "response_type is code."}
	ErrInvalidScope            = Fault{Code: "invalid_scope"}
	ErrAccessDenied            = Fault{Code: "access_denied", Detail: "The host said no."}
	ErrInvalidRedirect         = Fault{Code: "invalid_redirect_uri", Reason: "invalid_callback"}
	ErrNoRedirect              = ErrInvalidRedirect.with("An app without a secret can do nothing without a redirect address.")
	ErrInvalidMetadata         = Fault{Code: "invalid_client_metadata"}
	ErrInvalidToken            = Fault{Code: "invalid_token", Detail: "The access token is not good, or was withdrawn."}
	ErrTokenExpired            = Fault{Code: "invalid_token", Detail: "The access token has expired.", Reason: "token_expired"}
)
