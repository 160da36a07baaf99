// One image on its way through a model, computed here: each step of the forward pass, and the terms of the ELBO.
// Emits: take {model, z, y}, and painted, when the first reconstruction is. Its props are those of
// pages/components/inside/panel.py. The image that goes through is in mailbox.memory under "inside".
import { fromBase64 } from '../../runtime/base64.js';
import { isFinitePass, mostLikelyClass, notSupported, posterior, reparametrise, withSample } from '../../runtime/forward_pass.js';
import { loadModel } from '../../runtime/load_model.js';
import { announce, createMailbox, hear } from '../../runtime/mailbox.js';
import { channelsLast, fill, paintPicture } from '../../runtime/pixels.js';
import { prepare } from '../../runtime/prepare.js';
import { normals } from '../../runtime/random.js';
import { createRoot } from '../../runtime/root.js';
import { rasterise } from '../../runtime/strokes.js';
import { createTasks } from '../../runtime/tasks.js';
import { coloursOf, createPen } from '../../runtime/pen.js';
import css from './inside.css';
import html from './inside.html';
import { buildDims, showDims, showTerms } from './terms.js';
import { drawPosterior } from './posterior.js';

// the drawing before the visitor draws
const EXAMPLE_POINTS = [[92, 84], [110, 66], [140, 58], [170, 66], [184, 90], [172, 116], [140, 132], [172, 146], [190, 172], [178, 204], [144, 220], [108, 212], [88, 192]]
  .map(([x, y]) => [x / 280, y / 280]);
const EXAMPLE = [{ width: 22 / 280, points: EXAMPLE_POINTS }];
const DRAWING_SIZE = 280; // px across the picture of a drawing
const MAX_EPS = 100; // of |eps| in each dimension
const FAN = 8; // reconstructions at other samples of z
// what has changed since the last frame: z alone, all noise, or the image
const Z = 1, NOISE = 2, IMAGE = 3;

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, html, css);
  const abort = new AbortController();
  const inside = createInside(root, emit, mailbox);
  root.inside = inside; // read by the browser tests
  update(inside, props);
  hear(mailbox, 'model', (id) => id === inside.data.weights && begin(inside), abort.signal);
  return {
    update: (next) => update(inside, next),
    destroy() {
      abort.abort();
      inside.penAbort.abort();
      inside.tasks.stop();
      root.replaceChildren();
    },
  };
}

function createInside(root, emit, mailbox) {
  const find = (selector) => root.querySelector(selector);
  const inside = {
    root, emit, mailbox, svg: find('svg.posterior'), line: find('.line'), model: null, pass: null, passes: 0, part: 'q',
    tasks: createTasks(), changed: 0, magnified: false,
  };
  find('.undo').onclick = () => inside.pen.undo();
  find('.clear').onclick = () => inside.pen.clear();
  find('.resample').onclick = () => {
    if (!inside.model) return;
    sample(inside, inside.seed + 1);
    changed(inside, NOISE);
  };
  find('.zero').onclick = () => moveTo(inside, inside.eps.map(() => 0));
  find('.magnify').onclick = () => {
    inside.magnified = !inside.magnified;
    find('.magnify').setAttribute('aria-pressed', String(inside.magnified));
    if (inside.pass) showPosterior(inside);
  };
  find('.take').onclick = () => {
    const { data, pass } = inside;
    if (pass) emit('take', { model: data.model, z: [...pass.z], y: pass.y });
  };
  root.querySelectorAll('[data-part]').forEach((element) => {
    const light = () => showPart(inside, element.dataset.part);
    element.addEventListener('pointerenter', light);
    element.addEventListener('focusin', light);
  });
  inside.svg.onpointerdown = (event) => {
    inside.svg.setPointerCapture(event.pointerId);
    drag(inside, event);
  };
  inside.svg.onpointermove = (event) => {
    if (inside.svg.hasPointerCapture(event.pointerId)) drag(inside, event);
    const d = event.target.dataset?.dim;
    if (d !== undefined) lightDim(inside, Number(d));
  };
  return inside;
}

// Puts a pen on the pad, whose ink is as light or dark as the data's. The first stroke replaces the example.
function setUpPen(inside, strokes) {
  const { root, data: { preparation } } = inside;
  const canvas = root.querySelector('canvas.pad'), undo = root.querySelector('.undo');
  inside.penAbort?.abort();
  inside.penAbort = new AbortController();
  const { signal } = inside.penAbort;
  const replaceExample = () => inside.pen.strokes === EXAMPLE && inside.pen.set([]);
  canvas.addEventListener('pointerdown', (event) => event.button === 0 && replaceExample(), { signal });
  canvas.addEventListener('keydown', (event) => event.key === ' ' && replaceExample(), { signal });
  const drawn = () => {
    undo.disabled = !inside.pen.canUndo;
    changed(inside, IMAGE);
  };
  const width = () => Number(root.querySelector('.brush').value) / 280;
  inside.pen = createPen(canvas, { width, change: drawn, release: drawn, strokes, ...coloursOf(preparation) }, signal);
}

function update(inside, props) {
  const before = inside.data;
  inside.data = props;
  inside.root.querySelector('.drawing').style.display = props.drawing ? '' : 'none';
  inside.root.querySelector('.inside').classList.toggle('conditional', props.classes.length > 0);
  inside.root.querySelector('.magnify').hidden = !props.plane;
  inside.root.querySelector('.code').hidden = !Object.keys(props.code).length;
  const { preparation } = props;
  if (before?.preparation.light_on_dark !== preparation.light_on_dark) setUpPen(inside, inside.pen?.strokes ?? EXAMPLE);
  loadModel(inside.mailbox, props.weights, props.files);
  if (before?.weights !== props.weights || before.source !== props.source || before.seed !== props.seed) begin(inside);
  showTaken(inside);
}

// Begins with the model and the image of the props, as soon as the model is there.
function begin(inside) {
  const { data } = inside, { decoder, reason } = inside.mailbox.models.get(data.weights) ?? {};
  inside.model = inside.pass = null;
  if (!decoder && !reason) return; // on its way
  const why = reason || notSupported(decoder);
  if (why) return showSentence(inside, `The browser cannot run this model: ${why}.`);
  const { latentDim } = decoder;
  Object.assign(inside, { model: decoder, eps: new Array(latentDim).fill(0) });
  inside.dims = buildDims(inside.root.querySelector('.rows'), data, (d, z) => moveDims(inside, [[d, z]]), (d) => lightDim(inside, d));
  sample(inside, data.seed);
  changed(inside, IMAGE);
}

// Samples eps, and the noise of the other reconstructions, from a seed.
function sample(inside, seed) {
  const next = normals(seed), { latentDim } = inside.model;
  const noise = () => Array.from({ length: latentDim }, next);
  Object.assign(inside, { seed, eps: noise(), others: Array.from({ length: FAN }, noise), isSample: true });
  inside.root.querySelectorAll('.seed').forEach((element) => (element.textContent = seed));
}

// ---- the image

// Returns { x, y, note } of the drawing; y is null for the most likely class.
function drawn({ pen, data, model }) {
  const picture = rasterise(pen.strokes, DRAWING_SIZE), { x } = prepare(picture, [data.channels, data.height, data.width], data.preparation);
  return { x: channelsLast(x, model), y: null, note: pen.strokes.length ? '' : data.empty };
}

function chosen({ data, model }) {
  const bytes = fromBase64(data.x);
  return { x: channelsLast(Float64Array.from(bytes, (byte) => byte / 255), model), y: data.y, note: '' };
}

// ---- the forward pass

// Computes in the next frame what depends on a change.
function changed(inside, change) {
  inside.changed = Math.max(inside.changed, change);
  inside.tasks.soon(() => compute(inside));
}

function compute(inside) {
  const { changed: change, data, model, mailbox } = inside, start = performance.now();
  inside.changed = 0;
  if (!model) return;
  if (change === IMAGE) {
    const { x, y, note } = data.drawing ? drawn(inside) : chosen(inside);
    Object.assign(inside, { x, note, q: posterior(model, x, model.numClasses ? y ?? mostLikelyClass(model, x) : 0) });
    mailbox.memory.set('inside', { model: data.model, x });
    announce(mailbox, 'inside', data.model);
  }
  decode(inside, start);
  if (change !== Z) inside.tasks.later(fan(inside));
}

function decode(inside, start) {
  const { model, x, q, eps, note, root } = inside;
  const pass = withSample(model, x, q, reparametrise(q, eps)), milliseconds = performance.now() - start;
  paintPicture(root.querySelector('canvas.x'), x, 255, model);
  if (!isFinitePass(pass)) return showSentence(inside, inside.data.no_number);
  inside.pass = pass;
  showSentence(inside, '');
  paintPicture(root.querySelector('canvas.x_hat'), pass.mean, 255, model);
  paintError(inside);
  showPosterior(inside);
  showTerms(root.querySelector('tbody'), pass, inside.data.average, inside.data.classes.length > 0);
  root.querySelector('.inside').classList.toggle('grey', model.file.capabilities.is_cross_entropy);
  showDims(inside.dims, pass, model.file.prior, inside.data.average.kl_per_dim);
  showTaken(inside);
  root.querySelector('.as').textContent = model.numClasses ? ` as class ${inside.data.classes[pass.y]}` : '';
  inside.line.textContent = note || `Your browser computed this in ${milliseconds.toFixed(1)} ms${model.isPlain ? ', in plain JavaScript' : ''}.`;
  showPart(inside, inside.part);
  shown(inside);
}

function shown(inside) {
  if (inside.passes++ === 0) inside.emit('painted');
  inside.root.querySelector('canvas.pad').dataset.passes = inside.passes; // read by the browser tests
}

// Shows a sentence in place of the results, which belong to another image or model; "" shows the results.
function showSentence(inside, sentence) {
  inside.root.querySelector('.inside').classList.toggle('nothing', Boolean(sentence));
  inside.root.querySelector('.no-number').textContent = sentence;
  if (!sentence) return;
  inside.pass = inside.toZ = null;
  inside.line.textContent = '';
  showTaken(inside);
  shown(inside);
}

// Shows the reconstruction error: white is data.white nats or more. A density has no lowest value, so there black is the
// pixel with the least error.
function paintError({ root, data, model, pass: { perPixel } }) {
  const lowest = model.file.capabilities.is_cross_entropy ? 0 : perPixel.reduce((a, b) => Math.min(a, b));
  paintPicture(root.querySelector('canvas.error'), perPixel.map((nats) => (nats - lowest) / data.white), 255, model);
}

// Yields after each reconstruction at another sample of z, since all of them can take longer than a frame.
function* fan({ model, q, others, root }) {
  const { width, height, channels } = model, gap = 2;
  const canvas = root.querySelector('canvas.fan'), all = others.length * (width + gap) - gap;
  if (canvas.width !== all || canvas.height !== height) [canvas.width, canvas.height] = [all, height];
  canvas.classList.toggle('crisp', height < 64);
  const image = new ImageData(width, height);
  for (const [i, eps] of others.entries()) {
    fill(image.data, model.decode(reparametrise(q, eps), q.y), 255, channels);
    canvas.getContext('2d').putImageData(image, i * (width + gap), 0);
    yield;
  }
}

// ---- moving z

function moveTo(inside, eps) {
  if (!inside.pass) return;
  inside.eps = eps.map((value) => Math.max(-MAX_EPS, Math.min(MAX_EPS, value)));
  inside.isSample = false;
  changed(inside, Z);
}

// places: [[d, value of z], ...]
function moveDims(inside, places) {
  const { pass, eps } = inside, next = eps.slice();
  if (!pass) return;
  for (const [d, z] of places) next[d] = (z - pass.mu[d]) / pass.sigma[d];
  moveTo(inside, next);
}

function drag(inside, event) {
  if (inside.toZ) moveDims(inside, inside.toZ(event.clientX, event.clientY));
}

function showPosterior(inside) {
  const { svg, data, model, pass, eps } = inside;
  inside.toZ = drawPosterior(svg, { ...data, prior: model.file.prior, pass, magnified: inside.magnified });
  if (inside.lit !== undefined) lightDim(inside, inside.lit);
  const values = eps.length === 2 ? `ε = (${eps.map((v) => v.toFixed(2)).join(', ')})` : 'ε';
  const origin = inside.isSample ? `, seed ${inside.seed}` : '';
  inside.root.querySelector('.epsline').textContent = `${values}${origin}. Drag z to move it.`;
}

// ---- what is shown beside the pass

// Shows whether the sampled z is the one that all pages share.
function showTaken({ pass, data, root }) {
  const same = pass?.z.length === data.z.length && pass.z.every((v, d) => Math.abs(v - data.z[d]) < 1e-3);
  root.querySelector('.taken').textContent = same ? 'All pages now use this z.' : '';
}

// Highlights a dimension in all three views: its bar, its slider and its mark in the posterior.
function lightDim(inside, d) {
  inside.lit = d;
  inside.dims?.forEach((dim) => dim.row.classList.toggle('touched', dim.d === d));
  inside.svg.querySelectorAll('[data-dim]').forEach((mark) => mark.classList.toggle('lit', Number(mark.dataset.dim) === d));
}

// Highlights a step: its symbol in the formula, and its code below.
function showPart(inside, part) {
  inside.part = part;
  inside.root.querySelectorAll('.symbol').forEach((symbol) => symbol.classList.toggle('lit', symbol.dataset.part === part));
  inside.root.querySelectorAll('[data-part]:not(.symbol)').forEach((step) => step.classList.toggle('touched', step.dataset.part === part));
  const code = inside.data?.code[part];
  inside.root.querySelector('.which').textContent = code?.name ?? '';
  inside.root.querySelector('pre').textContent = code?.source ?? '';
}
