// An app as simple-oauth2's users write it, which knows of no PKCE and of no metadata: by header
// and by body, with forms and with JSON.
import assert from 'node:assert/strict';
import { AuthorizationCode, ClientCredentials } from 'simple-oauth2';
import { run } from './run.mjs';

const refused = (status, error) => (e) => {
    assert.equal(e.output?.statusCode, status, e);
    assert.equal(e.data.payload.error, error);
    return true;
};

run(async (asked, have) => {
    const rooms = async ({ token }) => (await fetch(asked.issuer + '/api/v1/rooms', { headers: { authorization: 'Bearer ' + token.access_token } })).status;
    for (const authorizationMethod of ['header', 'body']) {
        for (const bodyFormat of ['form', 'json']) {
            const auth = { tokenHost: asked.issuer }, options = { authorizationMethod, bodyFormat };
            const app = new AuthorizationCode({ client: asked.app, auth, options });
            const state = `a state & more: ${bodyFormat}`;
            const back = new URL(await have({ press: 'allow', link: app.authorizeURL({ redirect_uri: asked.redirect, scope: ['rooms:read', 'offline_access'], state }) }));
            assert.equal(back.searchParams.get('state'), state);
            const code = { code: back.searchParams.get('code'), redirect_uri: asked.redirect };
            const first = await app.getToken(code);
            assert.equal(first.expired(), false);
            assert.equal(await rooms(first), 200);
            const second = await first.refresh({ scope: ['rooms:read'] });
            assert.equal(await rooms(second), 200);
            await second.revokeAll();
            assert.equal(await rooms(second), 401);
            await assert.rejects(second.refresh(), refused(400, 'invalid_grant'));

            const wrong = new AuthorizationCode({ client: { ...asked.app, secret: 'wrong' }, auth, options });
            await assert.rejects(wrong.getToken(code), refused(401, 'invalid_client'));
            const itself = new ClientCredentials({ client: asked.own, auth, options });
            assert.equal(await rooms(await itself.getToken({ scope: 'rooms:read' })), 200);
        }
    }
});
