package views

// Explanation says to whoever writes a client what a problem's code means and what to do about it.
type Explanation struct {
	Title, Meaning, Remedy string
}

// Explain knows every code that an answer can carry. It does not know statuses: those belong to the answer.
func Explain(code string) (Explanation, bool) {
	if explained(code) {
		said := func(part string) string { return tongues()[0].messages["problem."+code+"."+part].plain() }
		return Explanation{said("title"), said("means"), said("do")}, true
	}
	e, ok := explanations[code]
	return e, ok
}

// explained tells whether the code's words are in every language: those that a host
// may be shown, whose app was refused.
func explained(code string) bool { return tongues()[0].messages["problem."+code+".title"] != nil }

var explanations = map[string]Explanation{
	"cross_site":             {"Not from our page", "The press on a page of ours, or a sign-in, came from a page of another site.", "Show the guest our page and let the guest press its button. Programs use POST /api/v1/invitations/redeem. Pages elsewhere that may call are named in CORS_ORIGINS."},
	"no_nonce":               {"No cookie or nonce", "The press on a guest page came without the browser's cookie or without the form's nonce.", "Open the page again with cookies allowed, then press."},
	"invalid_link":           {"Not one of our links", "The token, code or link is malformed, not signed by us, of another kind, or unknown. Callers without rights in the room get the same answer.", "Send the link exactly as it was minted, with credentials that reach its room."},
	"wrong_room":             {"Another room's link", "The invitation is good, and for another room than the one named.", "Name the room the invitation was made for, or none."},
	"superseded":             {"Replaced by a newer link", "The invitation was reissued and this link is worthless.", "Use the newer link."},
	"revoked":                {"Revoked", "The invitation was revoked. Entering again with it ended too.", "Restore it within a minute of the revocation, or mint another."},
	"room_closed":            {"Room closed", "The room is closed, and none of its links admits anybody.", "Reopen the room; its links work again."},
	"used":                   {"Used up", "All uses are taken; redeemed_at says when.", "Mint another invitation. The nonce that took a use still gets the same answer."},
	"expired":                {"Expired", "The invitation's time is over.", "Mint another, or move its expires_at."},
	"moved":                  {"Continued on another device", "This browser was admitted, and its person went on, on another device.", "Go on there, or move back with a code from there."},
	"not_yet":                {"Not open yet", "The invitation or its room opens later; opens_at says when.", "Come back at opens_at. Nothing was used up."},
	"pin_required":           {"PIN required", "This invitation asks for a PIN.", "Send it as pin. Nothing was used up."},
	"pin_wrong":              {"Wrong PIN", "The PIN is not this invitation's. Nothing was used up.", "Ask the host; tries are counted and slowed."},
	"waiting_for_host":       {"Waiting for a host", "This conference would make the first one in a host, so guests wait until one is there.", "Try again when a host has entered."},
	"room_full":              {"Room full", "As many guests are admitted as the room takes. The use was not taken.", "Raise the capacity, or try again later."},
	"missing_two_factor":     {"Second factor missing", "The account has a second factor, and no code was sent.", "Send the call again with the code in X-AdmitOne-OTP."},
	"invalid_two_factor":     {"Wrong second factor", "The code is wrong, or was used before.", "Wait for the next code, or use a recovery code."},
	"invalid_credentials":    {"Wrong credentials", "The name and password, or the key, do not belong together or are unknown.", "Check them. Tries are counted and slowed."},
	"token_expired":          {"Token expired", "The access token was good, and its time is over.", "Get a new one and send the call again."},
	"insufficient_scope":     {"Not within the scope", "The credentials are good, and do not reach this call.", "Use a key or token with the scope that the list of calls names."},
	"not_found":              {"Not found", "There is no such thing, or it belongs to somebody else.", "Check the id or slug, and whose credentials are sent."},
	"invalid_request":        {"Invalid request", "The request cannot be read, or something in it is missing, comes twice or breaks a rule; errors or error_description names what is wrong.", "Correct what is named. The API refuses unknown members. OAuth wants https, each parameter once, secrets in the body of a POST, and the client authenticated in one way."},
	"conflict":               {"Conflict", "The change does not go together with what is there, such as a slug that is taken.", "Read the current state and choose again."},
	"precondition_failed":    {"Changed in between", "The resource is no longer the one that If-Match names.", "Read it again and repeat the change."},
	"content_too_large":      {"Too large", "The body is larger than this call takes.", "Send less at once."},
	"unsupported_media_type": {"Wrong Content-Type", "The body is of a kind that this call does not take.", "Send application/json, and say so in Content-Type."},
	"method_not_allowed":     {"Method not allowed", "The address exists, and does not take this method.", "Use a method that the Allow header names."},
	"forbidden":              {"Forbidden", "The caller is known, and may not do this.", "Use credentials that may."},
	"too_many_requests":      {"Too many requests", "A limit was met; Retry-After says for how long.", "Wait that long. Sign-ins that succeed and authenticated calls have far wider limits."},
	"unavailable":            {"Unavailable", "The database does not answer or has no room. Nothing was changed.", "Wait as long as Retry-After says and send the call again."},
	"internal_error":         {"Our fault", "Something broke on our side, and is in the log under the request's id.", "Try again; if it stays, tell the operator the request id."},
}

// Former are the names under which older texts know a refusal of OAuth.
func Former(code string) []string { return former[code] }

var former = map[string][]string{
	"invalid_request":      {"parameter_absent", "invalid_param", "parameter_rejected", "version_rejected", "unsupported_over_http"},
	"invalid_scope":        {"parameter_rejected"},
	"invalid_client":       {"invalid_client_secret"},
	"invalid_grant":        {"token_expired", "invalid_callback"},
	"invalid_token":        {"token_expired"},
	"invalid_redirect_uri": {"invalid_callback"},
}
