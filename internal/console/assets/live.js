// The Live page. Events, two a second, only fill buffers. The page changes at most once per event, and not at all while it
// is hidden: browsers request no frames of hidden pages.
'use strict';

const shownRows = 100;
const missedSpan = 5000; // milliseconds over which the rate of missed decisions is computed
const byId = (id) => document.getElementById(id);
const body = byId('rows');
const pattern = byId('row').content.firstElementChild;
const rates = new Chart(byId('rates'), drawRates);
const latency = new Chart(byId('latency'), drawTimes);
const hold = byId('hold');

let pending = []; // rows that are not on the page yet, oldest first
let missed = []; // the number of unlisted decisions in each of the last events
let unlisted = 0; // the number of unlisted decisions since the page was opened
let began = 0;
let waiting = 0; // decisions since the list was paused
let seconds = [];
let state = { waiting: 0, trouble: '' };
let connected = false;
let newSeconds = false;
let scheduled = false;
let hovered = false;

const two = (n) => String(n).padStart(2, '0');
const clock = (time) => { const t = new Date(time); return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`; };
const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f'); // thin spaces, as on the other pages
const set = (element, text) => { if (element.textContent !== text) element.textContent = text; };
const percent = (part, whole) => (whole === 0 ? '–' : (100 * part / whole).toFixed(1) + ' %');

const newRow = (r) => {
  const tr = pattern.cloneNode(true);
  const [time, verdict, reason, bank, signal, score, upload, took] = tr.children;
  time.textContent = clock(r.time);
  verdict.firstChild.textContent = r.verdict;
  verdict.firstChild.classList.add(r.verdict);
  reason.textContent = r.reason.replaceAll('_', ' ');
  bank.textContent = r.bank ?? '';
  signal.textContent = r.signal ?? '';
  score.textContent = r.score === undefined ? '' : r.score.toFixed(3);
  upload.firstChild.textContent = r.upload;
  upload.firstChild.href = '/decisions/' + r.seq;
  took.textContent = r.took.toFixed(1);
  return tr;
};

// Rows do not move while the pointer or the focus is on them.
const held = () => hold.getAttribute('aria-pressed') === 'true' || hovered || body.contains(document.activeElement);

const listRows = () => {
  if (held()) return;
  waiting = 0;
  if (pending.length === 0) return;
  const fragment = document.createDocumentFragment();
  for (let i = pending.length - 1; i >= 0; i--) fragment.append(newRow(pending[i]));
  body.prepend(fragment);
  while (body.children.length > shownRows) body.lastElementChild.remove();
  pending = [];
};

const miss = (n, now) => {
  unlisted += n;
  missed = missed.filter((m) => m.at > now - missedSpan);
  if (n > 0) missed.push({ at: now, n });
};

const tell = () => {
  let text = '';
  if (!connected) text = 'Connecting …';
  else if (state.trouble) text = state.trouble;
  else if (held()) text = `Paused; ${waiting} new decisions.`;
  set(byId('state'), text);
  const rate = missed.reduce((sum, m) => sum + m.n, 0) / (missedSpan / 1000);
  byId('more').hidden = unlisted === 0;
  if (unlisted > 0) set(byId('more'), `Not listed: ${rate.toFixed(0)} per second, ${grouped(unlisted)} since ${clock(began)}. The charts count them.`);
  byId('empty').hidden = body.children.length > 0;
};

const countUp = () => {
  const now = seconds.length > 0 ? seconds[seconds.length - 1] : { time: 0, p50: 0, p95: 0 };
  const sum = (span, ...names) => {
    let total = 0;
    for (const s of seconds) if (s.time > now.time - span) for (const name of names) total += s[name];
    return total;
  };
  const stale = seconds.length === 0 || Date.now() / 1000 - now.time > 10;
  set(byId('rate'), stale ? '0' : (sum(10, 'allow', 'review', 'block') / 10).toFixed(1));
  const all = stale ? 0 : sum(60, 'allow', 'review', 'block');
  set(byId('blocked'), percent(sum(60, 'block'), all));
  set(byId('reviewed'), percent(sum(60, 'review'), all));
  set(byId('took'), stale || now.p95 === 0 ? '–' : `${now.p50.toFixed(0)} / ${now.p95.toFixed(0)} ms`);
  set(byId('waiting'), String(state.waiting));
};

const draw = () => {
  scheduled = false;
  listRows();
  tell();
  if (newSeconds) {
    newSeconds = false;
    rates.show(seconds);
    latency.show(seconds);
  }
  countUp();
};

const schedule = () => {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(draw);
};

const source = new EventSource('/live/events' + location.search);
source.onopen = () => {
  // The server starts over with the last decisions.
  connected = true;
  pending = [];
  missed = [];
  unlisted = 0;
  began = Date.now();
  waiting = 0;
  seconds = [];
  body.replaceChildren();
  schedule();
};
source.onerror = () => { connected = false; schedule(); };
source.onmessage = (event) => {
  const news = JSON.parse(event.data);
  state = { waiting: news.waiting, trouble: news.trouble ?? '' };
  const rows = news.rows ?? [];
  pending.push(...rows);
  const over = Math.max(0, pending.length - shownRows);
  pending.splice(0, over);
  waiting += rows.length + (news.missed ?? 0);
  miss((news.missed ?? 0) + over, performance.now());
  if (news.seconds) {
    seconds.push(...news.seconds);
    seconds = seconds.slice(-chartSpan);
    newSeconds = true;
  }
  schedule();
};

hold.addEventListener('click', () => {
  hold.setAttribute('aria-pressed', hold.getAttribute('aria-pressed') !== 'true');
  schedule();
});
body.addEventListener('pointerenter', () => { hovered = true; schedule(); });
body.addEventListener('pointerleave', () => { hovered = false; schedule(); });
body.addEventListener('focusout', schedule);
for (const select of document.querySelectorAll('.filter select')) {
  select.addEventListener('change', () => select.form.requestSubmit());
}
