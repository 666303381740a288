// Asks the browser for a passkey and puts its answer into the form that was pressed.
// Where the browser knows none, the form stays hidden.
(() => {
  'use strict';
  if (!window.PublicKeyCredential) return;

  // Bytes travel as base64url.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (b) => (b ? btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '') : undefined);
  const ids = (keys = []) => keys.map((k) => ({ ...k, id: bytes(k.id) }));

  const asked = async (form) => {
    if (form.dataset.options) return JSON.parse(form.dataset.options);
    const answer = await fetch(form.dataset.ask, { method: 'POST' });
    return answer.ok && answer.json();
  };
  const send = (form) => HTMLFormElement.prototype.submit.call(form);
  const answer = async (form) => {
    const question = await asked(form);
    if (!question) return send(form); // the answer to that tells why
    const { publicKey } = question;
    publicKey.challenge = bytes(publicKey.challenge);
    publicKey.allowCredentials = ids(publicKey.allowCredentials);
    publicKey.excludeCredentials = ids(publicKey.excludeCredentials);
    if (publicKey.user) publicKey.user.id = bytes(publicKey.user.id);
    const key = await navigator.credentials[publicKey.user ? 'create' : 'get']({ publicKey });
    const { clientDataJSON, attestationObject, authenticatorData, signature, userHandle } = key.response;
    const response = { clientDataJSON, attestationObject, authenticatorData, signature, userHandle };
    for (const name in response) response[name] = text(response[name]);
    form.elements.credential.value = JSON.stringify({ id: key.id, rawId: key.id, type: key.type, clientExtensionResults: {}, response });
    return send(form);
  };

  document.querySelectorAll('form[data-passkey]').forEach((form) => {
    const failed = form.querySelector('[data-failed]');
    form.hidden = false;
    form.addEventListener('submit', (e) => {
      if (e.defaultPrevented) return;
      e.preventDefault();
      failed.hidden = true;
      answer(form).catch(() => { failed.hidden = false; });
    });
  });
  document.querySelectorAll('[data-unable]').forEach((el) => { el.hidden = true; });
})();
