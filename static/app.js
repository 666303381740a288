// What a page does beyond its forms: times in the viewer's zone, copying, sharing, waiting.
// It never sends a form and never asks for anything but what the page it stands on names.
(() => {
  'use strict';

  const all = (root, selector) =>
    [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  const loadedAt = Date.now();

  // Words: the page brings those of its language, a line each ("key=text", "key#one=text" for a plural form).

  const page = document.documentElement;
  const words = Object.fromEntries((page.dataset.words || '').split('\n').map((line) => line.split(/=(.*)/, 2)));
  const forms = new Intl.PluralRules(page.lang);
  const text = (key, values = {}) =>
    (words[`${key}#${forms.select(values.n || 0)}`] || words[key] || '').replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const list = (key) => text(key).split(' ');

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  // The viewer's own habit of twelve hours counts in the viewer's own language.
  const own = Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions();
  const english = /^en\b/.test(page.lang);
  const hour12 = !!own.hour12 && own.locale.split('-')[0] === page.lang.split('-')[0];
  const locale = english ? 'en-GB' : page.lang;
  const clock = Intl.DateTimeFormat(locale, { hour: hour12 ? 'numeric' : '2-digit', minute: '2-digit', hour12 });
  const long = Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' });
  // Each English knows only its own zones by name ("CET", "EST"); the rest stay "GMT+8".
  const zoneNames = (english ? ['en-GB', 'en-US', 'en-AU'] : [locale]).map((l) => Intl.DateTimeFormat(l, { timeZoneName: 'short' }));

  const zoneName = (at) => {
    const names = zoneNames.map((f) => f.formatToParts(at).find((p) => p.type === 'timeZoneName').value);
    return names.find((n) => !/^(GMT|UTC)[+-]/.test(n)) || names[0];
  };
  const local = (at) => {
    const year = at.getFullYear();
    const date = { weekday: list('time.weekdays')[at.getDay()], day: at.getDate(), month: list('time.months')[at.getMonth()], year };
    return {
      day: text(year === new Date().getFullYear() ? 'time.day-this-year' : 'time.day', date),
      clock: clock.format(at),
      zone: zoneName(at),
    };
  };
  const other = (el, which) => {
    const found = el.parentNode.querySelector(`time[data-local="${which}"]`);
    return found && local(new Date(found.dateTime));
  };
  const showTime = (el) => {
    const at = new Date(el.dateTime);
    if (isNaN(at)) return;
    const it = local(at);
    const start = el.dataset.local === 'end' && other(el, 'start');
    const end = el.dataset.local === 'start' && other(el, 'end');
    if (start && start.day === it.day) el.textContent = text('time.clock', it);
    else if (end && end.day === it.day && end.zone === it.zone) el.textContent = text('time.at-no-zone', it);
    else el.textContent = text('time.at', it);
    el.title = `${long.format(at)} (${zone})`;
  };

  const inWords = (ms) => {
    const min = Math.round(ms / 60000);
    const h = Math.floor(min / 60);
    if (min < 60) return text('time.minutes', { n: min });
    if (h < 12) return min % 60 ? text('time.hours-minutes', { h, n: min % 60 }) : text('time.hours-few', { n: h });
    return h < 48 ? text('time.hours', { n: Math.round(min / 60) }) : text('time.days', { n: Math.round(min / 1440) });
  };
  // The server's clock counts: data-now is when it wrote the page.
  const now = (el) => (el.dataset.now ? Date.parse(el.dataset.now) + Date.now() - loadedAt : Date.now());
  const showRelative = (el) => {
    const left = Date.parse(el.dateTime) - now(el);
    let said = left > 0 ? text('time.in', { time: inWords(left) }) : text('time.ago', { time: inWords(-left) });
    if (Math.abs(left) < 60000) said = left > 0 ? text('time.soon') : text('time.now');
    if (el.dataset.relative === 'seconds' && left > 0 && left < 600000) {
      said = text('time.in', { time: `${Math.floor(left / 60000)}:${String(Math.floor(left / 1000) % 60).padStart(2, '0')}` });
    }
    if (el.textContent !== said) el.textContent = said;
  };

  // A moment late rather than early.
  let reloading = false;
  const wait = (el) => {
    if (!reloading && Date.parse(el.dataset.opensAt) + 700 < now(el)) {
      reloading = true;
      location.reload();
    }
  };
  // When another device went on, or a code's time is over, this one goes back. A page with the code (data-until) is
  // watched closely, others while somebody looks at them.
  const follow = async (el) => {
    const again = el.dataset.until ? 1500 : 5000;
    if (Date.parse(el.dataset.until) < now(el)) return location.replace(el.dataset.back);
    if (document.hidden && !el.dataset.until) return setTimeout(follow, again, el);
    try {
      const answer = await fetch(el.dataset.move, { cache: 'no-store' });
      if (answer.ok && await answer.text() === 'here') return setTimeout(follow, again, el);
      if (answer.ok || (answer.status < 500 && answer.status !== 429)) return location.replace(el.dataset.back);
    } catch { /* away for a moment */ }
    return setTimeout(follow, 5000, el);
  };
  all(document, '[data-move]').forEach((el) => setTimeout(follow, 1500, el));
  // The stream ends when a host is there. Not everybody who waited looks in the same moment.
  const attend = (el) => {
    const look = (soonest) => setTimeout(() => location.replace(el.dataset.again), soonest + Math.random() * 500);
    if (!window.EventSource) return look(10000);
    const stream = new EventSource(el.dataset.wait);
    stream.addEventListener('over', () => {
      stream.close();
      look(0);
    });
    stream.addEventListener('error', () => { if (stream.readyState === EventSource.CLOSED) look(5000); });
    addEventListener('pagehide', () => stream.close());
    return addEventListener('pageshow', (e) => { if (e.persisted) look(0); });
  };
  all(document, '[data-wait]').forEach(attend);
  // Until it answers, the page stays as it is.
  const retry = async (el) => {
    try {
      const answer = await fetch(el.dataset.again, { cache: 'no-store' });
      if (answer.status !== 503) return location.replace(el.dataset.again);
    } catch { /* not we either */ }
    return setTimeout(retry, el.dataset.retry * 1000, el);
  };
  all(document, '[data-retry]').forEach((el) => setTimeout(retry, el.dataset.retry * 1000 + Math.random() * 500, el));
  const tick = () => {
    all(document, 'time[data-relative]').forEach(showRelative);
    all(document, '[data-opens-at]').forEach(wait);
  };

  let quiet;
  const say = (sentence) => {
    const toast = document.getElementById('toast');
    if (!toast) return;
    toast.textContent = sentence;
    clearTimeout(quiet);
    quiet = setTimeout(() => toast.replaceChildren(), 6000);
  };

  const textOf = (el) => el.value || el.href || el.textContent.trim();
  const select = (el) => {
    if (el.select) {
      el.focus();
      el.select();
    } else {
      getSelection().selectAllChildren(el);
    }
  };
  // Pages over plain http have no clipboard API.
  const copyBySelecting = (source, button) => {
    const hidden = source.hidden;
    source.hidden = false;
    select(source);
    const done = document.execCommand('copy');
    if (done) {
      source.hidden = hidden;
      button.focus();
    }
    return done;
  };
  const copy = async (button, source) => {
    let done = false;
    try {
      await navigator.clipboard.writeText(textOf(source));
      done = true;
    } catch {
      done = copyBySelecting(source, button);
    }
    if (!done) return say(text('script.copy-by-hand'));
    const label = button.querySelector('[data-label]') || button;
    const before = label.dataset.before || label.textContent;
    label.dataset.before = before;
    label.textContent = text('script.copied');
    say(text(source.rows ? 'script.copied' : 'script.link-copied'));
    setTimeout(() => { label.textContent = before; }, 2000);
  };
  const share = (button, source) => {
    navigator.share({ title: button.dataset.title, [source.rows ? 'text' : 'url']: textOf(source) }).catch((err) => {
      if (err.name !== 'AbortError') copy(button, source);
    });
  };

  document.addEventListener('click', (e) => {
    const button = e.target.closest('[data-copy], [data-share]');
    const source = button && document.querySelector(button.dataset.copy || button.dataset.share);
    if (source) (button.dataset.share ? share : copy)(button, source);
    if (e.target.closest('[data-print]')) print();
    for (const menu of all(document, 'details.menu[open]')) if (!menu.contains(e.target)) menu.open = false;
  });
  document.addEventListener('keydown', (e) => {
    const menu = e.key === 'Escape' && e.target.closest('details.menu[open]');
    if (menu) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
  });

  // Keys rest while somebody types, and where they were switched off.
  const map = document.getElementById('keyboard');
  const keep = (on) => {
    try {
      if (on !== undefined) localStorage.setItem('keys', on ? 'on' : 'off');
      return localStorage.getItem('keys') !== 'off';
    } catch {
      return on !== false; // no storage: for this page only
    }
  };
  if (map) {
    const use = map.querySelector('input');
    use.checked = keep();
    use.parentNode.hidden = false;
    use.addEventListener('change', () => keep(use.checked));
    let first = '';
    let since = 0;
    document.addEventListener('keydown', (e) => {
      const field = e.target.closest('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]');
      if (field || !use.checked || map.matches(':modal') || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.key.length > 1) return;
      const typed = (e.timeStamp - since < 1500 ? first : '') + e.key;
      [first, since] = [typed === 'g' ? 'g' : '', e.timeStamp];
      const row = all(map, '[data-keys]').find((el) => el.dataset.keys === typed);
      if (!row) return;
      e.preventDefault();
      const link = row.querySelector('a');
      const wanted = row.dataset.focus && document.querySelector(row.dataset.focus);
      if (link) link.click();
      else if (wanted) wanted.focus();
      else if (!row.dataset.focus) map.showModal();
    });
    document.addEventListener('click', (e) => {
      const opens = e.target.closest('a[href="#keyboard"]');
      if (!opens && !(map.open && e.target.closest('[data-close]'))) return;
      e.preventDefault();
      if (opens) map.showModal();
      else map.close();
    });
  }

  const chosen = () => {
    const n = all(document, '.choose:checked').length;
    all(document, '[data-chosen]').forEach((el) => { el.textContent = n ? text('script.chosen', { n }) : ''; });
  };
  document.addEventListener('change', (e) => { if (e.target.matches('.choose')) chosen(); });

  const zones = (names) => {
    if (names.children.length || !Intl.supportedValuesOf) return;
    names.append(...Intl.supportedValuesOf('timeZone').map((z) => new Option(z, z)));
  };
  const dress = (root) => {
    all(root, 'time[data-local]').forEach(showTime);
    all(root, 'time[data-relative]').forEach((el) => {
      el.title = `${long.format(new Date(el.dateTime))} (${zone})`;
      showRelative(el);
    });
    all(root, '[data-copy], [data-print]').forEach((el) => { el.hidden = false; });
    if (navigator.share) all(root, '[data-share]').forEach((el) => { el.hidden = false; });
    for (const el of all(root, '[data-timezone]')) {
      if (el.options && ![...el.options].some((o) => o.value === zone)) el.add(new Option(zone, zone));
      el.value = zone;
    }
    all(root, 'datalist[data-zones]').forEach(zones);
    chosen();
  };

  // A hasty second press does nothing.
  document.addEventListener('submit', (e) => {
    if (Date.now() - e.target.dataset.sent < 2000) e.preventDefault();
    e.target.dataset.sent = Date.now();
  }, true);

  document.addEventListener('htmx:load', (e) => dress(e.detail.elt));
  // How much of a list has arrived, then that it is worked on.
  document.addEventListener('htmx:xhr:progress', (e) => {
    const bar = e.target.querySelector('.working');
    if (!bar) return;
    const { loaded, total } = e.detail;
    bar.hidden = false;
    if (loaded < total) bar.value = loaded / total;
    else bar.removeAttribute('value');
  });
  document.addEventListener('htmx:afterRequest', (e) => all(e.target, '.working').forEach((bar) => { bar.hidden = true; }));
  // A whole page in answer to a fragment is a refusal: its title says which.
  document.addEventListener('htmx:beforeSwap', (e) => {
    const answer = e.detail.serverResponse || '';
    if (e.detail.xhr.status >= 400 && e.detail.target.id !== 'main' && /^\s*<!doctype/i.test(answer)) {
      e.detail.shouldSwap = false;
      say(new DOMParser().parseFromString(answer, 'text/html').title || text('script.failed'));
    }
  });
  document.addEventListener('htmx:responseError', () => say(text('script.server-failed')));
  document.addEventListener('htmx:sendError', () => say(text('script.server-away')));

  // Reloading must not send the form again.
  all(document, '[data-at]').forEach((el) => history.replaceState(null, '', el.dataset.at));
  dress(document);
  tick();
  setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
})();
