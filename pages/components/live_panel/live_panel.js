// Sliders and a pad over a latent point. The default export runs again at every change of data,
// while parentElement persists: what must outlive a run is kept on it.
const COMMIT_AFTER = 250; // ms of rest after the last key: arrow keys come in bursts
const REST_AFTER = 120; // ms without a movement before strips are drawn
const SLICE = 6; // ms that drawing strips may hold the page at a time
const GIVE_UP_AFTER = 2000; // ms without an answer: the request is taken for lost
const PATIENCE = 8000; // ms until weights that do not arrive are spoken of
const TILES = 7; // pictures in a film strip
const PAD_TILES = 15; // pictures across the pad of a 2-D model
const BINS = 64; // of a histogram; a divisor of 256, the levels that draws come in
const CELLS = 64; // across the pad's density; likewise

export default function (component) {
  const { data, parentElement } = component;
  const panel = (parentElement.panel ??= createPanel(parentElement));
  panel.component = component;
  const before = panel.data;
  panel.data = data;
  if (data.note) panel.note = data.note;
  if (!before || before.model !== data.model) startModel(panel);
  if (!before || before.version !== data.version || before.model !== data.model) startFrom(panel);
  showNamesAndLocks(panel);
}

function createPanel(root) {
  const find = (selector) => root.querySelector(selector);
  const panel = {
    root, id: Math.random().toString(36).slice(2), canvas: find('canvas.picture'), line: find('.line'),
    classes: find('.classes'), sliders: find('.sliders'), more: find('.more'), pad: find('.pad'),
    padCanvas: find('.pad canvas'), cross: find('.cross'), padLine: find('.pad-line'),
    axisX: find('.axis-x'), axisY: find('.axis-y'), undo: find('.undo'), redo: find('.redo'),
    rows: [], z: [], y: 0, seq: 0, sent: 0, inFlight: null, wanted: null, painted: 0, expanded: false,
    holding: false, note: '', work: 0, scratch: [],
  };
  panel.more.onclick = () => {
    panel.expanded = !panel.expanded;
    showRows(panel);
    rest(panel);
  };
  panel.undo.onclick = () => travel(panel, 'past', 'future');
  panel.redo.onclick = () => travel(panel, 'future', 'past');
  find('.reset').onclick = () => {
    goTo(panel, panel.data.start);
    commit(panel);
  };
  root.addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
    event.preventDefault();
    if (event.shiftKey) panel.redo.click();
    else panel.undo.click();
  });
  setUpPad(panel);
  const { news } = mailbox();
  const heard = (handle) => function listener(event) {
    if (panel.canvas.isConnected) handle(event.detail);
    else news.removeEventListener(event.type, listener);
  };
  news.addEventListener('answer', heard((answer) => takeAnswer(panel, answer)));
  news.addEventListener('model', heard((name) => name === panel.data.weights && takeModel(panel)));
  // a slider that is let go where it was taken up sends no "change": the hand has left all the same
  window.addEventListener('pointerup', function listener() {
    if (!panel.canvas.isConnected) window.removeEventListener('pointerup', listener);
    else setTimeout(() => panel.holding && commit(panel));
  });
  document.addEventListener('visibilitychange', function listener() {
    if (!panel.canvas.isConnected) document.removeEventListener('visibilitychange', listener);
    else if (!document.hidden && panel.unfinished) rest(panel);
  });
  return panel;
}

// ---- the point

// another model: its sliders, its draws, its history
function startModel(panel) {
  const { model, weights, dims } = panel.data;
  panel.entry = mailbox().models.get(weights) ?? null;
  clearTimeout(panel.patience);
  if (!panel.entry) panel.patience = setTimeout(goOnWithout, PATIENCE, panel);
  panel.inFlight = panel.wanted = null;
  panel.committed = null;
  if (!mailbox().memory.has(model)) mailbox().memory.set(model, { past: [], future: [] });
  panel.memory = mailbox().memory.get(model);
  panel.image = null;
  buildRows(panel);
  buildClasses(panel);
  // the two that carry most; a plane has its own first and second
  const axes = dims.length === 2 ? [0, 1] : dims.slice(0, 2).map((dim) => dim.index);
  [panel.axisX, panel.axisY].forEach((select, i) => {
    select.replaceChildren(...dims.map((dim) => new Option(label(dim), dim.index, false, dim.index === axes[i])));
  });
  panel.root.querySelector('.plane').style.display = dims.length < 2 ? 'none' : '';
  panel.padShows = null;
}

// a new point, written elsewhere or the echo of our own release: the sliders follow it
function startFrom(panel) {
  const { z, y, echo } = panel.data;
  if (echo.panel === panel.id && echo.commit < panel.sent) return; // a later release is on its way
  const last = panel.committed;
  if (last && !samePoint(last, panel.data)) {
    panel.memory.past.push(last);
    panel.memory.future.length = 0;
  }
  panel.committed = { z: z.slice(), y };
  showHistory(panel);
  if (panel.holding) return; // a hand that already moves on keeps its place
  panel.z = z.slice();
  panel.y = y;
  moved(panel);
  if (!panel.entry?.decoder) paintBytes(panel, Uint8Array.from(atob(panel.data.pixels), (c) => c.charCodeAt(0)));
}

function samePoint(a, b) {
  return a.y === b.y && a.z.length === b.z.length && a.z.every((v, i) => Math.abs(v - b.z[i]) < 1e-3);
}

function goOnWithout(panel) {
  panel.entry = { draws: new Uint8Array(), decoder: null, reason: 'the weights have not arrived' };
  moved(panel);
}

function takeModel(panel) {
  clearTimeout(panel.patience);
  panel.entry = mailbox().models.get(panel.data.weights);
  panel.rows.forEach((row) => drawHistogram(panel, row));
  panel.padShows = null;
  show(panel, panel.z, panel.y);
  rest(panel);
}

// to another point, but for the dimensions that are locked
function goTo(panel, point) {
  const z = point.z.slice();
  for (const dim of panel.data.dims) if (dim.locked) z[dim.index] = panel.z[dim.index];
  panel.z = z;
  panel.y = point.y;
  moved(panel);
}

// the point has moved, by hand or otherwise: show it everywhere, soon draw what lies around it
function moved(panel) {
  clean(panel);
  for (const row of panel.rows) {
    const value = panel.z[row.dim.index];
    if (!panel.holding) makeRoom(panel, row, value);
    if (Number(row.input.value) !== value) row.input.value = value;
    row.output.textContent = value.toFixed(2);
  }
  for (const button of panel.classes.children) button.setAttribute('aria-pressed', Number(button.value) === panel.y);
  placeCross(panel);
  show(panel, panel.z, panel.y);
  rest(panel);
}

// a point may lie outside the range of encoded data: then its track is longer, though never
// while a hand is on it
function makeRoom(panel, row, value) {
  const low = Math.min(row.dim.low, value), high = Math.max(row.dim.high, value);
  if (low === row.low && high === row.high) return;
  Object.assign(row, { low, high });
  Object.assign(row.input, { min: low, max: high });
  drawHistogram(panel, row);
}

function clean(panel) {
  for (const { index, low, high } of panel.data.dims) {
    const value = panel.z[index];
    if (Number.isFinite(value)) continue;
    panel.z[index] = value === Infinity ? high : value === -Infinity ? low : (low + high) / 2;
    panel.note = 'a value that was no number was put back into the data’s range';
  }
}

function commit(panel) {
  panel.holding = false;
  clearTimeout(panel.commitTimer);
  if (panel.committed && samePoint(panel.committed, panel)) return;
  if (panel.committed) panel.memory.past.push(panel.committed);
  panel.memory.future.length = 0;
  send(panel);
}

function send(panel) {
  panel.committed = { z: panel.z.slice(), y: panel.y };
  showHistory(panel);
  panel.component.setTriggerValue('commit', {
    panel: panel.id, commit: ++panel.sent, model: panel.data.model, z: panel.z.slice(), y: panel.y,
  });
}

function commitSoon(panel) {
  clearTimeout(panel.commitTimer);
  panel.commitTimer = setTimeout(commit, COMMIT_AFTER, panel);
}

function travel(panel, from, to) {
  if (panel.holding) commit(panel); // a step that was not yet released is a step
  const point = panel.memory[from].pop();
  if (!point) return;
  panel.memory[to].push(panel.committed);
  goTo(panel, point);
  send(panel);
}

function showHistory(panel) {
  panel.undo.disabled = !panel.memory.past.length;
  panel.redo.disabled = !panel.memory.future.length;
}

// ---- the picture

function show(panel, z, y) {
  const decoder = panel.entry?.decoder;
  if (!decoder) {
    if (!panel.entry && !panel.holding) return; // the weights are on their way, and Python's picture stands
    panel.wanted = { z: z.slice(), y };
    if (!panel.inFlight || performance.now() - panel.inFlight.at > GIVE_UP_AFTER) askForPicture(panel);
    return;
  }
  const start = performance.now();
  const values = decoder.decode(z, y);
  paint(panel, values, 255);
  tell(panel, 'in your browser', performance.now() - start);
}

function tell(panel, where, milliseconds) {
  const reason = panel.entry?.reason;
  const notes = [reason && `the browser does not decode: ${reason}`, panel.note].filter(Boolean);
  panel.note = '';
  panel.line.textContent = `decoded ${where} in ${milliseconds.toFixed(1)} ms` + notes.map((n) => `; ${n}`).join('');
}

function paintBytes(panel, bytes) {
  paint(panel, bytes, 1);
}

// values (H * W * C), times scale 0 to 255
function paint(panel, values, scale) {
  const { width, height, channels } = panel.data;
  if (!panel.image) {
    panel.image = new ImageData(width, height);
    panel.canvas.width = width;
    panel.canvas.height = height;
    panel.canvas.classList.toggle('crisp', height < 64);
    panel.context = panel.canvas.getContext('2d');
  }
  fill(panel.image.data, values, scale, channels);
  panel.context.putImageData(panel.image, 0, 0);
  panel.canvas.dataset.painted = ++panel.painted; // read by the browser tests
}

function fill(rgba, values, scale, channels) {
  const green = channels > 1 ? 1 : 0, blue = channels > 1 ? 2 : 0;
  for (let i = 0, from = 0; i < rgba.length; i += 4, from += channels) {
    rgba[i] = values[from] * scale;
    rgba[i + 1] = values[from + green] * scale;
    rgba[i + 2] = values[from + blue] * scale;
    rgba[i + 3] = 255;
  }
}

// ---- the server path: one request in flight, the latest value wins

function askForPicture(panel) {
  const { z, y } = panel.wanted;
  panel.wanted = null;
  ask(panel, [z], y, (answer) => {
    paintBytes(panel, answer.pixels);
    tell(panel, 'on the server', answer.milliseconds);
  });
}

function ask(panel, zs, y, use) {
  panel.inFlight = { seq: ++panel.seq, at: performance.now(), use };
  panel.component.setStateValue('ask', { panel: panel.id, model: panel.data.model, seq: panel.seq, zs, y });
}

function takeAnswer(panel, answer) {
  if (answer.panel !== panel.id || answer.seq !== panel.inFlight?.seq) return;
  const { use } = panel.inFlight;
  panel.inFlight = null;
  use(answer);
  if (panel.wanted) askForPicture(panel);
  else panel.whenFree?.();
}

// ---- sliders

function label(dim) {
  return dim.name || `z${dim.index}`;
}

function buildRows(panel) {
  const { dims, model } = panel.data;
  panel.rows = dims.map((dim) => {
    const element = document.createElement('div');
    element.className = 'slider';
    element.innerHTML = `
      <div class="head">
        <button type="button" class="name" title="double-click, or press Enter, to rename"></button>
        <span class="kl" title="what this dimension carries on test data: KL(q(z|x) || p(z))"></span>
        <output></output>
        <button type="button" class="lock" title="a locked dimension is left alone by the hand, by Undo, Reset and Random">lock</button>
      </div>
      <input type="range" step="any">
      <svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
        <title>grey: encoded data; line: the prior</title><path class="data"/><path class="prior"/>
      </svg>
      <canvas class="strip" aria-hidden="true" title="what stands at each place along the track"></canvas>`;
    const find = (selector) => element.querySelector(selector);
    const row = {
      dim, element, name: find('.name'), output: find('output'), lock: find('.lock'), input: find('input'),
      svg: find('svg'), strip: find('.strip'),
    };
    find('.kl').textContent = dim.kl === null ? '' : `${dim.kl.toFixed(2)} nats`;
    row.input.dataset.dim = dim.index;
    row.input.oninput = () => {
      panel.holding = true;
      panel.z[dim.index] = Number(row.input.value);
      moved(panel);
    };
    row.input.onchange = () => commit(panel);
    row.input.onkeydown = (event) => {
      const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!sign || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault(); // with step "any" the browser's own step is the browser's choice
      const step = ((row.high - row.low) / 100) * (event.shiftKey ? 10 : 1);
      row.input.value = Number(row.input.value) + sign * step;
      row.input.oninput();
      commitSoon(panel);
    };
    row.lock.onclick = () => {
      const current = panel.data.dims.find((other) => other.index === dim.index);
      current.locked = !current.locked;
      panel.component.setTriggerValue('lock', { model, index: dim.index, locked: current.locked });
      showNamesAndLocks(panel);
    };
    row.name.ondblclick = () => rename(panel, row);
    row.name.onclick = (event) => event.detail === 0 && rename(panel, row); // Enter or Space
    setUpStrip(panel, row);
    return row;
  });
  panel.sliders.replaceChildren(...panel.rows.map((row) => row.element));
  showRows(panel);
}

function shownRows(panel) {
  return panel.rows.filter((row) => row.element.style.display !== 'none');
}

function showRows(panel) {
  const all = panel.rows.length, first = panel.data.shown_first;
  panel.rows.forEach((row, i) => (row.element.style.display = panel.expanded || i < first ? '' : 'none'));
  panel.more.style.display = all > first ? '' : 'none';
  panel.more.textContent = panel.expanded ? `Show the first ${first}` : `Show all ${all}`;
  panel.more.setAttribute('aria-expanded', panel.expanded);
}

function showNamesAndLocks(panel) {
  panel.rows.forEach((row, i) => {
    row.dim = Object.assign(row.dim, { name: panel.data.dims[i].name, locked: panel.data.dims[i].locked });
    row.name.textContent = label(row.dim);
    row.input.setAttribute('aria-label', `${label(row.dim)}, latent dimension ${row.dim.index}`);
    row.input.disabled = row.dim.locked;
    row.lock.textContent = row.dim.locked ? 'locked' : 'lock';
    row.lock.setAttribute('aria-pressed', row.dim.locked);
    row.lock.setAttribute('aria-label', `lock ${label(row.dim)}`);
    for (const select of [panel.axisX, panel.axisY]) select.options[i].textContent = label(row.dim);
  });
}

function rename(panel, row) {
  const field = document.createElement('input');
  field.className = 'rename';
  field.maxLength = 24;
  field.value = label(row.dim);
  field.setAttribute('aria-label', `name of latent dimension ${row.dim.index}`);
  row.name.replaceWith(field);
  field.focus();
  field.select();
  let finished = false;
  const finish = (keep) => {
    if (finished) return; // a field that is taken away loses its focus, which ends here again
    finished = true;
    const name = keep ? field.value.trim() : row.dim.name;
    field.replaceWith(row.name);
    row.name.focus();
    if (name === label(row.dim) || name === row.dim.name) return;
    panel.data.dims.find((dim) => dim.index === row.dim.index).name = row.dim.name = name;
    row.name.textContent = label(row.dim);
    panel.component.setTriggerValue('rename', { model: panel.data.model, index: row.dim.index, name });
  };
  field.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.preventDefault(); // the label gets the focus: the same key must not press it
    finish(event.key === 'Enter');
  };
  field.onblur = () => finish(true);
}

function buildClasses(panel) {
  panel.classes.replaceChildren(...panel.data.classes.map((name, value) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.value = value;
    button.textContent = name;
    button.onclick = () => {
      panel.y = value;
      moved(panel);
      commit(panel);
    };
    return button;
  }));
}

// grey: draws from the encoded data's posteriors; line: the prior's density on the same scale
function drawHistogram(panel, { dim, low, high, svg }) {
  const draws = panel.entry?.draws ?? [];
  const d = panel.data.dims.length, n = draws.length / d;
  if (!n) return;
  const counts = new Float64Array(BINS);
  for (let i = 0; i < n; i++) counts[Math.floor((draws[i * d + dim.index] * BINS) / 256)]++;
  const width = (dim.high - dim.low) / BINS;
  const density = (v) => Math.exp(-0.5 * ((v - dim.prior_mu) / dim.prior_sigma) ** 2) / (dim.prior_sigma * Math.sqrt(2 * Math.PI));
  const places = Array.from({ length: 101 }, (_, i) => low + ((high - low) * i) / 100);
  const prior = places.map((v) => density(v) * n * width);
  const top = Math.max(...counts, ...prior);
  const x = (v) => (100 * (v - low)) / (high - low), y = (count) => 20 - (20 * count) / top;
  const bars = [...counts].map((count, i) => `L${x(dim.low + i * width)} ${y(count)} L${x(dim.low + (i + 1) * width)} ${y(count)}`);
  svg.querySelector('.data').setAttribute('d', `M${x(dim.low)} 20 ${bars.join(' ')} L${x(dim.high)} 20 Z`);
  svg.querySelector('.prior').setAttribute('d', 'M' + prior.map((count, i) => `${i} ${y(count)}`).join(' L'));
}

// ---- what lies around: film strips and the pad, drawn only while the hand rests

function tileValue(row, i) {
  return row.low + ((i + 0.5) / TILES) * (row.high - row.low);
}

function setUpStrip(panel, row) {
  const at = (event) => {
    const box = row.strip.getBoundingClientRect();
    const i = Math.floor(((event.clientX - box.left) / box.width) * TILES);
    return tileValue(row, Math.max(0, Math.min(TILES - 1, i)));
  };
  row.strip.onpointermove = (event) => {
    if (event.pointerType !== 'mouse' || event.buttons || row.dim.locked) return;
    preview(panel, { [row.dim.index]: at(event) });
  };
  row.strip.onpointerleave = () => restore(panel);
  row.strip.onclick = (event) => {
    if (row.dim.locked) return;
    panel.previewing = false;
    panel.z[row.dim.index] = at(event);
    moved(panel);
    commit(panel);
  };
}

// a probe: the picture shows another point, the point itself stays
function preview(panel, changes) {
  panel.previewing = true;
  const z = panel.z.slice();
  for (const [index, value] of Object.entries(changes)) z[index] = value;
  show(panel, z, panel.y);
}

function restore(panel) {
  if (!panel.previewing) return;
  panel.previewing = false;
  show(panel, panel.z, panel.y);
}

function rest(panel) {
  clearTimeout(panel.restTimer);
  panel.work++; // what was being drawn is out of date
  panel.unfinished = true;
  panel.restTimer = setTimeout(drawAround, REST_AFTER, panel);
}

function drawAround(panel) {
  if (!panel.entry || panel.holding || document.hidden || !panel.canvas.isConnected) {
    if (panel.holding) panel.restTimer = setTimeout(drawAround, REST_AFTER, panel);
    return;
  }
  const jobs = [];
  for (const row of shownRows(panel)) {
    for (let i = 0; i < TILES; i++) {
      const z = panel.z.slice();
      z[row.dim.index] = tileValue(row, i);
      jobs.push({ z, canvas: row.strip, column: i, row: 0, columns: TILES, rows: 1, alpha: 1 });
    }
  }
  if (panel.data.dims.length === 2) jobs.push(...manifoldJobs(panel));
  else drawDensity(panel);
  runJobs(panel, jobs, panel.work);
}

function runJobs(panel, jobs, work) {
  const decoder = panel.entry?.decoder;
  if (!decoder) {
    askForTiles(panel, jobs, work);
    return;
  }
  const slice = () => {
    if (work !== panel.work || document.hidden) return;
    const until = performance.now() + SLICE;
    while (jobs.length && performance.now() < until) {
      const job = jobs.shift();
      drawTile(panel, job, decoder.decode(job.z, panel.y), 255);
    }
    if (jobs.length) setTimeout(slice);
    else panel.unfinished = false;
  };
  slice();
}

function askForTiles(panel, jobs, work) {
  if (panel.inFlight) {
    panel.whenFree = () => {
      panel.whenFree = null;
      if (work === panel.work) askForTiles(panel, jobs, work);
    };
    return;
  }
  const some = jobs.splice(0, 64);
  if (!some.length || work !== panel.work) {
    panel.unfinished = some.length > 0;
    return;
  }
  ask(panel, some.map((job) => job.z), panel.y, ({ pixels, count }) => {
    const size = pixels.length / count;
    if (work !== panel.work) return;
    some.forEach((job, i) => drawTile(panel, job, pixels.subarray(i * size, (i + 1) * size), 1));
    panel.whenFree = () => {
      panel.whenFree = null;
      askForTiles(panel, jobs, work);
    };
  });
}

function drawTile(panel, job, values, scale) {
  const { width, height, channels } = panel.data;
  if (job.canvas.width !== width * job.columns || job.canvas.height !== height * job.rows) {
    job.canvas.width = width * job.columns;
    job.canvas.height = height * job.rows;
    job.canvas.classList.toggle('crisp', height < 64);
  }
  if (panel.tile?.width !== width || panel.tile.height !== height) panel.tile = new ImageData(width, height);
  fill(panel.tile.data, values, scale * job.alpha, channels);
  job.canvas.getContext('2d').putImageData(panel.tile, job.column * width, job.row * height);
  job.onDrawn?.();
}

// ---- the pad

function padDims(panel) {
  const byIndex = (select) => panel.data.dims.find((dim) => dim.index === Number(select.value));
  return [byIndex(panel.axisX), byIndex(panel.axisY)];
}

function setUpPad(panel) {
  const at = (event) => {
    const box = panel.pad.getBoundingClientRect();
    const [x, y] = padDims(panel);
    const part = (value) => Math.max(0, Math.min(1, value));
    const across = part((event.clientX - box.left) / box.width), up = part((box.bottom - event.clientY) / box.height);
    const place = {};
    if (!y.locked) place[y.index] = y.low + up * (y.high - y.low);
    if (!x.locked) place[x.index] = x.low + across * (x.high - x.low);
    return place;
  };
  const follow = (event) => {
    panel.previewing = false;
    Object.assign(panel.z, at(event));
    moved(panel);
  };
  panel.pad.onpointerdown = (event) => {
    panel.pad.setPointerCapture(event.pointerId);
    panel.holding = true;
    follow(event);
  };
  panel.pad.onpointermove = (event) => {
    if (panel.pad.hasPointerCapture(event.pointerId)) follow(event);
    else if (event.pointerType === 'mouse') preview(panel, at(event));
  };
  panel.pad.onpointerup = panel.pad.onpointercancel = () => commit(panel);
  panel.pad.onpointerleave = () => restore(panel);
  panel.pad.onkeydown = (event) => {
    const [x, y] = padDims(panel);
    const step = { ArrowRight: [x, 1], ArrowLeft: [x, -1], ArrowUp: [y, 1], ArrowDown: [y, -1] }[event.key];
    if (!step || step[0].locked) return;
    event.preventDefault();
    panel.holding = true;
    const [dim, sign] = step;
    panel.z[dim.index] += sign * ((dim.high - dim.low) / 100) * (event.shiftKey ? 10 : 1);
    moved(panel);
    commitSoon(panel);
  };
  panel.axisX.onchange = panel.axisY.onchange = () => {
    placeCross(panel);
    rest(panel);
  };
}

function placeCross(panel) {
  if (panel.data.dims.length < 2) return;
  const part = (dim) => Math.max(0, Math.min(1, (panel.z[dim.index] - dim.low) / (dim.high - dim.low)));
  const [x, y] = padDims(panel);
  panel.cross.style.left = `${100 * part(x)}%`;
  panel.cross.style.top = `${100 - 100 * part(y)}%`;
}

// counts of draws per cell, smoothed, 0 to 1; (CELLS * CELLS), row 0 at the top
function density(panel) {
  const cells = new Float64Array(CELLS * CELLS);
  const draws = panel.entry?.draws ?? [];
  const d = panel.data.dims.length;
  const [x, y] = padDims(panel);
  for (let i = 0; i < draws.length; i += d) {
    const column = Math.floor((draws[i + x.index] * CELLS) / 256);
    const row = CELLS - 1 - Math.floor((draws[i + y.index] * CELLS) / 256);
    cells[row * CELLS + column]++;
  }
  let smooth = cells;
  for (const step of [1, CELLS, 1, CELLS]) { // twice a box of three each way
    const from = smooth;
    smooth = from.map((v, i) => (from[i - step] ?? 0) + v + (from[i + step] ?? 0));
  }
  const top = Math.max(...smooth) || 1;
  return smooth.map((v) => v / top);
}

function drawDensity(panel) {
  const key = `${panel.data.model} ${panel.axisX.value} ${panel.axisY.value} ${Boolean(panel.entry)}`;
  panel.padLine.textContent = 'Shaded: where encoded data lies, by draws from its posteriors. Hover to peek, click to go.';
  if (panel.padShows === key) return;
  panel.padShows = key;
  const canvas = panel.padCanvas;
  canvas.width = canvas.height = CELLS;
  canvas.classList.remove('crisp');
  const context = canvas.getContext('2d');
  context.fillStyle = getComputedStyle(panel.pad).getPropertyValue('--st-primary-color') || '#3f90da';
  density(panel).forEach((value, i) => {
    context.globalAlpha = 0.85 * Math.sqrt(value);
    context.fillRect(i % CELLS, Math.floor(i / CELLS), 1, 1);
  });
}

// a 2-D model's whole plane; tiles where no data lives are dim
function manifoldJobs(panel) {
  const key = `${panel.data.model} ${panel.y} ${panel.axisX.value} ${panel.axisY.value} ${Boolean(panel.entry)}`;
  panel.padLine.textContent = 'The whole latent plane, decoded; dim where no encoded data lies. Hover to peek, click to go.';
  if (panel.padShows === key) return [];
  panel.padShows = null; // half drawn until the last tile
  const [x, y] = padDims(panel);
  const shade = density(panel);
  const jobs = [];
  for (let row = 0; row < PAD_TILES; row++) {
    for (let column = 0; column < PAD_TILES; column++) {
      const z = panel.z.slice();
      z[x.index] = x.low + ((column + 0.5) / PAD_TILES) * (x.high - x.low);
      z[y.index] = y.high - ((row + 0.5) / PAD_TILES) * (y.high - y.low);
      const cell = (k) => Math.floor(((k + 0.5) / PAD_TILES) * CELLS);
      const dense = Math.min(1, 4 * Math.sqrt(shade[cell(row) * CELLS + cell(column)]));
      jobs.push({
        z, canvas: panel.padCanvas, column, row, columns: PAD_TILES, rows: PAD_TILES, alpha: 0.3 + 0.7 * dense,
        onDrawn: () => row * column === (PAD_TILES - 1) ** 2 && (panel.padShows = key),
      });
    }
  }
  return jobs;
}
