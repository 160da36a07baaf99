// One image on its way through a model. The host computes and this file draws. One question is in flight at a
// time, and the latest wins, so that everything follows the pen.
// Emits: ask {panel, seq, model, source, drawing, eps} and take {model, z, y}. Its props are those of
// pages/components/inside/panel.py, as are the answers.
import { createMailbox } from '../../runtime/mailbox.js';
import { fill, paintPicture, pictureOf } from '../../runtime/pixels.js';
import { createQuestions } from '../../runtime/questions.js';
import { createRoot } from '../../runtime/root.js';
import css from './inside.css';
import html from './inside.html';

const DRAWING_SIZE = 56; // px across the drawing sent to the host, which scales it to the model's size
// the drawing on the pad before the visitor draws
const EXAMPLE = [[92, 84], [110, 66], [140, 58], [170, 66], [184, 90], [172, 116], [140, 132], [172, 146], [190, 172], [178, 204], [144, 220], [108, 212], [88, 192]];
const MAX_EPS = 100; // of |eps| in each dimension
const HALF_AXIS = 3.2; // of the bars, in standard deviations of the prior

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, html, css);
  const abort = new AbortController();
  const inside = createInside(root, emit, mailbox, abort.signal);
  root.inside = inside; // read by the browser tests
  update(inside, props);
  return {
    update: (next) => update(inside, next),
    destroy() {
      abort.abort();
      root.replaceChildren();
    },
  };
}

function update(inside, props) {
  const before = inside.data;
  inside.data = props;
  inside.root.querySelector('.drawing').style.display = props.drawing ? '' : 'none';
  inside.root.querySelector('.inside').classList.toggle('conditional', props.conditional);
  if (!before || before.model !== props.model) inside.eps = props.eps.slice();
  if (!before || before.model !== props.model || before.source !== props.source || before.seed !== props.seed) {
    inside.questions.forget(); // the host does not answer questions about another model or image
    if (before && before.seed !== props.seed) inside.eps = props.eps.slice();
    ask(inside);
  }
  showTaken(inside);
}

// Shows whether the sampled z is the current point that all pages share.
function showTaken(inside) {
  const same = inside.answer?.z.length === inside.data.z.length && inside.answer.z.every((v, d) => Math.abs(v - inside.data.z[d]) < 1e-3);
  inside.root.querySelector('.taken').textContent = same ? 'z is the current point of every page' : '';
}

function createInside(root, emit, mailbox, signal) {
  const find = (selector) => root.querySelector(selector);
  const inside = {
    root, pad: find('.pad'), undo: find('.undo'), brush: find('.brush'),
    line: find('.line'), svg: find('svg.posterior'), strokes: [{ width: 22, places: EXAMPLE, example: true }], part: 'x',
  };
  setUpPad(inside);
  find('.clear').onclick = () => {
    inside.strokes = [];
    redrawPad(inside);
  };
  inside.undo.onclick = () => {
    inside.strokes.pop();
    redrawPad(inside);
  };
  find('.redraw').onclick = () => {
    inside.eps = inside.eps.map(normal);
    ask(inside);
  };
  find('.zero').onclick = () => {
    inside.eps = inside.eps.map(() => 0);
    ask(inside);
  };
  find('.take').onclick = () => {
    if (!inside.answer) return;
    emit('take', { model: inside.data.model, z: inside.answer.z, y: inside.answer.y });
  };
  root.querySelectorAll('[data-part]').forEach((element) => {
    const light = () => showPart(inside, element.dataset.part);
    element.addEventListener('pointerenter', light);
    element.addEventListener('focusin', light);
  });
  inside.questions = createQuestions(mailbox, (question) => emit('ask', question), signal);
  return inside;
}

// Returns a standard normal sample, made of two uniform ones (Box & Muller 1958).
function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

// ---- drawing

function setUpPad(inside) {
  const { pad } = inside;
  const at = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * 280, ((event.clientY - box.top) / box.height) * 280];
  };
  pad.onpointerdown = (event) => {
    pad.setPointerCapture(event.pointerId);
    if (inside.strokes[0]?.example) inside.strokes = [];
    inside.strokes.push({ width: Number(inside.brush.value), places: [at(event)] });
    redrawPad(inside);
  };
  pad.onpointermove = (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    inside.strokes.at(-1).places.push(at(event));
    redrawPad(inside);
  };
  redrawPad(inside, true);
}

function redrawPad(inside, silent = false) {
  const context = inside.pad.getContext('2d');
  context.fillStyle = '#000';
  context.fillRect(0, 0, 280, 280);
  context.strokeStyle = '#fff';
  context.lineCap = context.lineJoin = 'round';
  for (const { width, places } of inside.strokes) {
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(...places[0]);
    for (const place of places) context.lineTo(...place);
    context.stroke();
  }
  inside.undo.disabled = !inside.strokes.length;
  if (!silent) ask(inside);
}

// Returns the drawing, DRAWING_SIZE x DRAWING_SIZE grey pixels, in base64.
function drawn(inside) {
  const small = (inside.small ??= new OffscreenCanvas(DRAWING_SIZE, DRAWING_SIZE));
  const context = small.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.drawImage(inside.pad, 0, 0, DRAWING_SIZE, DRAWING_SIZE);
  const { data } = context.getImageData(0, 0, DRAWING_SIZE, DRAWING_SIZE);
  let text = '';
  for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i]);
  return btoa(text);
}

// ---- questions and answers

function ask(inside) {
  const { data } = inside;
  inside.questions.ask(() => ({
    model: data.model, source: data.source, drawing: data.drawing ? drawn(inside) : null, eps: inside.eps,
  }), (answer) => takeAnswer(inside, answer));
}

function takeAnswer(inside, answer) {
  const root = inside.root, picture = (i) => pictureOf(answer, i);
  root.querySelector('.inside').classList.toggle('nothing', Boolean(answer.no_number));
  root.querySelector('.no-number').textContent = answer.no_number;
  if (answer.no_number) {
    showImageAlone(inside, answer);
    return;
  }
  inside.answer = answer;
  ['x', 'x_hat', 'error'].forEach((name, i) => paintPicture(root.querySelector(`canvas.${name}`), picture(i), 1, answer));
  paintFan(root.querySelector('canvas.fan'), Array.from({ length: answer.fan }, (_, i) => picture(3 + i)), answer);
  showOthers(inside, (i) => picture(3 + answer.fan + i));
  drawPosterior(inside);
  showLedger(inside);
  showDims(inside);
  showTaken(inside);
  root.querySelector('.as').textContent = answer.as_class && ` as class ${answer.as_class}`;
  inside.line.textContent = answer.said || `through the model in ${answer.milliseconds.toFixed(1)} ms`;
  inside.pad.dataset.answered = answer.seq; // read by the browser tests
  showPart(inside, inside.part);
}

// Shows the image alone: CSS hides the rest of the panel, which belongs to an earlier image.
function showImageAlone(inside, answer) {
  inside.answer = inside.toEps = null;
  paintPicture(inside.root.querySelector('canvas.x'), pictureOf(answer, 0), 1, answer);
  inside.line.textContent = '';
  inside.pad.dataset.answered = answer.seq;
  showTaken(inside);
}

function paintFan(canvas, pictures, { height, width, channels }) {
  const gap = 2;
  [canvas.width, canvas.height] = [pictures.length * (width + gap) - gap, height];
  canvas.classList.toggle('crisp', height < 64);
  const context = canvas.getContext('2d');
  pictures.forEach((bytes, i) => {
    const image = new ImageData(width, height);
    fill(image.data, bytes, 1, channels);
    context.putImageData(image, i * (width + gap), 0);
  });
}

// ---- the posterior: for two dimensions an ellipse over data and prior, otherwise bars

function drawPosterior(inside) {
  const { data, svg } = inside;
  if (data.plane) drawPlane(inside);
  else drawBars(inside);
  const moved = inside.eps.length === 2 ? ` = (${inside.eps.map((v) => v.toFixed(2)).join(', ')})` : '';
  inside.root.querySelector('.epsline').textContent = `ε${moved}; drag z to choose it`;
  svg.onpointerdown = (event) => {
    svg.setPointerCapture(event.pointerId);
    drag(inside, event);
  };
  svg.onpointermove = (event) => {
    if (svg.hasPointerCapture(event.pointerId)) drag(inside, event);
    const d = event.target.dataset?.dim;
    if (d !== undefined) lightDim(inside, Number(d));
  };
}

const tag = (name, attributes, text = '') =>
  `<${name} ${Object.entries(attributes).map(([key, value]) => `${key}="${value}"`).join(' ')}>${text}</${name}>`;

function drawPlane(inside) {
  const { data: { plane }, answer: { mu, sigma, z }, svg } = inside;
  const { low, high } = plane, span = high - low;
  // both axes have the same scale, so that the ellipse is not distorted
  svg.setAttribute('viewBox', `${low} ${-high} ${span} ${span}`);
  svg.style.aspectRatio = 1;
  const dots = plane.codes.map(([x, y], i) => tag('circle', { cx: x, cy: -y, r: span / 160, fill: plane.colours[plane.labels[i]], opacity: 0.55 }));
  const line = span / 220;
  const rings = [1, 2].map((r) => tag('circle', { cx: 0, cy: 0, r, fill: 'none', stroke: 'currentColor', 'stroke-width': line / 2, 'stroke-dasharray': `${4 * line} ${3 * line}`, opacity: 0.7 }));
  const ellipse = (k, width) => tag('ellipse', {
    class: `sigma${k}`, cx: mu[0], cy: -mu[1], rx: k * sigma[0], ry: k * sigma[1], fill: k === 1 ? '#d6006c' : 'none', 'fill-opacity': 0.25,
    stroke: '#d6006c', 'stroke-width': width,
  });
  const point = tag('circle', { class: 'z', cx: z[0], cy: -z[1], r: span / 70, fill: '#fff', stroke: '#d6006c', 'stroke-width': 2 * line });
  svg.innerHTML = dots.join('') + rings.join('') + ellipse(2, line) + ellipse(1, 2 * line) + point;
  inside.toEps = (x, y) => {
    const wide = svg.getBoundingClientRect();
    const place = [low + ((x - wide.left) / wide.width) * span, high - ((y - wide.top) / wide.height) * span];
    return [0, 1].map((d) => [d, (place[d] - mu[d]) / sigma[d]]);
  };
}

function drawBars(inside) {
  const { data: { order, names, prior_mu, prior_sigma }, answer: { mu, sigma, z }, svg } = inside;
  const width = 22, height = 190, bottom = 16;
  const all = order.length * width;
  svg.setAttribute('viewBox', `0 0 ${all} ${height}`);
  svg.style.aspectRatio = `${Math.max(all, 300)} / ${height}`;
  const up = (d, v) => (height - bottom) * (0.5 - (v - prior_mu[d]) / prior_sigma[d] / (2 * HALF_AXIS));
  const parts = [tag('rect', { x: 0, y: up(order[0], prior_mu[order[0]] + prior_sigma[order[0]]), width: all, height: up(order[0], prior_mu[order[0]] - prior_sigma[order[0]]) - up(order[0], prior_mu[order[0]] + prior_sigma[order[0]]), fill: 'currentColor', opacity: 0.08 })];
  order.forEach((d, i) => {
    const x = (i + 0.5) * width;
    parts.push(
      tag('line', { class: 'sigma', x1: x, x2: x, y1: up(d, mu[d] - sigma[d]), y2: up(d, mu[d] + sigma[d]), stroke: '#d6006c', 'stroke-width': 8, opacity: 0.45 }),
      tag('line', { x1: x - 7, x2: x + 7, y1: up(d, mu[d]), y2: up(d, mu[d]), stroke: '#d6006c', 'stroke-width': 3 }),
      tag('circle', { class: 'z', 'data-dim': d, cx: x, cy: up(d, z[d]), r: 4, fill: '#fff', stroke: '#d6006c', 'stroke-width': 2 }),
      tag('text', { 'data-dim': d, x, y: height - 3, 'text-anchor': 'middle', 'font-size': 8, fill: 'currentColor' }, names[d]),
    );
  });
  svg.innerHTML = parts.join('');
  if (inside.dims && inside.lit !== undefined) lightDim(inside, inside.lit);
  inside.toEps = (x, y) => {
    const box = svg.getBoundingClientRect();
    const i = Math.max(0, Math.min(order.length - 1, Math.floor(((x - box.left) / box.width) * order.length)));
    const d = order[i];
    const part = ((y - box.top) / box.height) * height / (height - bottom);
    return [[d, (prior_mu[d] + (0.5 - part) * 2 * HALF_AXIS * prior_sigma[d] - mu[d]) / sigma[d]]];
  };
}

function drag(inside, event) {
  if (!inside.toEps) return;
  for (const [d, eps] of inside.toEps(event.clientX, event.clientY)) inside.eps[d] = Math.max(-MAX_EPS, Math.min(MAX_EPS, eps));
  ask(inside);
}

// ---- the ledger

function showLedger(inside) {
  const { data, answer } = inside, { digits } = data;
  const given = data.conditional ? ', y' : '';
  const rows = [
    [`−log p(x|z${given}), the reconstruction`, answer.recon, data.average.recon],
    [`KL(q(z|x${given}) ‖ p(z)), the code`, answer.kl, data.average.kl],
    [data.conditional ? '−ELBO, their sum: a bound on −log p(x|y)' : '−ELBO, their sum', answer.negative_elbo, data.average.negative_elbo],
  ];
  // the rounded parts must add up: the KL absorbs the rounding error, 0.01 nats at most
  const round = (value) => Number(value.toFixed(digits));
  const shown = [1, 2].map((column) => rows.map((row) => row[column]).map((value, i, all) =>
    all.includes(null) || all.includes(undefined) ? value : i === 1 ? round(all[2]) - round(all[0]) : value));
  inside.root.querySelector('tbody').innerHTML =
    '<tr><th></th><th>this image</th><th>average of test images</th></tr>' +
    rows.map(([name, own, average], i) => `<tr class="${i === 2 ? 'sum' : ''}"><td>${name}</td><td data-value="${own}" title="${own}">${shown[0][i].toFixed(digits)}</td><td>${average == null ? '–' : shown[1][i].toFixed(digits)}</td></tr>`).join('');
}

// Shows the KL of each dimension beside the slider that moves its z.
function showDims(inside) {
  const { data, answer } = inside, { digits } = data;
  const box = inside.root.querySelector('.rows');
  if (box.dataset.model !== data.model) buildDims(inside, box);
  const top = Math.max(0.1, ...answer.kl_per_dim, ...(data.average.kl_per_dim ?? [0]));
  for (const { d, input, value, own, average, nats } of inside.dims) {
    const reach = Math.max(HALF_AXIS * data.prior_sigma[d], Math.abs(answer.mu[d] - data.prior_mu[d]) + 3 * answer.sigma[d]);
    if (inside.sliding !== d) {
      [input.min, input.max] = [data.prior_mu[d] - reach, data.prior_mu[d] + reach];
      input.value = answer.z[d];
    }
    value.textContent = answer.z[d].toFixed(2);
    own.style.width = `${(100 * Math.max(0, answer.kl_per_dim[d])) / top}%`;
    average.hidden = !data.average.kl_per_dim;
    if (data.average.kl_per_dim) average.style.left = `${(100 * data.average.kl_per_dim[d]) / top}%`;
    nats.textContent = answer.kl_per_dim[d].toFixed(digits);
  }
}

function buildDims(inside, box) {
  const { data } = inside;
  box.dataset.model = data.model;
  inside.dims = data.order.map((d) => {
    const row = document.createElement('div');
    row.className = 'dim';
    row.dataset.dim = d;
    row.innerHTML = '<span class="name"></span><input type="range" step="any"><output></output><div class="track"><i></i><u></u></div><b></b>';
    const [name, input, value, track, nats] = row.children;
    name.textContent = data.names[d];
    input.setAttribute('aria-label', `z of ${data.names[d]}`);
    input.oninput = () => {
      inside.sliding = d;
      inside.eps[d] = Math.max(-MAX_EPS, Math.min(MAX_EPS, (Number(input.value) - inside.answer.mu[d]) / inside.answer.sigma[d]));
      ask(inside);
    };
    // a slider released at its old value sends no "change" event
    for (const event of ['change', 'pointerup', 'keyup', 'blur']) input.addEventListener(event, () => (inside.sliding = null));
    const light = () => lightDim(inside, d);
    row.addEventListener('pointerenter', light);
    row.addEventListener('focusin', light);
    return { d, row, input, value, own: track.children[0], average: track.children[1], nats };
  });
  box.replaceChildren(...inside.dims.map(({ row }) => row));
}

// Highlights a dimension in all three views: its bar, its slider and its mark in the posterior.
function lightDim(inside, d) {
  inside.lit = d;
  inside.dims.forEach((dim) => dim.row.classList.toggle('touched', dim.d === d));
  inside.svg.querySelectorAll('[data-dim]').forEach((mark) => mark.classList.toggle('lit', Number(mark.dataset.dim) === d));
}

// ---- the same image under other betas

function showOthers(inside, picture) {
  const { answer } = inside;
  const section = inside.root.querySelector('.others');
  section.hidden = !answer.others.length;
  const box = section.querySelector('.betas');
  if (box.children.length !== answer.others.length) {
    box.replaceChildren(...answer.others.map(() => {
      const figure = document.createElement('figure');
      figure.innerHTML = '<canvas class="picture" role="img"></canvas><figcaption></figcaption>';
      return figure;
    }));
  }
  answer.others.forEach(({ beta, here, recon, kl, active, no_number }, i) => {
    const figure = box.children[i], [canvas, caption] = figure.children;
    paintPicture(canvas, picture(i), 1, answer);
    canvas.setAttribute('aria-label', `the image decoded by the model of beta ${beta}`);
    figure.classList.toggle('here', here);
    const rate = kl === null ? 'no KL' : `KL ${kl.toFixed(1)}`;
    const figures = no_number || `${rate}, reconstruction ${recon.toFixed(1)}`;
    caption.innerHTML = `<b>beta ${beta}</b><br>${figures}<br>${active} active units over the data`;
  });
}

// Highlights a step: its symbol in the formula, and its code below.
function showPart(inside, part) {
  inside.part = part;
  inside.root.querySelectorAll('.symbol').forEach((symbol) => symbol.classList.toggle('lit', symbol.dataset.part === part));
  inside.root.querySelectorAll('[data-part]:not(.symbol)').forEach((step) => step.classList.toggle('touched', step.dataset.part === part));
  const code = inside.data?.code[part];
  if (!code) return;
  inside.root.querySelector('.which').textContent = code.name;
  inside.root.querySelector('pre').textContent = code.source;
}
