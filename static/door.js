// The door: a device reads codes and has each checked. What it could not have checked it keeps until it can, each with
// a nonce of its own, so that asking twice lets in once.
(() => {
  'use strict';

  const door = document.getElementById('door');
  const el = Object.fromEntries([...door.querySelectorAll('[id]')].map((e) => [e.id, e]));

  // What waits outlives the page.
  const waiting = (change = (list) => list) => {
    const list = change(JSON.parse(localStorage[door.dataset.queue] || '[]'));
    localStorage[door.dataset.queue] = JSON.stringify(list);
    return list;
  };

  let audio;
  const signal = (good) => {
    if (!navigator.userActivation?.hasBeenActive) return; // browsers forbid it
    navigator.vibrate?.(good ? 80 : [150, 80, 150]);
    audio ||= new AudioContext();
    const tone = new OscillatorNode(audio, { frequency: good ? 880 : 220 });
    tone.connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + (good ? 0.12 : 0.5));
  };
  const show = (card, noted) => {
    const good = card.matches('.good');
    const old = door.querySelector(`[data-nonce="${card.dataset.nonce}"]`);
    if (old && good && noted) old.replaceWith(card);
    else {
      (old?.closest('li') || old)?.remove();
      if (el.answer.firstElementChild) {
        el.scans.prepend(document.createElement('li'));
        el.scans.firstChild.append(el.answer.firstElementChild);
      }
      el.answer.append(card);
      signal(good);
    }
    card.querySelectorAll('[data-lasts]').forEach((form) => setTimeout(() => form.remove(), 10000));
    document.dispatchEvent(new CustomEvent('htmx:load', { detail: { elt: card } }));
    const field = card.querySelector('[autofocus]');
    if (field || document.activeElement === document.body) (field || el.answer).focus();
  };

  const fresh = ({ content }) => content.firstElementChild.cloneNode(true);
  let trouble = navigator.onLine ? '' : 'offline';
  const ask = async (scan) => {
    try {
      const reply = await fetch('', { method: 'POST', headers: { 'HX-Request': true }, body: new URLSearchParams(scan), signal: AbortSignal.timeout(5000) });
      const { status } = reply;
      trouble = status > 499 ? 'offline' : reply.redirected || status === 401 || status === 403 ? 'signed-out' : '';
      if (trouble) return;
      if (!reply.ok && status !== 429) return fresh(el.bad);
      return new DOMParser().parseFromString(await reply.text(), 'text/html').querySelector('.verdict');
    } catch {
      trouble = 'offline';
    }
  };
  // What could not be checked says so, once.
  const tell = () => {
    const list = waiting((all) => all.map((scan) => {
      if (!trouble || scan.noted || scan.undo) return scan;
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
    el.away.querySelector('b').textContent = list.length;
  };
  let asking;
  const settle = async () => {
    if (asking) return;
    asking = true;
    for (let scan, card; (scan = waiting()[0]) && (card = await ask(scan));) {
      waiting((list) => list.filter(({ nonce, undo }) => nonce !== scan.nonce || undo !== scan.undo));
      card.dataset.nonce = scan.nonce;
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
    const sent = Object.fromEntries(new FormData(form));
    delete form.dataset.sent; // the next one may come at once
    if (form === el.typed) {
      form.reset();
      return shown(sent.code, true);
    }
    if (sent.undo) {
      form.parentNode.classList.add('undone');
      form.remove();
      waiting((list) => list.filter(({ nonce }) => nonce !== sent.nonce));
    }
    add(sent);
  });

  const { mediaDevices } = navigator;
  let detector;
  let track;
  const close = () => {
    track?.stop();
    el.view.srcObject = track = null;
    el.camera.classList.remove('on');
  };
  const look = async (own) => {
    if (track !== own) return;
    try {
      for (const { rawValue } of await detector.detect(el.view)) shown(rawValue);
    } catch { /* no picture yet */ }
    setTimeout(look, 100, own);
  };
  el.stop.addEventListener('click', close);
  el.start.addEventListener('click', async () => {
    el.failed.hidden = true;
    try {
      el.view.srcObject = await mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: 1280 } });
      [track] = el.view.srcObject.getVideoTracks();
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
  setInterval(() => waiting()[0] && settle(), 5000);
  settle();
})();
