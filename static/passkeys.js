// Asks the browser for a passkey and sends its answer with the form that was pressed.
// Where the browser knows none, the form stays hidden.
(() => {
  'use strict';
  if (!window.PublicKeyCredential) return;

  // Bytes travel as base64url.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (b) => b && btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
  const ids = (keys = []) => keys.map((k) => ({ ...k, id: bytes(k.id) }));

  const answer = async (form) => {
    const { options, ask } = form.dataset;
    const asked = options ? new Response(options) : await fetch(ask, { method: 'POST' });
    if (asked.ok) {
      const { publicKey } = await asked.json();
      const { user, challenge, allowCredentials, excludeCredentials } = publicKey;
      if (user) user.id = bytes(user.id);
      Object.assign(publicKey, { challenge: bytes(challenge), allowCredentials: ids(allowCredentials), excludeCredentials: ids(excludeCredentials) });
      const { id, type, response } = await navigator.credentials[user ? 'create' : 'get']({ publicKey });
      const said = {};
      for (const part of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) said[part] = text(response[part]) || undefined;
      form.elements.credential.value = JSON.stringify({ id, rawId: id, type, clientExtensionResults: {}, response: said });
    }
    form.submit(); // also with nothing: the answer to that tells why
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
