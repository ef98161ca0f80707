// Shared by all pages: keys, the list of keys, pictures that are shown on request, fields for dropped files.
'use strict';

// A key that decides waits until the decision was shown for a moment. Escape takes it back.
const shownFor = 400; // milliseconds
const opened = performance.now();
let heldKey;
const holdKey = (target) => {
  clearTimeout(heldKey?.timer);
  heldKey = { target, timer: setTimeout(() => target.click(), shownFor - (performance.now() - opened)) };
  target.classList.add('held');
};
const releaseKey = () => {
  clearTimeout(heldKey?.timer);
  heldKey?.target.classList.remove('held');
  heldKey = undefined;
};

const typing = (element) => element.closest('input:not([type=file], [type=checkbox], [type=radio]), textarea, select, dialog[open]') !== null;

const step = (by) => {
  const rows = [...document.querySelectorAll('[data-row]')];
  if (rows.length === 0) return;
  let at = rows.indexOf(document.activeElement);
  if (at < 0) at = rows.findIndex((row) => row.hasAttribute('aria-current'));
  if (at < 0 && by < 0) at = rows.length;
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
};

// Chooses the row that has the focus, or the current one.
const chooseRow = () => {
  const row = document.activeElement?.closest('li') ?? document.querySelector('.queue .selected');
  row?.querySelector('input[type=checkbox]')?.click();
};

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') releaseKey();
  if (event.key === 'Escape' && typing(event.target)) event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  switch (event.key) {
    case 'j': step(1); return;
    case 'k': step(-1); return;
    case 'x': chooseRow(); return;
    case '/': {
      const field = document.querySelector('main select, main input:not([type=hidden])');
      if (field) { event.preventDefault(); field.focus(); }
      return;
    }
  }
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!target || target.disabled || event.repeat) return;
  event.preventDefault();
  if (target.hasAttribute('data-final') && performance.now() - opened < shownFor) holdKey(target);
  else target.click();
});

for (const button of document.querySelectorAll('[data-opens]')) {
  button.addEventListener('click', () => document.getElementById(button.dataset.opens).showModal());
}

// The queue follows what others decide.
const followEvery = 5000; // milliseconds
const groupedCount = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f');
const follow = async (queue) => {
  const rows = [...queue.querySelectorAll('[data-item]')];
  const address = new URL(queue.dataset.queue, location.href);
  for (const row of rows) address.searchParams.append('item', row.dataset.item);
  const answer = await fetch(address);
  if (!answer.ok) return;
  const state = await answer.json();
  document.querySelector('[data-count]').textContent = `${groupedCount(state.waiting)} waiting` +
    (state.found === state.waiting ? '' : `, ${groupedCount(state.found)} in this filter`);
  for (const row of rows) {
    const holder = state.items[row.dataset.item];
    const gone = holder === undefined;
    row.classList.toggle('gone', gone);
    row.querySelector('[data-held]').textContent = gone ? ' · decided' : holder ? ` · ${holder} is looking at it` : '';
    if (gone && row.classList.contains('selected')) {
      document.querySelector('[data-gone]').hidden = false;
      for (const button of document.querySelectorAll('form.decide button')) button.disabled = true;
    }
  }
};
for (const queue of document.querySelectorAll('[data-queue]')) {
  setInterval(() => { if (!document.hidden) follow(queue).catch(() => {}); }, followEvery);
}

// A decision is sent once.
for (const form of document.querySelectorAll('form.decide')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = 'yes';
  });
}

// Shows the server's reason if a picture cannot be loaded.
const explain = async (image) => {
  const text = document.createElement('div');
  text.className = 'nothing';
  const answer = await fetch(image.src);
  text.textContent = answer.ok ? 'The picture cannot be shown.' : await answer.text();
  image.replaceWith(text);
};
for (const image of document.querySelectorAll('[data-picture] img')) {
  if (image.complete && image.naturalWidth === 0) explain(image);
  else image.addEventListener('error', () => explain(image), { once: true });
}

// Draws where keypoints of an upload and its flag agree, once both pictures are shown.
const svg = (name, attributes) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};
const drawOver = (frame, polygons) => {
  const over = svg('svg', { viewBox: '0 0 1 1', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  for (const [name, corners] of polygons) {
    if (!corners) continue;
    const points = corners.map((corner) => corner.join(',')).join(' ');
    for (const line of ['under', name]) over.append(svg('polygon', { points, class: line }));
  }
  frame.append(over);
};
for (const both of document.querySelectorAll('[data-outline]')) {
  const frames = [...both.querySelectorAll('.frame')];
  const loaded = frames.map((frame) => frame.querySelector('img')?.decode() ?? Promise.reject());
  Promise.all(loaded).then(() => fetch(both.dataset.outline)).then(async (answer) => {
    const found = answer.ok ? await answer.json() : {};
    if (!found.upload) return;
    drawOver(frames[0], [['found', found.upload], ['differs', found.differs]]);
    drawOver(frames[1], [['found', found.flag]]);
    const text = both.querySelector('.outline-text');
    text.hidden = false;
    text.querySelector('span').hidden = !found.differs;
  }).catch(() => {}); // a picture that cannot be shown says why in its place
}

// How pictures are shown is remembered in a cookie, which the server reads.
const lookCookie = 'moderator_look';
const [knownBlur, knownColour] = (document.cookie.match(/(?:^|; )moderator_look=([a-z.]*)/)?.[1] ?? 'strong.grey').split('.');
let looked = 0;
for (const control of document.querySelectorAll('[data-look]')) {
  if (control.type === 'checkbox') control.checked = knownColour !== 'colour';
  else control.value = knownBlur;
  control.addEventListener('change', () => {
    const pictures = control.closest('.pictures');
    const blur = pictures.querySelector('select[data-look]').value;
    const colour = pictures.querySelector('input[data-look]').checked ? 'grey' : 'colour';
    document.cookie = `${lookCookie}=${blur}.${colour}; Path=/; Max-Age=31536000; SameSite=Strict${location.protocol === 'https:' ? '; Secure' : ''}`;
    looked++;
    for (const figure of pictures.querySelectorAll('[data-picture]')) {
      const image = figure.querySelector('img');
      if (image && !image.src.endsWith('?clear')) image.src = `${figure.dataset.picture}?${looked}`;
    }
  });
}

for (const button of document.querySelectorAll('[data-toggle]')) {
  button.dataset.label = button.firstChild.textContent;
  button.addEventListener('click', () => {
    const clear = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', clear);
    button.firstChild.textContent = clear ? 'Blur ' : button.dataset.label;
    for (const figure of button.closest('.pictures')?.querySelectorAll('[data-picture]') ?? []) {
      const image = figure.querySelector('img');
      if (!image) continue;
      image.src = figure.dataset.picture + (clear ? '?clear' : `?${looked}`);
      image.alt = image.alt.replace(', blurred', '') + (clear ? '' : ', blurred');
    }
    for (const image of document.querySelectorAll('img[data-clear]')) {
      image.src = clear ? image.dataset.clear : image.dataset.blurred;
    }
  });
}

const fields = [...document.querySelectorAll('.drop')];
const give = (field, files) => {
  const input = field.querySelector('input');
  const picture = [...files].find((file) => file.type.startsWith('image/') || file.type === '');
  if (!picture) return;
  const transfer = new DataTransfer();
  transfer.items.add(picture);
  input.files = transfer.files;
};
for (const field of fields) {
  field.addEventListener('dragover', (event) => { event.preventDefault(); field.classList.add('over'); });
  field.addEventListener('dragleave', () => field.classList.remove('over'));
  field.addEventListener('drop', (event) => { event.preventDefault(); field.classList.remove('over'); give(field, event.dataTransfer.files); });
}
document.addEventListener('paste', (event) => {
  const field = fields.find((f) => f.querySelector('input').files.length === 0) ?? fields[0];
  if (field && event.clipboardData.files.length > 0) give(field, event.clipboardData.files);
});
