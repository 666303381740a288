// A verifier that knows nothing but where our public keys are.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { run } from './run.mjs';

run(async (asked) => {
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', asked.issuer));
    const kinds = {
        access: { typ: 'at+jwt', audience: asked.issuer + '/api/v1', requiredClaims: ['sub', 'client_id', 'scope', 'jti', 'iat', 'exp'] },
        invitation: { typ: 'invite+jwt', audience: `${asked.issuer}/join/${asked.room}`, requiredClaims: ['room', 'role', 'jti', 'iat', 'exp'] },
    };
    for (const { kind, token } of asked.tokens) {
        const { typ, audience, requiredClaims } = kinds[kind];
        const { kid } = decodeProtectedHeader(token);
        const options = { issuer: asked.issuer, audience, typ, requiredClaims, algorithms: [asked.alg] };
        const { payload, protectedHeader } = await jwtVerify(token, keys, options);
        assert.equal(protectedHeader.kid, kid);
        if (kind === 'invitation') {
            assert.deepEqual(Object.keys(payload).sort(), ['aud', 'exp', 'iat', 'iss', 'jti', 'role', 'room']);
        }
        const other = Object.values(kinds).find((k) => k.typ !== typ);
        await assert.rejects(jwtVerify(token, keys, { ...options, typ: other.typ }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' });
        await assert.rejects(jwtVerify(token, keys, { ...options, audience: other.audience }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' });
        const [head, body, signature] = token.split('.');
        const changed = signature.slice(0, 9) + (signature[9] === 'A' ? 'B' : 'A') + signature.slice(10);
        await assert.rejects(jwtVerify([head, body, changed].join('.'), keys, options), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
    }
});
