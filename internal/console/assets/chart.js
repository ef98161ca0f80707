// The charts of the Live page: decisions per second as stacked bars, their times as curves.
'use strict';

const chartSpan = 300; // seconds

const colours = {};
const dark = matchMedia('(prefers-color-scheme: dark)');
const readColours = () => {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['muted', 'line', 'bar-allow', 'bar-review', 'bar-block', 'curve', 'curve-high']) {
    colours[name] = style.getPropertyValue('--' + name).trim();
  }
};
readColours();
dark.addEventListener('change', readColours);
const colour = (name) => colours[name];

// Chart draws without reading the page's layout or style. Observers report their changes.
class Chart {
  constructor(canvas, draw) {
    this.canvas = canvas;
    this.draw = draw;
    this.seconds = [];
    this.width = this.height = 0;
    new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width;
      this.height = entry.contentRect.height;
      this.show(this.seconds);
    }).observe(canvas);
    dark.addEventListener('change', () => this.show(this.seconds));
  }

  show(seconds) {
    this.seconds = seconds;
    const { width, height } = this;
    if (width === 0) return;
    const scale = devicePixelRatio;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const pen = this.canvas.getContext('2d');
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const area = { left: 40, right: width - 2, top: 6, bottom: height - 16 };
    this.draw(pen, area, seconds);
  }
}

// niceTop returns the end of an axis for value: 1, 2 or 5 times a power of ten.
const niceTop = (value) => {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  for (const factor of [1, 2, 5, 10]) if (factor * power >= value) return factor * power;
  return 10 * power;
};

// axes draws the frame, and returns functions from a second and a value to coordinates.
const axes = (pen, area, seconds, top) => {
  const last = seconds.length > 0 ? seconds[seconds.length - 1].time : 0;
  const width = (area.right - area.left) / chartSpan;
  const x = (time) => area.right - (last - time + 1) * width;
  const y = (value) => area.bottom - (area.bottom - area.top) * Math.min(1, value / top);
  pen.font = '11px system-ui, sans-serif';
  pen.lineWidth = 1;
  pen.fillStyle = colour('muted');
  pen.strokeStyle = colour('line');
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  for (const share of [0, 0.5, 1]) {
    const height = Math.round(y(top * share)) + 0.5;
    pen.beginPath();
    pen.moveTo(area.left, height);
    pen.lineTo(area.right, height);
    pen.stroke();
    pen.fillText(String(top * share), area.left - 6, height);
  }
  pen.textBaseline = 'alphabetic';
  for (const minutes of [1, 2, 3, 4]) {
    pen.textAlign = 'center';
    pen.fillText(`−${minutes} min`, area.right - minutes * 60 * width, area.bottom + 14);
  }
  return { x, y, width };
};

const drawRates = (pen, area, seconds) => {
  const most = Math.max(1, ...seconds.map((s) => s.allow + s.review + s.block));
  const { x, y, width } = axes(pen, area, seconds, niceTop(most));
  for (const name of ['allow', 'review', 'block']) {
    pen.fillStyle = colour('bar-' + name);
    for (const s of seconds) {
      if (x(s.time) < area.left || !s[name]) continue;
      const below = name === 'block' ? 0 : name === 'review' ? s.block : s.block + s.review;
      pen.fillRect(x(s.time), y(below + s[name]), Math.max(1, width - 0.5), y(below) - y(below + s[name]));
    }
  }
};

const drawTimes = (pen, area, seconds) => {
  const most = Math.max(1, ...seconds.map((s) => s.p95));
  const { x, y, width } = axes(pen, area, seconds, niceTop(most));
  pen.lineWidth = 1.5;
  pen.lineJoin = 'round';
  for (const [name, line] of [['p95', 'curve-high'], ['p50', 'curve']]) {
    pen.strokeStyle = colour(line);
    pen.beginPath();
    let before = 0;
    for (const s of seconds) {
      if (x(s.time) < area.left || s.p95 === 0) continue;
      const at = x(s.time) + width / 2;
      // A gap in the decisions is a gap in the curve. A single second is a dot.
      if (s.time - before > 5) { pen.moveTo(at, y(s[name])); pen.lineTo(at + 2, y(s[name])); } else pen.lineTo(at, y(s[name]));
      before = s.time;
    }
    pen.stroke();
  }
};
