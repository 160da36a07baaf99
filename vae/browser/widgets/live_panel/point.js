// The latent code that the panel shows: every movement goes through moved(), every release through commit().
import { ANSWER_TIMEOUT } from '../../runtime/questions.js';
import { rest } from './around.js';
import { drawHistogram } from './histogram.js';
import { show } from './picture.js';
import { placeCross } from './plane.js';
import { nearest } from './snap.js';

const COMMIT_AFTER = 250; // ms after the last key, since arrow keys repeat
const READ_AFTER = 50; // ms until numbers follow a hand that drags: nobody reads faster, and each costs a layout

export function samePoint(a, b) {
  return a.y === b.y && a.z.length === b.z.length && a.z.every((v, i) => Math.abs(v - b.z[i]) < 1e-3);
}

// Moves to another code; locked dimensions stay.
export function goTo(panel, point) {
  const z = point.z.slice();
  for (const dim of panel.data.dims) if (dim.locked) z[dim.index] = panel.z[dim.index];
  panel.z = z;
  panel.y = point.y;
  moved(panel);
}

// Shows the code everywhere after any movement, and schedules the drawing of its surroundings. In a drag the picture comes
// first.
export function moved(panel) {
  clean(panel);
  show(panel, panel.z, panel.y);
  if (!panel.holding) showPoint(panel);
  else panel.pointTimer ??= setTimeout(showPoint, READ_AFTER, panel);
  rest(panel);
}

function showPoint(panel) {
  clearTimeout(panel.pointTimer);
  panel.pointTimer = null;
  for (const row of panel.rows) {
    const value = panel.z[row.dim.index];
    if (!panel.holding) makeRoom(panel, row, value);
    if (Number(row.input.value) !== value) row.input.value = value;
    const text = (Math.round(100 * value) / 100 || 0).toFixed(2); // no -0.00
    if (row.value.data !== text) row.value.data = text; // the same text would cost a layout, too
  }
  for (const button of panel.classes.children) {
    const isPressed = String(Number(button.value) === panel.y);
    if (button.getAttribute('aria-pressed') !== isPressed) button.setAttribute('aria-pressed', isPressed);
  }
  placeCross(panel);
}

// Extends a track for a code outside the range of the encoded data, but never during a drag. The strip stays.
function makeRoom(panel, row, value) {
  const low = Math.min(row.dim.low, value), high = Math.max(row.dim.high, value);
  if (low === row.low && high === row.high) return;
  Object.assign(row, { low, high });
  Object.assign(row.input, { min: low, max: high });
  const part = (from, to) => `${(100 * (to - from)) / (high - low)}%`;
  Object.assign(row.strip.style, { marginLeft: part(low, row.dim.low), width: part(row.dim.low, row.dim.high) });
  drawHistogram(panel, row);
}

// Makes values finite, and those of a dimension that takes only a few the nearest of them.
export function clean(panel) {
  for (const { index, low, high, values } of panel.data.dims) {
    const value = panel.z[index];
    if (!Number.isFinite(value)) {
      panel.z[index] = value === Infinity ? high : value === -Infinity ? low : (low + high) / 2;
      panel.note = 'a value that is not finite was replaced by one in the range of the data';
    }
    if (values) panel.z[index] = nearest(values, panel.z[index]);
  }
}

export function commit(panel) {
  panel.holding = false;
  clearTimeout(panel.commitTimer);
  if (panel.committed && samePoint(panel.committed, panel)) return;
  if (panel.committed) panel.memory.past.push(panel.committed);
  panel.memory.future.length = 0;
  send(panel, '');
}

// One release is in flight at a time, and the latest wins. With many simultaneous reruns over a slow network,
// Streamlit's message cache gets out of sync and the connection breaks. by: "undo", "redo", or "" for the hand.
function send(panel, by) {
  panel.committed = { z: panel.z.slice(), y: panel.y, by };
  showHistory(panel);
  panel.waiting = true;
  if (!panel.unanswered || performance.now() - panel.unanswered > ANSWER_TIMEOUT) sendNow(panel);
  else sendSoon(panel, ANSWER_TIMEOUT); // the answer, which brings it forward, may have been lost
}

export function sendSoon(panel, delay = COMMIT_AFTER) {
  clearTimeout(panel.sendTimer);
  panel.sendTimer = setTimeout(() => panel.waiting && sendNow(panel), delay);
}

function sendNow(panel) {
  panel.waiting = false;
  panel.unanswered = performance.now();
  panel.emit('commit', {
    panel: panel.id, commit: ++panel.sent, model: panel.data.model, z: panel.committed.z, y: panel.committed.y,
    by: panel.committed.by,
  });
}

// Sends the last release once more.
export function sendAgain(panel) {
  sendNow(panel);
  panel.sentAgain = panel.sent;
}

export function commitSoon(panel) {
  clearTimeout(panel.commitTimer);
  panel.commitTimer = setTimeout(commit, COMMIT_AFTER, panel);
}

// by: "undo" or "redo".
export function travel(panel, by) {
  if (panel.holding) commit(panel); // an unreleased movement counts as a step
  const [from, to] = stacks(panel, by), point = from.pop();
  if (!point) return;
  to.push(panel.committed);
  goTo(panel, point);
  send(panel, by);
}

// Keeps the last point when the host has set another one.
export function remember(panel, last) {
  const { by } = panel.data, [from, to] = stacks(panel, by);
  to.push(last);
  if (by) from.pop();
  else from.length = 0;
}

// Returns the stack that a change takes a point from and the one that it puts the last point on. A change that is neither
// "undo" nor "redo" puts it where undo finds it, and empties the other.
function stacks({ memory: { past, future } }, by) {
  return by === 'undo' ? [past, future] : [future, past];
}

export function showHistory(panel) {
  panel.undo.disabled = !panel.memory.past.length;
  panel.redo.disabled = !panel.memory.future.length;
}
