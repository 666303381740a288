package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// registers is an app that registers itself.
func (s *server) registers(t *testing.T, more members) *oauth2.Config {
	t.Helper()
	in := members{"client_name": "Bookings", "redirect_uris": []string{"https://app.example/back"}, "scope": "rooms:read rooms:write offline_access"}
	for name, value := range more {
		in[name] = value
	}
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/oauth/register", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	said, err := s.send(r)
	if err != nil || said.Status != http.StatusCreated {
		t.Fatalf("registering: %v, %v", said, err)
	}
	return &oauth2.Config{ClientID: said.Get("client_id"), ClientSecret: said.Get("client_secret"), RedirectURL: "https://app.example/back",
		Scopes:   []string{"rooms:read", "offline_access"},
		Endpoint: oauth2.Endpoint{AuthURL: s.URL + "/oauth/authorize", TokenURL: s.URL + "/oauth/token"}}
}

// TestGosOwnOAuthClient: golang.org/x/oauth2, in every way in which it says who
// it is, gets a host's leave, calls the API, and goes on when the token is over.
func TestGosOwnOAuthClient(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.createRoom(t, "Standup")
	host := &guestBrowser{s: s, cookie: s.signedIn(t, hostName)}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, newClient())
	for name, tt := range map[string]struct {
		style oauth2.AuthStyle
		more  members
	}{
		"Basic":  {oauth2.AuthStyleInHeader, nil},
		"body":   {oauth2.AuthStyleInParams, members{"token_endpoint_auth_method": "client_secret_post"}},
		"either": {oauth2.AuthStyleAutoDetect, nil},
		"public": {oauth2.AuthStyleInParams, members{"token_endpoint_auth_method": "none"}},
	} {
		conf := s.registers(t, tt.more)
		conf.Endpoint.AuthStyle = tt.style
		verifier := oauth2.GenerateVerifier()
		asks := strings.TrimPrefix(conf.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier)), s.URL)
		back, err := url.Parse(host.decide(t, asks, "allow"))
		if err != nil {
			t.Fatal(err)
		}
		q := back.Query()
		if q.Get("state") != "a state" || q.Get("iss") != s.Base {
			t.Errorf("%s: led back with %v", name, q)
		}
		token, err := conf.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(verifier))
		if err != nil || token.TokenType != "Bearer" || token.RefreshToken == "" || token.Extra("scope") != "rooms:read offline_access" || time.Until(token.Expiry) < 50*time.Minute {
			t.Fatalf("%s: %+v, %v", name, token, err)
		}
		former := *token
		token.Expiry = time.Now().Add(-time.Minute) // so that the client asks for another
		resp, err := conf.Client(ctx, token).Get(s.URL + "/api/v1/rooms")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: the API answers %s", name, resp.Status)
		}
		former.Expiry = time.Now().Add(-time.Minute)
		var refused *oauth2.RetrieveError
		if _, err := conf.TokenSource(ctx, &former).Token(); !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" || refused.ErrorDescription == "" || refused.ErrorURI != s.Base+"/problems/invalid_grant" {
			t.Errorf("%s: a refresh token that was used: %v", name, err)
		}
		if _, err := conf.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(verifier)); !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" {
			t.Errorf("%s: a code that was used: %v", name, err)
		}
	}

	conf := s.registers(t, members{"grant_types": []string{"client_credentials"}})
	alone := clientcredentials.Config{ClientID: conf.ClientID, ClientSecret: conf.ClientSecret, TokenURL: conf.Endpoint.TokenURL, Scopes: []string{"rooms:read"}}
	resp, err := alone.Client(ctx).Get(s.URL + "/api/v1/apps/verify_credentials")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("by itself: %s", resp.Status)
	}
	alone.ClientSecret = "wrong"
	var refused *oauth2.RetrieveError
	if _, err := alone.Token(ctx); !errors.As(err, &refused) || refused.ErrorCode != "invalid_client" || refused.Response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %v", err)
	}
	if strings.Contains(s.Log(), "code=") || strings.Contains(s.Log(), conf.ClientSecret) {
		t.Error("the log holds a code or a secret")
	}
}
