// Sliders and a pad over a latent point. The default export runs again at every change of data,
// while parentElement persists: what must outlive a run is kept on it.
const COMMIT_AFTER = 250; // ms of rest after the last key: arrow keys come in bursts
const REST_AFTER = 120; // ms without a movement before strips are drawn
const SLICE = 6; // ms that drawing strips may hold the page at a time
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
    root, canvas: find('canvas.picture'), line: find('.line'),
    classes: find('.classes'), sliders: find('.sliders'), more: find('.more'), pad: find('.pad'),
    padCanvas: find('.pad canvas'), cross: find('.cross'), padLine: find('.pad-line'),
    axisX: find('.axis-x'), axisY: find('.axis-y'), undo: find('.undo'), redo: find('.redo'),
    rows: [], z: [], y: 0, sent: 0, unanswered: 0, waiting: false, painted: 0, expanded: false,
    holding: false, note: '', work: 0,
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
  panel.questions = createQuestions(panel.canvas, (question) => {
    panel.component.setStateValue('ask', { ...question, model: panel.data.model });
  });
  panel.id = panel.questions.id;
  hear(panel.canvas, 'model', (name) => name === panel.data.weights && takeModel(panel));
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
  panel.questions.forget();
  panel.committed = null;
  panel.unanswered = 0;
  panel.waiting = false;
  if (!mailbox().memory.has(model)) mailbox().memory.set(model, { past: [], future: [] });
  panel.memory = mailbox().memory.get(model);
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
  if (echo.panel === panel.id) {
    if (echo.commit < panel.sent) return; // a later release is on its way
    panel.unanswered = 0;
    if (panel.waiting) {
      sendSoon(panel);
      return;
    }
  }
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
  if (!panel.entry?.decoder) paintSent(panel);
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
    row.output.textContent = (Math.round(100 * value) / 100 || 0).toFixed(2); // no -0.00
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

// one release in flight, the latest wins: Streamlit does not bear many reruns at once over a slow
// network (its cache of messages loses count, and the connection breaks)
function send(panel) {
  panel.committed = { z: panel.z.slice(), y: panel.y };
  showHistory(panel);
  panel.waiting = true;
  if (!panel.unanswered || performance.now() - panel.unanswered > GIVE_UP_AFTER) sendNow(panel);
}

function sendSoon(panel) {
  clearTimeout(panel.sendTimer);
  panel.sendTimer = setTimeout(() => panel.waiting && sendNow(panel), COMMIT_AFTER);
}

function sendNow(panel) {
  panel.waiting = false;
  panel.unanswered = performance.now();
  panel.component.setTriggerValue('commit', {
    panel: panel.id, commit: ++panel.sent, model: panel.data.model, z: panel.committed.z, y: panel.committed.y,
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
