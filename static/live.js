// A stream says that something changed; then the page is fetched anew and its live parts ([data-live]) take over
// what differs, item by item, never under the reader's hands.
(() => {
  'use strict';

  const source = document.querySelector('[data-stream]');
  if (!source) return;
  const host = 'icon' in source.dataset;
  const title = document.title;
  const icon = document.querySelector('link[rel=icon]');
  const plainIcon = icon.href;

  // What the script, or time, changes in an element is no difference.
  const gist = (el) => el.outerHTML
    .replace(/(<time [^>]*>)[^<]*/g, '$1').replace(/ (?:(?:data-now|title|hidden|data-sent|autofocus)="[^"]*"|class="")/g, '');
  const selected = (el) => {
    const s = getSelection();
    return !s.isCollapsed && s.rangeCount > 0 && s.getRangeAt(0).intersectsNode(el);
  };
  const touched = (el) => [...el.querySelectorAll('input, textarea')].some((f) => f.type !== 'hidden' && (f.checked !== f.defaultChecked || f.value !== f.defaultValue));
  const inUse = (el) =>
    touched(el) || (el.contains(document.activeElement) && document.activeElement !== document.body) || el.querySelector('details[open]') || selected(el);

  let pending = false;
  const put = (fresh) => {
    window.htmx?.process(fresh);
    document.dispatchEvent(new CustomEvent('htmx:load', { detail: { elt: fresh } }));
  };
  const merge = (old, fresh) => {
    if (gist(old) === gist(fresh)) return;
    if (!inUse(old)) {
      old.replaceWith(fresh);
      put(fresh);
      return;
    }
    Object.assign(old.dataset, fresh.dataset);
    const [was, is] = [[...old.children], [...fresh.children]];
    if (old.matches('ul')) mergeItems(old, was, is);
    else if (was.length && was.length === is.length && was.every((el, i) => el.tagName === is[i].tagName)) was.forEach((el, i) => merge(el, is[i]));
    else pending = true;
  };
  const mergeItems = (list, was, is) => {
    const kept = new Set(is.map((el) => el.id));
    for (const el of was) {
      if (kept.has(el.id)) continue;
      if (inUse(el)) pending = true;
      else el.remove();
    }
    let next = list.firstElementChild;
    for (const el of is) {
      const same = el.id && list.querySelector('#' + CSS.escape(el.id));
      if (same) {
        next = same.nextElementSibling;
        merge(same, el);
      } else {
        list.insertBefore(el, next);
        put(el);
      }
    }
  };

  const present = (root) => new Map([...root.querySelectorAll('[data-live] [data-came]')].map((el) => [el.id, el.dataset]));
  let known = present(document);
  let hush;
  const announce = (root) => {
    const now = present(root);
    const news = [
      ...[...now].filter(([id]) => !known.has(id)).map(([, d]) => d.came),
      ...[...known].filter(([id, d]) => d.left && !now.has(id)).map(([, d]) => d.left),
    ];
    known = now;
    if (news.length === 0) return;
    const line = document.getElementById('announce');
    line.textContent = news.slice(0, 3).join(' · ');
    clearTimeout(hush);
    hush = setTimeout(() => line.replaceChildren(), 5000);
    if (host && document.hidden) icon.href = source.dataset.icon;
  };
  const count = () => {
    const list = document.getElementById('people');
    const n = list && Number(list.dataset.count);
    if (host) document.title = n ? `(${n}) ${title}` : title;
  };

  // The address in the bar keeps its filters; a page that a press drew has none of its own.
  const itself = () => location.pathname === source.dataset.page.split('?')[0];
  const address = () => (itself() ? location.pathname + location.search : source.dataset.page);
  let held = false;
  const busy = () => held || document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added');

  let running = false;
  let again = false;
  const refresh = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    again = pending = false;
    try {
      const answer = await fetch(address(), { headers: { Accept: 'text/html' }, cache: 'no-store' });
      if (answer.redirected || (answer.status >= 400 && answer.status < 500 && answer.status !== 429)) {
        leave();
        return;
      }
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
        if (busy()) again = true;
        else {
          announce(fresh);
          for (const el of fresh.querySelectorAll('[data-live]')) {
            const old = document.getElementById(el.id);
            if (old) merge(old, document.adoptNode(el));
          }
          count();
        }
      }
    } catch {
      // The server is away: the stream says when it is back.
    } finally {
      running = false;
      if (again) setTimeout(refresh, 100);
    }
  };
  // The page no longer stands.
  const leave = () => {
    close();
    if (itself()) location.reload();
    else location.replace(source.dataset.page);
  };
  const settle = () => {
    if (pending && !busy()) setTimeout(refresh, 50);
  };
  document.addEventListener('focusout', settle);
  document.addEventListener('change', settle);
  document.addEventListener('toggle', settle, true);
  document.addEventListener('pointerdown', () => { held = true; });
  for (const name of ['pointerup', 'pointercancel']) {
    document.addEventListener(name, () => {
      held = false;
      setTimeout(settle, 50); // after the click that it makes
    });
  }

  let stream;
  let timer;
  const close = () => {
    clearInterval(timer);
    stream?.close();
    stream = timer = undefined;
  };
  const poll = (every) => {
    clearInterval(timer);
    timer = setInterval(() => {
      // A guest who asks is there, as one who listens.
      if (!host) fetch(source.dataset.stream + (source.dataset.stream.includes('?') ? '&' : '?') + 'poll', { cache: 'no-store' }).catch(() => {});
      refresh();
    }, every);
  };
  // One of a guest's tabs holds the stream also unseen: by it the guest is in the room.
  let first = false;
  const open = () => {
    close();
    // A tab that nobody looks at holds no connection: browsers have few.
    if (document.hidden && (host || (navigator.locks && !first))) return poll(15000);
    if (!window.EventSource) return poll(5000);
    const own = new EventSource(source.dataset.stream);
    stream = own;
    // Something on the way may withhold the stream.
    const unheard = setTimeout(() => { if (own === stream) poll(5000); }, 5000);
    own.addEventListener('changed', () => {
      if (own === stream) clearInterval(timer);
      clearTimeout(unheard);
      refresh();
    });
    own.addEventListener('over', leave);
    own.addEventListener('error', () => {
      if (own !== stream || own.readyState !== EventSource.CLOSED) return; // else it comes back by itself
      clearTimeout(unheard);
      refresh();
      poll(5000);
      setTimeout(() => { if (own === stream) open(); }, 30000);
    });
  };
  document.addEventListener('visibilitychange', () => {
    if (host && !document.hidden) icon.href = plainIcon;
    if (host || (navigator.locks && !first)) open();
  });
  if (!host && navigator.locks) {
    navigator.locks.request(source.dataset.stream, () => {
      first = true;
      if (!stream) open();
      return new Promise(() => {}); // until the page goes
    });
  }
  addEventListener('pagehide', close);
  addEventListener('pageshow', (e) => { if (e.persisted) open(); });
  count();
  open();
})();
