// An app that speaks OAuth 2 through oauth4webapi, which takes every answer for wrong that the
// RFCs do not allow.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { run } from './run.mjs';

const http = { [oauth.allowInsecureRequests]: true }; // the server is on this machine

const refused = (status, error) => (e) => {
    assert.ok(e instanceof oauth.ResponseBodyError, e);
    assert.equal(e.status, status);
    assert.equal(e.error, error);
    assert.match(e.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    return true;
};
const challenged = (status, scheme, parameters) => (e) => {
    assert.ok(e instanceof oauth.WWWAuthenticateChallengeError, e);
    assert.equal(e.status, status);
    assert.equal(e.cause[0].scheme, scheme);
    for (const [name, value] of Object.entries(parameters)) {
        assert.equal(e.cause[0].parameters[name], value);
    }
    return true;
};

run(async (asked, have) => {
    const issuer = new URL(asked.issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...http, algorithm: 'oauth2' }));
    await assert.rejects(async () => oauth.processDiscoveryResponse(new URL('http://localhost:1'), await oauth.discoveryRequest(issuer, { ...http, algorithm: 'oauth2' })),
        { code: oauth.JSON_ATTRIBUTE_COMPARISON });

    const rooms = (token, method = 'GET', body) => oauth.protectedResourceRequest(token, method, new URL('/api/v1/rooms', issuer),
        new Headers(body && { 'content-type': 'application/json' }), body, http);

    // leave asks the host, who presses that button, and returns what came back with the verifier.
    const leave = async (client, press, scope, more = {}) => {
        const verifier = oauth.generateRandomCodeVerifier(), state = oauth.generateRandomState();
        const link = new URL(as.authorization_endpoint);
        link.search = new URLSearchParams({
            client_id: client.client_id, redirect_uri: asked.redirect, response_type: 'code', scope, state,
            code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more,
        });
        return { back: new URL(await have({ press, link: link.href })), state, verifier };
    };

    for (const method of ['client_secret_basic', 'client_secret_post', 'none']) {
        const client = await oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as, {
            client_name: `A booking system (${method})`, redirect_uris: [asked.redirect], token_endpoint_auth_method: method,
            grant_types: ['authorization_code', 'refresh_token'], scope: 'rooms:read offline_access',
        }, http));
        assert.equal(client.token_endpoint_auth_method, method);
        assert.equal(client.client_secret !== undefined, method !== 'none');
        const authentication = (secret) => ({
            client_secret_basic: () => oauth.ClientSecretBasic(secret), client_secret_post: () => oauth.ClientSecretPost(secret), none: () => oauth.None(),
        })[method]();
        const auth = authentication(client.client_secret);

        // The answer says who gives it (RFC 9207), also where it is a refusal.
        const denied = await leave(client, 'deny', 'rooms:read');
        assert.throws(() => oauth.validateAuthResponse(as, client, denied.back, denied.state), (e) => {
            assert.ok(e instanceof oauth.AuthorizationResponseError, e);
            assert.equal(e.error, 'access_denied');
            assert.equal(e.cause.get('iss'), asked.issuer);
            return true;
        });
        const { back, state, verifier } = await leave(client, 'allow', 'rooms:read offline_access');
        // An app that nobody here made is told of its faults once the host has allowed it.
        const tooMuch = await leave(client, 'allow', 'rooms:read rooms:write');
        assert.throws(() => oauth.validateAuthResponse(as, client, tooMuch.back, tooMuch.state), { error: 'invalid_scope' });
        for (const iss of [undefined, 'https://other.example']) { // a mix-up
            const mixed = new URL(back);
            iss === undefined ? mixed.searchParams.delete('iss') : mixed.searchParams.set('iss', iss);
            assert.throws(() => oauth.validateAuthResponse(as, client, mixed, state), { code: oauth.INVALID_RESPONSE });
        }
        const answer = oauth.validateAuthResponse(as, client, back, state);

        const exchange = async (auth, verifier) => oauth.processAuthorizationCodeResponse(as, client,
            await oauth.authorizationCodeGrantRequest(as, client, auth, answer, asked.redirect, verifier, http));
        if (method !== 'none') {
            await assert.rejects(exchange(authentication(client.client_secret + 'x'), verifier), challenged(401, 'basic', {}));
        }
        await assert.rejects(exchange(auth, oauth.generateRandomCodeVerifier()), refused(400, 'invalid_grant'));
        const first = await exchange(auth, verifier);
        assert.equal(first.token_type, 'bearer'); // in any case of letters
        assert.equal(first.scope, 'rooms:read offline_access');
        assert.ok(first.expires_in > 0 && first.expires_in <= 3600);

        const list = await (await rooms(first.access_token)).json();
        assert.deepEqual(list.items.map((room) => room.slug), [asked.room]);
        await assert.rejects(rooms(first.access_token, 'POST', '{"name":"Another"}'), challenged(403, 'bearer', { error: 'insufficient_scope', scope: 'rooms:write' }));
        await assert.rejects(rooms(first.access_token + 'x'), challenged(401, 'bearer', { error: 'invalid_token' }));

        const introspect = async (token) => oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, token, http));
        if (method === 'none') {
            await assert.rejects(introspect(first.access_token), refused(400, 'unauthorized_client'));
        } else {
            const seen = await introspect(first.access_token);
            assert.deepEqual([seen.active, seen.scope, seen.client_id, seen.iss], [true, first.scope, client.client_id, asked.issuer]);
        }

        // Refresh tokens rotate; the old one again ends the whole family.
        const refresh = async (token, more = {}) => oauth.processRefreshTokenResponse(as, client,
            await oauth.refreshTokenGrantRequest(as, client, auth, token, { ...http, additionalParameters: more }));
        await assert.rejects(refresh(first.refresh_token, { scope: 'rooms:read rooms:write' }), refused(400, 'invalid_scope'));
        const second = await refresh(first.refresh_token);
        assert.notEqual(second.refresh_token, first.refresh_token);
        assert.equal((await rooms(second.access_token)).status, 200);
        await assert.rejects(refresh(first.refresh_token), refused(400, 'invalid_grant'));
        await assert.rejects(refresh(second.refresh_token), refused(400, 'invalid_grant'));
        await have({ until: 'ended', token: second.access_token });
        await assert.rejects(rooms(second.access_token), challenged(401, 'bearer', { error: 'invalid_token' }));
        if (method !== 'none') {
            assert.deepEqual(await introspect(second.access_token), { active: false });
            assert.deepEqual(await introspect(second.refresh_token), { active: false });
        }

        // Revoking is no error however often, and whatever is revoked.
        const again = await leave(client, 'allow', 'rooms:read');
        const third = await oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(as, client, auth,
            oauth.validateAuthResponse(as, client, again.back, again.state), asked.redirect, again.verifier, http));
        assert.equal(third.refresh_token, undefined);
        assert.equal((await rooms(third.access_token)).status, 200);
        for (const token of [third.access_token, third.access_token, 'no token at all']) {
            await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, token, http));
        }
        await assert.rejects(rooms(third.access_token), challenged(401, 'bearer', { error: 'invalid_token' }));
    }

    // An app that the host made acts for the host by itself.
    const own = { client_id: asked.own.id };
    for (const auth of [oauth.ClientSecretBasic(asked.own.secret), oauth.ClientSecretPost(asked.own.secret)]) {
        const tokens = await oauth.processClientCredentialsResponse(as, own, await oauth.clientCredentialsGrantRequest(as, own, auth, { scope: 'rooms:read' }, http));
        assert.equal(tokens.refresh_token, undefined);
        assert.deepEqual((await (await rooms(tokens.access_token)).json()).items.map((room) => room.slug), [asked.room]);
        await assert.rejects(rooms(tokens.access_token, 'POST', '{"name":"Another"}'), challenged(403, 'bearer', { error: 'insufficient_scope', scope: 'rooms:write' }));
        const seen = await oauth.processIntrospectionResponse(as, own, await oauth.introspectionRequest(as, own, auth, asked.invitation, http));
        assert.deepEqual([seen.active, seen.token_type, seen.room, seen.role], [true, 'invite+jwt', asked.room, 'guest']);
    }
    await assert.rejects(rooms(asked.expired), challenged(401, 'bearer', { error: 'invalid_token' }));
});
