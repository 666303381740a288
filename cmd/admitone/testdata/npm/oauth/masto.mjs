// A client of Mastodon, masto, which is told another server: it registers an app, gets the app's
// own token, asks whose it is, and revokes it.
import assert from 'node:assert/strict';
import { createOAuthAPIClient, createRestAPIClient } from 'masto';
import { run } from './run.mjs';

run(async (asked, have) => {
    const url = asked.issuer;
    const oauth = createOAuthAPIClient({ url });
    const app = await createRestAPIClient({ url }).v1.apps.create({
        clientName: 'masto', redirectUris: asked.redirect, scopes: 'rooms:read offline_access', website: 'https://app.example',
    });
    assert.equal(app.name, 'masto');
    assert.equal(app.website, 'https://app.example');
    assert.ok(app.clientId && app.clientSecret);
    const client = { clientId: app.clientId, clientSecret: app.clientSecret };

    const itself = await oauth.token.create({ grantType: 'client_credentials', ...client, redirectUri: asked.redirect, scope: 'rooms:read' });
    assert.equal(itself.tokenType, 'Bearer');
    assert.equal(itself.scope, 'rooms:read');
    assert.ok(Math.abs(itself.createdAt - Date.now() / 1000) < 300);
    const verify = (accessToken) => createRestAPIClient({ url, accessToken }).v1.apps.verifyCredentials();
    assert.equal((await verify(itself.accessToken)).name, 'masto');

    // It was made by nobody, and acts for nobody.
    const call = (path, token) => fetch(url + path, { headers: { authorization: 'Bearer ' + token } });
    const rooms = async (token) => (await call('/api/v1/rooms', token)).status;
    assert.equal(await rooms(itself.accessToken), 403);

    const link = new URL('/oauth/authorize', url);
    link.search = new URLSearchParams({ response_type: 'code', client_id: app.clientId, redirect_uri: asked.redirect, scope: 'rooms:read' });
    const back = new URL(await have({ press: 'allow', link: link.href }));
    const code = { grantType: 'authorization_code', ...client, redirectUri: asked.redirect, code: back.searchParams.get('code'), scope: 'rooms:read' };
    const user = await oauth.token.create(code);
    assert.equal(await rooms(user.accessToken), 200);

    for (const token of [user.accessToken, itself.accessToken]) {
        await oauth.revoke({ ...client, token });
        await assert.rejects(verify(token), { name: 'MastoHttpError', statusCode: 401, message: 'invalid_token', description: /withdrawn/ });
    }
    const bare = createRestAPIClient({ url });
    await assert.rejects(bare.v1.apps.create({ clientName: 'masto', redirectUris: 'http://elsewhere.example/' }),
        { name: 'MastoHttpError', statusCode: 400, message: 'invalid_redirect_uri', description: /redirect address/ });
    await assert.rejects(oauth.token.create(code), { statusCode: 400 });
    await assert.rejects(oauth.token.create({ ...code, clientSecret: 'wrong' }), { statusCode: 401 });
});
