// A map of encoded images on a 2-D canvas.
// Emits: ask {panel, seq, model, zs, y}, and with model, collection and layout: pick {index} or {place},
// lasso {indices} and path {places}. Its props are those of pages/components/map/scatter.py.
import { loadModel } from '../../runtime/load_model.js';
import { createMailbox, hear } from '../../runtime/mailbox.js';
import { createQuestions } from '../../runtime/questions.js';
import { createRoot } from '../../runtime/root.js';
import { setHeld, setTool, setUpKeys, setUpPointer, setUpTouch } from './hand.js';
import { showHere } from './hover.js';
import { colour } from './legend.js';
import { place } from './places.js';
import css from './scatter.css';
import html from './scatter.html';
import { forgetPath, sendPath, showChosen } from './selection.js';
import { drawSoon, resize, zoom } from './view.js';

const TRANSITION = 700; // ms of the animation from one layout to another

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, html, css);
  const abort = new AbortController();
  const map = createMap(root, emit, mailbox, abort.signal);
  root.scatter = map; // read by the browser tests
  const sizes = new ResizeObserver(() => resize(map));
  sizes.observe(map.stage);
  update(map, props);
  return {
    update: (next) => update(map, next),
    destroy() {
      abort.abort();
      sizes.disconnect();
      clearTimeout(map.dwell);
      clearTimeout(map.hintTimer);
      root.replaceChildren();
    },
  };
}

function update(map, props) {
  const before = map.data;
  map.data = props;
  loadModel(map.mailbox, props.weights, props.files);
  if (before && before.model !== props.model) map.questions.forget(); // the host answers none about another model
  if (!before || before.collection !== props.collection) startCollection(map);
  else if (before.layout.key !== props.layout.key) travel(map);
  else if (map.points) place(map);
  if (map.points) {
    if (!before || before.collection !== props.collection || JSON.stringify(before.colouring) !== JSON.stringify(props.colouring)) colour(map);
    showChosen(map);
  }
  showHere(map, null);
  drawSoon(map, true);
}

function createMap(root, emit, mailbox, signal) {
  const find = (selector) => root.querySelector(selector);
  const map = {
    root, emit, mailbox, signal, stage: find('.stage'), dots: find('.dots'), over: find('.over'),
    hereCanvas: find('.here canvas'), hereLine: find('.here figcaption'), card: find('.card'),
    said: find('.said'), hint: find('.hint'), legend: find('.legend'), walk: find('.walk'), images: find('.images'), contours: find('.contours'),
    view: { x: 0, y: 0, k: 1 }, tool: 'move', hover: -1, shownClasses: new Set(), held: false, chosen: null, line: [], stops: [], pointers: new Map(),
    thumbs: [], frames: 0,
  };
  root.querySelectorAll('[data-tool]').forEach((button) => {
    button.onclick = () => setTool(map, button.dataset.tool);
  });
  find('.in').onclick = () => zoom(map, 1.6);
  find('.out').onclick = () => zoom(map, 1 / 1.6);
  find('.whole').onclick = () => {
    map.view = { x: 0, y: 0, k: 1 };
    drawSoon(map, true);
  };
  map.images.onchange = map.contours.onchange = () => drawSoon(map, true);
  map.walk.onclick = () => sendPath(map, map.stops);
  find('.hold').onclick = () => setHeld(map, !map.held);
  setUpPointer(map);
  setUpTouch(map);
  setUpKeys(map);
  map.questions = createQuestions(mailbox, (question) => emit('ask', { ...question, model: map.data.model }), signal);
  hear(mailbox, 'collection', (name) => name === map.data.collection && startCollection(map), signal);
  hear(mailbox, 'sheet', () => drawSoon(map, true), signal);
  hear(mailbox, 'model', (name) => name === map.data.weights && showHere(map, null), signal);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawSoon(map, true), { signal });
  return map;
}

function startCollection(map) {
  map.points = map.mailbox.collections.get(map.data.collection) ?? null;
  map.shownClasses.clear();
  map.hover = -1;
  forgetPath(map);
  map.view = { x: 0, y: 0, k: 1 };
  if (!map.points) return;
  map.counts = new Array(map.data.classes.length).fill(0);
  for (const label of map.points.labels) map.counts[label]++;
  place(map);
  colour(map);
  showChosen(map);
  showHere(map, null); // the model may have arrived before the points
  drawSoon(map, true);
}

// Animates the points from one layout to another, so that the eye can follow.
function travel(map) {
  if (!map.points) return;
  const from = map.shown.slice();
  place(map);
  map.view = { x: 0, y: 0, k: 1 };
  forgetPath(map);
  map.hover = -1;
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const to = map.unit, begun = performance.now();
  map.shown = from.slice();
  map.travelling = true;
  const step = (now) => {
    if (map.unit !== to || map.signal.aborted) return; // another transition has started
    const part = Math.min(1, (now - begun) / TRANSITION);
    const eased = part * part * (3 - 2 * part);
    for (let p = 0; p < to.length; p++) map.shown[p] = from[p] + (to[p] - from[p]) * eased;
    if (part === 1) {
      map.shown = to;
      map.travelling = false;
    } else requestAnimationFrame(step);
    drawSoon(map, true);
  };
  requestAnimationFrame(step);
}
