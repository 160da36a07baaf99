// Sliders and a pad over a latent point. The default export runs again at every change of data, while
// parentElement persists: state that must outlive a run is stored on it.
const COMMIT_AFTER = 250; // ms after the last key, since arrow keys repeat
const REST_AFTER = 120; // ms without movement before strips are drawn
const MAX_SLICE = 6; // ms that drawing strips may block the page at a time
const WEIGHTS_TIMEOUT = 8000; // ms until missing weights are reported
const TILES = 7; // images in a film strip
const PAD_TILES = 15; // images across the pad of a 2-D model
const BINS = 64; // of a histogram; divides 256, the number of levels that samples are quantised to
const CELLS = 64; // across the pad's density; divides 256 too

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
  // a slider released at its old value sends no "change" event, but the interaction is over
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

// Switches to another model: its sliders, samples and history.
function startModel(panel) {
  const { model, weights, dims } = panel.data;
  panel.entry = mailbox().models.get(weights) ?? null;
  clearTimeout(panel.patience);
  if (!panel.entry) panel.patience = setTimeout(continueWithoutWeights, WEIGHTS_TIMEOUT, panel);
  panel.questions.forget();
  panel.committed = null;
  panel.unanswered = 0;
  panel.waiting = false;
  if (!mailbox().memory.has(model)) mailbox().memory.set(model, { past: [], future: [] });
  panel.memory = mailbox().memory.get(model);
  buildRows(panel);
  buildClasses(panel);
  // the two dimensions with the most information; a 2-D model uses 0 and 1
  const axes = dims.length === 2 ? [0, 1] : dims.slice(0, 2).map((dim) => dim.index);
  [panel.axisX, panel.axisY].forEach((select, i) => {
    select.replaceChildren(...dims.map((dim) => new Option(label(dim), dim.index, false, dim.index === axes[i])));
  });
  panel.root.querySelector('.plane').style.display = dims.length < 2 ? 'none' : '';
  panel.padShows = null;
}

// Moves the sliders to a new point, which was set elsewhere or is the echo of this panel's own release.
function startFrom(panel) {
  const { z, y, echo } = panel.data;
  if (echo.panel === panel.id) {
    if (echo.commit < panel.sent) return; // a later release is in flight
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
  if (panel.holding) return; // do not move a slider that is being dragged
  panel.z = z.slice();
  panel.y = y;
  moved(panel);
  if (!panel.entry?.decoder) paintSent(panel);
}

function samePoint(a, b) {
  return a.y === b.y && a.z.length === b.z.length && a.z.every((v, i) => Math.abs(v - b.z[i]) < 1e-3);
}

function continueWithoutWeights(panel) {
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

// Moves to another point; locked dimensions stay.
function goTo(panel, point) {
  const z = point.z.slice();
  for (const dim of panel.data.dims) if (dim.locked) z[dim.index] = panel.z[dim.index];
  panel.z = z;
  panel.y = point.y;
  moved(panel);
}

// Shows the point everywhere after any movement, and schedules the drawing of its surroundings.
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

// Extends a track for a point outside the range of encoded data, but never during a drag.
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
    panel.note = 'a value that is not finite was reset into the range of the data';
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

// One release is in flight at a time, and the latest wins. With many simultaneous reruns over a slow network,
// Streamlit's message cache gets out of sync and the connection breaks.
function send(panel) {
  panel.committed = { z: panel.z.slice(), y: panel.y };
  showHistory(panel);
  panel.waiting = true;
  if (!panel.unanswered || performance.now() - panel.unanswered > ANSWER_TIMEOUT) sendNow(panel);
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
  if (panel.holding) commit(panel); // an unreleased movement counts as a step
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
