package oauth

import (
	"slices"
	"strings"
)

// Scope is one thing that a token lets its bearer do.
type Scope string

// The scopes there are.
const (
	RoomsRead        Scope = "rooms:read"
	RoomsWrite       Scope = "rooms:write"
	InvitationsRead  Scope = "invitations:read"
	InvitationsWrite Scope = "invitations:write"
	InvitationsHost  Scope = "invitations:host" // to mint the role host
	Redeem           Scope = "redeem"
	Webhooks         Scope = "webhooks"
	Offline          Scope = "offline_access" // a refresh token
)

// Scopes are a set of scopes, in the order of All, each once.
type Scopes []Scope

// All are all scopes there are.
func All() Scopes {
	return Scopes{RoomsRead, RoomsWrite, InvitationsRead, InvitationsWrite, InvitationsHost, Redeem, Webhooks, Offline}
}

// Offered are those of which hosts choose: what lets nobody do anything here, as no
// call asks for it, is not among them.
func Offered() Scopes {
	return slices.DeleteFunc(All(), func(s Scope) bool { return s == Webhooks })
}

// ParseScopes reads a list divided by spaces (RFC 6749, 3.3). An unknown one is
// ErrInvalidScope.
func ParseScopes(text string) (Scopes, error) {
	var out Scopes
	wanted := strings.Fields(text)
	for _, s := range All() {
		if slices.Contains(wanted, string(s)) {
			out = append(out, s)
		}
	}
	for _, w := range wanted {
		if !out.Has(Scope(w)) {
			return nil, ErrInvalidScope.with("There is no such scope.").known("parameter_rejected")
		}
	}
	return out, nil
}

// String is the list as a token's answer carries it.
func (s Scopes) String() string {
	out := make([]string, len(s))
	for i, one := range s {
		out[i] = string(one)
	}
	return strings.Join(out, " ")
}

// Has tells whether the set has that scope.
func (s Scopes) Has(one Scope) bool { return slices.Contains(s, one) }

// Within tells whether the other set has all of this one.
func (s Scopes) Within(other Scopes) bool {
	return !slices.ContainsFunc(s, func(one Scope) bool { return !other.Has(one) })
}

// And is what both sets have.
func (s Scopes) And(other Scopes) (both Scopes) {
	for _, one := range s {
		if other.Has(one) {
			both = append(both, one)
		}
	}
	return both
}

// ask is what an app gets that asks for text and may have at most these; who
// asks for nothing gets all of them.
func (s Scopes) ask(text string) (Scopes, error) {
	if strings.TrimSpace(text) == "" {
		return s, nil
	}
	wanted, err := ParseScopes(text)
	if err == nil && !wanted.Within(s) {
		err = ErrInvalidScope.with("This is more than the app may ask for.").known("parameter_rejected")
	}
	return wanted, err
}
