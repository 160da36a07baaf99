// A model at work: image -> encoder -> q(z|x) -> z -> decoder -> image. The visitor draws, photographs or picks the image,
// and moves z in two dimensions. Emits: move {model, z, y}, when z rests at another place; open {model, z, y}; and painted,
// when the first picture is. Its props are those of pages/components/home/autoencoder.py.
import { fromBase64 } from '../../runtime/base64.js';
import { cameraOf, chooseFile, createCamera } from '../../runtime/camera.js';
import { decode, probe } from '../../runtime/decode.js';
import { mostLikelyClass, posterior } from '../../runtime/forward_pass.js';
import { loadModel } from '../../runtime/load_model.js';
import { createMailbox, hear } from '../../runtime/mailbox.js';
import { channelsLast, fill, paintPicture } from '../../runtime/pixels.js';
import { gaussianMarks, tag } from '../../runtime/plane_marks.js';
import { prepare } from '../../runtime/prepare.js';
import { normals } from '../../runtime/random.js';
import { createRoot } from '../../runtime/root.js';
import { rasterise } from '../../runtime/strokes.js';
import { createTasks } from '../../runtime/tasks.js';
import { coloursOf, createPen } from '../../runtime/pen.js';
import css from './autoencoder.css';
import html from './autoencoder.html';

const TILES = 13; // decoded images across the plane
const DRAWING_SIZE = 280; // px across the picture of a drawing
const PEN_WIDTH = 0.08; // of the drawing
const MOVE_AFTER = 250; // ms without movement before a place of z is sent
const MAX_KEPT = 100; // places of z whose images are kept, as many as undo and redo reach together
const KEY_STEP = 0.02; // of the plane, for an arrow key
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, html, css);
  const abort = new AbortController();
  const panel = createPanel(root, emit, mailbox, abort.signal);
  root.autoencoder = panel; // read by the browser tests
  hear(mailbox, 'model', (id) => id === panel.data.weights && begin(panel), abort.signal);
  update(panel, props);
  return {
    update: (next) => update(panel, next),
    destroy() {
      abort.abort();
      clearTimeout(panel.moveTimer);
      panel.tasks.stop();
      root.replaceChildren();
    },
  };
}

function createPanel(root, emit, mailbox, signal) {
  const find = (selector) => root.querySelector(selector);
  const panel = { root, emit, mailbox, signal, find, tasks: createTasks(), data: null, model: null, samples: 0, sent: [] };
  find('.draw').onclick = () => beginDrawing(panel);
  find('.another').onclick = () => panel.model && showAnother(panel);
  find('.prior').onclick = () => panel.model && sampleFromPrior(panel);
  find('.open').onclick = () => panel.model && emit('open', here(panel));
  setUpCamera(panel);
  const hold = (isHeld) => () => {
    panel.isHeld = isHeld;
    sendSoon(panel);
  };
  root.addEventListener('pointerdown', hold(true), { signal });
  for (const end of ['pointerup', 'pointercancel']) window.addEventListener(end, hold(false), { signal });
  const plane = find('.plane');
  plane.onpointerdown = (event) => {
    if (event.button !== 0) return;
    plane.setPointerCapture(event.pointerId);
    drag(panel, event);
  };
  plane.onpointermove = (event) => plane.hasPointerCapture(event.pointerId) && drag(panel, event);
  plane.onkeydown = (event) => {
    const step = ARROWS[event.key];
    if (!step || !panel.model || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { dims, span } = panel.plane;
    move(panel, dims.map((d, i) => panel.z[d] + step[i] * KEY_STEP * span * (event.shiftKey ? 5 : 1)));
  };
  return panel;
}

function update(panel, props) {
  const before = panel.data;
  if (JSON.stringify(before) === JSON.stringify(props)) return;
  panel.data = props;
  loadModel(panel.mailbox, props.weights, props.files);
  if (before?.weights !== props.weights) begin(panel);
  else if (!samePoint(before, props)) follow(panel);
}

// Goes to a z that was set elsewhere, such as by undo. An answer to what this panel has sent moves nothing: the hand may
// have moved on.
function follow(panel) {
  const { data, sent, model } = panel, answered = sent.findIndex((point) => samePoint(point, data));
  sent.splice(0, answered < 0 ? sent.length : answered + 1);
  if (answered >= 0 || !model) return;
  goTo(panel, data);
}

// Shows z with the image that it belongs to; the first of the data's images where that is not known.
function goTo(panel, { z, y }) {
  const { data, model, mailbox } = panel, kept = imagesOf(mailbox).find((one) => one.weights === data.weights && samePoint(one, { z, y }));
  const { strokes, ...image } = kept?.image ?? { ...imageOf(panel, data.images[0]), source: 'test', index: 0, strokes: [] };
  Object.assign(panel, image);
  panel.pen?.set(strokes);
  encode(panel);
  panel.z = Float64Array.from(z);
  panel.y = model.numClasses ? y : 0;
  panel.resting = here(panel);
  show(panel);
}

// Keeps the image to which a place of z belongs, for undo and for the way back from another page.
function keepImage({ mailbox, data, resting, x, source, index, pen }) {
  const image = { x, y: resting.y, source, index, strokes: source === 'drawing' && pen ? pen.strokes : [] };
  const others = imagesOf(mailbox).filter((one) => one.weights !== data.weights || !samePoint(one, resting));
  mailbox.memory.set('autoencoder', [{ weights: data.weights, z: resting.z, y: resting.y, image }, ...others].slice(0, MAX_KEPT));
}

const imagesOf = ({ memory }) => memory.get('autoencoder') ?? [];

const samePoint = (a, b) => a.y === b.y && a.z.length === b.z.length && a.z.every((value, d) => Math.abs(value - b.z[d]) < 1e-3);
const here = ({ data: { model }, z, y }) => ({ model, z: [...z], y });

// Sends z when it has rested, at another place than before.
function sendSoon(panel) {
  clearTimeout(panel.moveTimer);
  panel.moveTimer = setTimeout(() => {
    if (panel.isHeld || !panel.model || samePoint(panel.resting, here(panel))) return;
    panel.resting = here(panel);
    panel.sent.push(panel.resting);
    keepImage(panel);
    panel.emit('move', panel.resting);
  }, MOVE_AFTER);
}

// Begins with the model, the image and the z of the props, as soon as the model is there.
function begin(panel) {
  const { data, mailbox, find } = panel, { decoder, reason } = mailbox.models.get(data.weights) ?? {};
  panel.model = decoder;
  find('.sentence').textContent = reason ? `The browser cannot run this model: ${reason}.` : '';
  if (reason) panel.emit('painted');
  if (!decoder) return; // on its way, or not to be had
  panel.plane = planeOf(data);
  find('.plane').setAttribute('aria-label', `the latent plane: arrow keys move ${data.dims.map(({ name }) => name).join(' and ')}`);
  setUpPen(panel);
  panel.sent = [];
  goTo(panel, data);
  keepImage(panel);
}

// Returns a square of the plane, which holds the range of both dimensions: the ellipse is drawn to scale.
function planeOf({ dims }) {
  const span = Math.max(...dims.map(({ low, high }) => high - low));
  const [x, y] = dims.map(({ low, high }) => (low + high - span) / 2);
  return { dims: dims.map(({ index }) => index), low: [x, y], span };
}

// ---- the image

function setUpPen(panel) {
  const { data: { preparation, draw: canDraw }, find, signal } = panel, canvas = find('canvas.pad');
  canvas.style.display = find('.draw').style.display = canDraw ? '' : 'none';
  if (!canDraw || panel.pen) return;
  const drawn = () => draw(panel);
  // a stroke on one of the data's images begins a drawing
  const anew = () => canvas.classList.contains('drawn') || panel.pen.set([]);
  canvas.addEventListener('pointerdown', anew, { signal });
  canvas.addEventListener('keydown', anew, { signal });
  panel.pen = createPen(canvas, { width: () => PEN_WIDTH, change: drawn, release: drawn, ...coloursOf(preparation) }, signal);
}

function draw(panel) {
  panel.tasks.soon(() => panel.pen && takePicture(panel, rasterise(panel.pen.strokes, DRAWING_SIZE), 'drawing'));
}

function beginDrawing(panel) {
  panel.pen?.set([]);
  draw(panel);
  panel.find('canvas.pad').focus();
}

// Prepares a picture { width, height, data } as the model's data are, and encodes it.
function takePicture(panel, picture, source) {
  const { model, data } = panel;
  if (!model) return;
  const { x } = prepare(picture, [data.channels, data.height, data.width], data.preparation);
  take(panel, { x: channelsLast(x, model), y: model.numClasses ? mostLikelyClass(model, channelsLast(x, model)) : 0 }, source);
}

// A photo: from a phone's camera app, from the live camera, or from a file where the page may not see the camera.
function setUpCamera(panel) {
  const { find, signal } = panel, kind = cameraOf(window), button = find('.photograph');
  const refuse = (sentence) => (find('.sentence').textContent = sentence);
  const takePhoto = (picture) => {
    takePicture(panel, picture, 'photo');
    find('.autoencoder').scrollIntoView({ block: 'nearest' }); // the shutter is below the pictures
  };
  const camera = createCamera(find('.camera'), { take: takePhoto, refuse }, signal);
  const open = (file) => decode(file).then(takePhoto).catch(({ message }) => refuse(message));
  button.hidden = !probe(); // this browser alters the pixels that a page reads
  button.onclick = () => (kind === 'live' ? camera.open() : chooseFile(find(kind === 'app' ? '.captured' : '.chosen'), open));
}

// Returns { x, y } of one of the images in the props.
function imageOf({ model }, { x, y }) {
  const bytes = fromBase64(x);
  return { x: channelsLast(Float64Array.from(bytes, (byte) => byte / 255), model), y };
}

function showAnother(panel) {
  panel.index = (panel.index + 1) % panel.data.images.length;
  take(panel, imageOf(panel, panel.data.images[panel.index]), 'test');
}

// Encodes an image and goes to the mean of its posterior. source: "test", "drawing" or "photo".
function take(panel, image, source) {
  Object.assign(panel, { ...image, source });
  encode(panel);
  panel.z = panel.q.mu.slice();
  show(panel);
}

function encode(panel) {
  panel.q = posterior(panel.model, panel.x, panel.y ?? 0);
}

// ---- z

function move(panel, [x, y]) {
  const { dims, low, span } = panel.plane, z = panel.z.slice();
  [x, y].forEach((value, i) => (z[dims[i]] = Math.min(low[i] + span, Math.max(low[i], value))));
  panel.z = z;
  panel.tasks.soon(() => panel.model && showCode(panel));
}

function drag(panel, event) {
  if (!panel.model) return;
  const box = panel.find('.plane').getBoundingClientRect(), { low, span } = panel.plane;
  move(panel, [low[0] + ((event.clientX - box.left) / box.width) * span, low[1] + (1 - (event.clientY - box.top) / box.height) * span]);
}

function sampleFromPrior(panel) {
  const { mean, stddev } = panel.model.file.prior, next = normals(panel.samples++);
  panel.z = Float64Array.from(mean, (value, d) => value + stddev[d] * next());
  show(panel);
}

// ---- what is shown

function show(panel) {
  const { find, x, model, source, tasks } = panel;
  paintPicture(find('canvas.x'), x, 255, model);
  find('canvas.pad').classList.toggle('drawn', source === 'drawing');
  find('.hint').textContent = hint(panel);
  showCode(panel);
  tasks.later(tiles(panel));
}

function hint({ data, source, index }) {
  if (source === 'drawing') return '(your drawing, centred and scaled like the training data)';
  if (source === 'photo') return '(your photo, prepared like the training data)';
  return data.draw ? '(draw here)' : `(${data.images[index].label})`;
}

function showCode(panel) {
  const { find, model, z, y, q, data, plane } = panel;
  const values = model.decode(z, y ?? 0), isFinite = paintPicture(find('canvas.x_hat'), values, 255, model);
  find('.sentence').textContent = isFinite ? '' : data.no_number;
  const { dims, low, span } = plane, of = (all) => dims.map((d) => all[d]);
  const svg = find('svg.marks');
  svg.setAttribute('viewBox', `${low[0]} ${-low[1] - span} ${span} ${span}`);
  const { mean, stddev } = model.file.prior, prior = { mean: of(mean), stddev: of(stddev) };
  const posteriorMarks = data.gaussian ? gaussianMarks({ mu: of(q.mu), sigma: of(q.sigma), prior }, span) : '';
  const ring = { class: 'handle', cx: z[dims[0]], cy: -z[dims[1]], r: span / 32, fill: 'none', stroke: '#fff', 'stroke-width': span / 110 };
  svg.innerHTML = posteriorMarks + tag('circle', ring);
  const shown = dims.map((d) => z[d].toFixed(2)).join(', ');
  const [first, second] = data.dims.map(({ name }) => name);
  find('.values').textContent = z.length === 2 ? `latent code z = (${shown})` : `two of ${z.length} dimensions: ${first}, ${second} = (${shown})`;
  find('.legend').textContent = data.gaussian ? '(white circle; the pink ellipse is q(z|x))' : '(white circle)';
  find('.decoded').textContent = `decoded image${model.numClasses ? `, class ${data.classes[y]}` : ''}`;
  sendSoon(panel);
  if (!panel.painted) panel.emit('painted');
  panel.painted = (panel.painted ?? 0) + 1; // read by the browser tests
}

// Decodes the plane, tile by tile; the other dimensions are those of z.
function* tiles(panel) {
  const { find, model, plane: { dims, low, span }, y, data } = panel, z = panel.z.slice();
  const key = `${data.weights} ${y} ${z.map((value, d) => (dims.includes(d) ? 0 : value))}`;
  if (panel.tilesOf === key) return;
  panel.tilesOf = null; // incomplete until the last one
  const canvas = find('canvas.tiles'), { width, height, channels } = model;
  if (canvas.width !== TILES * width) [canvas.width, canvas.height] = [TILES * width, TILES * height];
  const image = new ImageData(width, height);
  for (let row = 0; row < TILES; row++) {
    for (let column = 0; column < TILES; column++) {
      z[dims[0]] = low[0] + ((column + 0.5) / TILES) * span;
      z[dims[1]] = low[1] + span - ((row + 0.5) / TILES) * span;
      fill(image.data, model.decode(z, y ?? 0), 255, channels);
      canvas.getContext('2d').putImageData(image, column * width, row * height);
      if (column % 4 === 3) yield;
    }
  }
  panel.tilesOf = key;
}
