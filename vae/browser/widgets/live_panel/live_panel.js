// Sliders and a pad for a latent code.
// Emits: painted, when the first picture is; ask {panel, seq, model, zs, y}, commit {panel, commit, model, z, y}, rename {model, index, name},
// lock {model, index, locked}, random {model, level}, a sample of the prior or of one level, and attribute {model, name,
// sign}, a step along its direction. Its props are those of pages/components/live_panel/panel.py. The host answers a commit
// with an update whose z, y and echo {panel, commit} are the commit's and whose version is new; later ones wait for it.
import { loadModel } from '../../runtime/load_model.js';
import { createMailbox, hear } from '../../runtime/mailbox.js';
import { createQuestions } from '../../runtime/questions.js';
import { createRoot } from '../../runtime/root.js';
import { undoKey } from '../../runtime/undo_key.js';
import { buildActions } from './actions.js';
import { rest } from './around.js';
import { drawHistogram } from './histogram.js';
import css from './live_panel.css';
import html from './live_panel.html';
import { setUpPad } from './pad.js';
import { label } from './label.js';
import { paintSent, show } from './picture.js';
import { stopPlaying } from './play.js';
import { commit, goTo, moved, remember, samePoint, sendAgain, sendSoon, showHistory, travel } from './point.js';
import { buildClasses, buildRows, showNamesAndLocks, showRows } from './sliders.js';

const WEIGHTS_TIMEOUT = 8000; // ms until missing weights are reported

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, html, css);
  const abort = new AbortController();
  const panel = createPanel(root, emit, mailbox, abort.signal);
  root.panel = panel; // read by the browser tests
  update(panel, props);
  return {
    update: (next) => update(panel, next),
    destroy() {
      abort.abort();
      stopPlaying(panel, true);
      for (const timer of [panel.patience, panel.restTimer, panel.commitTimer, panel.sendTimer, panel.pointTimer]) clearTimeout(timer);
      root.replaceChildren();
    },
  };
}

function update(panel, props) {
  const before = panel.data;
  panel.data = props;
  panel.undo.hidden = panel.redo.hidden = Boolean(props.host_undoes); // their keys work all the same
  if (props.note) panel.note = props.note;
  const another = !before || before.model !== props.model || before.weights !== props.weights;
  if (another) startModel(panel);
  else loadModel(panel.mailbox, props.weights, props.files);
  if (!another && isForgotten(panel)) sendAgain(panel);
  else if (another || before.version !== props.version) startFrom(panel);
  showNamesAndLocks(panel);
}

function createPanel(root, emit, mailbox, signal) {
  const find = (selector) => root.querySelector(selector);
  const panel = {
    root, emit, mailbox, canvas: find('canvas.picture'), line: find('.line'),
    classes: find('.classes'), sliders: find('.sliders'), more: find('.more'), pad: find('.pad'),
    padCanvas: find('.pad canvas'), lines: root.querySelectorAll('.density path'), cross: find('.cross'), padLine: find('.pad-line'),
    axisX: find('.axis-x'), axisY: find('.axis-y'), undo: find('.undo'), redo: find('.redo'),
    rows: [], z: [], y: 0, sent: 0, unanswered: 0, waiting: false, painted: 0, expanded: false,
    holding: false, note: '', work: 0,
  };
  panel.more.onclick = () => {
    panel.expanded = !panel.expanded;
    showRows(panel);
    rest(panel);
  };
  panel.undo.onclick = () => travel(panel, 'undo');
  panel.redo.onclick = () => travel(panel, 'redo');
  find('.reset').onclick = () => {
    goTo(panel, panel.data.start);
    commit(panel);
  };
  find('.mean').onclick = () => {
    const z = panel.z.slice();
    for (const dim of panel.data.dims) z[dim.index] = dim.prior_mu;
    goTo(panel, { z, y: panel.y });
    commit(panel);
  };
  const isPlayed = (target) => target.closest?.('.play, .gif');
  for (const name of ['pointerdown', 'keydown']) { // any other use of the panel stops a slider that moves by itself
    root.addEventListener(name, (event) => isPlayed(event.target) || stopPlaying(panel), { signal, capture: true });
  }
  root.addEventListener('keydown', (event) => {
    const button = panel[undoKey(event)];
    if (!button) return;
    event.preventDefault();
    button.click();
  }, { signal });
  setUpPad(panel);
  panel.questions = createQuestions(mailbox, (question) => emit('ask', { ...question, model: panel.data.model }), signal);
  panel.id = panel.questions.id;
  hear(mailbox, 'model', (name) => name === panel.data.weights && takeModel(panel), signal);
  // a slider released at its old value sends no "change" event, but the interaction is over
  window.addEventListener('pointerup', () => setTimeout(() => panel.holding && !panel.playing && commit(panel)), { signal });
  document.addEventListener('visibilitychange', () => !document.hidden && panel.unfinished && rest(panel), { signal });
  return panel;
}

// Switches to another model: its sliders, samples and history.
function startModel(panel) {
  const { model, weights, dims } = panel.data, { memory, models } = panel.mailbox;
  stopPlaying(panel, true);
  panel.entry = models.get(weights) ?? null;
  clearTimeout(panel.patience);
  loadModel(panel.mailbox, weights, panel.data.files);
  if (!panel.entry) panel.patience = setTimeout(continueWithoutWeights, WEIGHTS_TIMEOUT, panel);
  panel.questions.forget();
  panel.committed = null;
  panel.unanswered = 0;
  panel.waiting = false;
  if (!memory.has(model)) memory.set(model, { past: [], future: [] });
  panel.memory = memory.get(model);
  buildRows(panel);
  buildClasses(panel);
  buildActions(panel);
  // the two dimensions with the most information; a 2-D model uses 0 and 1
  const axes = dims.length === 2 ? [0, 1] : dims.slice(0, 2).map((dim) => dim.index);
  [panel.axisX, panel.axisY].forEach((select, i) => {
    select.replaceChildren(...dims.map((dim) => new Option(label(dim), dim.index, false, dim.index === axes[i])));
  });
  panel.root.querySelector('.plane').style.display = dims.length < 2 ? 'none' : '';
  panel.padShows = null;
}

// Whether the session knows of no release, although one is under way: it is a new one, because the server was lost.
const isForgotten = (panel) => panel.unanswered && !panel.data.echo.panel && panel.sentAgain !== panel.sent;

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
  if (last && !samePoint(last, panel.data)) remember(panel, last);
  panel.committed = { z: z.slice(), y };
  showHistory(panel);
  if (panel.holding) return; // do not move a slider that is being dragged
  panel.z = z.slice();
  panel.y = y;
  moved(panel);
  if (panel.data.files?.reason) paintSent(panel); // the browser cannot decode
}

function continueWithoutWeights(panel) {
  panel.entry = { draws: new Uint8Array(), decoder: null, reason: 'the weights have not arrived' };
  moved(panel);
}

function takeModel(panel) {
  clearTimeout(panel.patience);
  panel.entry = panel.mailbox.models.get(panel.data.weights);
  panel.rows.forEach((row) => drawHistogram(panel, row));
  panel.padShows = null;
  show(panel, panel.z, panel.y);
  rest(panel);
}
