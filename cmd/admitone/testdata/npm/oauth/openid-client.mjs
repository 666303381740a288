// A booking system as openid-client's users write it: discovery, registration, leave, tokens.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { run } from './run.mjs';

run(async (asked, have) => {
    const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
    const config = await client.dynamicClientRegistration(new URL(asked.issuer), {
        client_name: 'A booking system', redirect_uris: [asked.redirect], scope: 'rooms:read offline_access', grant_types: ['authorization_code', 'refresh_token'],
    }, client.ClientSecretBasic(), options);
    const metadata = config.serverMetadata();
    assert.ok(metadata.supportsPKCE());

    const verifier = client.randomPKCECodeVerifier(), state = client.randomState();
    const link = client.buildAuthorizationUrl(config, {
        redirect_uri: asked.redirect, scope: 'rooms:read offline_access', state,
        code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const back = new URL(await have({ press: 'allow', link: link.href }));
    await assert.rejects(client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: client.randomState() }));
    const first = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state });

    const rooms = (token) => client.fetchProtectedResource(config, token, new URL('/api/v1/rooms', asked.issuer), 'GET');
    assert.equal((await (await rooms(first.access_token)).json()).items[0].slug, asked.room);
    const second = await client.refreshTokenGrant(config, first.refresh_token);
    assert.equal((await client.tokenIntrospection(config, second.access_token)).active, true);

    // The code again: all that came of it ends, also what was refreshed since.
    await assert.rejects(client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state }), { status: 400, error: 'invalid_grant' });
    await assert.rejects(client.refreshTokenGrant(config, second.refresh_token), { status: 400, error: 'invalid_grant' });
    await have({ until: 'ended', token: second.access_token });
    await assert.rejects(rooms(second.access_token), { status: 401 });
    assert.deepEqual(await client.tokenIntrospection(config, second.access_token), { active: false });

    const own = await client.discovery(new URL(asked.issuer), asked.own.id, asked.own.secret, client.ClientSecretPost(asked.own.secret), options);
    const third = await client.clientCredentialsGrant(own, { scope: 'rooms:read' });
    assert.equal((await (await rooms(third.access_token)).json()).items[0].slug, asked.room);
    await client.tokenRevocation(own, third.access_token);
    await assert.rejects(rooms(third.access_token), { status: 401 });
});
