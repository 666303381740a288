// A device at the door has codes checked. What it could not have checked it keeps until it can, each with a nonce of its
// own, so that asking twice lets in once.
(() => {
  'use strict';

  const door = document.getElementById('door');
  const el = Object.fromEntries([...door.querySelectorAll('[id]')].map((e) => [e.id, e]));

  // What outlives the page, for its host and room alone: scans that wait, and the cards of conflicts. PINs do not.
  const { queue } = door.dataset;
  const stored = (key = queue) => JSON.parse(localStorage[key] || '[]');
  const waiting = (change = (list) => list) => {
    const list = change(stored());
    localStorage[queue] = JSON.stringify(list);
    return list.filter(({ card }) => !card);
  };
  const forget = (gone) => waiting((list) => list.filter(({ nonce }) => nonce !== gone));
  const pins = {};

  let audio;
  const signal = (good) => {
    if (!navigator.userActivation?.hasBeenActive) return; // browsers forbid it
    navigator.vibrate?.(good ? 80 : 400);
    audio ||= new AudioContext();
    const tone = new OscillatorNode(audio, { frequency: good ? 880 : 220 });
    tone.connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + (good ? 0.12 : 0.5));
  };
  const dress = (elt) => document.dispatchEvent(new CustomEvent('htmx:load', { detail: { elt } }));
  const show = (card, noted) => {
    const good = card.matches('.good');
    const old = door.querySelector(`[data-nonce="${card.dataset.nonce}"]`);
    if (!noted) {
      old?.remove();
      el.scans.prepend(...el.answer.children);
      el.answer.append(card);
    } else if (old) old.replaceWith(card);
    else el.scans.prepend(card);
    if (!good || !noted) signal(good);
    card.querySelectorAll('[data-lasts]').forEach((form) => setTimeout(() => form.remove(), 10000));
    dress(card);
    const field = card.querySelector('[autofocus]');
    if (field || document.activeElement === document.body) (field || el.answer).focus();
  };

  const fresh = ({ content }) => content.firstElementChild.cloneNode(true);
  const parsed = (html) => new DOMParser().parseFromString(html, 'text/html').querySelector('.verdict');
  let trouble = navigator.onLine ? '' : 'offline';
  const ask = async (scan) => {
    try {
      const body = new URLSearchParams({ ...scan, host: el.typed.host.value, pin: pins[scan.nonce] || '' });
      const reply = await fetch('', { method: 'POST', headers: { 'HX-Request': true }, body, signal: AbortSignal.timeout(5000) });
      const { status } = reply;
      trouble = status > 499 ? 'offline' : /^40/.test(status) ? 'signed-out' : '';
      if (trouble) return;
      const card = reply.ok || status === 429 ? parsed(await reply.text()) : fresh(el.bad);
      card.dataset.nonce = scan.nonce; // none: not our answer
      return card;
    } catch {
      trouble = 'offline';
    }
  };
  // What could not be checked says so, once.
  const tell = () => {
    const { length } = waiting((list) => list.map((scan) => {
      if (!trouble || scan.noted || scan.undo || scan.card) return scan;
      const now = new Date();
      const card = fresh(el.noted);
      const form = card.querySelector('form').elements;
      form.code.value = scan.code;
      form.nonce.value = card.dataset.nonce = scan.nonce;
      card.querySelector('time').dateTime = now.toISOString();
      card.querySelector('[data-again]').hidden = !scan.again;
      show(card);
      return { ...scan, noted: +now };
    }));
    el.away.hidden = !trouble;
    el.away.dataset.trouble = trouble;
    el.waiting.textContent = length;
  };
  let asking;
  const settle = async () => {
    if (asking) return;
    asking = true;
    // Whoever stands at the door comes before those who are in.
    for (let scan, card; (scan = waiting().sort((a, b) => !!a.noted - !!b.noted)[0]) && (card = await ask(scan));) {
      const { nonce, undo } = scan;
      waiting((list) => list.filter((s) => s.nonce !== nonce || s.undo !== undo)
        .concat(card.querySelector('[data-dismiss]') ? { nonce, card: card.outerHTML } : []));
      show(card, scan.noted);
    }
    asking = false;
    tell();
  };
  const add = (scan) => {
    waiting((list) => [...list, scan]);
    if (trouble) tell();
    settle();
  };

  // A code that stays in view is one scan, also when it was undone.
  const seen = Object.create(null);
  const shown = (code, typed) => {
    const before = seen[code];
    seen[code] = Date.now();
    if (!code || (seen[code] - before < 4000 && !typed)) return;
    add({ code, nonce: crypto.getRandomValues(new Uint32Array(4)).join('-'), ...(before && { again: 1 }) });
  };
  door.addEventListener('submit', (e) => {
    e.preventDefault();
    const form = e.target;
    const { pin, ...sent } = Object.fromEntries(new FormData(form));
    delete form.dataset.sent; // the next one may come at once
    if (form === el.typed) {
      form.reset();
      return shown(sent.code, true);
    }
    const card = form.parentNode;
    if (sent.undo || sent.dismiss) forget(sent.nonce);
    if (sent.dismiss) return card.remove();
    if (sent.undo) {
      card.classList.add('undone');
      form.remove();
    }
    pins[sent.nonce] = pin;
    add(sent);
  });

  const { mediaDevices } = navigator;
  let detector;
  let track;
  const close = () => {
    track?.stop();
    el.view.srcObject = track = null;
    el.torch.checked = false;
    el.camera.classList.remove('on');
  };
  const awake = () => track && navigator.wakeLock?.request('screen').catch(() => {});
  document.addEventListener('visibilitychange', awake);
  const look = async (own) => {
    if (track !== own) return;
    try {
      for (const { rawValue } of await detector.detect(el.view)) shown(rawValue);
    } catch { /* no picture yet */ }
    setTimeout(look, 100, own);
  };
  el.stop.addEventListener('click', close);
  el.torch.addEventListener('change', () => track.applyConstraints({ advanced: [{ torch: el.torch.checked }] }));
  el.start.addEventListener('click', async () => {
    el.failed.hidden = true;
    try {
      el.view.srcObject = await mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: 1280 } });
      [track] = el.view.srcObject.getVideoTracks();
      track.onended = close;
      el.torch.disabled = !track.getCapabilities?.().torch;
      awake();
      const able = (await window.BarcodeDetector?.getSupportedFormats())?.includes('qr_code');
      detector ||= new (able ? window : await import(door.dataset.decoder)).BarcodeDetector({ formats: ['qr_code'] });
      el.camera.classList.add('on');
      await el.view.play();
      look(track);
    } catch {
      close();
      el.failed.hidden = false;
    }
  });
  el.camera.hidden = false;
  el.start.hidden = !mediaDevices;
  el.insecure.hidden = !!mediaDevices;

  addEventListener('online', settle);
  addEventListener('offline', () => {
    trouble = 'offline';
    tell();
  });
  addEventListener('beforeunload', (e) => (asking || trouble === 'offline') && e.preventDefault());
  setInterval(() => waiting()[0] && settle(), 5000);

  for (const { card } of stored()) if (card) el.scans.prepend(parsed(card));
  dress(el.scans);
  // What is another host's, or another door's, is told and not sent.
  for (const key of Object.keys(localStorage)) {
    if (!/^door /.test(key) || key === queue || !stored(key)[0]) continue;
    el.left.append('\n' + key.slice(5));
    el.others.hidden = false;
  }
  settle();
})();
