// A map of encoded images on a 2-D canvas. The default export runs again at every change of data, while
// parentElement persists: state that must outlive a run is stored on it.
//
// There are three coordinate systems: that of a layout (used in Python), the unit square around 0 to which every
// layout is scaled (animated), and pixels of the stage.
const PICK_RADIUS = 14; // px
const DWELL = 125; // ms of rest until the card is shown
const TRANSITION = 700; // ms of the animation from one layout to another
const MIN_ZOOM = 0.7, MAX_ZOOM = 80;
const MAX_CLICK_MOVE = 5; // px between press and release of a click

export default function (component) {
  const { data, parentElement } = component;
  const map = (parentElement.scatter ??= createMap(parentElement));
  map.component = component;
  const before = map.data;
  map.data = data;
  if (before && before.model !== data.model) map.questions.forget(); // Python answers none about another model
  if (!before || before.collection !== data.collection) startCollection(map);
  else if (before.layout.key !== data.layout.key) travel(map);
  else if (map.points) place(map);
  if (map.points) {
    if (!before || before.collection !== data.collection || JSON.stringify(before.colouring) !== JSON.stringify(data.colouring)) colour(map);
    showChosen(map);
  }
  showHere(map, null);
  drawSoon(map, true);
}

function createMap(root) {
  const find = (selector) => root.querySelector(selector);
  const map = {
    root, stage: find('.stage'), dots: find('.dots'), over: find('.over'),
    hereCanvas: find('.here canvas'), hereLine: find('.here figcaption'), card: find('.card'),
    said: find('.said'), legend: find('.legend'), walk: find('.walk'), images: find('.images'), contours: find('.contours'),
    view: { x: 0, y: 0, k: 1 }, tool: 'move', hover: -1, lit: new Set(), chosen: null, line: [], stops: [], pointers: new Map(),
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
  setUpPointer(map);
  setUpKeys(map);
  new ResizeObserver(() => resize(map)).observe(map.stage);
  map.questions = createQuestions(map.over, (question) => {
    map.component.setStateValue('ask', { ...question, model: map.data.model });
  });
  hear(map.over, 'collection', (name) => name === map.data.collection && startCollection(map));
  hear(map.over, 'sheet', () => drawSoon(map, true));
  hear(map.over, 'model', (name) => name === map.data.weights && showHere(map, null));
  return map;
}

// ---- the points

function startCollection(map) {
  map.points = mailbox().collections.get(map.data.collection) ?? null;
  map.lit.clear();
  map.hover = -1;
  forgetPath(map);
  map.view = { x: 0, y: 0, k: 1 };
  if (!map.points) return;
  map.counts = new Array(map.data.classes.length).fill(0);
  for (const label of map.points.labels) map.counts[label]++;
  place(map);
  colour(map);
  showChosen(map);
  drawSoon(map, true);
}

// Returns the layout's coordinates of the points (N, 2).
function ownPlaces(map) {
  const { layout } = map.data, { points } = map;
  if (!layout.dims) return points.layouts[layout.key];
  const [i, j] = layout.dims, d = points.dims;
  const places = new Float32Array(2 * points.n);
  for (let p = 0; p < points.n; p++) {
    places[2 * p] = points.codes[p * d + i];
    places[2 * p + 1] = points.codes[p * d + j];
  }
  return places;
}

// Scales the layout to the unit square, both axes by the same factor.
function place(map) {
  if (map.placed === map.data.layout.key && map.placedFor === map.points) return;
  const own = ownPlaces(map);
  const [left, right] = reach(own, 0), [bottom, top] = reach(own, 1);
  map.fit = { x: (left + right) / 2, y: (bottom + top) / 2, span: Math.max(right - left, top - bottom) || 1 };
  map.own = own;
  map.unit = new Float32Array(own.length);
  for (let p = 0; p < own.length; p += 2) [map.unit[p], map.unit[p + 1]] = toUnit(map, own[p], own[p + 1]);
  map.shown = map.unit;
  map.travelling = false;
  map.placed = map.data.layout.key;
  map.placedFor = map.points;
  map.density = null;
}

// Returns the range of nearly all points along an axis; far outliers would make the others small.
function reach(own, axis) {
  const values = own.filter((_, i) => i % 2 === axis).sort();
  const at = (share) => values[Math.round(share * (values.length - 1))];
  const margin = 0.05 * (at(0.995) - at(0.005));
  return [Math.max(values[0], at(0.005) - margin), Math.min(values.at(-1), at(0.995) + margin)];
}

const toUnit = (map, x, y) => [(x - map.fit.x) / map.fit.span, (y - map.fit.y) / map.fit.span];
const toOwn = (map, u, v) => [u * map.fit.span + map.fit.x, v * map.fit.span + map.fit.y];
const scaleOf = (map) => 0.92 * Math.min(map.width, map.height) * map.view.k;
const toStage = (map, u, v) => {
  const scale = scaleOf(map);
  return [map.width / 2 + (u - map.view.x) * scale, map.height / 2 - (v - map.view.y) * scale];
};
const fromStage = (map, x, y) => {
  const scale = scaleOf(map);
  return [map.view.x + (x - map.width / 2) / scale, map.view.y - (y - map.height / 2) / scale];
};

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
    if (map.unit !== to) return; // another transition has started
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

const isLit = (map, p) =>
  (!map.lit.size || map.lit.has(map.points.labels[p])) && (!map.chosen || map.chosen[p] === 1);

// ---- drawing, at most once a frame

function drawSoon(map, all) {
  map.stale ||= all;
  map.frame ??= requestAnimationFrame(() => {
    map.frame = null;
    if (!map.points || !map.width) return;
    if (map.stale) drawMap(map);
    map.stale = false;
    drawOver(map);
    map.over.dataset.frames = ++map.frames; // read by the browser tests
  });
}

function resize(map) {
  const box = map.stage.getBoundingClientRect();
  if (!box.width) return;
  map.ratio = Math.min(2, window.devicePixelRatio || 1);
  [map.width, map.height] = [box.width, box.height];
  for (const canvas of [map.dots, map.over]) {
    canvas.width = Math.round(box.width * map.ratio);
    canvas.height = Math.round(box.height * map.ratio);
  }
  map.buffer = null;
  drawSoon(map, true);
}

function zoom(map, factor, x = map.width / 2, y = map.height / 2) {
  const [u, v] = fromStage(map, x, y);
  map.view.k = Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, map.view.k * factor));
  const [u2, v2] = fromStage(map, x, y);
  map.view.x += u - u2;
  map.view.y += v - v2;
  drawSoon(map, true);
}

// ---- pointer and keys

function setTool(map, tool) {
  map.tool = tool;
  forgetPath(map);
  map.root.querySelectorAll('[data-tool]').forEach((button) => {
    button.setAttribute('aria-pressed', String(button.dataset.tool === tool));
  });
  map.over.classList.toggle('drawing', tool !== 'move');
  drawSoon(map, false);
}

function setUpPointer(map) {
  const { over } = map;
  const at = (event) => {
    const box = over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  over.onpointerdown = (event) => {
    if (event.button) return; // the right button opens the context menu
    over.setPointerCapture(event.pointerId);
    map.pointers.set(event.pointerId, at(event));
    map.down = at(event);
    map.moved = false;
    if (map.pointers.size > 1) {
      map.moved = true; // two fingers are neither a click nor a lasso
      map.gesture = null;
      return;
    }
    map.gesture = event.shiftKey ? 'lasso' : map.tool;
    if (map.gesture !== 'move') map.line = [at(event)];
  };
  over.onpointermove = (event) => {
    const here = at(event);
    const last = map.pointers.get(event.pointerId);
    if (!last) {
      if (event.pointerType === 'mouse') hover(map, ...here);
      return;
    }
    if (Math.hypot(here[0] - map.down[0], here[1] - map.down[1]) > MAX_CLICK_MOVE) map.moved = true;
    if (map.pointers.size === 2) pinch(map, event.pointerId, here);
    else if (map.gesture === 'move' && map.moved) {
      const scale = scaleOf(map);
      map.view.x -= (here[0] - last[0]) / scale;
      map.view.y += (here[1] - last[1]) / scale;
      drawSoon(map, true);
    } else if (map.gesture && map.gesture !== 'move') {
      map.line.push(here);
      if (map.gesture === 'path') hover(map, ...here);
      drawSoon(map, false);
    }
    map.pointers.set(event.pointerId, here);
  };
  over.onpointerup = (event) => {
    const { gesture } = map;
    map.pointers.delete(event.pointerId);
    if (map.pointers.size) return;
    map.gesture = null;
    if (!map.points) return;
    const { line } = map;
    map.line = [];
    if (!map.moved && gesture) {
      hover(map, ...at(event));
      if (gesture === 'lasso') choose(map, []);
      else if (gesture === 'path') addStop(map, fromStage(map, ...at(event)));
      else pick(map, ...at(event));
    } else if (gesture === 'lasso') sendLasso(map, line);
    else if (gesture === 'path') sendPath(map, line.map((place) => fromStage(map, ...place)));
  };
  over.onpointercancel = (event) => {
    map.pointers.delete(event.pointerId);
    map.gesture = null;
  };
  over.onpointerleave = (event) => event.pointerType === 'mouse' && leave(map); // after a touch the card stays
  over.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoom(map, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), ...at(event));
    leave(map);
  }, { passive: false });
}

function pinch(map, moving, here) {
  const [other] = [...map.pointers].filter(([id]) => id !== moving).map(([, place]) => place);
  const last = map.pointers.get(moving);
  const apart = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]);
  const middle = [(here[0] + other[0]) / 2, (here[1] + other[1]) / 2];
  const scale = scaleOf(map);
  map.view.x -= (here[0] - last[0]) / 2 / scale;
  map.view.y += (here[1] - last[1]) / 2 / scale;
  zoom(map, apart(here) / Math.max(1, apart(last)), ...middle);
}

function setUpKeys(map) {
  const towards = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  map.over.onkeydown = (event) => {
    if (!map.points || event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = towards[event.key];
    if (direction && event.shiftKey) {
      map.view.x += (60 * direction[0]) / scaleOf(map);
      map.view.y -= (60 * direction[1]) / scaleOf(map);
      drawSoon(map, true);
    } else if (direction) step(map, direction);
    else if (event.key === '+' || event.key === '=') zoom(map, 1.6);
    else if (event.key === '-') zoom(map, 1 / 1.6);
    else if (event.key === '0') map.root.querySelector('.whole').click();
    else if (event.key === 'Enter' && map.hover >= 0) {
      const stop = [map.unit[2 * map.hover], map.unit[2 * map.hover + 1]];
      if (map.tool === 'path') addStop(map, stop);
      else pick(map, ...toStage(map, ...stop));
    } else if (event.key === 'Escape') {
      forgetPath(map);
      leave(map);
      if (map.chosen) choose(map, []);
    } else return;
    event.preventDefault();
  };
  map.over.onblur = () => leave(map);
}

// Moves to the nearest highlighted point in a direction; without a start, to the one nearest to the centre.
function step(map, direction) {
  const from = map.hover >= 0
    ? toStage(map, map.unit[2 * map.hover], map.unit[2 * map.hover + 1])
    : [map.width / 2, map.height / 2];
  let best = -1;
  for (const cone of [0.7, 0.1]) { // straight ahead if possible, otherwise anywhere on that side
    let least = Infinity;
    for (let p = 0; p < map.points.n; p++) {
      if (p === map.hover || !isLit(map, p)) continue;
      const [x, y] = toStage(map, map.unit[2 * p], map.unit[2 * p + 1]);
      const away = Math.hypot(x - from[0], y - from[1]);
      const along = (x - from[0]) * direction[0] + (y - from[1]) * direction[1];
      if (map.hover >= 0 && (along <= cone * away || away < 4)) continue;
      if (away < least) [best, least] = [p, away];
    }
    if (best >= 0) break;
  }
  if (best < 0) return;
  const [x, y] = toStage(map, map.unit[2 * best], map.unit[2 * best + 1]);
  if (x < 0 || y < 0 || x > map.width || y > map.height) {
    [map.view.x, map.view.y] = [map.unit[2 * best], map.unit[2 * best + 1]];
    drawSoon(map, true);
  }
  touchPoint(map, best, ...toStage(map, map.unit[2 * best], map.unit[2 * best + 1]));
  showCard(map);
  map.said.textContent = cardText(map, best);
}

// ---- messages to Python

function send(map, event, what) {
  map.component.setTriggerValue(event, { model: map.data.model, collection: map.data.collection, layout: map.data.layout.key, ...what });
}

function pick(map, x, y) {
  if (map.travelling) return;
  if (map.hover >= 0) send(map, 'pick', { index: map.hover });
  else send(map, 'pick', { place: toOwn(map, ...fromStage(map, x, y)) });
}

function sendLasso(map, line) {
  const inside = [];
  for (let p = 0; p < map.points.n; p++) {
    if (map.lit.size && !map.lit.has(map.points.labels[p])) continue;
    if (within(line, toStage(map, map.unit[2 * p], map.unit[2 * p + 1]))) inside.push(p);
  }
  choose(map, inside);
}

// Returns whether a point lies in a polygon: a ray from it crosses the boundary an odd number of times.
function within(polygon, [x, y]) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i], [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < xi + ((xj - xi) * (y - yi)) / (yj - yi)) inside = !inside;
  }
  return inside;
}

function choose(map, indices) {
  map.chosen = indices.length ? maskOf(map, indices) : null;
  map.density = null; // it depends on the highlighted points
  drawSoon(map, true);
  send(map, 'lasso', { indices });
}

function maskOf(map, indices) {
  const mask = new Uint8Array(map.points.n);
  for (const p of indices) mask[p] = 1;
  return mask;
}

function showChosen(map) {
  const { chosen } = map.data;
  map.chosen = chosen.length ? maskOf(map, chosen) : null;
  map.density = null;
}

// Adds a stop to a path, by a click or Enter; the button ends the path.
function addStop(map, place) {
  map.stops.push(place);
  map.walk.hidden = map.stops.length < 2;
  drawSoon(map, false);
}

function forgetPath(map) {
  map.line = [];
  map.stops = [];
  map.walk.hidden = true;
}

// line: positions in the unit square
function sendPath(map, line) {
  const every = Math.ceil(line.length / 200);
  const kept = line.filter((_, i) => i % every === 0 || i === line.length - 1);
  forgetPath(map);
  send(map, 'path', { places: kept.map(([u, v]) => toOwn(map, u, v)) });
}
